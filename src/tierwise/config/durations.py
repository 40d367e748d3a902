"""Lengths of time and metric windows as written in the settings files.

`4 quarters` counts the four fiscal quarters closed on or before the as-of date, `12 months` runs back
twelve calendar months from it, `90 days` ninety days, `lifetime` from the first event, and `as of` is the
state on the day itself.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from tierwise.config.base import Settings

Unit = Literal["day", "month", "quarter", "year", "review"]
WindowKind = Literal["days", "months", "quarters", "calendar_quarters", "lifetime", "as_of"]

LONGEST_YEARS = 100

_DURATION_FORM = r"([0-9]{1,9})\s+(day|month|quarter|year|review)s?"
_WINDOW_FORM = r"([0-9]{1,9})\s+(day|month|quarter|calendar quarter|fiscal quarter)s?"
_DURATION = re.compile(f"^{_DURATION_FORM}$")
_WINDOW = re.compile(f"^{_WINDOW_FORM}$")
_WINDOW_KINDS: dict[str, WindowKind] = {
    "day": "days",
    "month": "months",
    "quarter": "quarters",
    "fiscal quarter": "quarters",
    "calendar quarter": "calendar_quarters",
}
_PER_YEAR = {"day": 365, "month": 12, "quarter": 4, "fiscal quarter": 4, "calendar quarter": 4, "year": 1, "review": 12}


class Duration(Settings):
    """A whole number of days, months, quarters, years or reviews.

    Attributes:
        count: How many.
        unit: Of what.
    """

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


class Window(Settings):
    """The stretch of time before an as-of date whose events a metric counts.

    Attributes:
        kind: How the window's start is found; `quarters` are fiscal quarters closed on or before the as-of date.
        count: How many days, months or quarters; 0 for `lifetime` and `as_of`.
    """

    kind: WindowKind
    count: int = 0

    def __str__(self) -> str:
        if self.kind == "lifetime":
            return "lifetime"
        if self.kind == "as_of":
            return "as of"
        unit = {"quarters": "quarter", "calendar_quarters": "calendar quarter"}.get(self.kind, self.kind[:-1])
        return f"{self.count} {unit}{'' if self.count == 1 else 's'}"


def parse_duration(value: object) -> object:
    """Turn text such as `90 days` into a duration; durations and their parts pass.

    Raises:
        ValueError: If the value is not a whole number and a unit of time, or is longer than a century.
    """
    if isinstance(value, (Duration, dict)):
        return value
    match = _DURATION.match(_plain(value))
    if match is None:
        raise ValueError(f"{value!r} is not a length of time; write for example '90 days', '4 quarters' or '2 reviews'")
    _refuse_over_a_century(value, int(match[1]), match[2])
    return {"count": int(match[1]), "unit": match[2]}


def parse_window(value: object) -> object:
    """Turn text such as `4 quarters`, `lifetime` or `as of` into a window; windows and their parts pass.

    Raises:
        ValueError: If the value is none of the window forms, counts nothing, or is longer than a century.
    """
    if isinstance(value, (Window, dict)):
        return value
    text = _plain(value)
    if text in ("lifetime", "as of"):
        return {"kind": text.replace(" ", "_")}
    match = _WINDOW.match(text)
    if match is None or int(match[1]) < 1:
        raise ValueError(
            f"{value!r} is not a window; write 'N days', 'N months', 'N quarters' (fiscal), "
            "'N calendar quarters', 'lifetime' or 'as of'"
        )
    _refuse_over_a_century(value, int(match[1]), match[2])
    return {"kind": _WINDOW_KINDS[match[2]], "count": int(match[1])}


def _plain(value: object) -> str:
    return " ".join(value.lower().split()) if isinstance(value, str) else ""


def _refuse_over_a_century(value: object, count: int, unit: str) -> None:
    if count > LONGEST_YEARS * _PER_YEAR[unit]:
        raise ValueError(f"{value!r} is longer than the allowed {LONGEST_YEARS} years")


DurationText = Annotated[
    Duration,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION_FORM}$", "title": "Length of time"}),
]
WindowText = Annotated[
    Window,
    BeforeValidator(parse_window),
    WithJsonSchema({"type": "string", "pattern": f"^({_WINDOW_FORM}|lifetime|as of)$", "title": "Window"}),
]
