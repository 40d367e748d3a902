"""The summary of a review: every number is one that the output tables give too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tierwise.config.policy import EXIT
from tierwise.explain.figures import figure
from tierwise.jobs.review_tables import ReviewLayout
from tierwise.reports.review import Move, ReviewSummary

MOST_MOVES = 5
MOVING = ("promote", "demote", "place")
NO_TIER = "no tier"
TARGET = "_target"


@dataclass(frozen=True)
class Written:
    """What a run wrote.

    Attributes:
        folder: The review's folder; None for a dry run.
        rows: The number of rows by table.
    """

    folder: Path | None
    rows: Mapping[str, int]


def summarise(layout: ReviewLayout, written: Written) -> ReviewSummary:
    """Count who is where and pick the largest moves.

    Args:
        layout: What scoring found.
        written: What was written of it.
    """
    workspace, review = layout.workspace, layout.review
    target = workspace.settings.potential.metric
    metric = workspace.catalog.metrics[target]
    current = review.inputs[["partner_id", target]].rename(columns={target: TARGET})
    rows = review.moves.merge(current, on="partner_id", validate="one_to_one")
    rows = rows.merge(layout.names, on="partner_id", how="left", validate="one_to_one")
    actions = rows["action"].value_counts(sort=False).sort_index()
    return ReviewSummary(
        run_id=review.run_id,
        as_of=review.as_of,
        model_version=review.model_version,
        policy_version=review.policy.version,
        composition=_composition(rows, review.policy.tier_names),
        actions=pd.DataFrame({"action": actions.index, "partners": actions.to_numpy()}),
        moves=tuple(_moves(rows, layout, metric.unit)),
        figure_title=metric.title or target,
        output=written.folder,
        row_counts=dict(written.rows),
        held=_held(rows),
    )


def _held(rows: pd.DataFrame) -> pd.DataFrame:
    """How many partners stay although they are eligible for another tier, by the rule that decided; the most first."""
    tiers = rows[["current_tier", "eligible_tier", "recommended_tier"]].fillna(NO_TIER)
    stays = (tiers["recommended_tier"] == tiers["current_tier"]) & (tiers["eligible_tier"] != tiers["current_tier"])
    has_left = rows["current_tier"] == EXIT
    counts = rows.loc[stays & ~has_left & ~rows["action"].isin(MOVING), "rule"].value_counts(sort=False)
    held = pd.DataFrame({"rule": counts.index, "partners": counts.to_numpy()})
    return held.sort_values(["partners", "rule"], ascending=[False, True], ignore_index=True)


def _composition(rows: pd.DataFrame, tier_names: tuple[str, ...]) -> pd.DataFrame:
    """One row per tier from the top, and one for partners without a tier where there are any."""
    now, before = (rows[column].fillna(NO_TIER) for column in ("recommended_tier", "current_tier"))
    shown = [*reversed(tier_names), *sorted(set(now) - set(tier_names))]
    value, total = rows[TARGET].clip(lower=0), rows[TARGET].clip(lower=0).sum()
    has_history = rows["current_tier"].notna().any()
    return pd.DataFrame(
        {
            "tier": shown,
            "partners": [int((now == tier).sum()) for tier in shown],
            "share": [float((now == tier).mean()) for tier in shown],
            "before": [float((before == tier).sum()) if has_history else np.nan for tier in shown],
            "revenue_share": [float(value[now == tier].sum() / total) if total > 0 else np.nan for tier in shown],
        }
    )


def _moves(rows: pd.DataFrame, layout: ReviewLayout, unit: str) -> list[Move]:
    """The partners who change tier, by steps and then by value; first placements only where nobody moved yet."""
    tier_names = layout.review.policy.tier_names
    moving = rows[rows["action"].isin(["promote", "demote"])]
    if moving.empty:
        moving = rows[(rows["action"] == "place") & (rows["recommended_tier"] != tier_names[0])]
    order = {name: rank for rank, name in enumerate(tier_names)}
    before = moving["current_tier"].map(order).astype("float64").fillna(0)
    steps = (moving["recommended_tier"].map(order).astype("float64").fillna(-1) - before).abs()
    ranked = moving.assign(steps=steps).sort_values(
        ["steps", TARGET, "partner_id"], ascending=[False, False, True], kind="stable"
    )
    shown = ranked.head(MOST_MOVES)
    reasons = layout.reasons_of(shown["partner_id"].tolist())
    said = reasons[reasons["rank"] <= 2].groupby("partner_id")["sentence"].agg(" ".join)
    return [_move(dict(row), said, unit) for _, row in shown.iterrows()]


def _move(row: dict[str, Any], said: pd.Series, unit: str) -> Move:
    return Move(
        partner_id=row["partner_id"],
        name=row["partner_name"] if pd.notna(row["partner_name"]) else row["partner_id"],
        action=row["action"],
        from_tier=row["current_tier"] if pd.notna(row["current_tier"]) else NO_TIER,
        to_tier=row["recommended_tier"] if pd.notna(row["recommended_tier"]) else NO_TIER,
        figure=figure(row[TARGET], unit),
        reason=said.get(row["partner_id"], ""),
    )
