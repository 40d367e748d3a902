"""Train: from the accepted tables to a registered version of archetypes and potential, tested against persistence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.load import Workspace
from tierwise.config.model_spec import ModelSpec
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.drift import training_drift
from tierwise.jobs.learned import Learned
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import archetype_features, build_snapshots, model_features
from tierwise.jobs.training_record import training_record
from tierwise.reports.training import TrainingSummary, gini_by_origin
from tierwise.tables import fingerprint
from tierwise.tracking import LoggedVersion, Registry, log_training

STEPS = 7


def train(workspace: Workspace, as_of: date, today: date, notify: Notify = silent, trials: int = 0) -> TrainingSummary:
    """Train on everything known as of a date and register the result as a new version.

    Args:
        workspace: The workspace.
        as_of: Labels whose window closes later are not used, nor are events dated or known later.
        today: The day of the run; later event dates are faults.
        notify: Told of each step.
        trials: How many settings of the hyper-parameters to try first; 0 trains with those of the model file.

    Raises:
        InvalidInput: If the workspace or its data is at fault, or the sources can say nothing about the date.
        Refused: If more of a table is quarantined than the workspace tolerates.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS + (trials > 0))
    refuse_unknowable_day(workspace, as_of, today)
    registry = Registry.of(workspace)
    spec = load_model_spec(workspace)
    with accepted_tables(workspace, today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the metrics of past quarter ends")
        snapshots = build_snapshots(engine, workspace, as_of)
        data_fingerprint = fingerprint(engine, workspace, as_of)
    learned = _learn(workspace, _Inputs(as_of, data_fingerprint, spec, snapshots, trials), registry, steps)
    steps.begin("register the version")
    record = training_record(learned, training_drift(learned, registry))
    return _summary(learned, log_training(registry, record))


@dataclass(frozen=True)
class _Inputs:
    as_of: date
    data_fingerprint: str
    spec: ModelSpec
    snapshots: pd.DataFrame
    trials: int = 0


def _learn(workspace: Workspace, inputs: _Inputs, registry: Registry, steps: Steps) -> Learned:
    features, seed, spec = model_features(workspace), workspace.settings.seed, inputs.spec
    as_of, snapshots = pd.Timestamp(inputs.as_of), inputs.snapshots
    tuning = None
    if inputs.trials:
        steps.begin("search hyper-parameters on earlier reviews")
        tuning = potential.tune(snapshots, features, spec.potential, as_of, seed, inputs.trials)
        spec = spec.model_copy(update={"potential": tuning.spec})
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
    return Learned(
        workspace, inputs.as_of, inputs.data_fingerprint, features, spec, snapshots, model, tested, found, assigned,
        tuning,
    )  # fmt: skip


def _archetypes_in_force(registry: Registry) -> ArchetypeModel | None:
    """The archetypes of the version in force, whose identities the new ones carry on."""
    if not any("champion" in version["aliases"] for version in registry.versions()):
        return None
    return archetypes.from_parts(registry.load_champion().bundle.group("archetypes"))


def _summary(learned: Learned, logged: LoggedVersion) -> TrainingSummary:
    return TrainingSummary(
        as_of=learned.as_of,
        version=logged.version,
        alias=logged.alias,
        snapshots=len(learned.labelled),
        partners=len(learned.current),
        gate=learned.potential.source,
        gate_sentence=learned.potential.gate.sentence,
        gini=gini_by_origin(learned.backtest.scores),
        archetypes=learned.composition,
        archetypes_sentence=learned.archetypes_sentence,
        notes=learned.notes,
    )
