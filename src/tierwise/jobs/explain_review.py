"""The explaining tables of a review: why figures changed, the ways up, similar partners."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.jobs.changes import ReviewNow, explain_changes
from tierwise.jobs.roadmap import earlier_quarters, plan_roadmaps
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.similar import find_similar
from tierwise.potential import PotentialModel


def explain_review(
    engine: Engine, workspace: Workspace, output: Path, now: ReviewNow, retrained: Sequence[PotentialModel] = ()
) -> dict[str, pd.DataFrame]:
    """Make the tables that explain a review beside its reasons.

    Args:
        engine: Holds the accepted tables.
        workspace: The workspace.
        output: The output folder with earlier reviews.
        now: What this review found.
        retrained: The version's models trained again on drawn partners, on which plans must hold as well.

    Returns:
        Output tables by name: `plans`, `roadmap`, `similar_partners`, `changes`, `moved_metrics`.
    """
    basis = RoadmapBasis(now.as_of, now.model, now.inputs, now.placement, now.moves, now.found, retrained)
    panel = earlier_quarters(engine, workspace, now.as_of)
    found = plan_roadmaps(engine, workspace, basis, panel)
    return {
        "plans": found.plans,
        "roadmap": found.roadmap,
        "similar_partners": find_similar(workspace, now, panel),
        **explain_changes(engine, workspace, output, now),
    }
