"""The output tables of a review (DESIGN section 4.3), laid out from what scoring found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.engine import Engine, quoted
from tierwise.explain.peers_medians import Medians, find_medians
from tierwise.explain.reasons import ReasonTables, word_reasons
from tierwise.explain.reasons_potential import Peers
from tierwise.jobs.changes import stored_metrics
from tierwise.jobs.contributions import SplitReview, Splits
from tierwise.jobs.explain_review import TABLES as EXPLAINING_TABLES
from tierwise.jobs.explain_review import Explaining
from tierwise.jobs.wording import wording_of
from tierwise.policy import Placement
from tierwise.policy.margins import with_margins
from tierwise.potential import is_among
from tierwise.tables.output_schemas import empty_table, output_table, sort_rows

MODEL_COLUMNS = (
    "archetype_id", "archetype", "archetype_strength", "archetype_status", "archetype_reason", "nearest_other",
    "potential", "potential_low", "potential_high", "potential_source", "headroom",
)  # fmt: skip
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
        moves: The movement table, with the partners of `inputs` and `placement`, all in the order of their ids.
        contributions: The split potentials, against the channel and against peers.
        explaining: What the explaining tables are made from; none where nobody's recommendation is explained.
        tracks: The movement table of the policy's tracks, sorted by partner.
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
    contributions: Splits
    explaining: Explaining | None = None
    tracks: pd.DataFrame = field(default_factory=lambda: empty_table("tracks"))
    scope: str = "all"


@dataclass(frozen=True, eq=False)
class ReviewLayout:
    """The output tables of a review, laid out for some partners at a time, so that no table need be held whole.

    Attributes:
        workspace: The workspace.
        review: What scoring found.
        names: `PARTNER_ID_AND_NAME`.
        quarantine: The rows that were turned away.
        medians: What partners in each tier typically have.
    """

    workspace: Workspace
    review: ScoredReview
    names: pd.DataFrame
    quarantine: pd.DataFrame
    medians: Medians

    @classmethod
    def of(cls, engine: Engine, workspace: Workspace, review: ScoredReview) -> ReviewLayout:
        """Look up what tables of any partners need.

        Raises:
            ValueError: If the review's frames are not of the same partners in the same order.
        """
        for frame in (review.inputs, review.placement.tiers):
            if not frame["partner_id"].equals(review.moves["partner_id"]):
                raise ValueError("inputs, placement and movement must have the same partners in the same order")
        quarantine = engine.frame("SELECT * FROM quarantine")
        at_once = workspace.settings.engine.partners_at_once
        criteria = (block.criteria for block in review.placement.blocks(at_once))
        medians = find_medians(criteria, _placed(review, workspace))
        return cls(workspace, review, partner_names(engine, workspace), quarantine, medians)

    def blocks(self) -> list[Callable[[], dict[str, pd.DataFrame]]]:
        """What makes the tables of each block of partners, in order; a review without any partner has one."""
        at_once = self.workspace.settings.engine.partners_at_once
        starts = range(0, max(len(self.review.moves), 1), at_once)
        return [partial(self.tables, start, start + at_once) for start in starts]

    def tables(self, start: int, stop: int) -> dict[str, pd.DataFrame]:
        """Every output table for the partners from one row of the movement table to before another, sorted by key.

        What is not by partner, the quarantine, is among the tables of the first.
        """
        explaining, policy = self.review.explaining, self.review.policy
        if explaining is not None:
            for first in (start, stop):  # the next block too, so that none waits for this one to be laid out
                explaining.begin(self.review.moves["partner_id"].iloc[first : first + stop - start])
        own = self._part(start, stop)
        reasons = self._reasons(own)
        explained = {name: empty_table(name) for name in EXPLAINING_TABLES}
        if explaining is not None:
            explained = explaining.tables(own.partner_ids, own.split.channel)
        tables = {
            "recommendations": self._recommendations(own),
            "criteria": _criteria(own.placement),
            "components": _only(own.placement.components, "components"),
            "contributions": _only(own.split.table, "contributions"),
            "baselines": _only(own.split.baselines, "baselines"),
            "reasons": reasons,
            **explained,
            "metrics": stored_metrics(self.workspace, own.inputs),
            "tracks": own.rows_of(self.review.tracks),
            "units": own.placement.units,
            "unit_criteria": own.placement.unit_criteria if policy.per else empty_table("unit_criteria"),
            "quarantine": self.quarantine if start == 0 else self.quarantine.iloc[:0],
        }
        return {name: sort_rows(name, frame) for name, frame in tables.items()}

    def reasons_of(self, partner_ids: Collection[str]) -> pd.DataFrame:
        """The output table `reasons` of a few partners."""
        review, wanted = self.review, self.review.moves["partner_id"].isin(list(partner_ids))
        inputs, moves = (frame[wanted].reset_index(drop=True) for frame in (review.inputs, review.moves))
        own = moves["partner_id"]
        return self._reasons(_Part(inputs, review.placement.for_partners(own), moves, review.contributions.of(own)))

    def _part(self, start: int, stop: int) -> _Part:
        review = self.review
        inputs, moves = (frame.iloc[start:stop].reset_index(drop=True) for frame in (review.inputs, review.moves))
        split = review.contributions.of(moves["partner_id"])
        return _Part(inputs, review.placement.between(start, stop), moves, split)

    def _recommendations(self, own: _Part) -> pd.DataFrame:
        review = self.review
        scores = own.placement.tiers[["partner_id", *review.policy.scores]]
        frame = own.moves.merge(own.inputs[["partner_id", *MODEL_COLUMNS]], on="partner_id", validate="one_to_one")
        frame = frame.merge(scores, on="partner_id", validate="one_to_one")
        frame = frame.merge(self.names, on="partner_id", how="left", validate="one_to_one")
        return frame.assign(
            model_version=review.model_version,
            policy_version=review.policy.version,
            data_fingerprint=review.data_fingerprint,
        )

    def _reasons(self, own: _Part) -> pd.DataFrame:
        review, region = self.review, self.workspace.settings.segments.region
        capacity = review.policy.guardrails.manager_capacity
        shown = {"manager": capacity.by if capacity is not None else None, "region": region}
        named = {name: column for name, column in shown.items() if column is not None and column in own.inputs.columns}
        models = own.inputs[["partner_id", "potential", "potential_source"]]
        models = models.assign(**{name: own.inputs[column] for name, column in named.items()})
        tables = ReasonTables(
            as_of=review.as_of,
            moves=own.moves.merge(models, on="partner_id", validate="one_to_one"),
            criteria=own.placement.criteria,
            components=own.placement.components,
            contributions=own.split.channel,
            peers=Peers(own.split.peers, own.split.chosen, region),
            medians=self.medians,
        )
        return word_reasons(tables, wording_of(self.workspace, review.policy))


@dataclass(frozen=True, eq=False)
class _Part:
    """What scoring found about some partners; the frames have the same partners in the same order."""

    inputs: pd.DataFrame
    placement: Placement
    moves: pd.DataFrame
    split: SplitReview

    @property
    def partner_ids(self) -> pd.Series:
        return self.moves["partner_id"]

    def rows_of(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[is_among(table["partner_id"], self.partner_ids)]


def partner_names(engine: Engine, workspace: Workspace) -> pd.DataFrame:
    """The names of partners, where the partner table has a column `name`."""
    table = workspace.partner_table
    if "name" not in workspace.table(table).columns:
        return pd.DataFrame({column: pd.Series(dtype="str") for column in PARTNER_ID_AND_NAME})
    return engine.frame(f"SELECT partner_id, name AS partner_name FROM {quoted(table)} ORDER BY partner_id")


def _placed(review: ScoredReview, workspace: Workspace) -> pd.DataFrame:
    """Every partner's recommended tier and, where there are regions, region."""
    placed, region = review.moves[["partner_id", "recommended_tier"]], workspace.settings.segments.region
    known = region is not None and region in review.inputs.columns
    return placed.assign(region=review.inputs[region]) if known else placed


def _only(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Keep the columns of an output table."""
    return frame[[column for column in output_table(name).columns if column in frame.columns]]


def _criteria(placement: Placement) -> pd.DataFrame:
    """The criteria table with its margins; whoever is placed as a whole has no unit."""
    criteria = with_margins(placement.plan, placement.criteria)
    whole = criteria if "unit" in criteria.columns else criteria.assign(unit=pd.Series(pd.NA, dtype="str"))
    return _only(whole, "criteria")
