"""Pilots in MLflow: one experiment per pilot, a run for its design and draw, and below it one run per analysis.

The same record logged twice is one run: it is found again by the hash of what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from tierwise.tracking.connection import closed_at_end, connected
from tierwise.tracking.names import TAG_PREFIX
from tierwise.tracking.registry import Registry
from tierwise.tracking.run_contents import RunContents, log_contents, tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_KIND, _RECORD, _SLUG, _PILOT_SHA, _DRAW = (
    f"{TAG_PREFIX}{name}" for name in ("kind", "record_sha256", "pilot", "pilot_sha256", "assignment_sha256")
)
_PARENT_TAG = "mlflow.parentRunId"
DESIGN, ANALYSIS = "pilot", "analysis"
_MARK = ": pilot "


@dataclass(frozen=True)
class PilotEntry:
    """What one step of a pilot logs.

    Attributes:
        slug: The pilot.
        name: The run's name.
        record_sha256: The hash of the record, by which the run is found again.
        facts: The run's tags, without their prefix.
        contents: Figures and files.
    """

    slug: str
    name: str
    record_sha256: str
    facts: Mapping[str, str]
    contents: RunContents


class TrackedRun(TypedDict):
    """One run of a pilot as MLflow keeps it; `kind` is `pilot` or `analysis`."""

    pilot: str
    kind: str
    run_id: str
    parent_id: str
    facts: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]


def log_design(registry: Registry, entry: PilotEntry) -> str:
    """Log a design as a run of the pilot's experiment, and return the run's id.

    Raises:
        OutsideFailure: If MLflow fails or the disk is full.
    """
    with _experiment(registry, entry.slug) as (client, experiment_id):
        return _logged(client, experiment_id, entry, DESIGN, {})


def log_assignment(registry: Registry, entry: PilotEntry, pilot_sha256: str, assignment_sha256: str) -> str:
    """Add the draw to the run of the pilot's latest design, or to a new one where it was never designed.

    Raises:
        OutsideFailure: If MLflow fails or the disk is full.
    """
    with _experiment(registry, entry.slug) as (client, experiment_id):
        drawn = _find(client, experiment_id, {_KIND: DESIGN, _DRAW: assignment_sha256})
        designed = drawn or _find(client, experiment_id, {_KIND: DESIGN, _PILOT_SHA: pilot_sha256})
        if designed is None:
            own = {_PILOT_SHA: pilot_sha256, _DRAW: assignment_sha256}
            return _logged(client, experiment_id, entry, DESIGN, own)
        run_id = str(designed.info.run_id)
        if drawn is None:
            # The parameters of a run never change; those of the design are the same file's.
            log_contents(client, run_id, replace(entry.contents, params={}))
            for name, value in {**tags(entry.facts), _DRAW: assignment_sha256}.items():
                client.set_tag(run_id, name, value)
        return run_id


def log_amendment(
    registry: Registry, slug: str, assignment_sha256: str, number: int, documents: Mapping[str, str]
) -> None:
    """Add an amendment to the run of the pilot, if the draw was ever logged.

    Raises:
        OutsideFailure: If MLflow fails or the disk is full.
    """
    with _experiment(registry, slug) as (client, experiment_id):
        drawn = _find(client, experiment_id, {_KIND: DESIGN, _DRAW: assignment_sha256})
        if drawn is not None:
            log_contents(client, str(drawn.info.run_id), RunContents(documents=documents))
            client.set_tag(str(drawn.info.run_id), f"{TAG_PREFIX}amendments", str(number))


def log_analysis(registry: Registry, entry: PilotEntry, assignment_sha256: str) -> str:
    """Log an analysis below the run of the pilot's draw, and return its id.

    Raises:
        OutsideFailure: If MLflow fails or the disk is full.
    """
    with _experiment(registry, entry.slug) as (client, experiment_id):
        drawn = _find(client, experiment_id, {_KIND: DESIGN, _DRAW: assignment_sha256})
        below = {} if drawn is None else {_PARENT_TAG: str(drawn.info.run_id)}
        return _logged(client, experiment_id, entry, ANALYSIS, {**below, _DRAW: assignment_sha256})


def tracked_runs(registry: Registry) -> list[TrackedRun]:
    """Read back every run of the workspace's pilots, by pilot and the time they were logged.

    Raises:
        OutsideFailure: If MLflow fails.
    """
    if registry.is_new():
        return []
    with connected(registry.tracking_uri) as client:
        experiments = sorted(_pilot_experiments(client, registry).items())
        return [_tracked(run, slug) for slug, ids in experiments for run in _runs(client, ids, {})]


def pilot_registry(registry: Registry, slug: str) -> Registry:
    """Where the runs of one pilot are kept: an experiment of its own beside that of the models."""
    return replace(registry, experiment=f"{registry.experiment}{_MARK}{slug}")


@contextmanager
def _experiment(registry: Registry, slug: str) -> Iterator[tuple[MlflowClient, str]]:
    """Give a client and the pilot's experiment, made if it is absent."""
    own = pilot_registry(registry, slug)
    if own.artifact_folder is not None:
        own.artifact_folder.mkdir(parents=True, exist_ok=True)
    with connected(own.tracking_uri) as client:
        yield client, own.experiment_id(client)


def _logged(client: MlflowClient, experiment_id: str, entry: PilotEntry, kind: str, own: Mapping[str, str]) -> str:
    marks = {_KIND: kind, _RECORD: entry.record_sha256, **own}
    found = _find(client, experiment_id, marks)
    if found is not None:
        return str(found.info.run_id)
    said = {**tags(entry.facts), _SLUG: entry.slug, **marks}
    run_id = str(client.create_run(experiment_id, run_name=entry.name, tags=said).info.run_id)
    with closed_at_end(client, run_id):
        log_contents(client, run_id, entry.contents)
    return run_id


def _find(client: MlflowClient, experiment_id: str, marks: Mapping[str, str]) -> Run | None:
    """The latest run that was finished with some tags."""
    found = _runs(client, [experiment_id], marks)
    return found[-1] if found else None


def _runs(client: MlflowClient, experiment_ids: list[str], marks: Mapping[str, str]) -> list[Run]:
    wanted = [f"tags.`{name}` = '{value}'" for name, value in sorted(marks.items())]
    condition = " AND ".join([*wanted, "attributes.status = 'FINISHED'"])
    order = ["attributes.start_time ASC", "attributes.run_id ASC"]
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs(experiment_ids, condition, order_by=order, page_token=token)
        runs += list(page)
        token = page.token
        if not token:
            return runs


def _pilot_experiments(client: MlflowClient, registry: Registry) -> dict[str, list[str]]:
    """The experiments of each pilot; a workspace that was moved has several of one pilot."""
    found: dict[str, list[str]] = {}
    mark, token = f"{registry.experiment}{_MARK}", None
    while True:
        page = client.search_experiments(page_token=token)
        for one in page:
            if one.name.startswith(mark):
                # A further experiment of a moved workspace is called `<name> (2)`; a slug has no blank.
                found.setdefault(one.name.removeprefix(mark).partition(" ")[0], []).append(str(one.experiment_id))
        token = page.token
        if not token:
            return found


def _tracked(run: Run, slug: str) -> TrackedRun:
    facts = {name.removeprefix(TAG_PREFIX): value for name, value in run.data.tags.items() if TAG_PREFIX in name}
    return TrackedRun(
        pilot=slug,
        kind=facts.pop("kind", ""),
        run_id=str(run.info.run_id),
        parent_id=run.data.tags.get(_PARENT_TAG, ""),
        facts=dict(sorted(facts.items())),
        params=dict(sorted(run.data.params.items())),
        metrics=dict(sorted(run.data.metrics.items())),
    )
