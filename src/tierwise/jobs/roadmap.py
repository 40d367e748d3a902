"""Set up and run the search for each partner's way up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise import potential
from tierwise.config.calendar import shift_quarters
from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.explain.roadmap import RoadmapProblem, find_plans
from tierwise.metrics import compute
from tierwise.policy import Placement
from tierwise.potential import PotentialModel
from tierwise.tables.output_schemas import empty_table

MAX_QUARTERS = 8
FASTER_QUARTER = 0.75
FEWEST_PEERS = 5
RAISABLE = (">=", ">")
DECIMALS = 9
"""What policies round figures to before they compare them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RoadmapBasis:
    """What scoring found, as far as the way up depends on it.

    Attributes:
        as_of: The as-of date.
        model: The potential model in force.
        inputs: The policy inputs.
        placement: The placement.
        moves: The movement table.
    """

    as_of: date
    model: PotentialModel
    inputs: pd.DataFrame
    placement: Placement
    moves: pd.DataFrame


def plan_roadmaps(engine: Engine, workspace: Workspace, basis: RoadmapBasis) -> pd.DataFrame:
    """Search a plan to the next tier for every partner who has one.

    A plan raises metrics that the catalog marks as actionable and that go up. It is valid when the models and the
    policy, asked again with the raised figures, give the next tier with the promotion's band.
    """
    catalog = workspace.catalog.metrics
    levers = tuple(name for name, metric in catalog.items() if metric.actionable and metric.direction == "up")
    wanted = basis.moves["next_tier"].notna().to_numpy()
    if not levers or not wanted.any():
        return empty_table("roadmap")
    next_tier = basis.moves.loc[wanted, "next_tier"].to_numpy(dtype=object)
    inputs = basis.inputs[wanted].reset_index(drop=True)
    asked = _asked(basis, levers, next_tier, inputs["partner_id"])
    typical = _typical(basis, levers, next_tier)
    targets = np.where(np.isnan(asked), typical, asked)
    plans = find_plans(
        RoadmapProblem(
            inputs=inputs,
            next_tier=next_tier,
            levers=levers,
            targets=_whole(targets, basis.inputs, levers),
            asked=~np.isnan(asked),
            pace=np.tile(_pace(engine, workspace, basis, levers), (len(inputs), 1)),
            max_quarters=MAX_QUARTERS,
            rescore=_Rescore(engine, basis, dict(zip(inputs["partner_id"], next_tier, strict=True))),
        )
    )
    expires_on = pd.Timestamp(shift_quarters(basis.as_of, 1))
    return plans.assign(
        quarters=np.ceil(plans["effort"]).astype("int64"),
        most_per_quarter=np.nan,
        by_when=pd.Series(pd.NaT, index=plans.index, dtype="datetime64[us]"),
        expires_on=pd.Series(expires_on, index=plans.index, dtype="datetime64[us]"),
    )


@dataclass(frozen=True, eq=False)
class _Rescore:
    """Asks the models and the policy again about raised figures, among all other partners as they are."""

    engine: Engine
    basis: RoadmapBasis
    next_tier: dict[str, str]

    def __call__(self, raised: pd.DataFrame) -> NDArray[np.bool_]:
        predicted = potential.predict(self.basis.model, raised)
        changed = raised.assign(**{name: predicted[name].to_numpy() for name in predicted.columns})
        unchanged = self.basis.inputs[~self.basis.inputs["partner_id"].isin(raised["partner_id"])]
        placement = self.basis.placement.again(self.engine, pd.concat([unchanged, changed], ignore_index=True))
        gained = pd.Series(placement.ranks()["gain"], index=placement.tiers["partner_id"])
        order = {name: rank for rank, name in enumerate(placement.policy.tier_names)}
        needed = np.array([order[self.next_tier[partner]] for partner in raised["partner_id"]])
        return gained.loc[raised["partner_id"]].to_numpy() >= needed


def _asked(basis: RoadmapBasis, levers: tuple[str, ...], next_tier: NDArray[np.object_], partners: pd.Series) -> Floats:
    """What the next tier's criteria ask of each lever beyond what it is, with the gaining band; NaN where nothing."""
    criteria = basis.placement.criteria
    wanted = pd.DataFrame({"partner_id": partners, "tier": next_tier})
    raisable = criteria[criteria["operator"].isin(RAISABLE) & criteria["metric"].isin(levers)]
    own = raisable.merge(wanted, on=["partner_id", "tier"])
    own = own.assign(needed=_needed(basis.placement, own))
    # A criterion that is met may still lack the band; of alternatives that are not met only the cheapest is asked.
    asked = own["route"].isna() | (own["route"] == "") | own["cheapest"].astype(bool) | (own["met"] == "true")
    own = own[asked & ~(own["value"].round(DECIMALS) >= own["needed"])]
    most = own.groupby(["partner_id", "metric"])["needed"].max().unstack("metric")
    return most.reindex(index=partners, columns=list(levers)).to_numpy(dtype=np.float64)


def _needed(placement: Placement, criteria: pd.DataFrame) -> Floats:
    """The least value that gains: the threshold with the criterion's own or the promotion's band; `>` asks for more."""
    usual = placement.policy.movement.promote.band
    own = {(item.tier, item.name): item.criterion.options.band for item in placement.plan.ladder.criteria}
    found = (own.get(key) for key in zip(criteria["tier"], criteria["criterion"], strict=True))
    band = np.array([float(usual if one is None else one) for one in found], dtype=np.float64)
    threshold = criteria["threshold"].to_numpy(dtype=np.float64)
    needed: Floats = np.round(threshold + np.abs(threshold) * band, DECIMALS)
    more: Floats = np.maximum(10.0**-DECIMALS, 2 * np.spacing(np.abs(needed)))
    is_strict = (criteria["operator"] == ">").to_numpy(dtype=np.bool_)
    return needed + np.where(is_strict, more, 0.0)


def _typical(basis: RoadmapBasis, levers: tuple[str, ...], next_tier: NDArray[np.object_]) -> Floats:
    """The median of the next tier's members for each lever; NaN where they are too few."""
    held = basis.moves["current_tier"].where(basis.moves["current_tier"].notna(), basis.moves["eligible_tier"])
    members = basis.inputs[list(levers)].groupby(held.to_numpy(dtype=object))
    medians = members.median().where(members.size() >= FEWEST_PEERS, np.nan)
    return medians.reindex(index=next_tier, columns=list(levers)).to_numpy(dtype=np.float64)


def _whole(targets: Floats, inputs: pd.DataFrame, levers: tuple[str, ...]) -> Floats:
    """Round the targets of figures that are counted up to whole numbers."""
    values = inputs[list(levers)].to_numpy(dtype=np.float64)
    counted = np.all(np.isnan(values) | (values == np.round(values)), axis=0)
    return np.where(counted, np.ceil(np.round(targets, DECIMALS)), targets)


def _pace(engine: Engine, workspace: Workspace, basis: RoadmapBasis, levers: tuple[str, ...]) -> Floats:
    """What the faster quarter of those who raised a lever in the last quarter raised it by."""
    before = compute(engine, workspace, [shift_quarters(basis.as_of, -1)])
    pairs = before[["partner_id", *levers]].merge(
        basis.inputs[["partner_id", *levers]], on="partner_id", suffixes=("_before", "_now")
    )
    raised = pd.DataFrame({name: pairs[f"{name}_now"] - pairs[f"{name}_before"] for name in levers})
    return raised.where(raised > 0).quantile(FASTER_QUARTER).to_numpy(dtype=np.float64)
