"""The part of a model card that says how far its explanations can be trusted."""

from __future__ import annotations

import pandas as pd

from tierwise.reports.numbers import number
from tierwise.reports.sections import Section

TITLE = "How far explanations can be trusted"
HEADER = ("check", "value", "expected", "meaning")


def stability_section(checks: pd.DataFrame) -> list[Section]:
    """The section of a stability report; none where none was made.

    Args:
        checks: `check, value, expected, meaning`; a missing value could not be measured.
    """
    if checks.empty:
        return []
    rows = tuple(
        (str(check), number(value), str(expected), str(meaning))
        for check, value, expected, meaning in checks[list(HEADER)].itertuples(index=False, name=None)
    )
    text = (
        "Light models were trained again on partners drawn with replacement, and once on shuffled labels. Contributions"
        " say what a figure goes with, not what raising it would do.",
    )
    return [Section(TITLE, HEADER, rows, frozenset({1}), text)]
