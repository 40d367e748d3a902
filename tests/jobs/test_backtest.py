"""The back-test by one command: tables and page whole, the same each time, baselines beside; honest without data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.channel import AS_OF, TODAY
from tests.jobs.small_channel import small_channel
from tierwise.config.load import Workspace
from tierwise.errors import InvalidInput, Refused
from tierwise.jobs.backtest import BacktestRequest, backtest
from tierwise.potential.backtest import COLUMNS
from tierwise.reports.backtest import BacktestReport
from tierwise.tracking import Registry
from tierwise.tracking.connection import connected

TOLD = ("Gate", "Chosen against persistence", "Intervals", "Level", "Retrains", "Leaks")


@dataclass(frozen=True)
class Outcome:
    """A back-test of the small channel, and its files as they were written twice."""

    workspace: Workspace
    report: BacktestReport
    files: Mapping[str, bytes]
    again: Mapping[str, bytes]


def _files(folder: Path | None) -> dict[str, bytes]:
    assert folder is not None
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    workspace = small_channel(tmp_path_factory.mktemp("channel"), 14)
    request = BacktestRequest(TODAY, AS_OF)
    report = backtest(workspace, request)
    files = _files(report.folder)
    return Outcome(workspace, report, files, _files(backtest(workspace, request).folder))


def test_every_table_is_written_as_parquet_and_csv_with_a_manifest(outcome: Outcome) -> None:
    names = {f"{table}.{kind}" for table in COLUMNS for kind in ("parquet", "csv")}
    assert set(outcome.files) == names | {"backtest.md", "backtest.html", "_SUCCESS.json"}
    manifest = json.loads(outcome.files["_SUCCESS.json"])
    assert manifest["rows"]["predictions"] == len(outcome.report.tables["predictions"])
    assert manifest["facts"]["alarm"] == outcome.report.alarm


def test_the_same_back_test_writes_the_same_bytes(outcome: Outcome) -> None:
    assert outcome.files == outcome.again


def test_every_figure_has_an_interval_or_no_value(outcome: Outcome) -> None:
    scores = outcome.report.tables["scores"]
    known = scores[scores["value"].notna()]
    assert len(known) > 30
    assert (known["low"] <= known["value"] + 1e-9).mean() > 0.8
    assert (known["low"] <= known["high"]).all()


def test_the_terminal_tells_the_answer_in_a_screenful(outcome: Outcome) -> None:
    text = outcome.report.as_text()
    assert len(text.splitlines()) < 25
    assert all(any(line.startswith(word) for line in text.splitlines()) for word in TOLD)
    payload = outcome.report.as_payload()
    assert "predictions" not in payload["tables"]
    json.dumps(payload, default=str, allow_nan=False)


def test_it_is_kept_as_a_run_beside_the_trainings(outcome: Outcome) -> None:
    registry = Registry.of(outcome.workspace)
    with connected(registry.tracking_uri) as client:
        run = client.get_run(outcome.report.run_id)
        files = {item.path for item in client.list_artifacts(outcome.report.run_id, "tables")}
    assert run.data.tags["tierwise.event"] == "backtest"
    assert "tables/segments.csv" in files
    assert registry.versions() == []


def test_nothing_but_a_report_is_replaced(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / AS_OF.isoformat()).mkdir()
    (tmp_path / AS_OF.isoformat() / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="is in the way"):
        backtest(outcome.workspace, BacktestRequest(TODAY, AS_OF, tmp_path))
    assert (tmp_path / AS_OF.isoformat() / "mine.txt").read_text() == "mine"


def test_without_a_completed_review_the_answer_is_no_and_nothing_is_written(tmp_path: Path) -> None:
    workspace = small_channel(tmp_path, 3)
    with pytest.raises(Refused, match="no past review's label window has closed by 2026-09-30") as caught:
        backtest(workspace, BacktestRequest(TODAY, AS_OF))
    assert caught.value.exit_code == 1
    assert "ends on 2027-" in str(caught.value)
    assert not (workspace.output_folder / "backtest").exists()


def test_a_day_before_any_partner_is_known_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no partner is known yet"):
        backtest(small_channel(tmp_path, 3), BacktestRequest(TODAY, date(2020, 3, 31)))


def test_fewer_origins_can_be_asked_for(outcome: Outcome, tmp_path: Path) -> None:
    report = backtest(outcome.workspace, BacktestRequest(TODAY, AS_OF, tmp_path, origins=1))
    assert len(report.tables["gate"]) == 1
    assert "1 past review" in report.as_text()
    assert pd.Series(report.tables["scores"]["origin"]).nunique() == 2
