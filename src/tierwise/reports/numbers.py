"""How figures and their names are shown in reports about models."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

UNKNOWN = "-"
SCORE_TITLES: Mapping[str, str] = {
    "gini": "normalised Gini",
    "spearman": "Spearman rank correlation",
    "top_decile_capture": "value caught in the top tenth",
    "total_ratio": "predicted total / actual total",
    "skill_on_change": "rank correlation of the change",
    "mae": "mean absolute error",
    "coverage": "share of intervals that held",
    "relative_width": "mean width of the interval / mean prediction",
}


def number(value: object) -> str:
    """Show a value of a table: whole numbers with thousands, others with three digits, missing as `-`."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    plain = float(value)
    if plain == round(plain) or abs(plain) >= 1000:
        return f"{plain:,.0f}"
    return f"{plain:.3f}" if abs(plain) < 10 else f"{plain:.1f}"


def share(value: object) -> str:
    """Show a share of one in whole per cent; an unknown one as `-`."""
    known = number(value)
    return known if known == UNKNOWN or not hasattr(value, "__float__") else f"{float(value):.0%}"


def spread(low: object, high: object) -> str:
    """Show an interval; one whose ends are unknown as `-`."""
    ends = (number(low), number(high))
    return UNKNOWN if UNKNOWN in ends else " to ".join(ends)
