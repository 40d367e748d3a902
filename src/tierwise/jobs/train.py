"""Train: from the accepted tables to a registered version of archetypes and potential, tested against persistence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from tierwise import archetypes, potential
from tierwise.config.load import Workspace
from tierwise.config.model_spec import ModelSpec
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.beside import beside
from tierwise.jobs.drift import training_drift
from tierwise.jobs.learned import Learned
from tierwise.jobs.learning import LearningData, find_archetypes, judge_on_past_reviews, learning_data
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import model_features
from tierwise.jobs.stability import judge_stability
from tierwise.jobs.tier_loop import tier_columns
from tierwise.jobs.training_record import training_record
from tierwise.potential import tier_effect
from tierwise.reports.training import TrainingSummary, gini_by_origin
from tierwise.tracking import LoggedVersion, Registry, log_training, make_store

STEPS = 8
MOST_ROWS_COPIED = 100_000
"""With more snapshots than this no second process helps: trees then use both threads, and the copy is large."""


def train(workspace: Workspace, as_of: date, today: date, notify: Notify = silent, trials: int = 0) -> TrainingSummary:
    """Train on everything known as of a date and register the result as a new version.

    Args:
        workspace: The workspace.
        as_of: Labels whose window closes later are not used, nor are events dated or known later.
        today: The day of the run; later event dates are faults.
        notify: Told of each step.
        trials: How many settings of the hyper-parameters to try first; 0 trains with those of the model file.

    Raises:
        InvalidInput: If the workspace or its data is at fault, the sources can say nothing about the date, or no
            partner is known on it.
        Refused: If more of a table is quarantined than the workspace tolerates.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS + (trials > 0))
    refuse_unknowable_day(workspace, as_of, today)
    registry = Registry.of(workspace)
    with accepted_tables(workspace, today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the metrics of past quarter ends")
        data = learning_data(engine, workspace, as_of)
    with beside(registry.is_new(), make_store, registry) as made:
        learned = _learn(workspace, _Recipe(load_model_spec(workspace), trials), data, registry, steps)
        steps.begin("register the version")
        made()
    record = training_record(learned, training_drift(learned, registry))
    return _summary(learned, log_training(registry, record))


@dataclass(frozen=True)
class _Recipe:
    spec: ModelSpec
    trials: int


def _learn(workspace: Workspace, recipe: _Recipe, data: LearningData, registry: Registry, steps: Steps) -> Learned:
    spec, seed = recipe.spec, workspace.settings.seed
    features, as_of = model_features(workspace, spec), pd.Timestamp(data.as_of)
    tuning = None
    if recipe.trials:
        steps.begin("search hyper-parameters on earlier reviews")
        tuning = potential.tune(data.snapshots, features, spec.potential, as_of, seed, recipe.trials)
        spec = spec.model_copy(update={"potential": tuning.spec})
    steps.begin("train the potential model")
    model = potential.train(data.snapshots, features, spec.potential, as_of, seed)
    few = len(data.snapshots) <= MOST_ROWS_COPIED
    with beside(few, judge_stability, model, data.snapshots, data.current, seed) as judged:
        steps.begin("find the archetypes")
        found = find_archetypes(workspace, spec, data, registry)
        steps.begin("test it on past reviews")
        tested, leaks = judge_on_past_reviews(workspace, spec, features, data, found)
        steps.begin("train again on drawn partners")
        stability = judged()
    return Learned(
        workspace, data.as_of, data.data_fingerprint, features, spec, data.snapshots, model, tested, found,
        archetypes.assign(found, data.current), leaks, tier_effect(model, data.snapshots, tier_columns(workspace)),
        tuning, stability,
    )  # fmt: skip


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
        alarm=learned.leaks.alarm,
        alarms=learned.leaks.sentences,
        tier_effect=learned.tier_effect.sentence if learned.tier_effect else "",
        why_alias=logged.why,
    )
