"""The output tables of a review (DESIGN section 4.3), laid out from what scoring found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.engine import Engine, quoted
from tierwise.explain.reasons import ReasonTables, word_reasons
from tierwise.explain.reasons_potential import Peers
from tierwise.jobs.changes import stored_metrics
from tierwise.jobs.contributions import SplitReview
from tierwise.jobs.wording import wording_of
from tierwise.policy import Placement
from tierwise.policy.margins import with_margins
from tierwise.tables.output_schemas import empty_table, output_table, sort_rows

MODEL_COLUMNS = (
    "archetype_id", "archetype", "archetype_strength", "archetype_status", "archetype_reason", "nearest_other",
    "potential", "potential_low", "potential_high", "potential_source", "headroom",
)  # fmt: skip
EXPLAINING = ("plans", "changes", "moved_metrics", "similar_partners")
PARTNER_ID_AND_NAME = ("partner_id", "partner_name")


@dataclass(frozen=True, eq=False)
class ScoredReview:
    """Everything that one scoring run found.

    Attributes:
        as_of: The as-of date.
        run_id: The run, named after everything it depends on.
        model_version: The model in force.
        policy: The policy in force.
        data_fingerprint: The fingerprint of what the tables show as of the date.
        inputs: The policy inputs: metric rows with the models' outputs, one row per partner.
        placement: The partners placed by the policy.
        moves: The movement table.
        contributions: The log-scale contributions to the potential, against the channel and against peers.
        roadmap: The steps of the plans to the next tier.
        explained: Further explaining tables by name; one that is absent is written without rows.
        tracks: The movement table of the policy's tracks.
        scope: Whose recommendations are explained: `all`, `movers` or `none`.
    """

    as_of: date
    run_id: str
    model_version: str
    policy: Policy
    data_fingerprint: str
    inputs: pd.DataFrame
    placement: Placement
    moves: pd.DataFrame
    contributions: SplitReview
    roadmap: pd.DataFrame
    explained: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    tracks: pd.DataFrame = field(default_factory=lambda: empty_table("tracks"))
    scope: str = "all"


def output_tables(engine: Engine, workspace: Workspace, review: ScoredReview) -> dict[str, pd.DataFrame]:
    """Lay out every output table, sorted by its key."""
    recommendations = _recommendations(review, partner_names(engine, workspace))
    tables = {
        "recommendations": recommendations,
        "criteria": _criteria(review.placement),
        "components": _only(review.placement.components, "components"),
        "contributions": _only(review.contributions.table, "contributions"),
        "baselines": _only(review.contributions.baselines, "baselines"),
        "reasons": _reasons(review, workspace),
        "roadmap": review.roadmap,
        **{name: review.explained.get(name, empty_table(name)) for name in EXPLAINING},
        "metrics": stored_metrics(workspace, review.inputs),
        "tracks": review.tracks,
        "units": review.placement.units,
        "unit_criteria": review.placement.unit_criteria if review.policy.per else empty_table("unit_criteria"),
        "quarantine": engine.frame("SELECT * FROM quarantine"),
    }
    return {name: sort_rows(name, frame) for name, frame in tables.items()}


def partner_names(engine: Engine, workspace: Workspace) -> pd.DataFrame:
    """The names of partners, where the partner table has a column `name`."""
    table = workspace.partner_table
    if "name" not in workspace.table(table).columns:
        return pd.DataFrame({column: pd.Series(dtype="str") for column in PARTNER_ID_AND_NAME})
    return engine.frame(f"SELECT partner_id, name AS partner_name FROM {quoted(table)} ORDER BY partner_id")


def _recommendations(review: ScoredReview, names: pd.DataFrame) -> pd.DataFrame:
    own = review.inputs[["partner_id", *MODEL_COLUMNS]]
    scores = review.placement.tiers[["partner_id", *review.policy.scores]]
    frame = review.moves.merge(own, on="partner_id", validate="one_to_one")
    frame = frame.merge(scores, on="partner_id", validate="one_to_one")
    frame = frame.merge(names, on="partner_id", how="left", validate="one_to_one")
    return frame.assign(
        model_version=review.model_version,
        policy_version=review.policy.version,
        data_fingerprint=review.data_fingerprint,
    )


def _only(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep the columns of an output table."""
    return frame[[column for column in output_table(name).columns if column in frame.columns]]


def _criteria(placement: Placement) -> pd.DataFrame:
    """The criteria table with its margins; whoever is placed as a whole has no unit."""
    criteria = with_margins(placement.plan, placement.criteria)
    whole = criteria if "unit" in criteria.columns else criteria.assign(unit=pd.Series(pd.NA, dtype="str"))
    return _only(whole, "criteria")


def _reasons(review: ScoredReview, workspace: Workspace) -> pd.DataFrame:
    capacity, region = review.policy.guardrails.manager_capacity, workspace.settings.segments.region
    shown = {"manager": capacity.by if capacity is not None else None, "region": region}
    named = {name: column for name, column in shown.items() if column is not None and column in review.inputs.columns}
    own = review.inputs[["partner_id", "potential", "potential_source"]]
    own = own.assign(**{name: review.inputs[column] for name, column in named.items()})
    placement, split = review.placement, review.contributions
    tables = ReasonTables(
        as_of=review.as_of,
        moves=review.moves.merge(own, on="partner_id", validate="one_to_one"),
        criteria=placement.criteria,
        components=placement.components,
        contributions=split.channel,
        peers=Peers(split.peers, split.chosen, region),
    )
    return word_reasons(tables, wording_of(workspace, review.policy))
