"""Which criterion matters most for each partner: the closest one met, or the one that is missed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

MET, NOT_KNOWN = "true", "unknown"
CLOSEST, MISSED, MISSING = "closest_threshold", "missed_threshold", "missing_for_next_tier"
UNKNOWN_FIGURE = "unknown_figure"
CONDITION = "is"
COLUMNS = (
    "partner_id", "code", "tier", "criterion", "expression", "metric", "operator", "threshold", "value", "gap",
    "others",
)  # fmt: skip

_PLACED = ("promote", "place")


def focus_criteria(moves: pd.DataFrame, criteria: pd.DataFrame, tier_names: Sequence[str]) -> pd.DataFrame:
    """Choose for each partner the one criterion that explains the placement best.

    For a partner below the tier it holds it is the criterion of that tier missed most widely; for a promotion, or a
    first placement above the lowest tier, the recommended tier's criterion that is met most narrowly; for all others
    the one of the next tier that is nearest to being met. Of alternatives only the cheapest open route counts.

    Args:
        moves: `partner_id, current_tier, eligible_tier, recommended_tier, next_tier, action`, one row per partner.
        criteria: The criteria table of the placement.
        tier_names: The tiers from the lowest to the highest.

    Returns:
        At most one row per partner with `COLUMNS`, sorted; `others` counts further unmet criteria of that tier.
    """
    question, tier = _question(moves, tier_names)
    asked = pd.DataFrame({"partner_id": moves["partner_id"], "question": question, "tier": tier})
    rows = asked.merge(criteria, on=["partner_id", "tier"], how="inner")
    is_met = rows["met"] == MET
    rows = rows[np.where(rows["question"] == CLOSEST, is_met, ~is_met & _on_open_route(rows))].copy()
    rows["others"] = rows.groupby("partner_id")["criterion"].transform("size") - 1
    distance = _distance(rows)
    rows["order"] = np.where(rows["question"] == MISSED, -distance, distance)
    rows["code"] = rows["question"].mask(rows["met"] == NOT_KNOWN, UNKNOWN_FIGURE)
    rows = rows.sort_values(["partner_id", "order", "criterion"], kind="stable")
    return rows.drop_duplicates("partner_id", ignore_index=True)[list(COLUMNS)]


def is_below(moves: pd.DataFrame, tier_names: Sequence[str]) -> pd.Series:
    """Whether each partner is eligible for less than the tier it holds."""
    order = {name: place for place, name in enumerate(tier_names)}
    held, eligible = (moves[column].map(order).astype(np.float64) for column in ("current_tier", "eligible_tier"))
    return held.notna() & (eligible.fillna(-1) < held)


def _question(moves: pd.DataFrame, tier_names: Sequence[str]) -> tuple[pd.Series, pd.Series]:
    """What is asked about each partner, and of which tier."""
    below = is_below(moves, tier_names)
    placed = moves["action"].isin(_PLACED) & (moves["recommended_tier"] != tier_names[0])
    question = pd.Series(np.select([below, placed], [MISSED, CLOSEST], MISSING), index=moves.index, dtype="str")
    tier = moves["next_tier"].mask(placed, moves["recommended_tier"]).mask(below, moves["current_tier"])
    return question, tier


def _on_open_route(rows: pd.DataFrame) -> pd.Series:
    """Criteria outside of any alternative, and those on the cheapest open route of one."""
    return rows["route"].isna() | (rows["route"] == "") | rows["cheapest"].fillna(False).astype(bool)


def _distance(rows: pd.DataFrame) -> pd.Series:
    """How far a value is from its threshold, relative to the threshold.

    The largest number where one is unknown, and for a condition: met it says little, missed it decides.
    """
    size = rows["threshold"].abs()
    gap = (rows["value"] - rows["threshold"]).abs() / size.where(size > 0, 1.0)
    return gap.where(rows["operator"] != CONDITION).fillna(np.finfo(np.float64).max)
