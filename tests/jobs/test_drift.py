"""The drift command: quiet on the channel as it goes on, loud when a source breaks, small in the registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.channel import AS_OF, BEFORE, TODAY
from tierwise.cli.main import app
from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput, Refused
from tierwise.jobs.drift import DriftRequest, drift
from tierwise.reports.drift import DriftReport
from tierwise.tracking import Champion, Registry

FILES = ["drift.html", "drift.parquet", "drift_pairs.parquet"]


@pytest.fixture(scope="module")
def later(trained_channel: Path, tmp_path_factory: pytest.TempPathFactory) -> DriftReport:
    """The quarter after the training, of the channel as it went on."""
    folder = tmp_path_factory.mktemp("drift")
    return drift(load_workspace(trained_channel), DriftRequest(AS_OF, TODAY, folder))


def _without_logins(folder: Path) -> Path:
    """Let the portal's log stop a year and a half before the day."""
    path = folder / "data" / "portal_logins.parquet"
    rows = pd.read_parquet(path)
    kept = rows[pd.to_datetime(rows["month_end"]) < pd.Timestamp("2025-03-01")]
    assert 0 < len(kept) < len(rows)
    kept.to_parquet(path, index=False)
    return folder


def test_tables_and_page_are_written_whole_and_the_same_again(later: DriftReport, trained_channel: Path) -> None:
    assert later.folder is not None
    assert sorted(path.name for path in later.folder.iterdir()) == FILES
    stored = pd.read_parquet(later.folder / "drift.parquet")
    assert len(stored) == len(later.drift.tests)
    assert list(stored["p_adjusted"].dropna()) == list(later.drift.tests["p_adjusted"].dropna())
    before = {path.name: path.read_bytes() for path in later.folder.iterdir()}
    drift(load_workspace(trained_channel), DriftRequest(AS_OF, TODAY, later.folder))
    assert {path.name: path.read_bytes() for path in later.folder.iterdir()} == before


def test_the_page_says_the_same_as_the_terminal(later: DriftReport) -> None:
    assert later.folder is not None
    page = (later.folder / "drift.html").read_text("utf-8")
    for said in (later.drift.sentence, later.drift.todo, later.title):
        assert said.replace("“", "“") in page
        assert said in later.as_text()
    assert '<svg role="img"' in page
    payload = json.loads(json.dumps(later.as_payload(), default=str))
    assert payload["verdict"] == later.drift.verdict
    assert len(payload["tests"]) == len(later.drift.tests)


def test_a_source_that_stopped_is_found_and_named(trained_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = _without_logins(copy_of(trained_channel))
    report = drift(load_workspace(folder), DriftRequest(AS_OF, TODAY))
    assert report.drift.verdict == "drift"
    assert any(name.startswith("logins") for name in report.drift.drifted["feature"])
    assert report.drift.is_at_least("large")
    assert report.folder == load_workspace(folder).output_folder / "drift" / AS_OF.isoformat()


def test_the_command_answers_with_its_exit_code(trained_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = _without_logins(copy_of(trained_channel))
    given = ["drift", "--as-of", AS_OF.isoformat(), "--workspace", str(folder), "--json"]
    environment = {"TIERWISE_TODAY": TODAY.isoformat()}
    answer = CliRunner().invoke(app, given, env=environment)
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["verdict"] == "drift"
    quiet = CliRunner().invoke(app, [*given, "--against", "nobody"], env=environment)
    assert quiet.exit_code == 2


def test_a_version_keeps_one_row_of_a_partner_and_no_names(trained_channel: Path) -> None:
    champion = Registry.of(load_workspace(trained_channel)).load_champion()
    kept = champion.bundle.group("drift")
    assert sorted(kept) == ["all_reviews", "last_review"]
    for rows in kept.values():
        assert rows["partner_id"].is_unique
        assert "name" not in rows.columns
        assert rows["as_of"].max() < pd.Timestamp(BEFORE)
    assert kept["last_review"]["as_of"].nunique() == 1
    assert kept["all_reviews"]["as_of"].nunique() > 1


def test_all_reviews_may_be_compared_with(trained_channel: Path, tmp_path: Path) -> None:
    request = DriftRequest(AS_OF, TODAY, tmp_path, "all_reviews")
    report = drift(load_workspace(trained_channel), request)
    assert report.trained is not None
    assert report.trained[0] < report.trained[1]


def test_a_version_without_training_rows_says_what_to_do(
    trained_channel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Registry.load_champion

    def older(registry: Registry) -> Champion:
        champion = load(registry)
        parts = {name: part for name, part in champion.bundle.parts.items() if not name.startswith("drift.")}
        return replace(champion, bundle=replace(champion.bundle, parts=parts))

    monkeypatch.setattr(Registry, "load_champion", older)
    with pytest.raises(Refused, match="keeps no training rows"):
        drift(load_workspace(trained_channel), DriftRequest(AS_OF, TODAY))


def test_a_day_that_the_sources_cannot_tell_of_is_refused(trained_channel: Path) -> None:
    with pytest.raises(InvalidInput, match="later than"):
        drift(load_workspace(trained_channel), DriftRequest(AS_OF.replace(year=2031), TODAY))


def test_a_training_logs_its_drift_and_every_plot_with_its_numbers(trained_channel: Path) -> None:
    runs = trained_channel / ".tierwise" / "artifacts"
    files = {path.name: path for path in runs.rglob("plots/*")}
    stems = {name.rpartition(".")[0] for name in files}
    assert {"gain-curve", "archetype-map", "drift", "interval-coverage", "rank-stability"} <= stems
    for stem in stems:
        assert {f"{stem}.svg", f"{stem}.png", f"{stem}.csv"} <= set(files)
        assert len(pd.read_csv(files[f"{stem}.csv"])) > 0
    assert len(pd.read_csv(next(runs.rglob("tables/drift.csv")))) > 10
    card = next(runs.rglob("model-card.html")).read_text("utf-8")
    assert card.count('<svg role="img"') == len(stems)
