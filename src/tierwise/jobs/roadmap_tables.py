"""Lays out what a search for plans found: the tables `plans` and `roadmap`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.calendar import shift_quarters
from tierwise.config.load import Workspace
from tierwise.explain.plans import word_plans
from tierwise.explain.plans_benefits import GainsText, costs_text
from tierwise.explain.plans_sentences import PLAN
from tierwise.explain.roadmap_levels import Levers
from tierwise.explain.wording import Wording
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.roadmap_levers import gained_criteria
from tierwise.jobs.wording import wording_of
from tierwise.tables.output_schemas import empty_table

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
LEAST_STEP = 1e-9


class RoadmapTables(NamedTuple):
    """The two output tables."""

    plans: pd.DataFrame
    roadmap: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a search found about some partners.

    Attributes:
        rows: The partners' policy inputs, shape (n, ...).
        levers: The figures that can be moved; none where the catalog has none or plans are not made.
        codes: Why a partner has no plan, shape (n,); not looked at for those who have one.
        partner: The row of each plan's partner, shape (m,).
        moves: The plans' moves, shape (m, levers).
        share: The share of retrained models by which each holds, shape (m,).
        after: The criteria of the next tier with each plan: `place` of the plan, `criterion`, `gained`.
    """

    rows: pd.DataFrame
    levers: Levers | None
    codes: NDArray[np.object_]
    partner: Whole
    moves: Floats
    share: Floats
    after: pd.DataFrame

    @classmethod
    def without_plans(cls, rows: pd.DataFrame, names: Sequence[str], code: str) -> Outcome:
        """No plan for anybody, for one reason."""
        none = np.zeros((0, len(names)))
        codes = np.full(len(rows), code, dtype=object)
        after = pd.DataFrame(columns=["place", "criterion", "gained"])
        return cls(rows, None, codes, np.zeros(0, dtype=np.int64), none, np.zeros(0), after)


def lay_out(workspace: Workspace, basis: RoadmapBasis, outcome: Outcome) -> RoadmapTables:
    """Lay out plans and steps, sorted, with their wording, dates and what the tier would mean."""
    if outcome.rows.empty:
        return RoadmapTables(empty_table("plans"), empty_table("roadmap"))
    wording = wording_of(workspace, basis.placement.policy)
    tiers = outcome.rows[["partner_id"]].merge(basis.moves[["partner_id", "next_tier"]], on="partner_id")["next_tier"]
    roadmap = _steps(basis, outcome, tiers) if len(outcome.partner) else empty_table("roadmap")
    plans = pd.concat([_plan_rows(basis, outcome, roadmap), _blank_rows(outcome, tiers)], ignore_index=True)
    plans["expires_on"] = pd.Series(
        pd.Timestamp(shift_quarters(basis.as_of, 1)), index=plans.index, dtype="datetime64[us]"
    )
    levers = ", ".join(wording.title(name) for name in outcome.levers.names) if outcome.levers else ""
    quarters = outcome.levers.most_quarters if outcome.levers else 0
    plans = word_plans(plans, roadmap, wording, {"quarters": str(quarters), "levers": levers})
    plans = plans.merge(_means(workspace, basis, outcome, wording, tiers), on="partner_id", how="left")
    return RoadmapTables(plans.sort_values(["partner_id", "plan"], ignore_index=True), roadmap)


def _days(basis: RoadmapBasis, quarters: Whole) -> pd.Series:
    known = {count: pd.Timestamp(shift_quarters(basis.as_of, count)) for count in np.unique(quarters).tolist()}
    return pd.Series(quarters).map(known).astype("datetime64[us]")


def _steps(basis: RoadmapBasis, outcome: Outcome, tiers: pd.Series) -> pd.DataFrame:
    """One row per step, the quickest of a plan first."""
    levers = outcome.levers
    assert levers is not None
    plan, lever = np.nonzero(outcome.moves > 0)
    partner, move = outcome.partner[plan], outcome.moves[plan, lever]
    quarters = np.maximum(np.ceil(move / levers.pace.most[partner, lever] - LEAST_STEP), 1).astype(np.int64)
    names = np.array(levers.names, dtype=object)[lever]
    values = outcome.rows[list(levers.names)].to_numpy(dtype=np.float64)
    steps = pd.DataFrame(
        {
            "partner_id": outcome.rows["partner_id"].to_numpy()[partner],
            "plan": _plan_numbers(outcome.partner)[plan],
            "metric": names,
            "from": values[partner, lever],
            "to": levers.start[partner, lever] + levers.directions[lever] * move,
            "effort": move / levers.pace.usual[partner, lever],
            "quarters": quarters,
            "most_per_quarter": levers.pace.most[partner, lever],
            "by_when": _days(basis, quarters),
            "reaches_tier": tiers.to_numpy()[partner],
            "valid": True,
            "robustness": outcome.share[plan],
            "expires_on": _days(basis, np.ones(len(plan), dtype=np.int64)),
        }
    ).astype({"partner_id": "str", "metric": "str", "reaches_tier": "str"})
    steps = steps.sort_values(["partner_id", "plan", "effort", "metric"], kind="stable", ignore_index=True)
    steps.insert(2, "step", steps.groupby(["partner_id", "plan"]).cumcount() + 1)
    return steps


def _plan_numbers(partner: Whole) -> Whole:
    return np.asarray(pd.Series(partner).groupby(partner).cumcount().to_numpy() + 1, dtype=np.int64)


def _plan_rows(basis: RoadmapBasis, outcome: Outcome, roadmap: pd.DataFrame) -> pd.DataFrame:
    """One row per plan."""
    grouped = roadmap.groupby(["partner_id", "plan"], as_index=False)
    plans = grouped.agg(
        reaches_tier=("reaches_tier", "first"), steps=("step", "size"), effort=("effort", "sum"),
        quarters=("quarters", "max"), by_when=("by_when", "max"), valid=("valid", "first"),
        robustness=("robustness", "first"),
    )  # fmt: skip
    return plans.assign(code=PLAN).merge(_closes(basis, outcome), on=["partner_id", "plan"], how="left")


def _closes(basis: RoadmapBasis, outcome: Outcome) -> pd.DataFrame:
    """The criteria that each plan closes, by name: not met with the promotion's band today, met with the plan."""
    own = pd.DataFrame({"place": np.arange(len(outcome.partner)), "plan": _plan_numbers(outcome.partner)})
    own["partner_id"] = outcome.rows["partner_id"].to_numpy()[outcome.partner]
    climbing = basis.moves[basis.moves["partner_id"].isin(own["partner_id"])]
    asked = climbing[["partner_id", "next_tier"]].rename(columns={"next_tier": "tier"})
    today = gained_criteria(basis.placement, asked).rename(columns={"gained": "before"})
    after = own.merge(outcome.after[["place", "criterion", "gained"]], on="place")
    both = after.merge(today[["partner_id", "criterion", "before"]], on=["partner_id", "criterion"])
    closed = both[both["gained"].astype(bool) & ~both["before"].astype(bool)]
    names: dict[tuple[str, int], list[str]] = {}
    for partner_id, plan, criterion in zip(closed["partner_id"], closed["plan"], closed["criterion"], strict=True):
        names.setdefault((partner_id, plan), []).append(criterion)
    rows = [(*key, ", ".join(own)) for key, own in names.items()]
    return pd.DataFrame(rows, columns=["partner_id", "plan", "closes"]).astype({"partner_id": "str", "closes": "str"})


def _blank_rows(outcome: Outcome, tiers: pd.Series) -> pd.DataFrame:
    """The answer of everyone who has no plan."""
    without = np.setdiff1d(np.arange(len(outcome.rows)), outcome.partner)
    return pd.DataFrame(
        {
            "partner_id": outcome.rows["partner_id"].iloc[without].to_numpy(),
            "plan": np.zeros(len(without), dtype=np.int64),
            "code": outcome.codes[without],
            "reaches_tier": tiers.iloc[without].to_numpy(),
            "steps": np.zeros(len(without), dtype=np.int64),
        }
    ).astype({"partner_id": "str", "code": "str", "reaches_tier": "str"})


def _means(
    workspace: Workspace, basis: RoadmapBasis, outcome: Outcome, wording: Wording, tiers: pd.Series
) -> pd.DataFrame:
    """What the next tier would bring each partner, and what it would cost us; nothing without `benefits.yaml`."""
    partners = outcome.rows["partner_id"]
    known = workspace.benefits.tiers if workspace.benefits is not None else {}
    currency = workspace.settings.currency.program
    paid_on = sorted(
        {i.on for tier in known.values() for i in tier.incentives if i.on in outcome.rows.columns and i.on}
    )
    values = [dict(zip(paid_on, row, strict=True)) for row in outcome.rows[paid_on].itertuples(index=False, name=None)]
    held = outcome.rows[["partner_id"]].merge(basis.moves[["partner_id", "recommended_tier"]], on="partner_id")
    steps = list(zip(tiers.to_numpy(dtype=object), held["recommended_tier"].to_numpy(dtype=object), strict=True))
    worded = {
        (tier, now): GainsText.of(known[tier], known.get(now), wording, currency)
        for tier, now in dict.fromkeys(steps)
        if tier in known
    }
    gains = [worded[step].at(own) if step in worded else None for step, own in zip(steps, values, strict=True)]
    cost = {tier: costs_text(known[tier], currency) for tier in known}
    costs = [cost.get(tier) for tier in tiers]
    return pd.DataFrame({"partner_id": partners, "gains": gains, "costs": costs}).astype(
        {"gains": "str", "costs": "str"}
    )
