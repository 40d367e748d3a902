"""What the guards against leaks looked at, as a section of a report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from tierwise.reports.numbers import number, share
from tierwise.reports.sections import Section

TITLE = "Does anything know the future?"
LEADING = 10
_SAID = {
    "fired": "ALARM: the columns marked so know more of the future than an honest one can.",
    "quiet": "No column, and the model neither, knows more of the future than it can.",
    "not_tested": "Nothing could be tested: no past review has completed.",
}
_EXPLAINED = (
    "Share of what persistence leaves open of the label that a column tells on its own day, beside what an honest one "
    "must at least tell: of a metric and of the model, what they tell a review later, when part of the window is seen; "
    "of an attribute, what it tells of the past. `attribute_from_history` is how closely an attribute follows the "
    "partner's events on record, beside the limit."
)


def leaks_section(leaks: pd.DataFrame, alarm: str) -> Section:
    """Show what fired, and the most striking of what did not.

    Args:
        leaks: `subject, kind, code, share, yardstick, probability, fired`.
        alarm: `fired`, `quiet` or `not_tested`.
    """
    text = (_SAID[alarm],)
    if leaks.empty:
        return Section(TITLE, text=text)
    shown = leaks[leaks["fired"].astype(bool) | (leaks.reset_index().index < LEADING)]
    rows = [
        (row.subject, row.kind, row.code, share(row.share), share(row.yardstick), number(row.probability),
         "ALARM" if row.fired else "quiet")
        for row in _lines(shown)
    ]  # fmt: skip
    header = ("column", "kind", "guard", "tells", "honest", "P", "verdict")
    return Section(TITLE, header, tuple(rows), frozenset({3, 4, 5}), (*text, _EXPLAINED))


def _lines(frame: pd.DataFrame) -> Iterable[Any]:
    return frame.itertuples()
