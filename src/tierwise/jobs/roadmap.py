"""Set up the search for each partner's ways up, and have it done block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from tierwise.config.calendar import shift_quarters
from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.explain.roadmap_levels import Levers
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.roadmap_block import PlanBlock, plan_block, planner
from tierwise.jobs.roadmap_levers import find_levers, levers_of
from tierwise.jobs.roadmap_rescore import Channel, depends_on_others, formulas_asked
from tierwise.jobs.roadmap_tables import RoadmapTables
from tierwise.jobs.similar import compared_metrics
from tierwise.jobs.workers import Answer, Workers, second_process_allowed
from tierwise.metrics import compute
from tierwise.potential import is_among
from tierwise.tables.output_schemas import empty_table

MOST_QUARTERS = 8
QUARTERS_SEEN = 4
PARTNERS_AT_ONCE = 25_000
FEWEST_FOR_WORKERS = 10_000
LEAST_SHARE_FOR_WORKERS = 0.2


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
        engine: Runs formulas and policy.
        workspace: The workspace.
        basis: What scoring found.
        prepared_for: The levers and what is known of the channel; none where no plans are made.
        blank: Why no plans are made; empty where they are.
        workers: Processes that search; none where it is done here.
    """

    engine: Engine
    workspace: Workspace
    basis: RoadmapBasis
    prepared_for: tuple[Levers, Channel] | None
    blank: str = ""
    workers: Workers[PlanBlock, RoadmapTables] | None = None
    _begun: dict[str, list[Answer[RoadmapTables]]] = field(default_factory=dict)

    @classmethod
    def prepared(cls, engine: Engine, workspace: Workspace, basis: RoadmapBasis, past: Past) -> Roadmaps:
        """Find how far the channel's figures moved in the quarters before."""
        names, policy = levers_of(workspace.catalog.metrics), basis.placement.policy
        blank = "" if names else "no_actionable_metric"
        blank = "policy_places_units" if policy.per is not None else blank
        if blank or not basis.moves["next_tier"].notna().any():
            return cls(engine, workspace, basis, None, blank)
        levers = find_levers(workspace, basis, past.quarters, MOST_QUARTERS)
        others = depends_on_others(policy, formulas_asked(workspace, policy, names, basis.model))
        return cls(engine, workspace, basis, (levers, Channel.of(basis.inputs, names, others)))

    @contextmanager
    def with_workers(self) -> Iterator[Roadmaps]:
        """The same, searching in as many processes of their own as the workspace gives the engine threads.

        Only where it is worth their memory, and where nobody's plans depend on other partners.
        """
        climbing = self.basis.moves["next_tier"].notna()
        few = climbing.sum() < FEWEST_FOR_WORKERS or climbing.mean() < LEAST_SHARE_FOR_WORKERS
        alone = self.prepared_for is None or self.prepared_for[1].inputs is not None
        if few or alone or not second_process_allowed():
            yield self
            return
        settings = self.workspace.settings.engine
        with Workers(settings.threads, planner, self.workspace) as workers:
            yield replace(self, workers=workers)

    def begin(self, partner_ids: pd.Series) -> None:
        """Let the workers begin with some partners, so that `tables` of the same need not wait."""
        if self.workers is not None and len(partner_ids) and partner_ids.iloc[0] not in self._begun:
            self._begun[partner_ids.iloc[0]] = self._asked(partner_ids)

    def tables(self, partner_ids: pd.Series) -> RoadmapTables:
        """Search plans to the next tier for those of some partners who have one above.

        Returns:
            The output tables `plans` and `roadmap`.
        """
        begun = self._begun.pop(partner_ids.iloc[0], None) if len(partner_ids) else []
        parts = [answer() for answer in (self._asked(partner_ids) if begun is None else begun)]
        plans, roadmap = ([part[place] for part in parts if len(part[place])] for place in range(2))
        return RoadmapTables(
            pd.concat(plans, ignore_index=True) if plans else empty_table("plans"),
            pd.concat(roadmap, ignore_index=True) if roadmap else empty_table("roadmap"),
        )

    def _asked(self, partner_ids: pd.Series) -> list[Answer[RoadmapTables]]:
        here = partial(plan_block, self.engine, self.workspace)
        return [
            partial(here, block) if self.workers is None else self.workers.ask(block, here)
            for block in self._blocks(partner_ids)
        ]

    def _blocks(self, partner_ids: pd.Series) -> Iterator[PlanBlock]:
        moves = self.basis.moves
        wanted = np.flatnonzero(moves["next_tier"].notna().to_numpy() & is_among(moves["partner_id"], partner_ids))
        for start in range(0, len(wanted), PARTNERS_AT_ONCE):
            own = wanted[start : start + PARTNERS_AT_ONCE]
            found = None if self.prepared_for is None else (self.prepared_for[0].of(own), self.prepared_for[1])
            yield PlanBlock(self.basis.of(own), found, self.blank)


def plan_roadmaps(engine: Engine, workspace: Workspace, basis: RoadmapBasis) -> RoadmapTables:
    """Search plans to the next tier for every partner who has one above; see `Roadmaps`."""
    past = earlier_quarters(engine, workspace, basis.as_of)
    return Roadmaps.prepared(engine, workspace, basis, past).tables(basis.moves["partner_id"])
