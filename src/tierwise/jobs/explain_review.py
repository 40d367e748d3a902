"""The explaining tables of a review: why figures changed, the ways up, similar partners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.jobs.changes import ReviewNow, explain_changes
from tierwise.jobs.explain_scope import EVERYBODY, Explained
from tierwise.jobs.roadmap import earlier_quarters, plan_roadmaps
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.similar import find_similar
from tierwise.potential import PotentialModel
from tierwise.tables.output_schemas import empty_table

TABLES = ("plans", "roadmap", "similar_partners", "changes", "moved_metrics")


def explain_review(
    engine: Engine,
    workspace: Workspace,
    output: Path,
    now: ReviewNow,
    retrained: Sequence[PotentialModel] = (),
    explained: Explained = EVERYBODY,
) -> dict[str, pd.DataFrame]:
    """Make the tables that explain a review beside its reasons.

    Args:
        engine: Holds the accepted tables.
        workspace: The workspace.
        output: The output folder with earlier reviews.
        now: What this review found.
        retrained: The version's models trained again on drawn partners, on which plans must hold as well.
        explained: Whose recommendations are explained; nobody else has a row in any of the tables.

    Returns:
        Output tables by name: `plans`, `roadmap`, `similar_partners`, `changes`, `moved_metrics`.
    """
    if explained.nobody:
        return {name: empty_table(name) for name in TABLES}
    now = replace(now, moves=explained.with_way_up(now.moves))
    basis = RoadmapBasis(now.as_of, now.model, now.inputs, now.placement, now.moves, now.found, retrained)
    panel = earlier_quarters(engine, workspace, now.as_of)
    found = plan_roadmaps(engine, workspace, basis, panel)
    changed = explain_changes(engine, workspace, output, now)
    return {
        "plans": found.plans,
        "roadmap": found.roadmap,
        "similar_partners": find_similar(workspace, now, panel),
        **{name: explained.rows_of(table) for name, table in changed.items()},
    }
