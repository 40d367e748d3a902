"""The counts of a review pack, as pure functions of one frame with a row per partner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tierwise.explain.figures import figure
from tierwise.reports.pack import NO_TIER, ArchetypeLine, GuardrailHit, MatrixLine, PackRow, TierLine

GUARDRAILS: Mapping[str, str] = {
    "evidence_floor": "Too little evidence to change the tier",
    "tier_share_cap": "The tier is full",
    "promotion_cap": "The review's cap on promotions is reached",
    "manager_capacity": "The partner manager has no capacity",
    "freeze": "Tiers are frozen",
}
MOST_EXAMPLES = 5
NO_ARCHETYPE = "no archetype"


def tiers_shown(rows: pd.DataFrame, tier_names: Sequence[str]) -> tuple[str, ...]:
    """The tiers from the top, and `no tier` where partners have none, now or before."""
    there = {*rows["recommended_tier"].dropna(), *rows["current_tier"].dropna()}
    older = sorted(there - set(tier_names))
    without = [NO_TIER] if rows["recommended_tier"].isna().any() else []
    return (*reversed(tier_names), *older, *without)


def composition_lines(rows: pd.DataFrame, tiers: Sequence[str], unit: str) -> tuple[TierLine, ...]:
    """Who is in each tier now and before, with the tier's share of value; a negative value counts as none."""
    now, before = (rows[column].fillna(NO_TIER) for column in ("recommended_tier", "current_tier"))
    value, has_history = rows["value"].clip(lower=0), rows["current_tier"].notna().any()
    total = float(value.sum())
    lines = []
    for tier in tiers:
        own = float(value[now == tier].sum())
        lines.append(
            TierLine(
                tier=tier,
                partners=int((now == tier).sum()),
                share=float((now == tier).mean()) if len(rows) else 0.0,
                before=int((before == tier).sum()) if has_history else None,
                value_share=own / total if total > 0 else None,
                shown_value=figure(own if value.notna().any() else None, unit),
            )
        )
    return tuple(lines)


def matrix_lines(rows: pd.DataFrame, tier_names: Sequence[str]) -> tuple[MatrixLine, ...]:
    """How many went from which tier to which, the lowest first; empty without tier history."""
    held = rows[rows["current_tier"].notna()]
    if held.empty:
        return ()
    tiers = matrix_tiers(rows, tier_names)
    counts = pd.crosstab(held["current_tier"], held["recommended_tier"].fillna(NO_TIER))
    counts = counts.reindex(index=tiers, columns=tiers, fill_value=0)
    numbers = counts.to_numpy(dtype="int64").tolist()
    return tuple(
        MatrixLine(before, tuple((number, int(np.sign(column - row))) for column, number in enumerate(numbers[row])))
        for row, before in enumerate(tiers)
    )


def matrix_tiers(rows: pd.DataFrame, tier_names: Sequence[str]) -> list[str]:
    """The rows and columns of the matrix: no tier, tiers of older policies, then the ladder from the lowest."""
    return list(reversed(tiers_shown(rows, tier_names)))


def archetype_lines(rows: pd.DataFrame, tiers: Sequence[str], unit: str) -> tuple[ArchetypeLine, ...]:
    """What each archetype brings, and how that is spread over the tiers; the most valuable first."""
    frame = pd.DataFrame(
        {
            "archetype": rows["archetype"].astype("object").fillna(NO_ARCHETYPE),
            "tier": rows["recommended_tier"].fillna(NO_TIER),
            "value": rows["value"].clip(lower=0),
        }
    )
    is_known, total = frame["value"].notna().any(), float(frame["value"].sum())
    lines = []
    for archetype, own in frame.groupby("archetype", sort=True):
        value = float(own["value"].sum())
        by_tier = own.groupby("tier")["value"].sum().reindex(list(tiers), fill_value=0.0)
        spread = tuple(float(part) / total if total > 0 else None for part in by_tier)
        share = value / total if total > 0 else None
        lines.append(
            (-value, ArchetypeLine(str(archetype), len(own), figure(value if is_known else None, unit), share, spread))
        )
    return tuple(line for _, line in sorted(lines, key=lambda pair: (pair[0], pair[1].archetype)))


def guardrail_hits(rows: pd.DataFrame, records: Mapping[str, PackRow]) -> tuple[GuardrailHit, ...]:
    """The guardrails that decided about somebody, with the most valuable of them."""
    hits = []
    for rule, title in GUARDRAILS.items():
        own = rows[rows["rule"] == rule].sort_values(["value", "partner_id"], ascending=[False, True], kind="stable")
        if len(own):
            examples = tuple(records[partner] for partner in own["partner_id"].head(MOST_EXAMPLES))
            hits.append(GuardrailHit(title, len(own), examples))
    return tuple(hits)


def movers_of(rows: pd.DataFrame, tier_names: Sequence[str]) -> pd.DataFrame:
    """Who changes tier: the widest moves first, then the most valuable."""
    order = {name: place for place, name in enumerate(tier_names)}
    moving = rows[rows["action"].isin(["promote", "demote"])]
    before, after = (
        moving[name].map(order).astype("float64").fillna(-1) for name in ("current_tier", "recommended_tier")
    )
    ranked = moving.assign(steps=(after - before).abs())
    return ranked.sort_values(["steps", "value", "partner_id"], ascending=[False, False, True], kind="stable")
