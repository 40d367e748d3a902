"""Champion and challenger side by side, who may replace whom, and who was in force when; on SQLite and on a server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.channel import AS_OF, TODAY
from tests.jobs.small_channel import small_channel
from tests.tracking.mlflow_server import running_server
from tierwise.config.load import Workspace, load_workspace
from tierwise.errors import InvalidInput, Refused
from tierwise.jobs.compare import CompareRequest, compare
from tierwise.jobs.promote import PromotionRequest, promote
from tierwise.jobs.train import train
from tierwise.tracking import Registry
from tierwise.tracking.connection import connected

EARLY, LATER = date(2025, 6, 30), date(2025, 9, 30)


def _two_versions(folder: Path, **settings: object) -> Workspace:
    workspace = small_channel(folder, 14, **settings)
    train(workspace, EARLY, TODAY)
    train(workspace, AS_OF, TODAY)
    return workspace


@pytest.fixture(scope="module", params=["sqlite", "server"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with two versions, in the default store and on a server; not to be changed."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        yield _two_versions(folder / "channel")
        return
    with running_server(folder) as address:
        yield _two_versions(folder / "channel", mlflow={"tracking_uri": address})


def test_a_retrain_by_the_same_recipe_is_tested_as_so_much_younger_and_not_shown_better(trained: Workspace) -> None:
    report = compare(trained, CompareRequest(TODAY))
    assert (report.first, report.second) == (1, 2)
    assert report.mode == "refitted"
    assert report.verdict == "not_shown_better"
    assert "not shown better at ranking partners than version 1" in report.as_text()
    assert {"gini", "mae", "total_ratio"} <= set(report.scores["score"])
    assert set(report.documents()) == {"comparison.md", "comparison.html"}
    registry = Registry.of(trained)
    with connected(registry.tracking_uri) as client:
        kept = client.get_run(report.run_id).data.tags
    assert {name: kept[f"tierwise.{name}"] for name in ("first", "second", "verdict")} == {
        "first": "1", "second": "2", "verdict": "not_shown_better",
    }  # fmt: skip


def test_only_what_is_better_is_promoted_unless_someone_says_why(trained: Workspace) -> None:
    registry = Registry.of(trained)
    with pytest.raises(Refused, match="version 2 stays out of force: Version 2 is not shown better"):
        promote(trained, PromotionRequest("challenger", "ada", TODAY))
    assert registry.load_champion().version == 1
    done = promote(trained, PromotionRequest("challenger", "ada", TODAY, "a year more of data"))
    assert (done.entry["version"], done.entry["by"], done.entry["because"]) == (2, "ada", "a year more of data")
    assert [entry["version"] for entry in registry.history()] == [1, 2]
    today = datetime.now(UTC).date()
    found = registry.in_force_on(today)
    assert found is not None
    assert found["version"] == 2
    assert registry.in_force_on(today - timedelta(days=2)) is None
    with pytest.raises(Refused, match="version 2 is in force already"):
        promote(trained, PromotionRequest("2", "bo", TODAY, "again"))


def test_versions_whose_training_is_long_past_are_tested_as_they_were_trained(tmp_path: Path) -> None:
    workspace = small_channel(tmp_path, 14)
    for day in (EARLY, LATER):
        train(workspace, day, TODAY)
    report = compare(workspace, CompareRequest(TODAY, "1", "2", AS_OF))
    assert report.mode == "as_trained"
    assert report.origins == (LATER.isoformat(),)
    assert "neither has seen any of the labels" in report.as_text()


def test_versions_that_read_what_the_workspace_no_longer_has_cannot_be_compared(
    trained_channel: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(trained_channel, folder)
    with pytest.raises(InvalidInput, match="version 1: it reads what the workspace no longer has: "):
        compare(_without_metric(folder), CompareRequest(TODAY, "1", "1"))


def _without_metric(folder: Path) -> Workspace:
    """Rename the first feature of the catalog that nothing else needs."""
    file = folder / "metrics.yaml"
    catalog = yaml.safe_load(file.read_text("utf-8"))
    users = str(
        [[metric.get("formula", "") for metric in catalog["metrics"].values()]]
        + [path.read_text("utf-8") for path in sorted((folder / "policies").glob("*.yaml"))]
        + [(folder / "tierwise.yaml").read_text("utf-8")]
    )
    free = next(
        name for name, metric in catalog["metrics"].items() if name not in users and metric.get("feature", True)
    )
    catalog["metrics"][f"{free}_renamed"] = catalog["metrics"].pop(free)
    file.write_text(yaml.safe_dump(catalog, sort_keys=False), "utf-8")
    return load_workspace(folder)
