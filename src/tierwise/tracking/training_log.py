"""Logging one training: a run with its figures, tables and plots, and the registered version made from it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import tierwise
from tierwise.store.bundle import Part, save_bundle
from tierwise.tracking.connection import closed_at_end, connected
from tierwise.tracking.history import put_in_force
from tierwise.tracking.names import BUNDLE, CHALLENGER, CHAMPION, MODEL_CARD
from tierwise.tracking.packaging import save_scoring_model
from tierwise.tracking.registry import Registry
from tierwise.tracking.run_contents import RunContents, log_contents, tags

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MAX_DESCRIPTION = 5000
FIRST = "the first version of this model: there is none to compare it with"
WAITS = "a version is in force; `tierwise models promote` compares the two and decides"
ALARMED = "no version is in force, but an alarm of the guards against leaks fired: mend the leak and train again"


@dataclass(frozen=True)
class TrainingRecord:
    """What one training leaves behind.

    Attributes:
        as_of: The as-of date.
        data_fingerprint: The fingerprint of the accepted tables.
        gate: The gate's outcome in one word (`model`, `persistence`, ...).
        alarm: What the guards against leaks say: `fired`, `quiet` or `not_tested`.
        parts: The model's parts, by name; `grouped(potential=..., archetypes=...)`.
        input_example: A few metric rows, as the registered model takes them; without company names.
        params: Settings and hyper-parameters.
        metrics: Figures; those that are not finite are left out, MLflow cannot keep them everywhere.
        tables: Frames, by name; kept as CSV.
        plots: PNG or SVG files, by file name.
        plot_tables: The numbers of the plots, by the stem of their files; kept beside them as CSV.
        documents: Text files, by name; `model-card.md` is also the version's description.
        trained_by: Who ran the training, for the history of the first version.
    """

    as_of: date
    data_fingerprint: str
    gate: str
    parts: Mapping[str, Part]
    input_example: pd.DataFrame
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    plots: Mapping[str, bytes] = field(default_factory=dict)
    plot_tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    trained_by: str = "training"
    alarm: str = "not_tested"


@dataclass(frozen=True)
class LoggedVersion:
    """The registered version of one training.

    Attributes:
        version: The version number.
        run_id: The MLflow run.
        alias: `champion` for the first version of a model whose alarm is quiet, `challenger` for every later one.
        bundle_sha256: The hash that the version's files are held against.
        why: Why it got that alias.
    """

    version: int
    run_id: str
    alias: str
    bundle_sha256: str
    why: str


def log_training(registry: Registry, record: TrainingRecord) -> LoggedVersion:
    """Log a training as one run and register its model as a new version.

    While no version is in force, one whose guards against leaks did not fire is put in force at once: there is nothing
    to compare it with. Every other one becomes the challenger until someone promotes it. A training that is stopped
    half-way leaves a run that is not finished, and no version.

    Raises:
        OutsideFailure: If MLflow fails or the disk is full; the version in force is then unchanged.
    """
    if registry.artifact_folder is not None:
        registry.artifact_folder.mkdir(parents=True, exist_ok=True)
    with connected(registry.tracking_uri) as client:
        experiment_id = registry.experiment_id(client)
        run = client.create_run(experiment_id, run_name=f"train as of {record.as_of}", tags=tags(_about(record)))
        run_id = str(run.info.run_id)
        with closed_at_end(client, run_id):
            log_contents(client, run_id, _contents(record))
            model_id, sha256 = _log_model(client, experiment_id, run_id, record)
            facts = {**_about(record), "bundle_sha256": sha256}
            version = _register(client, registry.model_name, model_id, run_id, facts)
            _write_description(client, registry.model_name, version, record)
            alias, why = _give_alias(client, (experiment_id, registry.model_name), version, record)
    return LoggedVersion(version, run_id, alias, sha256, why)


def _contents(record: TrainingRecord) -> RunContents:
    return RunContents(
        params=record.params,
        metrics=record.metrics,
        tables=record.tables,
        plots=record.plots,
        plot_tables=record.plot_tables,
        documents=record.documents,
    )


def _log_model(client: MlflowClient, experiment_id: str, run_id: str, record: TrainingRecord) -> tuple[str, str]:
    """Log the model's folder; returns its id in MLflow and the hash of the bundle in it."""
    from mlflow.entities import LoggedModelOutput

    logged = client.create_logged_model(experiment_id, name="scoring", source_run_id=run_id)
    with tempfile.TemporaryDirectory(prefix="tierwise-") as name:
        bundle, model = Path(name) / BUNDLE, Path(name) / "model"
        sha256 = save_bundle(bundle, record.parts, _about(record))
        save_scoring_model(model, bundle, logged, record.input_example)
        client.log_model_artifacts(logged.model_id, str(model))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return str(logged.model_id), sha256


def _about(record: TrainingRecord) -> dict[str, str]:
    return {
        "as_of": record.as_of.isoformat(),
        "data_fingerprint": record.data_fingerprint,
        "gate": record.gate,
        "alarm": record.alarm,
        "program_version": tierwise.__version__,
    }


def _register(client: MlflowClient, model_name: str, model_id: str, run_id: str, facts: Mapping[str, str]) -> int:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(model_name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(model_name)
    source = f"models:/{model_id}"
    return int(client.create_model_version(model_name, source, run_id, tags(facts), model_id=model_id).version)


def _write_description(client: MlflowClient, model_name: str, version: int, record: TrainingRecord) -> None:
    card = record.documents.get(MODEL_CARD)
    if card is not None:
        client.update_model_version(model_name, str(version), description=_beginning(card))


def _beginning(card: str) -> str:
    """Cut a card that is longer than MLflow's descriptions after a whole line; the run holds all of it."""
    if len(card) <= _MAX_DESCRIPTION:
        return card
    note = "\n\n(The whole card is the run's file `model-card.md`.)\n"
    return card[: _MAX_DESCRIPTION - len(note)].rpartition("\n")[0] + note


def _give_alias(client: MlflowClient, names: tuple[str, str], version: int, record: TrainingRecord) -> tuple[str, str]:
    experiment_id, model_name = names
    if CHAMPION in client.get_registered_model(model_name).aliases:
        client.set_registered_model_alias(model_name, CHALLENGER, str(version))
        return CHALLENGER, WAITS
    if record.alarm == "fired":
        client.set_registered_model_alias(model_name, CHALLENGER, str(version))
        return CHALLENGER, ALARMED
    put_in_force(client, experiment_id, model_name, version, record.trained_by, FIRST)
    return CHAMPION, FIRST
