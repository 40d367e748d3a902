"""The explaining tables of a review: why figures changed, the ways up, similar partners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.jobs.changes import Changes, ReviewNow
from tierwise.jobs.explain_scope import EVERYBODY, Explained
from tierwise.jobs.roadmap import Roadmaps, earlier_quarters
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.similar import SimilarPartners
from tierwise.potential import PotentialModel
from tierwise.tables.output_schemas import empty_table

TABLES = ("plans", "roadmap", "similar_partners", "changes", "moved_metrics")


@dataclass(frozen=True, eq=False)
class Explaining:
    """What the explaining tables need of a whole channel, so that they can be made for some partners at a time.

    Attributes:
        explained: Whose recommendations are explained; nobody else has a row in any of the tables.
        roadmaps: The search for ways up.
        similar: Who was alike a year ago.
        changes: The review beside the one before.
    """

    explained: Explained
    roadmaps: Roadmaps
    similar: SimilarPartners
    changes: Changes

    @contextmanager
    def with_workers(self) -> Iterator[Explaining]:
        """The same, with ways up searched in processes of their own where that pays."""
        with self.roadmaps.with_workers() as roadmaps:
            yield replace(self, roadmaps=roadmaps)

    def begin(self, partner_ids: pd.Series) -> None:
        """Begin with what takes longest about some partners, who are explained next."""
        self.roadmaps.begin(self._explained(partner_ids))

    def tables(self, partner_ids: pd.Series, contributions: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Explain the recommendations of some partners.

        Args:
            partner_ids: The partners, sorted.
            contributions: Their contributions to the potential against the whole channel.

        Returns:
            Output tables by the names of `TABLES`.
        """
        own = self._explained(partner_ids)
        if own.empty:
            return {name: empty_table(name) for name in TABLES}
        others = {"similar_partners": self.similar.table(own), **self.changes.tables(own, contributions)}
        found = self.roadmaps.tables(own)
        return {"plans": found.plans, "roadmap": found.roadmap, **others}

    def _explained(self, partner_ids: pd.Series) -> pd.Series:
        return partner_ids[self.explained.among(partner_ids)].reset_index(drop=True)


def prepare_explaining(
    engine: Engine,
    workspace: Workspace,
    output: Path,
    now: ReviewNow,
    retrained: Sequence[PotentialModel] = (),
    explained: Explained = EVERYBODY,
) -> Explaining | None:
    """Look at the whole channel before its recommendations are explained.

    Args:
        engine: Holds the accepted tables.
        workspace: The workspace.
        output: The output folder with earlier reviews.
        now: What this review found.
        retrained: The version's models trained again on drawn partners, on which plans must hold as well.
        explained: Whose recommendations are explained.

    Returns:
        None where nobody's is.
    """
    if explained.nobody:
        return None
    climbing = explained.with_way_up(now.moves)
    basis = RoadmapBasis(now.as_of, now.model, now.inputs, now.placement, climbing, now.found, retrained)
    past = earlier_quarters(engine, workspace, now.as_of)
    return Explaining(
        explained,
        Roadmaps.prepared(engine, workspace, basis, past),
        SimilarPartners.among(workspace, replace(now, moves=climbing), past.year_ago),
        Changes.since_previous(engine, workspace, output, now),
    )
