"""Train: from the accepted tables to a registered version of archetypes and potential, tested against persistence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.load import Workspace
from tierwise.config.model_spec import FeatureSet, ModelSpec
from tierwise.jobs.accept import accepted_tables, refuse_unfit
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import archetype_features, build_snapshots, model_features
from tierwise.potential import Backtest, PotentialModel
from tierwise.reports.training import TrainingSummary, gini_by_origin
from tierwise.store.bundle import grouped
from tierwise.tables import fingerprint
from tierwise.tracking import LoggedVersion, Registry, TrainingRecord, log_training

STEPS = 7
EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Learned:
    """What one training made, before it is logged.

    Attributes:
        as_of: The as-of date.
        data_fingerprint: The fingerprint of the accepted tables.
        features: The columns the models use.
        spec: The hyper-parameters.
        snapshots: The snapshots, labelled and of the as-of date.
        potential: The potential model.
        backtest: The rolling-origin back-test.
        archetypes: The archetype model.
        assigned: Each partner's archetype as of the date.
    """

    as_of: date
    data_fingerprint: str
    features: FeatureSet
    spec: ModelSpec
    snapshots: pd.DataFrame
    potential: PotentialModel
    backtest: Backtest
    archetypes: ArchetypeModel
    assigned: pd.DataFrame

    @property
    def current(self) -> pd.DataFrame:
        """The metric rows of the as-of date."""
        rows = self.snapshots[self.snapshots["as_of"] == pd.Timestamp(self.as_of)]
        return rows.reset_index(drop=True)


def train(workspace: Workspace, as_of: date, today: date, notify: Notify = silent) -> TrainingSummary:
    """Train on everything known as of a date and register the result as a new version.

    Args:
        workspace: The workspace.
        as_of: Labels whose window closes later are not used, nor are events dated or known later.
        today: The day of the run; later event dates are faults.
        notify: Told of each step.

    Raises:
        InvalidInput: If the workspace or its data is at fault.
        Refused: If more of a table is quarantined than the workspace tolerates.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS)
    registry = Registry.of(workspace)
    spec = load_model_spec(workspace)
    with accepted_tables(workspace, today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the metrics of past quarter ends")
        snapshots = build_snapshots(engine, workspace, as_of)
        data_fingerprint = fingerprint(engine, workspace, as_of)
    learned = _learn(workspace, _Inputs(as_of, data_fingerprint, spec, snapshots), registry, steps)
    steps.begin("register the version")
    return _summary(learned, log_training(registry, _record(learned)))


@dataclass(frozen=True)
class _Inputs:
    as_of: date
    data_fingerprint: str
    spec: ModelSpec
    snapshots: pd.DataFrame


def _learn(workspace: Workspace, inputs: _Inputs, registry: Registry, steps: Steps) -> Learned:
    features, seed, spec = model_features(workspace), workspace.settings.seed, inputs.spec
    as_of, snapshots = pd.Timestamp(inputs.as_of), inputs.snapshots
    steps.begin("train the potential model")
    model = potential.train(snapshots, features, spec.potential, as_of, seed)
    steps.begin("test it on past reviews")
    segments = [name for name in vars(workspace.settings.segments).values() if name]
    tested = potential.backtest(snapshots, features, spec.potential, as_of, seed, segments)
    steps.begin("find the archetypes")
    rows = snapshots[snapshots["as_of"] == as_of].reset_index(drop=True)
    by = archetype_features(workspace)
    found = archetypes.fit(rows, by, spec.archetypes, seed, previous=_archetypes_in_force(registry))
    assigned = archetypes.assign(found, rows)
    return Learned(inputs.as_of, inputs.data_fingerprint, features, spec, snapshots, model, tested, found, assigned)


def _archetypes_in_force(registry: Registry) -> ArchetypeModel | None:
    """The archetypes of the version in force, whose identities the new ones carry on."""
    if not any("champion" in version["aliases"] for version in registry.versions()):
        return None
    return archetypes.from_parts(registry.load_champion().bundle.group("archetypes"))


def _record(learned: Learned) -> TrainingRecord:
    return TrainingRecord(
        as_of=learned.as_of,
        data_fingerprint=learned.data_fingerprint,
        gate=learned.potential.source,
        parts=grouped(
            potential=potential.to_parts(learned.potential), archetypes=archetypes.to_parts(learned.archetypes)
        ),
        input_example=learned.current[_model_columns(learned)].head(EXAMPLE_ROWS),
        params=_params(learned),
        metrics=_metrics(learned),
        tables={**learned.backtest.tables(), **_archetype_tables(learned.archetypes)},
    )


def _model_columns(learned: Learned) -> list[str]:
    """The columns that scoring reads, each once."""
    features = learned.features
    named = ("partner_id", "first_seen", "tenure_days", *features.attributes, *features.names)
    return list(dict.fromkeys((*named, features.target, *features.comparable_by)))


def _params(learned: Learned) -> dict[str, object]:
    """The hyper-parameters, one line each, and what was trained on."""
    flat = pd.json_normalize(learned.spec.model_dump(mode="json"), sep=".").iloc[0].to_dict()
    labelled = learned.snapshots["label"].notna()
    return {
        **{str(name): value for name, value in flat.items()},
        "target": learned.features.target,
        "snapshots": int(labelled.sum()),
        "snapshot_days": int(learned.snapshots.loc[labelled, "as_of"].nunique()),
    }


def _metrics(learned: Learned) -> dict[str, float]:
    """The back-test's pooled scores and the gate's figures."""
    scores = learned.backtest.scores
    pooled = scores[scores["origin"] == "all"] if len(scores) else scores
    found = {f"{row.candidate}_{row.score}": float(row.value) for row in pooled.itertuples()}
    gate = learned.potential.gate
    if gate.probability is not None:
        found["gate_probability"] = gate.probability
    return {**found, "archetypes": float(len(learned.archetypes.archetypes))}


def _archetype_tables(model: ArchetypeModel) -> dict[str, pd.DataFrame]:
    return {f"archetypes_{name}": table for name, table in model.tables.items()}


def _summary(learned: Learned, logged: LoggedVersion) -> TrainingSummary:
    gate, diagnostics = learned.potential.gate, learned.potential.diagnostics
    return TrainingSummary(
        as_of=learned.as_of,
        version=logged.version,
        alias=logged.alias,
        snapshots=int(learned.snapshots["label"].notna().sum()),
        partners=len(learned.current),
        gate=learned.potential.source,
        gate_sentence=gate.sentence,
        gini=gini_by_origin(learned.backtest.scores),
        archetypes=_composition(learned),
        archetypes_sentence=_archetypes_sentence(learned.archetypes),
        notes=tuple(f"{row.code}: {row.message}" for row in diagnostics.itertuples()),
    )


def _composition(learned: Learned) -> pd.DataFrame:
    """Partners per archetype; one without a name is shown by its id."""
    assigned = learned.assigned.dropna(subset=["archetype_id"])
    shown = assigned.assign(
        archetype=assigned["archetype"].fillna(assigned["archetype_id"] + " (too unstable to name)")
    )
    counts = shown.groupby(["archetype_id", "archetype"], as_index=False).agg(partners=("partner_id", "size"))
    return counts.assign(share=counts["partners"] / max(len(learned.assigned), 1))


def _archetypes_sentence(model: ArchetypeModel) -> str:
    if not model.supported:
        return f"No archetypes are supported: {model.sentence}"
    return f"{len(model.archetypes)} archetypes: {model.sentence}"
