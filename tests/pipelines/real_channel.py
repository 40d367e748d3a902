"""The ready workspaces on the real data: what they accept, compute and recommend, gathered once for many tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tests.explained_checks import EXPLAINED
from tierwise.config.load import Workspace, load_workspace
from tierwise.jobs.accept import accepted_tables
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.progress import Steps, silent
from tierwise.jobs.score import ScoreRequest, score
from tierwise.jobs.snapshots import build_snapshots
from tierwise.jobs.train import train
from tierwise.metrics import compute
from tierwise.store import read_table
from tierwise.tables import CheckResult

TODAY = date(2026, 11, 21)
REVENUE_TOLERANCE = 1e-9
# The jobs run with few trees and samples: these tests look at what they write, others at how well models predict.
QUICK = {
    "tierwise_model": 1,
    "potential": {
        "trees": {"trees": 20},
        "gate": {"bootstraps": 50},
        "backtest": {"origins": 1, "bootstraps": 20},
        "intervals": {"bands": 1},
    },
    "archetypes": {"k_max": 3, "starts": 2, "bootstraps": 3, "null_draws": 3},
}


@dataclass(frozen=True)
class Channel:
    """What a ready workspace makes of the real data.

    Attributes:
        workspace: The workspace.
        check: What the contract check found.
        quarantine: The rows turned away.
        rows: The metric rows of some dates.
        rows_without_future: The metric rows of the last of them, with all later events deleted.
        snapshots: The training snapshots.
    """

    workspace: Workspace
    check: CheckResult
    quarantine: pd.DataFrame
    rows: pd.DataFrame
    rows_without_future: pd.DataFrame
    snapshots: pd.DataFrame

    def rows_on(self, day: date) -> pd.DataFrame:
        """The metric rows of one date, by partner."""
        return self.rows[self.rows["as_of"] == pd.Timestamp(day)].set_index("partner_id")

    def totals(self, table: str) -> tuple[int, int, int, str, str, str]:
        """Rows and money received, accepted and quarantined."""
        found = next(each for each in self.check.tables if each.table == table)
        money = (found.received_money, found.accepted_money, found.quarantined_money)
        return found.received, found.accepted, found.quarantined, *(f"{amount:.2f}" for amount in money)


def read_channel(folder: Path, data: Path, days: Sequence[date], train_as_of: date) -> Channel:
    """Run the first steps of every job on a ready workspace."""
    workspace = load_workspace(folder, data)
    with accepted_tables(workspace, TODAY, Steps(silent, 2)) as (engine, check):
        quarantine = engine.frame('SELECT * FROM quarantine ORDER BY "table", "row"')
        rows = compute(engine, workspace, days)
        snapshots = build_snapshots(engine, workspace, train_as_of)
        for table in workspace.tables_of("events"):
            engine.run(f"DELETE FROM {table} WHERE date > ?", [days[-1]])
        without_future = compute(engine, workspace, days[-1:])
    return Channel(workspace, check, quarantine, rows, without_future, snapshots)


def review(name: str, folder: Path, data: Path, days: Sequence[date]) -> dict[date, dict[str, pd.DataFrame]]:
    """Make a workspace from an example, train as of the last day and score all of them, the oldest first.

    Returns:
        By day the tables `recommendations`, `reasons`, `quarantine` and `EXPLAINED` as they were written.
    """
    init(InitRequest(folder, name))
    _train_quickly(folder)
    workspace = load_workspace(folder, data)
    train(workspace, days[-1], TODAY)
    for day in days:
        score(workspace, ScoreRequest(day, TODAY))
    names = ("recommendations", "reasons", "quarantine", *EXPLAINED)
    return {day: {name: read_table(workspace.output_folder, day, name) for name in names} for day in days}


def _train_quickly(folder: Path) -> None:
    file = folder / "tierwise.yaml"
    settings = yaml.safe_load(file.read_text("utf-8"))
    settings["potential"]["model"] = "quick"
    file.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "quick.yaml").write_text(yaml.safe_dump(QUICK), "utf-8")


def assert_metrics(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare metric rows with figures computed another way, by partner; both unknown is equal.

    Args:
        actual: Metric rows, indexed by partner.
        expected: One column per metric, indexed by some or all partners.
    """
    assert set(expected.index) <= set(actual.index)
    for name in expected.columns:
        found = actual.loc[expected.index, name].to_numpy(dtype=np.float64)
        wanted = expected[name].to_numpy(dtype=np.float64)
        np.testing.assert_allclose(found, wanted, rtol=REVENUE_TOLERANCE, atol=REVENUE_TOLERANCE, err_msg=name)


def quarters_back(day: pd.Timestamp, count: int) -> pd.Timestamp:
    """The quarter end some quarters before a quarter end."""
    return day - pd.offsets.QuarterEnd(count)
