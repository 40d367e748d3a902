"""Why figures changed since the review before: what is stored for it, and the split into data, model and policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.explain.changes import PARTS, SPLIT, Corner, moved_metrics, split_change
from tierwise.jobs.contributions import split_trees
from tierwise.jobs.policy_inputs import inputs_for, with_outputs
from tierwise.metrics import compute
from tierwise.policy import Placement, place
from tierwise.potential import PotentialModel
from tierwise.store import WrittenReview, list_reviews, read_table
from tierwise.tables.output_schemas import empty_table
from tierwise.tracking import Registry

POTENTIAL, ELIGIBLE_TIER = "potential", "eligible_tier"
SAME = 1e-6
"""The share of a figure by which it may come out differently again before it counts as not reproduced."""

Floats = NDArray[np.float64]


def stored_metrics(workspace: Workspace, inputs: pd.DataFrame) -> pd.DataFrame:
    """The metric values, attributes and flags of a review: the policy's inputs but for what the models made of them."""
    named = ["partner_id", "first_seen", "tenure_days", *workspace.attributes, *workspace.catalog.metrics]
    flags = [name for name in inputs.columns if name not in named and pd.api.types.is_bool_dtype(inputs[name])]
    return inputs[[*(name for name in named if name in inputs.columns), *flags]]


@dataclass(frozen=True, eq=False)
class ReviewNow:
    """What this review's figures were made from.

    Attributes:
        as_of: The as-of date.
        model_version: The model version in force.
        model: Its potential model.
        found: Its archetypes.
        policy: The policy in force.
        inputs: The policy inputs.
        placement: The placement.
        moves: The movement table.
    """

    as_of: date
    model_version: str
    model: PotentialModel
    found: ArchetypeModel
    policy: Policy
    inputs: pd.DataFrame
    placement: Placement
    moves: pd.DataFrame


def previous_review(output: Path, as_of: date) -> WrittenReview | None:
    """The latest complete review before a date; none for a first review."""
    earlier = [review for review in list_reviews(output) if review.as_of < as_of]
    return earlier[-1] if earlier else None


@dataclass(frozen=True, eq=False)
class Changes:
    """A review beside the one before; empty for a first review.

    Earlier values are those that the earlier review stored. Where the model or the policy changed since, the figures
    are asked for again with each of data, model and policy swapped alone; where that cannot be done a code says why.
    """

    targets: tuple[tuple[_Target, Mapping[Corner, pd.Series] | str], ...] = ()
    question: _Question | None = None

    @classmethod
    def since_previous(cls, engine: Engine, workspace: Workspace, output: Path, now: ReviewNow) -> Changes:
        """Ask again for every figure that changed.

        Raises:
            OutsideFailure: If a table of the earlier review is damaged.
        """
        written = previous_review(output, now.as_of)
        if written is None:
            return cls()
        question = _Question(engine, workspace, now, _Earlier.read(engine, workspace, output, written))
        return cls((_potential_change(question), *_placed_changes(question)), question)

    def tables(self, partner_ids: pd.Series, contributions: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """What changed for some partners.

        Args:
            partner_ids: The partners, sorted.
            contributions: Their contributions to the potential against the whole channel.

        Returns:
            The output tables `changes` and `moved_metrics`; without rows for a first review.
        """
        if self.question is None or partner_ids.empty:
            return {name: empty_table(name) for name in ("changes", "moved_metrics")}
        parts = [_target_rows(target.of(partner_ids), asked) for target, asked in self.targets]
        changes = pd.concat(parts, ignore_index=True)
        day = pd.Series(pd.Timestamp(self.question.earlier.written.as_of), index=changes.index, dtype="datetime64[us]")
        moved = _moved(self.question, partner_ids, contributions)
        return {"changes": changes.assign(previous_as_of=day), "moved_metrics": moved}


@dataclass(frozen=True, eq=False)
class _Earlier:
    """What the earlier review stored.

    Attributes:
        written: Its manifest.
        recommendations: Its recommendations.
        rows: Its metric values, with those of today's catalog that it lacks computed as of its date; none if it kept
            no values.
        output: The folder in which it lies.
        policy: Its policy; none if the workspace no longer has it as it was.
    """

    written: WrittenReview
    recommendations: pd.DataFrame
    rows: pd.DataFrame | None
    output: Path
    policy: Policy | None

    @classmethod
    def read(cls, engine: Engine, workspace: Workspace, output: Path, written: WrittenReview) -> _Earlier:
        rows = None
        if "metrics" in written.rows:
            rows = _completed(engine, workspace, read_table(output, written.as_of, "metrics"), written.as_of)
        same = [policy for policy in workspace.policies if policy.sha256 == written.versions.get("policy_sha256")]
        return cls(
            written=written,
            recommendations=read_table(output, written.as_of, "recommendations"),
            rows=rows,
            output=output,
            policy=same[0] if same else None,
        )

    def contributions(self, partner_ids: pd.Series) -> pd.DataFrame:
        """The contributions to the potential against the whole channel that it stored of some partners, sorted."""
        ends = (partner_ids.iloc[0], partner_ids.iloc[-1])
        own = read_table(self.output, self.written.as_of, "contributions", partners=ends)
        return own[(own["target"] == POTENTIAL) & (own["baseline"] == "channel")]


def _completed(engine: Engine, workspace: Workspace, stored: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Stored values as metric rows; metrics that are newer than the review are computed as of its date."""
    rows = stored.drop(columns="run_id")
    if set(workspace.catalog.metrics) <= set(rows.columns):
        return rows
    computed = compute(engine, workspace, [as_of])
    lacking = [name for name in computed.columns if name not in rows.columns]
    return rows.merge(computed[["partner_id", *lacking]], on="partner_id", how="left", validate="one_to_one")


class _CannotSplit(Exception):
    """Carries the code that says why a difference cannot be split."""


@dataclass(frozen=True, eq=False)
class _Question:
    """Both reviews, and what either would say with the other's data, model or policy."""

    engine: Engine
    workspace: Workspace
    now: ReviewNow
    earlier: _Earlier
    _inputs: dict[tuple[int, int], pd.DataFrame] = field(default_factory=dict)
    _models: dict[int, tuple[PotentialModel, ArchetypeModel]] = field(default_factory=dict)

    @property
    def same_model(self) -> bool:
        return self.earlier.written.versions.get("model") == self.now.model_version

    @property
    def same_policy(self) -> bool:
        return self.earlier.written.versions.get("policy_sha256") == self.now.policy.sha256

    def inputs(self, data: int, model: int) -> pd.DataFrame:
        """The policy inputs with either review's data and model.

        Raises:
            _CannotSplit: If the earlier data or model is gone, or does not fit the other.
        """
        if (data, model) == (1, 1):
            return self.now.inputs
        if (data, model) not in self._inputs:
            rows = stored_metrics(self.workspace, self.now.inputs).assign(as_of=pd.Timestamp(self.now.as_of))
            rows = rows if data else self._earlier_rows()
            try:
                self._inputs[data, model] = with_outputs(rows, *self._model(model))
            except InvalidInput as error:
                raise _CannotSplit("does_not_fit") from error
        return self._inputs[data, model]

    def placed(self, data: int, model: int, policy: int) -> pd.DataFrame:
        """The scores and the place of the eligible tier, by partner.

        Raises:
            _CannotSplit: If something earlier is gone, or does not fit the other review.
        """
        if (data, model, policy) == (1, 1, 1):
            return placed_figures(self.now.placement)
        used = self.now.policy if policy else self.earlier.policy
        if used is None:
            raise _CannotSplit("earlier_policy_gone")
        day = self.now.as_of if data else self.earlier.written.as_of
        inputs = {day: self.inputs(data, model)}
        try:
            placed = inputs_for(self.engine, self.workspace, used, inputs)[day]
            return placed_figures(place(self.engine, used, placed))
        except InvalidInput as error:
            raise _CannotSplit("does_not_fit") from error

    def _earlier_rows(self) -> pd.DataFrame:
        if self.earlier.rows is None:
            raise _CannotSplit("earlier_metrics_not_stored")
        return self.earlier.rows

    def _model(self, model: int) -> tuple[PotentialModel, ArchetypeModel]:
        if model or self.same_model:
            return self.now.model, self.now.found
        if model not in self._models:
            try:
                version = self.earlier.written.versions.get("model", "")
                bundle = Registry.of(self.workspace).load_version(version).bundle
                self._models[model] = (
                    potential.from_parts(bundle.group("potential")), archetypes.from_parts(bundle.group("archetypes")),
                )  # fmt: skip
            except (InvalidInput, OutsideFailure, KeyError) as error:
                raise _CannotSplit("earlier_model_gone") from error
        return self._models[model]


def placed_figures(placement: Placement) -> pd.DataFrame:
    """The scores of a placement and the place of the eligible tier (-1 for none), one row per `partner_id`."""
    scores = placement.tiers.set_index("partner_id")[list(placement.policy.scores)].astype(np.float64)
    return scores.assign(**{ELIGIBLE_TIER: placement.ranks()["eligible"].astype(np.float64)})


@dataclass(frozen=True, eq=False)
class _Target:
    """One figure: its unit, what the earlier review stored of it (none if it had none), its values now, by partner."""

    name: str
    unit: str
    before: pd.Series | None
    now: pd.Series

    def of(self, partner_ids: pd.Series) -> _Target:
        """The figure of some partners."""
        return replace(self, now=self.now.reindex(pd.Index(partner_ids, name="partner_id")))


def _potential_change(question: _Question) -> tuple[_Target, Mapping[Corner, pd.Series] | str]:
    """The split of the potential, on its own scale: money. The policy has no part in it."""
    unit = question.workspace.catalog.metrics[question.workspace.settings.potential.metric].unit
    before, now = (
        frame.set_index("partner_id")[POTENTIAL] for frame in (question.earlier.recommendations, question.now.inputs)
    )
    asked: dict[Corner, pd.Series] | str = {}
    if not question.same_model:
        try:
            asked = {
                (*corner, 1): question.inputs(*corner).set_index("partner_id")[POTENTIAL]
                for corner in product((0, 1), (0, 1))
            }
        except _CannotSplit as reason:
            asked = str(reason)
    return _Target(POTENTIAL, unit, before, now), asked


def _placed_changes(question: _Question) -> Iterator[tuple[_Target, Mapping[Corner, pd.Series] | str]]:
    """The split of every score and of the eligible tier's place."""
    models, policies = ((1,) if same else (0, 1) for same in (question.same_model, question.same_policy))
    asked: dict[Corner, pd.DataFrame] | str = {}
    if len(models) + len(policies) > 2:
        try:
            asked = {corner: question.placed(*corner) for corner in product((0, 1), models, policies)}
        except _CannotSplit as reason:
            asked = str(reason)
    now, before = placed_figures(question.now.placement), _stored_figures(question)
    for name in now.columns:
        own = asked if isinstance(asked, str) else {at: frame[name] for at, frame in asked.items() if name in frame}
        yield _Target(name, _unit(question, name), before.get(name), now[name]), own


def _stored_figures(question: _Question) -> dict[str, pd.Series]:
    stored = question.earlier.recommendations.set_index("partner_id")
    policy = question.earlier.policy or question.now.policy
    places = {name: float(rank) for rank, name in enumerate(policy.tier_names)}
    eligible = stored[ELIGIBLE_TIER]
    found = {name: stored[name] for name in question.now.policy.scores if name in stored.columns}
    return {**found, ELIGIBLE_TIER: eligible.map(places).where(eligible.notna(), -1.0).astype(np.float64)}


def _unit(question: _Question, name: str) -> str:
    return "tiers" if name == ELIGIBLE_TIER else question.now.policy.scores[name].unit or "points"


def _target_rows(target: _Target, asked: Mapping[Corner, pd.Series] | str) -> pd.DataFrame:
    """The rows of `changes` for one figure.

    Args:
        target: The figure.
        asked: The figure at the corners that can differ; empty where neither model nor policy changed, so that all of
            the difference comes from the data; or the code that says why it cannot be asked for.
    """
    partners = target.now.index
    now = np.asarray(target.now, dtype=np.float64)
    stored = pd.Series(np.nan, index=partners) if target.before is None else target.before.reindex(partners)
    before = np.asarray(stored, dtype=np.float64)
    parts = {name: np.full(len(now), np.nan) for name in PARTS}
    codes = np.full(len(now), asked if isinstance(asked, str) else SPLIT, dtype=object)
    if not isinstance(asked, str) and target.before is not None:
        corners = _cube(asked, partners, before, now)
        parts = split_change(corners)
        again = asked.get(min(asked), stored).reindex(partners).to_numpy(dtype=np.float64) if asked else before
        codes[~(np.abs(again - before) <= SAME * np.maximum(1.0, np.abs(before)))] = "not_reproduced"
        codes[np.isnan(list(corners.values())).any(axis=0)] = "unknown_figure"
    codes[np.isnan(before) | np.isnan(now)] = "unknown_figure"
    if target.before is None:
        codes[:] = "not_scored_before"
    else:
        codes[~partners.isin(target.before.index)] = "new_partner"
    parts = {name: np.where(codes == SPLIT, part, np.nan) for name, part in parts.items()}
    about = {"target": target.name, "code": codes, "unit": target.unit}
    frame = pd.DataFrame({"partner_id": partners, **about, "value_before": before, "value_now": now, **parts})
    return frame.astype({"partner_id": "str", "target": "str", "code": "str", "unit": "str"})


def _cube(
    asked: Mapping[Corner, pd.Series], partners: pd.Index[str], before: Floats, now: Floats
) -> dict[Corner, Floats]:
    """All eight corners; those of the two reviews are what they stored, and what did not change does not matter."""
    cube: dict[Corner, Floats] = {}
    for data, model, policy in product((0, 1), repeat=3):
        found = [(data, model, policy), (data, 1, policy), (data, model, 1)]
        series = next((asked[corner] for corner in found if corner in asked), None)
        plain = now if data else before
        cube[data, model, policy] = plain if series is None else series.reindex(partners).to_numpy(dtype=np.float64)
    cube[0, 0, 0], cube[1, 1, 1] = before, now
    return cube


def _moved(question: _Question, partner_ids: pd.Series, contributions: pd.DataFrame) -> pd.DataFrame:
    """The metrics that moved most, with their effect on the log potential by the model now in force."""
    if question.earlier.rows is None:
        return empty_table("moved_metrics")
    before, now = (rows[rows["partner_id"].isin(partner_ids)] for rows in (question.earlier.rows, question.now.inputs))
    old = _contributions_before(question, before, partner_ids)
    columns = ["partner_id", "feature"]
    risen = contributions.loc[contributions["partner_id"].isin(old["partner_id"]), columns]
    risen = risen.assign(effect=contributions["contribution"])
    fallen = old.loc[old["partner_id"].isin(contributions["partner_id"]), columns].assign(effect=-old["contribution"])
    effects = pd.concat([risen, fallen], ignore_index=True)
    catalog = [name for name in question.workspace.catalog.metrics if name in before.columns]
    columns = ["partner_id", *catalog]
    return moved_metrics(before[columns], now[columns], effects, question.now.inputs)


def _contributions_before(question: _Question, before: pd.DataFrame, partner_ids: pd.Series) -> pd.DataFrame:
    """The contributions to the earlier potentials by the model now in force: stored, or split now where they are not.

    An earlier review with another model has none of them, and one that explained only who moved has some.
    """
    stored = question.earlier.contributions(partner_ids)
    stored = stored if question.same_model else stored.iloc[:0]
    lacking = before[~before["partner_id"].isin(stored["partner_id"])]
    if lacking.empty:
        return stored
    try:
        split = potential.contributions(question.now.model, lacking.reset_index(drop=True), split_trees)
    except InvalidInput:
        return stored.iloc[:0]
    return pd.concat([stored, split], ignore_index=True)
