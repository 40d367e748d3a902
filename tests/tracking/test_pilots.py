"""Pilots in MLflow, in the default store and on a running server: one experiment, a parent run, readings below it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.tracking.conftest import registry_in
from tierwise.errors import OutsideFailure
from tierwise.tracking import Registry, RunContents
from tierwise.tracking.pilots import (
    PilotEntry,
    log_amendment,
    log_analysis,
    log_assignment,
    log_design,
    pilot_registry,
    tracked_runs,
)

FILE, DRAW = "f" * 64, "d" * 64


@pytest.fixture(params=["sqlite", "server"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    if request.param == "sqlite":
        return registry_in(tmp_path)
    return Registry(request.getfixturevalue("server"), f"Channel {tmp_path.name}", "demo-channel")


def entry(kind: str, number: int = 1, slug: str = "budget", **facts: str) -> PilotEntry:
    contents = RunContents(
        params={"kind": kind, "primary": "revenue"},
        metrics={"revenue/budget/estimate": 3.5 * number, "revenue/budget/low": 1.0, "revenue/budget/high": 6.0},
        tables={"results": pd.DataFrame({"metric": ["revenue"], "estimate": [3.5]})},
        plots={"effects.svg": b"<svg/>"},
        documents={"pilot.yaml": "title: Budget\n", "report.html": "<h1>Budget</h1>\n"},
    )
    return PilotEntry(slug, f"{kind} {number}", f"{kind}{number}".ljust(64, "0"), facts, contents)


def files(registry: Registry, run_id: str) -> set[str]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=registry.tracking_uri)
    found = client.list_artifacts(run_id)
    below = [one for folder in found if folder.is_dir for one in client.list_artifacts(run_id, folder.path)]
    return {one.path for one in (*found, *below) if not one.is_dir}


def test_a_design_a_draw_and_two_readings_are_one_parent_and_two_children(registry: Registry) -> None:
    designed = log_design(registry, entry("design", pilot_sha256=FILE, title="Budget"))
    drawn = log_assignment(registry, entry("draw", pilot_sha256=FILE, drawn_by="ann"), FILE, DRAW)
    look = log_analysis(registry, entry("analysis", 1, as_of="2026-08-15", final="false"), DRAW)
    final = log_analysis(registry, entry("analysis", 2, as_of="2026-09-30", final="true"), DRAW)
    assert designed == drawn
    assert len({drawn, look, final}) == 3

    runs = {run["run_id"]: run for run in tracked_runs(registry)}
    assert set(runs) == {drawn, look, final}
    assert (runs[look]["parent_id"], runs[final]["parent_id"], runs[drawn]["parent_id"]) == (drawn, drawn, "")
    assert {run["pilot"] for run in runs.values()} == {"budget"}
    assert runs[drawn]["facts"]["assignment_sha256"] == DRAW
    assert runs[drawn]["facts"]["drawn_by"] == "ann"
    assert runs[final]["metrics"] == {
        "revenue/budget/estimate": 7.0, "revenue/budget/low": 1.0, "revenue/budget/high": 6.0,
    }  # fmt: skip
    assert {"pilot.yaml", "report.html", "plots/effects.svg", "tables/results.csv"} <= files(registry, final)


def test_the_same_record_is_logged_once(registry: Registry) -> None:
    first = log_analysis(registry, entry("analysis", as_of="2026-09-30"), DRAW)
    assert log_analysis(registry, entry("analysis", as_of="2026-09-30"), DRAW) == first
    assert log_assignment(registry, entry("draw"), FILE, DRAW) == log_assignment(registry, entry("draw"), FILE, DRAW)
    assert len(tracked_runs(registry)) == 2


def test_every_pilot_has_an_experiment_of_its_own(registry: Registry) -> None:
    log_design(registry, entry("design", slug="first"))
    log_design(registry, entry("design", slug="second"))
    assert [run["pilot"] for run in tracked_runs(registry)] == ["first", "second"]
    assert pilot_registry(registry, "first").experiment != registry.experiment


def test_an_amendment_stands_with_the_draw_it_amends(registry: Registry) -> None:
    drawn = log_assignment(registry, entry("draw", pilot_sha256=FILE), FILE, DRAW)
    log_amendment(registry, "budget", DRAW, 1, {"amendment-0001.json": "{}\n"})
    log_amendment(registry, "budget", "e" * 64, 1, {"amendment-0002.json": "{}\n"})
    [run] = tracked_runs(registry)
    assert run["facts"]["amendments"] == "1"
    assert "amendment-0001.json" in files(registry, drawn)
    assert "amendment-0002.json" not in files(registry, drawn)


def test_nothing_kept_is_nothing_read(tmp_path: Path) -> None:
    assert tracked_runs(registry_in(tmp_path)) == []
    assert not (tmp_path / ".tierwise").exists()


def test_a_server_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(OutsideFailure, match="MLflow does not answer"):
        tracked_runs(Registry("http://127.0.0.1:9", "Channel", "channel"))
