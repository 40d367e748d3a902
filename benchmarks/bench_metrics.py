"""Time and peak memory of the metric engine against the same metrics in pandas.

12 metrics at 8 as-of dates over one table of deals, each side in its own process; the figures must agree.

    python benchmarks/bench_metrics.py --events 10000000 --partners 100000
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tierwise.config.catalog import Catalog
from tierwise.config.load import Workspace
from tierwise.config.workspace import EngineSettings, WorkspaceSettings
from tierwise.engine import open_engine
from tierwise.metrics import compute

SEED = 20261001
MEMORY_LIMIT = "1GB"
AS_OF_DATES = tuple(pd.date_range("2024-12-31", periods=8, freq="QE").date)
FIRST_DAY, DAYS = date(2021, 1, 1), 6 * 365 - 1

METRICS = {
    "revenue_4q": {"value": "sum(amount)", "where": "status = 'won'", "window": "4 quarters", "missing": 0},
    "revenue_prev_4q": {
        "value": "sum(amount)", "where": "status = 'won'", "window": "4 quarters", "offset": "4 quarters", "missing": 0,
    },
    "revenue_90d": {"value": "sum(amount)", "where": "status = 'won'", "window": "90 days", "missing": 0},
    "deals_12m": {"value": "count(*)", "window": "12 months", "missing": 0},
    "win_rate": {"value": "count(*) filter (where status = 'won') / count(*)", "window": "12 months", "min_rows": 10},
    "average_deal": {"value": "avg(amount)", "where": "status = 'won'", "window": "12 months"},
    "largest_deal": {"value": "max(amount)", "where": "status = 'won'", "window": "24 months"},
    "customers": {"value": "count(distinct customer_id)", "window": "12 months", "missing": 0},
    "days_since_deal": {"value": "date_diff('day', max(date), as_of)", "window": "lifetime"},
    "lifetime_revenue": {"value": "sum(amount)", "where": "status = 'won'", "window": "lifetime", "missing": 0},
    "active_quarters": {
        "value": "sum(amount)", "per": "quarter", "then": "count_if(value > 10000)", "window": "8 quarters",
        "missing": 0,
    },
    "growth": {"formula": "revenue_4q / nullif(revenue_prev_4q, 0) - 1"},
}  # fmt: skip


def workspace() -> Workspace:
    """The workspace of the benchmark: partners and one table of deals."""
    columns = {"partner_id": {}, "date": {}, "customer_id": {}, "status": {}, "amount": {"type": "money"}}
    return deals_workspace(columns, METRICS)


def deals_workspace(columns: dict[str, Any], metrics: dict[str, Any]) -> Workspace:
    """A workspace of partners and one table of deals, with metrics over it."""
    source = {"parquet": "none"}
    settings = WorkspaceSettings.model_validate(
        {
            "tierwise": 1,
            "name": "benchmark",
            "tables": {
                "partners": {"kind": "partners", "source": source, "columns": {"partner_id": {}}},
                "deals": {"kind": "events", "source": source, "columns": columns, "money": "amount"},
            },
            "potential": {"metric": "revenue_4q", "horizon": "4 quarters"},
        }
    )
    named = {name: ({} if "formula" in metric else {"from": "deals"}) | metric for name, metric in metrics.items()}
    return Workspace(Path(), Path(), settings, Catalog.model_validate({"metrics": named}))


def make_data(folder: Path, events: int, partners: int) -> None:
    """Write the deals as Parquet: partners of very unequal size, amounts with cents."""
    rng = np.random.default_rng(SEED)
    weights = rng.pareto(1.5, partners) + 0.2
    partner = rng.choice(partners, events, p=weights / weights.sum())
    customer = rng.integers(0, 40, events)
    frame = pd.DataFrame(
        {
            "partner_id": pd.Categorical.from_codes(partner, [f"P{number:07d}" for number in range(partners)]),
            "date": (np.datetime64(FIRST_DAY) + rng.integers(0, DAYS, events)).astype("datetime64[ms]"),
            "customer_id": pd.Categorical.from_codes(customer, [f"C{number:03d}" for number in range(40)]),
            "status": pd.Categorical.from_codes((rng.random(events) < 0.4).astype(int), ["lost", "won"]),
            "cents": (rng.lognormal(7, 1.2, events) * 100).astype(np.int64),
        }
    )
    frame.to_parquet(folder / "raw.parquet", index=False)
    with open_engine() as engine:
        engine.run(
            f"COPY (SELECT CAST(partner_id AS VARCHAR) AS partner_id, CAST(date AS DATE) AS date,"
            f" CAST(customer_id AS VARCHAR) AS customer_id, CAST(status AS VARCHAR) AS status,"
            f" CAST(cents AS DECIMAL(18,4)) / CAST(100 AS DECIMAL(3,0)) AS amount"
            f" FROM '{folder}/raw.parquet') TO '{folder}/deals.parquet' (FORMAT parquet)"
        )


def with_engine(folder: Path, threads: int) -> pd.DataFrame:
    """Compute with the metric engine."""
    with open_engine(EngineSettings(threads=threads, memory_limit=MEMORY_LIMIT)) as engine:
        engine.create_table(
            "deals", f"SELECT * REPLACE (CAST(amount AS DECIMAL(18,4)) AS amount) FROM '{folder}/deals.parquet'"
        )
        engine.create_table("partners", "SELECT DISTINCT partner_id FROM deals")
        return compute(engine, workspace(), AS_OF_DATES)


def with_pandas(folder: Path, _threads: int) -> pd.DataFrame:
    """Compute with pandas, vectorised; keys are read as categories, which pandas groups fastest."""
    keys = ["partner_id", "customer_id", "status"]
    table = pq.read_table(folder / "deals.parquet", read_dictionary=keys)
    amount = table["amount"].cast(pa.float64())
    deals = table.drop_columns(["amount"]).append_column("amount", amount).to_pandas(date_as_object=False)
    del table, amount
    for key in keys:
        deals[key] = deals[key].cat.reorder_categories(sorted(deals[key].cat.categories))
    partners = deals["partner_id"].cat.categories
    frames = [_pandas_at(deals, pd.Timestamp(as_of), partners) for as_of in AS_OF_DATES]
    return pd.concat(frames, ignore_index=True)


def _pandas_at(deals: pd.DataFrame, as_of: pd.Timestamp, partners: pd.Index) -> pd.DataFrame:
    """All metrics of one as-of date, a quarter's end."""
    known = deals[deals["date"] <= as_of]
    won = known[known["status"] == "won"]
    last_4q = won[won["date"] > as_of - pd.offsets.MonthEnd(12)]
    prev_4q = won[(won["date"] > as_of - pd.offsets.MonthEnd(24)) & (won["date"] <= as_of - pd.offsets.MonthEnd(12))]
    last_24m = won[won["date"] > as_of - pd.offsets.MonthEnd(24)]
    year = known[known["date"] > as_of - pd.offsets.MonthEnd(12)]
    by_year = year.groupby("partner_id", observed=False)
    count = by_year.size()
    wins = _by_partner(last_4q).size()
    revenue, before = _by_partner(last_4q)["amount"].sum(), _by_partner(prev_4q)["amount"].sum()
    customers = year[["partner_id", "customer_id"]].drop_duplicates().groupby("partner_id", observed=False).size()
    columns = {
        "revenue_4q": revenue,
        "revenue_prev_4q": before,
        "revenue_90d": _by_partner(won[won["date"] > as_of - pd.Timedelta(days=90)])["amount"].sum(),
        "deals_12m": count,
        "win_rate": (wins / count).where(count >= 10),
        "average_deal": revenue / wins.where(wins > 0),
        "largest_deal": _by_partner(last_24m)["amount"].max(),
        "customers": customers,
        "days_since_deal": (as_of - _by_partner(known)["date"].max()).dt.days,
        "lifetime_revenue": _by_partner(won)["amount"].sum(),
        "active_quarters": _active_quarters(known, as_of),
        "growth": revenue / before.where(before != 0) - 1,
    }
    frame = pd.DataFrame(columns, index=partners).astype("float64").reset_index(names="partner_id")
    frame.insert(0, "as_of", as_of)
    return frame


def _by_partner(rows: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    return rows.groupby("partner_id", observed=False)


def _active_quarters(known: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    rows = known[known["date"] > as_of - pd.offsets.MonthEnd(24)]
    quarter = rows["date"].dt.year * 4 + rows["date"].dt.quarter
    per_quarter = rows["amount"].groupby([rows["partner_id"], quarter], observed=True).sum()
    return (per_quarter > 10_000).groupby(level=0, observed=False).sum()


SIDES = {"tierwise": with_engine, "pandas": with_pandas}


def run_side(side: str, folder: Path, threads: int) -> None:
    """Run one side in this process; write its rows and its figures."""
    start, cpu_start = time.perf_counter(), time.process_time()
    rows = SIDES[side](folder, threads)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    rows.astype({"partner_id": str}).to_parquet(folder / f"{side}.parquet", index=False)
    (folder / f"{side}.json").write_text(
        json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_gb": peak_gb})
    )


def assert_equal(folder: Path) -> int:
    """Check that both sides computed the same figures, within the rounding of pandas' sums of doubles."""
    ours, theirs = (
        pd.read_parquet(folder / f"{side}.parquet").sort_values(["as_of", "partner_id"], ignore_index=True)
        for side in SIDES
    )
    assert (ours["partner_id"] == theirs["partner_id"]).all()
    for name in METRICS:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-9, err_msg=name)
    return len(ours)


def main() -> None:
    """Make the data, run both sides, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--partners", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--side", choices=sorted(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run_side(options.side, options.folder, options.threads)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder, options.events, options.partners)
        for side in SIDES:
            arguments = ["--side", side, "--folder", name, "--threads", str(options.threads)]
            subprocess.run([sys.executable, __file__, *arguments], check=True)
        rows = assert_equal(folder)
        figures = {side: json.loads((folder / f"{side}.json").read_text()) for side in SIDES}
    print(
        f"{options.events:,} events, {options.partners:,} partners,"
        f" {len(METRICS)} metrics x {len(AS_OF_DATES)} as-of dates, from Parquet to metric rows"
    )
    print(f"{rows:,} metric rows, equal on both sides; {options.threads} threads")
    for side, figure in figures.items():
        print(
            f"{side:>9}: {figure['seconds']:7.2f} s ({figure['cpu_seconds']:.2f} s of CPU),"
            f" peak {figure['peak_gb']:5.2f} GB"
        )
    ratios = {key: figures["pandas"][key] / figures["tierwise"][key] for key in ("seconds", "cpu_seconds", "peak_gb")}
    print(
        f"pandas / tierwise: {ratios['seconds']:.1f} x the time, {ratios['cpu_seconds']:.1f} x the CPU,"
        f" {ratios['peak_gb']:.1f} x the memory"
    )


if __name__ == "__main__":
    main()
