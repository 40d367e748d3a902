"""Search the plans of a block of partners, and lay them out; here or in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.load import Workspace
from tierwise.engine import Engine, open_engine
from tierwise.explain.roadmap import Plans, find_plans
from tierwise.explain.roadmap_levels import Levers, candidate_moves
from tierwise.explain.roadmap_search import Search
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.roadmap_levers import asked_levels, gained_criteria, levers_of
from tierwise.jobs.roadmap_rescore import Channel, Rescoring
from tierwise.jobs.roadmap_tables import Outcome, RoadmapTables, lay_out

HOLDS_IN = 0.9

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PlanBlock:
    """Some partners with a tier above theirs, and all that the search for their plans needs but the workspace.

    Attributes:
        basis: What scoring found about them.
        prepared_for: Their levers, and what is known of the channel; none where no plans are made.
        blank: Why no plans are made.
    """

    basis: RoadmapBasis
    prepared_for: tuple[Levers, Channel] | None
    blank: str


@contextmanager
def planner(workspace: Workspace) -> Iterator[Callable[[PlanBlock], RoadmapTables]]:
    """What plans blocks in a process of its own, which does one thing at a time."""
    settings = workspace.settings.engine.model_copy(update={"threads": 1})
    with open_engine(settings) as engine:
        yield partial(plan_block, engine, workspace)


def plan_block(engine: Engine, workspace: Workspace, block: PlanBlock) -> RoadmapTables:
    """Search the plans of a block, and lay out the output tables `plans` and `roadmap`."""
    basis = block.basis
    if block.prepared_for is None:
        names = levers_of(workspace.catalog.metrics)
        return lay_out(workspace, basis, Outcome.without_plans(basis.inputs, names, block.blank))
    levers, channel = block.prepared_for
    order = {name: rank for rank, name in enumerate(basis.placement.policy.tier_names)}
    needed = np.array([order[tier] for tier in basis.moves["next_tier"]], dtype=np.int64)
    rescoring = Rescoring(
        engine, workspace, basis.placement, channel, basis.inputs, levers, needed, basis.model, basis.found
    )
    return lay_out(workspace, basis, _searched(rescoring, basis))


def _searched(rescoring: Rescoring, basis: RoadmapBasis) -> Outcome:
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
    limit = levers.directions * (levers.limits - levers.start[partners])
    moves = np.fmin(np.broadcast_to(rescoring.channel.far, limit.shape), np.where(np.isfinite(limit), limit, np.inf))
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
