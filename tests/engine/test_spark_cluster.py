"""A standalone master and two workers on the loopback address, from the pip package: equal figures, a worker lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.engine.spark_here import accepted, skip_without_spark
from tests.metrics.small_workspaces import fill, made_up_rows, make_workspace
from tierwise.config.workspace import EngineSettings, SparkSettings
from tierwise.engine import EmbeddedEngine
from tierwise.metrics import compute

__all__ = ["accepted"]

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 180
METRICS: dict[str, dict[str, object]] = {
    "revenue": {"from": "deals", "value": "sum(amount)", "window": "4 quarters", "missing": 0},
    "typical": {"from": "deals", "value": "median(amount)", "window": "lifetime", "missing": "unknown"},
}


@dataclass
class Cluster:
    """A master and its workers, each with its executors in a process group of its own."""

    folder: Path
    url: str
    processes: dict[str, subprocess.Popen[bytes]]

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def started(folder: Path, name: str, *command: str) -> subprocess.Popen[bytes]:
    import pyspark

    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    environment = {
        **os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m", "PYTHONPATH": str(ROOT),
        "SPARK_NO_DAEMONIZE": "1", "PYSPARK_PYTHON": sys.executable,
    }  # fmt: skip
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [program, *command], stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )


def told(log: Path, pattern: str) -> str:
    """Wait until a log says something."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        found = re.search(pattern, log.read_text(errors="replace"))
        if found:
            return found[0]
        time.sleep(0.2)
    raise AssertionError(f"{log.name} never said {pattern!r}: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    skip_without_spark()
    folder = tmp_path_factory.mktemp("cluster")
    own = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    processes = {"master": started(folder, "master", "org.apache.spark.deploy.master.Master", *own)}
    found = Cluster(folder, "", processes)
    try:
        found.url = told(folder / "master.log", r"spark://127\.0\.0\.1:\d+")
        for name in ("first", "second"):
            size = ("--cores", "1", "--memory", "700m", "--work-dir", str(folder / name))
            worker = ("org.apache.spark.deploy.worker.Worker", *own, *size, found.url)
            processes[name] = started(folder, name, *worker)
        for name in ("first", "second"):
            told(folder / f"{name}.log", "Successfully registered with master")
        yield found
    finally:
        for name in list(processes):
            found.kill(name)


@dataclass(frozen=True)
class Slow:
    """A step that leaves a mark in a folder and takes its time, so that a machine can be lost while it runs."""

    folder: str

    def __call__(self, rows: pa.Table) -> pa.Table:
        values = rows.column("value").to_numpy()
        if len(values) > 1:
            (Path(self.folder) / f"{values[0]:.0f}-{os.getpid()}").touch()
            time.sleep(0.5)
        return pa.table({"value": values + 1})


def test_a_cluster_computes_the_same_and_outlives_a_worker(
    cluster: Cluster, accepted: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tierwise.engine.spark import SparkEngine

    monkeypatch.setattr("tierwise.engine.spark.SMALL_ROWS", 0)
    monkeypatch.setattr("tierwise.engine.spark_rows.ROWS_PER_STEP", 50)
    workspace = make_workspace(METRICS)
    rows = made_up_rows(workspace, seed=5)
    fill(accepted, workspace, {name: frame.to_dict("records") for name, frame in rows.items()})
    settings = EngineSettings(spark=SparkSettings(master=cluster.url, scratch=str(tmp_path), conf=CONF))
    days, marks = [date(2024, 2, 29), date(2024, 12, 31)], tmp_path / "marks"
    marks.mkdir()
    with SparkEngine(accepted, settings) as spark:
        pd.testing.assert_frame_equal(compute(spark, workspace, days), compute(accepted, workspace, days), rtol=1e-9)
        spark.create_table("kept", "SELECT partner_id, count(*) AS deals FROM deals GROUP BY partner_id")
        killer = threading.Thread(target=kill_when_running, args=(cluster, marks))
        killer.start()
        found = spark.mapped(pa.table({"value": np.arange(1000.0)}), Slow(str(marks)))
        killer.join()
        assert "first" not in cluster.processes
        np.testing.assert_array_equal(found.column("value").to_numpy(), np.arange(1000.0) + 1)
        query = "SELECT partner_id, deals FROM kept ORDER BY partner_id"
        ours = accepted.frame("SELECT partner_id, count(*) AS deals FROM deals GROUP BY partner_id ORDER BY partner_id")
        pd.testing.assert_frame_equal(spark.frame(query), ours)


CONF = {
    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1", "spark.executor.memory": "512m",
    "spark.executor.cores": "1", "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g",
}  # fmt: skip


def kill_when_running(cluster: Cluster, marks: Path) -> None:
    """Kill a worker with its executor once both machines work on the job."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and len({path.name.split("-")[1] for path in marks.iterdir()}) < 2:
        time.sleep(0.05)
    cluster.kill("first")
