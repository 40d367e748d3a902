"""Which version was in force when, by whom and why.

MLflow moves an alias without a trace, so each change is recorded as a small run of its own in the experiment: MLflow
gives it a unique id and a time, it is found by a search, two changes at the same time cannot overwrite one another,
and any MLflow server keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypedDict

from tierwise.tracking.connection import closed_at_end
from tierwise.tracking.names import CHAMPION, TAG_PREFIX

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_EVENT, _IN_FORCE = f"{TAG_PREFIX}event", "in_force"
_MODEL, _VERSION, _BY, _BECAUSE = (f"{TAG_PREFIX}{name}" for name in ("model", "version", "by", "because"))
_UNRECORDED = "the alias was moved in MLflow, not by Tierwise"


class InForce(TypedDict):
    """A version was put in force.

    `at` is UTC in ISO format by MLflow's clock; it and `by` are empty for a change that Tierwise did not make.
    """

    version: int
    at: str
    by: str
    because: str


def put_in_force(
    client: MlflowClient, experiment_id: str, model_name: str, version: int, by: str, because: str
) -> InForce:
    """Record the change, then move the alias; a record whose alias could not be moved is marked as failed."""
    tags = {_EVENT: _IN_FORCE, _MODEL: model_name, _VERSION: str(version), _BY: by, _BECAUSE: because}
    run = client.create_run(experiment_id, run_name=f"version {version} in force", tags=tags)
    with closed_at_end(client, run.info.run_id):
        client.set_registered_model_alias(model_name, CHAMPION, str(version))
    return _entry(run)


def history(client: MlflowClient, experiment_ids: list[str], model_name: str) -> list[InForce]:
    """Return all changes, oldest first; the last one is the version in force.

    A change that was made in MLflow itself shows as a last entry without time and author.
    """
    entries = [_entry(run) for run in _records(client, experiment_ids, model_name)]
    in_force = _in_force(client, model_name)
    if in_force is not None and (not entries or entries[-1]["version"] != in_force):
        entries.append(InForce(version=in_force, at="", by="", because=_UNRECORDED))
    return entries


def in_force_at(entries: Sequence[InForce], day: date) -> InForce | None:
    """Return the last recorded change of a day (UTC) or before it; a change of unknown time cannot count."""
    known = [entry for entry in entries if entry["at"] and datetime.fromisoformat(entry["at"]).date() <= day]
    return known[-1] if known else None


def _records(client: MlflowClient, experiment_ids: list[str], model_name: str) -> list[Run]:
    wanted = f"tags.`{_EVENT}` = '{_IN_FORCE}' AND tags.`{_MODEL}` = '{model_name}' AND attributes.status != 'FAILED'"
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs(
            experiment_ids, wanted, order_by=["attributes.start_time ASC", "attributes.run_id ASC"], page_token=token
        )
        runs += list(page)
        token = page.token
        if not token:
            return runs


def _in_force(client: MlflowClient, model_name: str) -> int | None:
    aliases = client.get_registered_model(model_name).aliases
    return int(aliases[CHAMPION]) if CHAMPION in aliases else None


def _entry(run: Run) -> InForce:
    tags = run.data.tags
    at = datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="milliseconds")
    return InForce(version=int(tags[_VERSION]), at=at, by=tags[_BY], because=tags[_BECAUSE])
