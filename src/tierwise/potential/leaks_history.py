"""Static attributes that follow the partner's history on record, such as "year of the last order".

Such a column is no trait of all time: for a past review it was made from events after it. It is named where, but for a
few partners, its values cut the partners by their first or last event, how much they did or what it was worth.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.leak_spec import LeakSpec

Ints = NDArray[np.int64]
_MOST_LEVELS_SHARE = 5
_MOST_COMMON = 0.8


def attributes_from_history(
    rows: pd.DataFrame, attributes: Sequence[str], facts: pd.DataFrame, spec: LeakSpec
) -> list[dict[str, object]]:
    """Name the attributes that follow a fact of the history.

    Args:
        rows: One row per partner with `partner_id` and the attributes.
        attributes: The static attributes.
        facts: One row per partner with `partner_id` and one column per fact over everything on record; dates as
            datetimes, counts and amounts as numbers; missing where the partner has no event.
        spec: How closely an attribute must follow a fact.

    Returns:
        One row per attribute, as `tierwise.potential.leaks.COLUMNS` names them; the fact that it follows most closely.
    """
    joined = rows[["partner_id", *attributes]].merge(facts, on="partner_id", how="left")
    names = [name for name in facts.columns if name != "partner_id"]
    if len(joined) < spec.partners or not names:
        return []
    return [_row(joined, name, names, spec) for name in attributes]


def _row(joined: pd.DataFrame, attribute: str, facts: Sequence[str], spec: LeakSpec) -> dict[str, object]:
    levels = joined[attribute].astype("object").fillna("(none)").astype(str)
    codes, names = pd.factorize(levels, sort=True)
    closeness = max(_closeness(codes, len(names), joined[fact]) for fact in facts)
    return {
        "subject": attribute, "kind": "attribute", "code": "attribute_from_history", "share": closeness,
        "yardstick": spec.follows, "probability": float("nan"), "reviews": 1, "partners": len(joined),
        "fired": closeness >= spec.follows,
    }  # fmt: skip


def _closeness(levels: Ints, count: int, fact: pd.Series) -> float:
    """Return how closely a fact follows from the levels: 0 no better than the commonest answer, 1 without exception."""
    if count < 2 or count * _MOST_LEVELS_SHARE > len(levels):
        return 0.0
    found = [_in_bands(levels, count, fact)]
    if pd.api.types.is_datetime64_any_dtype(fact):
        found.append(_same_month(levels, count, fact))
    return max(found)


def _in_bands(levels: Ints, count: int, fact: pd.Series) -> float:
    """Order the levels by their typical fact; count the partners that keep that order (longest ordered sequence)."""
    number = fact.astype("int64").where(fact.notna()) if pd.api.types.is_datetime64_any_dtype(fact) else fact
    value = number.astype(float).fillna(-np.inf)
    order = value.groupby(levels).median().sort_values(kind="stable")
    places = np.zeros(count, dtype=np.int64)
    places[order.index.to_numpy()] = np.arange(len(order))
    place = places[levels]
    commonest = float(np.bincount(place).max() / len(place))
    # Partners with the same fact stand in the worst order, so that a fact that hardly varies proves nothing.
    ranked = place[np.lexsort((-place, value.to_numpy()))]
    return _above_chance(_longest_ordered(ranked.tolist()) / len(ranked), commonest)


def _longest_ordered(values: Sequence[int]) -> int:
    """Return the length of the longest sub-sequence that never falls."""
    tails: list[int] = []
    for value in values:
        place = bisect_right(tails, value)
        tails[place : place + 1] = [value]
    return len(tails)


def _same_month(levels: Ints, count: int, fact: pd.Series) -> float:
    """Count the partners whose level's commonest month of the year is theirs, among levels of two and more."""
    counts = np.zeros((count, 13), dtype=np.int64)
    np.add.at(counts, (levels, fact.dt.month.fillna(0).to_numpy(dtype=np.int64)), 1)
    most = counts.max(axis=1)
    return _above_chance(float(most[most >= 2].sum() / len(levels)), float(counts.sum(axis=0).max() / len(levels)))


def _above_chance(share: float, commonest: float) -> float:
    return 0.0 if commonest > _MOST_COMMON else max(0.0, (share - commonest) / (1 - commonest))
