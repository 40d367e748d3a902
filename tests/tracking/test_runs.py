"""Runs of their own, what closes them, which version was in force on a day, and addresses without passwords."""

from __future__ import annotations

import os
from datetime import date

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from tests.tracking.conftest import Trained
from tierwise.errors import OutsideFailure
from tierwise.tracking import InForce, Registry, RunContents, log_run
from tierwise.tracking.connection import closed_at_end, connected, without_password
from tierwise.tracking.history import in_force_at
from tierwise.tracking.packaging import OUTPUT_NUMBERS, OUTPUT_TEXTS, _signature
from tierwise.tracking.run_contents import tags


class Closing:
    """A client that remembers how runs were closed, and is gone if asked to be."""

    def __init__(self, gone: bool = False) -> None:
        self.closed: list[tuple[str, str]] = []
        self.gone = gone

    def set_terminated(self, run_id: str, status: str) -> None:
        if self.gone:
            raise MlflowException("connection refused")
        self.closed.append((run_id, status))


def _entry(version: int, at: str) -> InForce:
    return InForce(version=version, at=at, by="ann", because="better")


ENTRIES = [
    _entry(1, "2026-01-10T08:00:00.000+00:00"),
    _entry(2, "2026-03-31T23:59:59.999+00:00"),
    _entry(3, "2026-03-31T23:59:59.999+00:00"),
    _entry(4, ""),
]


@pytest.mark.parametrize(
    ("day", "version"),
    [("2026-01-09", None), ("2026-01-10", 1), ("2026-03-30", 1), ("2026-03-31", 3), ("2027-01-01", 3)],
)
def test_the_last_known_change_of_a_day_or_before_was_in_force(day: str, version: int | None) -> None:
    found = in_force_at(ENTRIES, date.fromisoformat(day))
    assert (found["version"] if found else None) == version


def test_without_a_change_of_known_time_nothing_was_in_force() -> None:
    assert in_force_at([], date(2026, 1, 1)) is None
    assert in_force_at([_entry(9, "")], date(2026, 1, 1)) is None


def test_a_run_is_closed_as_finished_or_as_failed() -> None:
    client = Closing()
    with closed_at_end(client, "one"):
        pass
    with pytest.raises(KeyboardInterrupt), closed_at_end(client, "two"):
        raise KeyboardInterrupt
    assert client.closed == [("one", "FINISHED"), ("two", "FAILED")]


def test_the_first_failure_is_told_even_where_the_run_cannot_be_closed() -> None:
    with pytest.raises(ZeroDivisionError), closed_at_end(Closing(gone=True), "one"):
        _ = 1 / 0


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ann:secret@host/x", "https://***@host/x"),
        ("postgresql://ann@host:5432/db", "postgresql://***@host:5432/db"),
        ("https://host/path@v1", "https://host/path@v1"),
        ("sqlite:///folder/mlflow.db", "sqlite:///folder/mlflow.db"),
    ],
)
def test_no_address_shows_its_user_or_password(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_what_mlflow_says_is_told_without_the_password(read_only: Registry) -> None:
    said = "cannot reach https://ann:secret@host/api\nTraceback of ten pages"
    with pytest.raises(OutsideFailure) as caught, connected(read_only.tracking_uri):
        raise MlflowException(said)
    (fault,) = caught.value.faults
    assert fault.what == "MLflow failed: cannot reach https://***@host/api"
    assert "mlflow.tracking_uri" in fault.todo


def test_a_fault_of_the_program_is_not_blamed_on_mlflow(read_only: Registry) -> None:
    with pytest.raises(KeyError), connected(read_only.tracking_uri):
        raise KeyError("ours")


def test_telemetry_is_off_whatever_the_user_has_set(read_only: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DO_NOT_TRACK", "false")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    with connected(read_only.tracking_uri):
        assert os.environ["DO_NOT_TRACK"] == "true"
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7"


def test_facts_carry_the_prefix_of_the_program() -> None:
    assert tags({"kind": "backtest", "as_of": "2026-09-30"}) == {
        "tierwise.kind": "backtest",
        "tierwise.as_of": "2026-09-30",
    }


def test_a_run_of_its_own_keeps_figures_and_files_and_makes_no_version(three: Registry) -> None:
    registry, versions = three, three.versions()
    contents = RunContents(
        params={f"p{number:03d}": number for number in range(130)},
        metrics={"gini": 0.5, "unknown": float("nan"), "endless": float("inf")},
        tables={"scores": pd.DataFrame({"a": [1.5, np.nan]}), "nothing": pd.DataFrame()},
        documents={"report.md": "# Grüße\n"},
    )
    run_id = log_run(registry, "back-test", {"kind": "backtest"}, contents)
    with connected(registry.tracking_uri) as client:
        run = client.get_run(run_id)
        (report,) = client.list_artifacts(run_id)[:1]
        tables = [artifact.path for artifact in client.list_artifacts(run_id, "tables")]
    assert (run.info.status, run.data.tags["tierwise.kind"]) == ("FINISHED", "backtest")
    assert len(run.data.params) == 130
    assert run.data.metrics == {"gini": 0.5}
    assert (report.path, tables) == ("report.md", ["tables/scores.csv"])
    assert registry.versions() == versions


def test_the_signature_needs_the_partner_only_and_names_what_comes_out(trained: Trained) -> None:
    signature = _signature(trained.rows)
    required = [column.name for column in signature.inputs.inputs if column.required]
    assert required == ["partner_id"]
    types = {column.name: column.type.name for column in signature.inputs.inputs}
    assert (types["as_of"], types["region"], types["revenue_4q"]) == ("datetime", "string", "double")
    assert signature.outputs.input_names() == [*OUTPUT_TEXTS, *OUTPUT_NUMBERS]
