"""The explaining tables of a review: why figures changed, the ways up, similar partners."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.jobs.changes import ReviewNow, explain_changes
from tierwise.jobs.roadmap import RoadmapBasis, plan_roadmaps


def explain_review(engine: Engine, workspace: Workspace, output: Path, now: ReviewNow) -> dict[str, pd.DataFrame]:
    """Make the tables that explain a review beside its reasons.

    Returns:
        Output tables by name: `roadmap`, `changes`, `moved_metrics`.
    """
    moves = now.moves
    if now.policy.per is not None:  # a plan raises figures of the whole partner, which are not those of any unit
        moves = moves.assign(next_tier=pd.Series(pd.NA, index=moves.index, dtype="str"))
    basis = RoadmapBasis(now.as_of, now.model, now.inputs, now.placement, moves)
    return {
        "roadmap": plan_roadmaps(engine, workspace, basis),
        **explain_changes(engine, workspace, output, now),
    }
