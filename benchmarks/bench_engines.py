"""Metrics on DuckDB and on Spark beside hand-written SQL for each and pandas, and equal answers on a workspace.

`speed`: 12 metrics as of one date over one table of deals, each side in its own process, median of some runs after a
first one; the figures must agree. Reading the file into the engine, starting Spark and handing over are not timed with
the query. `same`: a workspace's metrics and placement on both engines, which must agree within 1e-9.

    python benchmarks/bench_engines.py speed --events 10000000 --partners 100000
    python benchmarks/bench_engines.py same --workspace my-channel --as-of 2026-09-30
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from bench_metrics import METRICS, _pandas_at, make_data, workspace

from tierwise.config.load import Workspace, load_workspace
from tierwise.config.workspace import EngineSettings
from tierwise.engine import EmbeddedEngine, open_engine
from tierwise.engine.spark import SparkEngine
from tierwise.metrics import compute
from tierwise.policy import place
from tierwise.store.sources import read_tables
from tierwise.tables import check_tables

AS_OF = date(2025, 12, 31)
SETTINGS = EngineSettings(threads=2, memory_limit="3GB")
TYPED = "SELECT * REPLACE (CAST(amount AS DECIMAL(18,4)) AS amount) FROM '{folder}/deals.parquet'"

BY_HAND = """
WITH known AS (SELECT * FROM deals WHERE date <= DATE '2025-12-31'),
base AS (
  SELECT partner_id,
    sum(amount) FILTER (WHERE status = 'won' AND date > DATE '2024-12-31') AS revenue_4q,
    sum(amount) FILTER (WHERE status = 'won' AND date > DATE '2023-12-31' AND date <= DATE '2024-12-31') AS before,
    sum(amount) FILTER (WHERE status = 'won' AND date > DATE '2025-10-02') AS revenue_90d,
    count(*) FILTER (WHERE date > DATE '2024-12-31') AS deals,
    count(*) FILTER (WHERE status = 'won' AND date > DATE '2024-12-31') AS wins,
    max(amount) FILTER (WHERE status = 'won' AND date > DATE '2023-12-31') AS largest,
    max(date) AS last_day,
    sum(amount) FILTER (WHERE status = 'won') AS lifetime
  FROM known GROUP BY partner_id),
customers AS (
  SELECT partner_id, count(*) AS customers
  FROM (SELECT DISTINCT partner_id, customer_id FROM known WHERE date > DATE '2024-12-31') AS d GROUP BY partner_id),
quarters AS (
  SELECT partner_id, count_if(total > 10000) AS active
  FROM (SELECT partner_id, year(date) * 4 + quarter(date) AS number, sum(amount) AS total
        FROM known WHERE date > DATE '2023-12-31' GROUP BY partner_id, year(date) * 4 + quarter(date)) AS q
  GROUP BY partner_id)
SELECT p.partner_id,
  CAST(coalesce(revenue_4q, 0) AS DOUBLE) AS revenue_4q, CAST(coalesce(before, 0) AS DOUBLE) AS revenue_prev_4q,
  CAST(coalesce(revenue_90d, 0) AS DOUBLE) AS revenue_90d, CAST(coalesce(deals, 0) AS DOUBLE) AS deals_12m,
  CASE WHEN deals >= 10 THEN CAST(wins AS DOUBLE) / deals END AS win_rate,
  CASE WHEN wins > 0 THEN CAST(revenue_4q AS DOUBLE) / wins END AS average_deal,
  CAST(largest AS DOUBLE) AS largest_deal, CAST(coalesce(customers, 0) AS DOUBLE) AS customers,
  CAST({days} AS DOUBLE) AS days_since_deal, CAST(coalesce(lifetime, 0) AS DOUBLE) AS lifetime_revenue,
  CAST(coalesce(active, 0) AS DOUBLE) AS active_quarters,
  CASE WHEN before <> 0 THEN CAST(coalesce(revenue_4q, 0) AS DOUBLE) / CAST(before AS DOUBLE) - 1 END AS growth
FROM partners AS p LEFT JOIN base USING (partner_id) LEFT JOIN customers USING (partner_id)
LEFT JOIN quarters USING (partner_id) ORDER BY p.partner_id
"""
DAYS = {"duckdb": "date_diff('day', last_day, DATE '2025-12-31')", "spark": "datediff(DATE '2025-12-31', last_day)"}
Ask = Callable[[], pd.DataFrame]


@contextmanager
def _embedded(folder: Path) -> Iterator[EmbeddedEngine]:
    with open_engine(SETTINGS) as engine:
        engine.create_table("deals", TYPED.format(folder=folder))
        engine.create_table("partners", "SELECT DISTINCT partner_id FROM deals ORDER BY 1")
        yield engine


@contextmanager
def _tierwise_duckdb(folder: Path) -> Iterator[Ask]:
    with _embedded(folder) as engine:
        yield lambda: compute(engine, workspace(), [AS_OF])


@contextmanager
def _hand_duckdb(folder: Path) -> Iterator[Ask]:
    with _embedded(folder) as engine:
        yield lambda: engine.frame(BY_HAND.format(days=DAYS["duckdb"]))


@contextmanager
def _tierwise_spark(folder: Path) -> Iterator[Ask]:
    with _embedded(folder) as accepted, SparkEngine(accepted, SETTINGS) as engine:
        yield lambda: compute(engine, workspace(), [AS_OF])


@contextmanager
def _hand_spark(folder: Path) -> Iterator[Ask]:
    """Plain Spark SQL over the very files that ours reads."""
    with _embedded(folder) as accepted, SparkEngine(accepted, SETTINGS) as engine:
        engine.rows("SELECT count(*) FROM deals, partners WHERE false")
        yield lambda: engine.session.sql(BY_HAND.format(days=DAYS["spark"])).toArrow().to_pandas()


@contextmanager
def _pandas(folder: Path) -> Iterator[Ask]:
    keys = ["partner_id", "customer_id", "status"]
    deals = pd.read_parquet(folder / "deals.parquet").astype({"amount": "float64", "date": "datetime64[us]"})
    deals = deals.astype(dict.fromkeys(keys, "category"))
    yield lambda: _pandas_at(deals, pd.Timestamp(AS_OF), deals["partner_id"].cat.categories)


SIDES = {
    "tierwise on DuckDB": _tierwise_duckdb, "SQL by hand on DuckDB": _hand_duckdb,
    "tierwise on Spark": _tierwise_spark, "SQL by hand on Spark": _hand_spark, "pandas": _pandas,
}  # fmt: skip


def run_side(side: str, folder: Path, runs: int) -> None:
    """Run one side in this process: once to warm up, then to measure; write its rows and its seconds."""
    with SIDES[side](folder) as ask:
        rows = ask()
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            ask()
            seconds.append(time.perf_counter() - start)
    rows = rows[["partner_id", *METRICS]].astype({"partner_id": "str"}).sort_values("partner_id", ignore_index=True)
    rows.to_parquet(folder / f"{side}.parquet", index=False)
    (folder / f"{side}.json").write_text(json.dumps(seconds))


def speed(events: int, partners: int, runs: int) -> None:
    """Make the data, run every side, compare, print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder, events, partners)
        for side in SIDES:
            command = [sys.executable, __file__, "side", "--name", side, "--folder", name, "--runs", str(runs)]
            subprocess.run(command, check=True)
        wanted = pd.read_parquet(folder / "SQL by hand on DuckDB.parquet")
        print(f"{events:,} deals of {len(wanted):,} partners, 12 metrics as of {AS_OF}, {runs} runs, median seconds")
        medians = {side: statistics.median(json.loads((folder / f"{side}.json").read_text())) for side in SIDES}
        for side, seconds in medians.items():
            found = pd.read_parquet(folder / f"{side}.parquet")
            assert list(found["partner_id"]) == list(wanted["partner_id"])
            np.testing.assert_allclose(found[list(METRICS)], wanted[list(METRICS)], rtol=1e-9, atol=1e-9, err_msg=side)
            print(f"  {side:<24}{seconds:8.2f}")
        for engine in ("DuckDB", "Spark"):
            ratio = medians[f"tierwise on {engine}"] / medians[f"SQL by hand on {engine}"]
            print(f"  on {engine}, ours beside SQL by hand: {ratio:.2f} x")


def same(opened: Workspace, as_of: date, today: date) -> None:
    """Compute a workspace's metrics and placement on both engines and compare them.

    What models would say is stood in for by the potential's own metric, so that no model need be trained.
    """
    with open_engine(opened.settings.engine) as accepted:
        read_tables(accepted, opened)
        check_tables(accepted, opened, today)
        found = {"DuckDB": _rows_and_placement(accepted, opened, as_of)}
        with SparkEngine(accepted, opened.settings.engine) as engine:
            found["Spark"] = _rows_and_placement(engine, opened, as_of)
    for name, ours in found["DuckDB"].items():
        pd.testing.assert_frame_equal(found["Spark"][name], ours, rtol=1e-9, obj=name)
        figures = ours.select_dtypes("number").to_numpy()
        identical = np.array_equal(figures, found["Spark"][name].select_dtypes("number").to_numpy(), equal_nan=True)
        print(f"  {name}: {len(ours):,} rows agree{', to the bit' if identical else ' within 1e-9'}")


def _rows_and_placement(
    engine: EmbeddedEngine | SparkEngine, opened: Workspace, as_of: date
) -> dict[str, pd.DataFrame]:
    start = time.perf_counter()
    rows = compute(engine, opened, [as_of])
    middle = time.perf_counter()
    target = rows[opened.settings.potential.metric].fillna(0)
    inputs = rows.assign(
        potential=target * 1.1, potential_low=target * 0.7, potential_high=target * 1.6, headroom=target * 0.2,
        potential_source="model", archetype_id="A1", archetype="one", archetype_strength=0.5, archetype_status="named",
    )  # fmt: skip
    placement = place(engine, opened.policy_on(as_of), inputs)
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
    parser.set_defaults(part="speed", events=2_000_000, partners=20_000, runs=3)
    parts = parser.add_subparsers(dest="part")
    for name in ("speed", "side", "same"):
        part = parts.add_parser(name)
        part.add_argument("--events", type=int, default=2_000_000)
        part.add_argument("--partners", type=int, default=20_000)
        part.add_argument("--runs", type=int, default=3)
        part.add_argument("--name", choices=SIDES)
        part.add_argument("--folder", type=Path)
        part.add_argument("--workspace", type=Path)
        part.add_argument("--data", type=Path)
        part.add_argument("--as-of", type=date.fromisoformat)
        part.add_argument("--today", type=date.fromisoformat, default=date(2030, 1, 1))
    given = parser.parse_args()
    if given.part == "side":
        run_side(given.name, given.folder, given.runs)
    elif given.part == "same":
        same(load_workspace(given.workspace, given.data), given.as_of, given.today)
    else:
        speed(given.events, given.partners, given.runs)


if __name__ == "__main__":
    main()
