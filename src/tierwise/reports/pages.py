"""What every page shares: templates that escape everything, safe file names, texts cut to what fits."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tierwise.explain.wording import robustness_words
from tierwise.reports import charts
from tierwise.reports.pack_ladders import counted
from tierwise.reports.partner_words import SHAPES, action_words

LONGEST_FILE_NAME = 60
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_HELD_TOGETHER = re.compile(r"(?<=\b[A-Z]{3}) (?=\d)|(?<=×) (?=\d)|(?<=\d) (?=(?:k|m|bn|%)\b|%)")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def _together(value: Any) -> Any:
    """Keep figures and their units on one line, in every text that a template shows."""
    is_plain = isinstance(value, str) and not isinstance(value, Markup)
    return _HELD_TOGETHER.sub("\N{NO-BREAK SPACE}", value) if is_plain else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tierwise.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_together,
    )
    environment.filters |= {"clip": clip, "action_words": action_words, "count": count, "percent": percent}
    environment.filters |= {"robustness_words": robustness_words, "tier_counts": counted}
    environment.globals |= {"charts": charts, "shapes": SHAPES}
    return environment


def render(template: str, **context: Any) -> str:
    """Fill a template; every text is escaped, and a name that the context lacks is a fault of the program."""
    return _environment().get_template(template).render(**context)


def file_name(partner_id: str) -> str:
    """A file name without suffix for a partner's page: the id where it is harmless, else a part of it and a hash.

    No two ids share one, also where file systems do not tell upper case from lower.
    """
    if _SAFE.fullmatch(partner_id) and len(partner_id) <= LONGEST_FILE_NAME and partner_id == partner_id.upper():
        return partner_id
    start = _UNSAFE.sub("-", partner_id).strip("-")[: LONGEST_FILE_NAME - 20]
    digest = hashlib.sha256(partner_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{start}-{digest}" if start else digest


def clip(text: str, most: int) -> str:
    """Cut a text to so many characters, at the end of a word where there is one near."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at = cut.rfind(" ")
    return (cut[:at] if at > most * 0.7 else cut).rstrip(" ,;:") + "…"


def count(value: int, noun: str, several: str = "") -> str:
    """Write how many of what: `1 partner`, `1,200 partners`."""
    return f"{value:,} {noun if value == 1 else several or noun + 's'}"


def percent(share: float | None) -> str:
    """Write a share in per cent with one decimal; a dash where it is unknown."""
    return "–" if share is None or share != share else f"{share:.1%}".replace("%", " %")


def source(template: str) -> str:
    """The text of a template as it is: a style sheet or a script, which hold nothing to fill in."""
    environment = _environment()
    assert environment.loader is not None, "the templates are loaded from the package"
    return environment.loader.get_source(environment, template)[0]
