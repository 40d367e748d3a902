"""How small a one-pager's print must be set so that it fits one sheet: an estimate in lines of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from tierwise.reports.partner import PartnerPage, Plan

MOST_LINES = {"roomy": 66, "snug": 79, "tight": 95}
"""Lines that fit one sheet of A4 in each size of print; found by printing full pages, and held by a test."""
SMALLEST = "least"
HALF, WHOLE, TITLE, PEER = 62, 120, 30, 36
"""Characters on a line of half the sheet, of all of it, in the column of criteria, and of a peer's name."""


class HasRows(Protocol):
    """A small table of bars."""

    @property
    def rows(self) -> Sequence[object]:
        """Its lines."""


def density(lines: float) -> str:
    """The largest print in which so many lines fit."""
    return next((name for name, most in MOST_LINES.items() if lines <= most), SMALLEST)


def lines_of(
    page: PartnerPage, criteria: Sequence[tuple[str, bool]], scores: Sequence[HasRows], families: Sequence[HasRows]
) -> float:
    """Estimate how many lines a page takes in print.

    Args:
        page: The page.
        criteria: The shown criteria: their titles, and whether a second line holds the bands.
        scores: The tables of points.
        families: The tables of families.
    """
    reasons = sum(_wrapped(reason.sentence[:250], HALF) for reason in page.reasons[1:4])
    asked = sum(max(_wrapped(title, TITLE), 1 + has_bands) * 1.15 for title, has_bands in criteria)
    bars = max(7, sum(len(table.rows) + 1 for table in families) + 1, sum(len(table.rows) + 2 for table in scores))
    changed = len(page.changes[:4]) * 2 + len(page.moved[:4]) + 2
    way = sum(_plan(plan) for plan in page.plans[:3]) or 3
    peers = sum(1 + (_wrapped(peer.shown[:48], PEER) - 1) for peer in page.peers[:3]) * 1.2 + 3 if page.peers else 0
    head = 7 + _wrapped(page.name[:120], 44) + _wrapped(page.why[:210], 84) + _wrapped(page.next_step[:190], 90)
    tail = len(page.notes) + 3
    head += page.ladders.lines
    return head + max(reasons, 6) + 2 + (asked + 4 if criteria else 0) + bars + 2 + max(changed, way) + 2 + peers + tail


def _plan(plan: Plan) -> float:
    if plan.number > 1:
        return _wrapped(", ".join(f"{step.title[:40]} to {step.goal}" for step in plan.steps[:3]), HALF)
    steps = sum(_wrapped(f"{step.title} {step.start} {step.goal} {step.by_when}", HALF - 6) for step in plan.steps[:4])
    return steps + 2 + _wrapped(plan.gains[:240], HALF) + _wrapped(plan.costs[:140], HALF)


def _wrapped(text: str, width: int) -> int:
    return math.ceil(len(text) / width)
