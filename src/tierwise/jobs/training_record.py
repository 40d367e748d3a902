"""What a training leaves behind in the registry: parameters, figures, tables, plots, and the model card."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

import tierwise
from tierwise import archetypes, potential
from tierwise.audit import Drift
from tierwise.jobs.drift import drift_parts
from tierwise.jobs.learned import Learned
from tierwise.jobs.training_plots import plots_of
from tierwise.reports.model_card import ModelCard, model_card_documents
from tierwise.reports.plots import POOLED, Plot, plot_files
from tierwise.store.bundle import grouped
from tierwise.tracking import TrainingRecord

EXAMPLE_ROWS = 5


def training_record(learned: Learned, drift: Drift) -> TrainingRecord:
    """Put together what is logged of a training; `drift` holds its rows against those of the version in force."""
    backtest, plots = learned.backtest, plots_of(learned, drift)
    return TrainingRecord(
        as_of=learned.as_of,
        data_fingerprint=learned.data_fingerprint,
        gate=learned.potential.source,
        alarm=learned.leaks.alarm,
        parts=grouped(
            potential=potential.to_parts(learned.potential),
            archetypes=archetypes.to_parts(learned.archetypes),
            drift=drift_parts(learned),
            **(learned.stability.parts() if learned.stability else {}),
        ),
        input_example=learned.current[_model_columns(learned)].head(EXAMPLE_ROWS),
        params=_params(learned),
        metrics=_metrics(learned),
        tables={
            **backtest.tables(),
            **{f"archetypes_{name}": table for name, table in learned.archetypes.tables.items()},
            **_tuning_tables(learned),
            **drift.tables(),
            **({"explanation_stability": learned.stability.checks} if learned.stability else {}),
        },
        plots=plot_files(plots),
        plot_tables={plot.name: plot.table for plot in plots},
        documents=model_card_documents(_card(learned, plots)),
    )


def _tuning_tables(learned: Learned) -> dict[str, pd.DataFrame]:
    tuning = learned.tuning
    return {} if tuning is None else {"tuning_trials": tuning.trials, "tuning_comparison": tuning.comparison}


def _card(learned: Learned, plots: Sequence[Plot]) -> ModelCard:
    settings, gate = learned.workspace.settings, learned.potential.gate
    metric = learned.workspace.catalog.metrics[learned.features.target]
    features = [(feature.title, feature.family, feature.direction) for feature in learned.features.metrics]
    return ModelCard(
        workspace=settings.name,
        as_of=learned.as_of,
        data_fingerprint=learned.data_fingerprint,
        program_version=tierwise.__version__,
        target=metric.title or learned.features.target,
        unit=metric.unit,
        horizon=str(settings.potential.horizon),
        snapshots=len(learned.labelled),
        partners=len(learned.current),
        gate=learned.potential.source,
        gate_sentence=gate.sentence,
        gate_probability=gate.probability,
        features=pd.DataFrame(features, columns=["name", "family", "direction"]),
        scores=learned.backtest.scores,
        calibration=learned.backtest.calibration,
        coverage=learned.backtest.coverage,
        archetypes=archetypes.profile_table(learned.archetypes),
        archetypes_sentence=learned.archetypes_sentence,
        leaks=learned.leaks.tested,
        alarm=learned.leaks.alarm,
        alarms=learned.leaks.sentences,
        tier_effect=learned.tier_effect.sentence if learned.tier_effect else "",
        notes=learned.notes,
        contact=metric.owner or "the owner of the workspace",
        stability=learned.stability.checks if learned.stability else pd.DataFrame(),
        pictures={plot.name: plot.inline for plot in plots},
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
    found = pooled_scores(learned.backtest.scores)
    gate = learned.potential.gate
    if gate.probability is not None:
        found["gate_probability"] = gate.probability
    return {**found, "archetypes": float(len(learned.archetypes.archetypes))}


def pooled_scores(scores: pd.DataFrame) -> dict[str, float]:
    """The back-test's pooled scores by `<candidate>_<score>`."""
    if scores.empty:
        return {}
    pooled = scores[scores["origin"] == POOLED]
    return dict(zip(pooled["candidate"] + "_" + pooled["score"], pooled["value"].astype(float), strict=True))
