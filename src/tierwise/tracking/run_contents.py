"""What a run in MLflow holds, and logging a run that makes no model version."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tierwise.store.writer import write_frame, write_text
from tierwise.store.writer_disk import replace_file
from tierwise.tracking.connection import closed_at_end, connected
from tierwise.tracking.names import TAG_PREFIX
from tierwise.tracking.registry import Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient

_MAX_PARAM = 500
_BATCH = 100


@dataclass(frozen=True)
class RunContents:
    """Figures and files of one run.

    Attributes:
        params: Settings and hyper-parameters.
        metrics: Figures; those that are not finite are left out, MLflow cannot keep them everywhere.
        tables: Frames, by name; kept as CSV.
        plots: PNG or SVG files, by file name.
        plot_tables: The numbers of the plots, by the stem of their files; kept beside them as CSV.
        documents: Text files, by name.
    """

    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    plots: Mapping[str, bytes] = field(default_factory=dict)
    plot_tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)


def log_run(registry: Registry, name: str, facts: Mapping[str, str], contents: RunContents) -> str:
    """Log a run of its own in the workspace's experiment.

    Args:
        registry: Where the workspace keeps its runs.
        name: The run's name.
        facts: Its tags, without their prefix.
        contents: Its figures and files.

    Returns:
        The id of the run.

    Raises:
        OutsideFailure: If MLflow fails or the disk is full.
    """
    if registry.artifact_folder is not None:
        registry.artifact_folder.mkdir(parents=True, exist_ok=True)
    with connected(registry.tracking_uri) as client:
        run = client.create_run(registry.experiment_id(client), run_name=name, tags=tags(facts))
        run_id = str(run.info.run_id)
        with closed_at_end(client, run_id):
            log_contents(client, run_id, contents)
    return run_id


def tags(facts: Mapping[str, str]) -> dict[str, str]:
    """Return facts as tags that carry the program's prefix."""
    return {f"{TAG_PREFIX}{name}": value for name, value in facts.items()}


def log_contents(client: MlflowClient, run_id: str, contents: RunContents) -> None:
    """Log figures and files to a run that is open."""
    _log_figures(client, run_id, contents)
    _log_files(client, run_id, contents)


def _log_figures(client: MlflowClient, run_id: str, contents: RunContents) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(name, str(value)[:_MAX_PARAM]) for name, value in sorted(contents.params.items())]
    finite = {name: value for name, value in sorted(contents.metrics.items()) if math.isfinite(value)}
    moment = client.get_run(run_id).info.start_time
    metrics = [Metric(name, float(value), timestamp=moment, step=0) for name, value in finite.items()]
    for start in range(0, len(params), _BATCH):
        client.log_batch(run_id, params=params[start : start + _BATCH])
    for start in range(0, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])


def _log_files(client: MlflowClient, run_id: str, contents: RunContents) -> None:
    with tempfile.TemporaryDirectory(prefix="tierwise-") as name:
        folder = Path(name)
        for table, frame in contents.tables.items():
            if len(frame.columns) > 0:
                write_frame(frame, folder / "tables" / f"{table}.csv")
        for file, content in contents.plots.items():
            replace_file(folder / "plots" / file, content)
        for stem, frame in contents.plot_tables.items():
            write_frame(frame, folder / "plots" / f"{stem}.csv")
        for file, text in contents.documents.items():
            write_text(folder / file, text)
        if any(folder.iterdir()):
            client.log_artifacts(run_id, name)
