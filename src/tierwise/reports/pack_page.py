"""The pages of a review pack: an index, and lists of all partners where they are too many for one page.

Scripts only search, sort and filter what the page already shows; without them every table still reads. The one script
and the one style sheet are allowed by their hash, so that a page runs nothing else, also when opened from a disk.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from tierwise.reports.pack import Pack, PackRow
from tierwise.reports.pages import clip, render, source

MOST_ON_INDEX = 2_000
PER_LIST = 2_000
MOST_LISTED = 15
MOST_FINDER_BYTES = 3_900_000
FINDER_NAME = 24


@dataclass(frozen=True)
class Option:
    """One choice of a filter: what it matches, and how many rows do."""

    value: str
    rows: int


@dataclass(frozen=True)
class Filters:
    """The filters above a table of partners."""

    tiers: tuple[Option, ...]
    actions: tuple[Option, ...]
    archetypes: tuple[Option, ...]
    regions: tuple[Option, ...]


@dataclass(frozen=True)
class ListPage:
    """One page of a long list: its file, its number, the place of its first row among all, and its rows."""

    file: str
    number: int
    first: int
    rows: tuple[PackRow, ...]

    @property
    def title(self) -> str:
        """From which partner to which it goes."""
        first, last = (clip(row.partner_id, 24) for row in (self.rows[0], self.rows[-1]))
        return f"{first} – {last}"


def as_pages(pack: Pack) -> dict[str, str]:
    """Render the pack: `index.html`, and where partners are many `list-001.html`, ...

    Returns:
        The pages by file name.
    """
    lists = list_pages(pack.partners)
    shown = pack.partners if not lists else _first_to_look_at(pack)
    finder = finder_text(lists, pack.tiers) if lists else ""
    context = {"pack": pack, "most": MOST_LISTED, "style": _style(), "script": _script(), "policy": _security_policy()}
    pages = {
        "index.html": render(
            "pack.html", rows=shown, filters=filters_of(shown, pack), lists=lists, finder=finder, **context
        )
    }
    for page in lists:
        pages[page.file] = render(
            "list.html", page=page, rows=page.rows, filters=filters_of(page.rows, pack), lists=lists, **context
        )
    return pages


def list_pages(rows: Sequence[PackRow]) -> tuple[ListPage, ...]:
    """Cut a long list into pages, by id; none where the index holds everybody."""
    if len(rows) <= MOST_ON_INDEX:
        return ()
    starts = range(0, len(rows), PER_LIST)
    return tuple(
        ListPage(f"list-{number:03d}.html", number, start, tuple(rows[start : start + PER_LIST]))
        for number, start in enumerate(starts, start=1)
    )


def finder_text(lists: Iterable[ListPage], tiers: Sequence[str]) -> str:
    """The text that the index searches for a partner among many: `id, name, place of the tier, page` by line.

    Names are cut short; where even so the text is too long it holds the ids alone, or nothing.
    """
    places = {tier: place for place, tier in enumerate(tiers)}
    rows = [(f"{places.get(row.recommended_tier, -1)}\t{page.number}", row) for page in lists for row in page.rows]
    full = [(_one_line(row.partner_id), _one_line(row.name)[:FINDER_NAME], rest) for rest, row in rows]
    for parts in (full, [(partner, "", rest) for partner, _, rest in full]):
        text = "\n".join("\t".join(line) for line in parts)
        if len(text.encode("utf-8", "replace")) <= MOST_FINDER_BYTES:
            return text
    return ""


def filters_of(rows: Sequence[PackRow], pack: Pack) -> Filters:
    """The choices of each filter, as far as the rows offer any; tiers from the top, the others by name."""
    return Filters(
        tiers=_options([row.recommended_tier for row in rows], pack.tiers),
        actions=_options([row.action for row in rows], [name for name, _ in pack.actions]),
        archetypes=_options([row.archetype for row in rows]),
        regions=_options([row.region for row in rows]),
    )


def _options(values: Sequence[str], order: Sequence[str] = ()) -> tuple[Option, ...]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    named = list(order) or sorted(counts)
    return tuple(Option(value, counts[value]) for value in named if value and value in counts)


def _first_to_look_at(pack: Pack) -> tuple[PackRow, ...]:
    """Whom the index of a large review lists: those who move, are at risk or nearly rise."""
    rows = {row.partner_id: row for row in (*pack.movers, *pack.at_risk, *pack.near_misses)}
    return tuple(list(rows.values())[:MOST_ON_INDEX])


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _style() -> str:
    return source("page.css") + source("pack.css")


@cache
def _script() -> str:
    return source("pack.js")


@cache
def _security_policy() -> str:
    """Allow the page's own script and style by their hash, and nothing else."""
    return f"default-src 'none'; style-src {_hash(_style())}; script-src {_hash(_script())}"


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
