"""Metrics on DuckDB and on Spark beside hand-written SQL for each and pandas, and equal answers on a workspace.

`speed`: 24 metrics as of one date over one table of deals, each side in its own process: once from the start (reading
the Parquet file into the engine, for Spark its start and the hand-over), then the query alone, median of some runs; the
figures must agree. The limit of memory is DuckDB's and Spark's driver's; the peak is that of the process, and of Java's
added to it. `same`: a workspace's metrics and placement on both engines, which must agree within 1e-9.

    python benchmarks/bench_engines.py speed --events 10000000 --partners 100000
    python benchmarks/bench_engines.py speed --events 100000000 --partners 1000000 --runs 1 --without pandas
    python benchmarks/bench_engines.py same --workspace my-channel --as-of 2026-09-30
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from engine_metrics import AS_OF, METRICS, by_hand, in_pandas, make_data, workspace

from tierwise.config.load import Workspace, load_workspace
from tierwise.config.policy import Policy
from tierwise.config.workspace import EngineSettings
from tierwise.engine import EmbeddedEngine, open_engine
from tierwise.engine.spark import SparkEngine
from tierwise.metrics import compute
from tierwise.policy import place
from tierwise.store.sources import read_tables
from tierwise.tables import check_tables

Ask = Callable[[], pd.DataFrame]


@dataclass(frozen=True)
class Limits:
    """What a side may use, and where its data lie."""

    folder: Path
    memory: str

    @property
    def settings(self) -> EngineSettings:
        """The same for every engine."""
        return EngineSettings(threads=2, memory_limit=self.memory)


@contextmanager
def _embedded(limits: Limits) -> Iterator[EmbeddedEngine]:
    with open_engine(limits.settings) as engine:
        engine.create_table("deals", f"SELECT * FROM '{limits.folder}/deals.parquet'")
        engine.create_table("partners", "SELECT DISTINCT partner_id FROM deals ORDER BY 1")
        engine.run("CHECKPOINT")  # compresses the rows, as reading a workspace's tables does
        yield engine


@contextmanager
def _on_spark(limits: Limits) -> Iterator[SparkEngine]:
    """Spark over what is handed over to it from the file, which the embedded engine does not hold."""
    with open_engine(limits.settings) as accepted, SparkEngine(accepted, limits.settings) as engine:
        accepted.run(f"CREATE VIEW deals AS SELECT * FROM '{limits.folder}/deals.parquet'")
        accepted.create_table("partners", "SELECT DISTINCT partner_id FROM deals ORDER BY 1")
        engine.rows("SELECT count(*) FROM deals, partners WHERE false")
        yield engine


@contextmanager
def _tierwise_duckdb(limits: Limits) -> Iterator[Ask]:
    with _embedded(limits) as engine:
        yield lambda: compute(engine, workspace(), [AS_OF])


@contextmanager
def _hand_duckdb(limits: Limits) -> Iterator[Ask]:
    with _embedded(limits) as engine:
        yield lambda: engine.frame(by_hand("duckdb"))


@contextmanager
def _tierwise_spark(limits: Limits) -> Iterator[Ask]:
    with _on_spark(limits) as engine:
        yield lambda: compute(engine, workspace(), [AS_OF])


@contextmanager
def _hand_spark(limits: Limits) -> Iterator[Ask]:
    """Plain Spark SQL over the very files that ours reads."""
    with _on_spark(limits) as engine:
        yield lambda: engine.session.sql(by_hand("spark")).toArrow().to_pandas()


@contextmanager
def _pandas(limits: Limits) -> Iterator[Ask]:
    keys = ["partner_id", "customer_id", "product", "status"]
    table = pq.read_table(limits.folder / "deals.parquet", read_dictionary=keys)
    amount = table["amount"].cast(pa.float64())
    deals = table.drop_columns(["amount"]).append_column("amount", amount).to_pandas(date_as_object=False)
    del table, amount
    yield lambda: in_pandas(deals)


SIDES = {
    "tierwise on DuckDB": _tierwise_duckdb, "SQL by hand on DuckDB": _hand_duckdb,
    "tierwise on Spark": _tierwise_spark, "SQL by hand on Spark": _hand_spark, "pandas": _pandas,
}  # fmt: skip


def run_side(side: str, limits: Limits, runs: int) -> None:
    """Run one side in this process: once from the start, then to measure; write its rows and its figures."""
    start = time.perf_counter()
    with SIDES[side](limits) as ask:
        rows = ask()
        from_start = time.perf_counter() - start
        seconds, cpu = [], []
        for _ in range(runs):
            begin, begin_cpu = time.perf_counter(), _cpu_seconds()
            ask()
            seconds.append(time.perf_counter() - begin)
            cpu.append(_cpu_seconds() - begin_cpu)
        peak_gb = sum(_peak_kb(pid) for pid in _processes()) / 1024**2
    rows = rows[["partner_id", *METRICS]].astype({"partner_id": "str"}).sort_values("partner_id", ignore_index=True)
    rows.to_parquet(limits.folder / f"{side}.parquet", index=False)
    figures = {"from_start": from_start, "seconds": seconds, "cpu": cpu, "peak_gb": peak_gb}
    (limits.folder / f"{side}.json").write_text(json.dumps(figures))


def _processes() -> list[int]:
    """This process and the Java machine that it started."""
    own = os.getpid()
    found = [own]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == own:
                found.append(int(folder.name))
    return found


def _peak_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _cpu_seconds() -> float:
    ticks = 0
    for pid in _processes():
        with suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def speed(events: int, partners: int, runs: int, memory: str, without: list[str]) -> None:
    """Make the data, run every side, compare, print."""
    sides = [side for side in SIDES if not any(word.lower() in side.lower() for word in without)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder, events, partners)
        found = {}
        for side in sides:
            command = [sys.executable, __file__, "side", "--name", side, "--folder", name, "--runs", str(runs)]
            subprocess.run([*command, "--memory", memory], check=True)
            found[side] = json.loads((folder / f"{side}.json").read_text())
            _assert_equal(folder, sides[0], side)
    print(f"{events:,} deals of {partners:,} partners, {len(METRICS)} metrics as of {AS_OF}, two threads, {memory}")
    print("| side | first answer, s | query alone, median s | its CPU, s | peak, GB |")
    print("| --- | --- | --- | --- | --- |")
    for side, one in found.items():
        query, cpu = (statistics.median(one[key]) for key in ("seconds", "cpu"))
        print(f"| {side} | {one['from_start']:.1f} | {query:.2f} | {cpu:.2f} | {one['peak_gb']:.2f} |")
    for engine in ("DuckDB", "Spark"):
        ours, hand = (found.get(f"{who} on {engine}") for who in ("tierwise", "SQL by hand"))
        if ours is not None and hand is not None:
            ratios = [statistics.median(ours[key]) / statistics.median(hand[key]) for key in ("seconds", "cpu")]
            print(f"On {engine}, ours beside SQL by hand: {ratios[0]:.2f} x the time, {ratios[1]:.2f} x the CPU")


def _assert_equal(folder: Path, first: str, other: str) -> None:
    wanted, found = (pd.read_parquet(folder / f"{side}.parquet") for side in (first, other))
    assert list(found["partner_id"]) == list(wanted["partner_id"])
    np.testing.assert_allclose(found[list(METRICS)], wanted[list(METRICS)], rtol=1e-9, atol=1e-9, err_msg=other)


def same(opened: Workspace, as_of: date, today: date, policy: Policy) -> None:
    """Compute a workspace's metrics and placement on both engines and compare them.

    What models would say is stood in for by the potential's own metric, so that no model need be trained. The policy
    may be that of another day, which has scores.
    """
    with open_engine(opened.settings.engine) as accepted:
        read_tables(accepted, opened)
        check_tables(accepted, opened, today)
        found = {"DuckDB": _rows_and_placement(accepted, opened, as_of, policy)}
        with SparkEngine(accepted, opened.settings.engine) as engine:
            found["Spark"] = _rows_and_placement(engine, opened, as_of, policy)
    for name, ours in found["DuckDB"].items():
        pd.testing.assert_frame_equal(found["Spark"][name], ours, rtol=1e-9, obj=name)
        figures = ours.select_dtypes("number").to_numpy()
        identical = np.array_equal(figures, found["Spark"][name].select_dtypes("number").to_numpy(), equal_nan=True)
        print(f"  {name}: {len(ours):,} rows agree{', to the bit' if identical else ' within 1e-9'}")


def _rows_and_placement(
    engine: EmbeddedEngine | SparkEngine, opened: Workspace, as_of: date, policy: Policy
) -> dict[str, pd.DataFrame]:
    start = time.perf_counter()
    rows = compute(engine, opened, [as_of])
    middle = time.perf_counter()
    target = rows[opened.settings.potential.metric].fillna(0)
    inputs = rows.assign(
        potential=target * 1.1, potential_low=target * 0.7, potential_high=target * 1.6, headroom=target * 0.2,
        potential_source="model", archetype_id="A1", archetype="one", archetype_strength=0.5, archetype_status="named",
    )  # fmt: skip
    placement = place(engine, policy, inputs)
    taken = time.perf_counter() - middle
    print(f"  {type(engine).__name__}: metrics {middle - start:.1f} s, placement {taken:.1f} s")
    return {
        "metrics": rows,
        "tiers": placement.tiers,
        "criteria": placement.criteria,
        "components": placement.components,
    }


def main() -> None:
    """Read the command line and run a part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(part="speed", events=2_000_000, partners=20_000, runs=3, memory="4GB", without=[])
    parts = parser.add_subparsers(dest="part")
    for name in ("speed", "side", "same"):
        part = parts.add_parser(name)
        part.add_argument("--events", type=int, default=2_000_000)
        part.add_argument("--partners", type=int, default=20_000)
        part.add_argument("--runs", type=int, default=3)
        part.add_argument("--memory", default="4GB", help="the limit of DuckDB, and of Spark's driver")
        part.add_argument("--without", nargs="*", default=[], help="words of the sides to leave out")
        part.add_argument("--name", choices=SIDES)
        part.add_argument("--folder", type=Path)
        part.add_argument("--workspace", type=Path)
        part.add_argument("--data", type=Path)
        part.add_argument("--as-of", type=date.fromisoformat)
        part.add_argument("--policy-on", type=date.fromisoformat, help="the day whose policy places; else --as-of")
        part.add_argument("--today", type=date.fromisoformat, default=date(2030, 1, 1))
    given = parser.parse_args()
    if given.part == "side":
        run_side(given.name, Limits(given.folder, given.memory), given.runs)
    elif given.part == "same":
        opened = load_workspace(given.workspace, given.data)
        same(opened, given.as_of, given.today, opened.policy_on(given.policy_on or given.as_of))
    else:
        speed(given.events, given.partners, given.runs, given.memory, given.without)


if __name__ == "__main__":
    main()
