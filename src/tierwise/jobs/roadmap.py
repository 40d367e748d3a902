"""Set up and run the search for each partner's ways up, and lay out what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.calendar import shift_quarters
from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.explain.roadmap import Plans, find_plans
from tierwise.explain.roadmap_levels import Levers, candidate_moves
from tierwise.explain.roadmap_search import Search
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.roadmap_levers import asked_levels, find_levers, gained_criteria, levers_of
from tierwise.jobs.roadmap_rescore import Rescoring
from tierwise.jobs.roadmap_tables import Outcome, RoadmapTables, lay_out
from tierwise.jobs.similar import compared_metrics
from tierwise.metrics import compute
from tierwise.potential import is_among

MOST_QUARTERS = 8
QUARTERS_SEEN = 4
HOLDS_IN = 0.9
BLOCK = 5_000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Past:
    """Metric rows of the last quarter ends before a review.

    Attributes:
        quarters: `as_of, partner_id`, the levers and the target, the oldest a year ago.
        year_ago: The oldest: `partner_id, first_seen` and the metrics by which partners are compared.
    """

    quarters: pd.DataFrame
    year_ago: pd.DataFrame


def earlier_quarters(engine: Engine, workspace: Workspace, as_of: date) -> Past:
    """The metric rows of the last quarter ends before a review; of all but the oldest only what levers need."""
    days = [shift_quarters(as_of, -count) for count in range(1, QUARTERS_SEEN + 1)]
    needed = [*dict.fromkeys([*levers_of(workspace.catalog.metrics), workspace.settings.potential.metric])]
    year_ago = compute(engine, workspace, days[-1:], only=[*dict.fromkeys([*needed, *compared_metrics(workspace)])])
    later = compute(engine, workspace, days[:-1], only=needed)
    columns = ["as_of", "partner_id", *needed]
    return Past(pd.concat([year_ago[columns], later[columns]], ignore_index=True), year_ago)


@dataclass(frozen=True, eq=False)
class Roadmaps:
    """The search for ways up, prepared for a whole channel.

    A plan moves metrics that the catalog marks as actionable, in the direction it gives, no further than comparable
    partners came. It is valid when the formulas, the models and the policy, asked again with the moved figures, give
    the next tier with the promotion's band.

    Attributes:
        engine: Holds the accepted tables.
        workspace: The workspace.
        basis: What scoring found.
        levers: How far every partner's figures can move; none where no plans are made.
        blank: Why no plans are made; empty where they are.
    """

    engine: Engine
    workspace: Workspace
    basis: RoadmapBasis
    levers: Levers | None
    blank: str = ""

    @classmethod
    def prepared(cls, engine: Engine, workspace: Workspace, basis: RoadmapBasis, past: Past) -> Roadmaps:
        """Find how far the channel's figures moved in the quarters before."""
        blank = "" if levers_of(workspace.catalog.metrics) else "no_actionable_metric"
        blank = "policy_places_units" if basis.placement.policy.per is not None else blank
        nobody = not basis.moves["next_tier"].notna().any()
        levers = None if blank or nobody else find_levers(workspace, basis, past.quarters, MOST_QUARTERS)
        return cls(engine, workspace, basis, levers, blank)

    def tables(self, partner_ids: pd.Series) -> RoadmapTables:
        """Search plans to the next tier for those of some partners who have one above.

        Returns:
            The output tables `plans` and `roadmap`.
        """
        moves = self.basis.moves
        wanted = np.flatnonzero(moves["next_tier"].notna().to_numpy() & is_among(moves["partner_id"], partner_ids))
        basis = self.basis.of(wanted)
        if self.levers is None or not len(wanted):
            names = levers_of(self.workspace.catalog.metrics)
            return lay_out(self.workspace, basis, Outcome.without_plans(basis.inputs, names, self.blank))
        blocks = [np.arange(len(wanted))[start : start + BLOCK] for start in range(0, len(wanted), BLOCK)]
        outcomes = [self._planned(basis.of(own), self.levers.of(wanted[own])) for own in blocks]
        return lay_out(self.workspace, basis, Outcome.joined(outcomes))

    def _planned(self, basis: RoadmapBasis, levers: Levers) -> Outcome:
        order = {name: rank for rank, name in enumerate(basis.placement.policy.tier_names)}
        needed = np.array([order[tier] for tier in basis.moves["next_tier"]], dtype=np.int64)
        rescoring = Rescoring(
            self.engine, self.workspace, basis.placement, self.basis.inputs, basis.inputs, levers, needed,
            basis.model, basis.found,
        )  # fmt: skip
        return _plan_block(rescoring, basis)


def plan_roadmaps(engine: Engine, workspace: Workspace, basis: RoadmapBasis) -> RoadmapTables:
    """Search plans to the next tier for every partner who has one above; see `Roadmaps`."""
    past = earlier_quarters(engine, workspace, basis.as_of)
    return Roadmaps.prepared(engine, workspace, basis, past).tables(basis.moves["partner_id"])


def _plan_block(rescoring: Rescoring, basis: RoadmapBasis) -> Outcome:
    """Search the plans of a block of partners, and keep those that hold by the retrained models as well."""
    levers, n = rescoring.levers, len(rescoring.rows)
    everyone, nothing = np.arange(n), np.zeros((n, len(rescoring.levers.names)))
    codes = np.full(n, "no_realistic_plan", dtype=object)
    met = rescoring.reaches(everyone, nothing)
    codes[met] = "criteria_met_already"
    open_ = everyone[~met]
    moves = candidate_moves(levers, asked_levels(basis, levers, rescoring.rows))
    caution = _caution(rescoring, basis, levers.furthest)
    plans = _found(rescoring, moves, open_, caution)
    valid = rescoring.reaches(plans.partner, plans.moves)
    share = _share_holding(rescoring, basis, plans)
    holding = valid & ~(share < HOLDS_IN)
    lost = np.setdiff1d(plans.partner, plans.partner[holding])
    far = open_[~plans.at_top]
    codes[lost] = "no_robust_plan"
    codes[far[~rescoring.reaches(far, _without_limit(rescoring, far))]] = "not_by_these_figures"
    return Outcome(
        rescoring.rows, levers, codes, plans.partner[holding], plans.moves[holding], share[holding],
        _closed(rescoring, plans.partner[holding], plans.moves[holding], basis),
    )  # fmt: skip


def _found(rescoring: Rescoring, moves: Floats, partners: Whole, caution: Floats) -> Plans:
    """Search among some partners of the block; the plans name rows of the block."""
    levers = rescoring.levers
    own = levers.of(partners)
    plans = find_plans(
        Search(
            moves=moves[partners],
            effort_per_unit=1.0 / np.where(own.furthest > 0, own.pace.usual, np.inf),
            rounded=lambda who, how: levers.of(partners[who]).rounded(how),
            reaches=lambda who, how: rescoring.reaches(partners[who], how, caution=caution),
            tries_pairs=not rescoring.ranks_partners,
        )
    )
    return Plans(partners[plans.partner], plans.moves, plans.effort, plans.at_top)


def _caution(rescoring: Rescoring, basis: RoadmapBasis, moves: Floats) -> Floats:
    """The lowest share of the potential that a retrained model gives each partner at the top of what is realistic."""
    partners = np.arange(len(moves))
    lowest = np.ones(len(moves))
    if not rescoring.asked_of_models or not basis.retrained:
        return lowest
    own, *others = rescoring.predicted(partners, moves, (basis.model, *basis.retrained))
    for other in others:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = other / own
        lowest = np.fmin(lowest, np.where(np.isfinite(share), share, 1.0))
    return lowest


def _share_holding(rescoring: Rescoring, basis: RoadmapBasis, plans: Plans) -> Floats:
    """The share of retrained models by which each plan reaches the tier; NaN where the version has none."""
    if not rescoring.asked_of_models and basis.retrained:
        return np.ones(len(plans.partner))
    if not basis.retrained:
        return np.full(len(plans.partner), np.nan)
    return rescoring.share_reaching(plans.partner, plans.moves, basis.retrained)


def _without_limit(rescoring: Rescoring, partners: Whole) -> Floats:
    """Moves far beyond anything realistic, to tell what is too far from what no figure makes good."""
    levers = rescoring.levers
    most = rescoring.channel[list(levers.names)].abs().max().fillna(0.0).to_numpy(dtype=np.float64) * 100 + 1000
    limit = levers.directions * (levers.limits - levers.start[partners])
    moves = np.fmin(np.broadcast_to(most, limit.shape), np.where(np.isfinite(limit), limit, np.inf))
    return np.where(np.isfinite(levers.start[partners]), np.maximum(moves, 0.0), 0.0)


def _closed(rescoring: Rescoring, partners: Whole, moves: Floats, basis: RoadmapBasis) -> pd.DataFrame:
    """The criteria of the next tier as they stand with each plan: `place` of the plan, `criterion`, `gained`."""
    names = np.array(basis.placement.policy.tier_names, dtype=object)
    found = []
    for places, placement in rescoring.placed(partners, moves):
        called = rescoring.names_of(partners, places)
        asked = pd.DataFrame({"partner_id": called, "tier": names[rescoring.needed[partners[places]]], "place": places})
        found.append(gained_criteria(placement, asked))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["place", "criterion", "gained"])
