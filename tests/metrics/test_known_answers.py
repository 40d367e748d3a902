"""Metric values against independent computations: brute force over made-up rows, and pandas over real channels."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.metrics.small_workspaces import TABLES, compute_over, made_up_rows, make_workspace
from tierwise.config.calendar import last_closed_quarter_end, shift_months, shift_quarters
from tierwise.config.load import Workspace
from tierwise.config.workspace import Calendar
from tierwise.engine import Engine, open_engine
from tierwise.metrics import compute
from tierwise.metrics.checking import make_empty_tables

# --- brute force: for each partner and as-of date, keep the rows that count, then aggregate them in plain Python ---

AS_OF_DATES = [date(2023, 2, 28), date(2024, 2, 29), date(2024, 5, 14), date(2025, 1, 31)]
YEAR_END = date(2025, 12, 31)
SPANS = {  # window, offset, lag -> what counts at 2024-05-14, written out by hand (fiscal year from February)
    ("90 days", None, None): ("2024-02-14", "2024-05-14"),
    ("12 months", None, None): ("2023-05-14", "2024-05-14"),
    ("4 quarters", None, None): ("2023-04-30", "2024-04-30"),
    ("4 calendar quarters", None, None): ("2023-03-31", "2024-03-31"),
    ("lifetime", None, None): (None, "2024-05-14"),
    ("as of", None, None): (None, "2024-05-14"),
    ("4 quarters", "1 year", None): ("2022-04-30", "2023-04-30"),
    ("4 quarters", None, "20 days"): ("2023-01-31", "2024-01-31"),
    ("6 months", "3 months", "14 days"): ("2023-07-31", "2024-01-31"),
    ("30 days", "2 quarters", None): ("2023-10-15", "2023-11-14"),
    ("lifetime", "1 month", None): (None, "2024-04-14"),
}
AGGREGATES = {
    "rows": ("count(*)", len),
    "total": ("sum(amount)", lambda rows: rows["amount"].sum()),
    "won_share": ("count(*) filter (where status = 'k1') / count(*)", lambda rows: (rows["status"] == "k1").mean()),
    "largest": ("max(amount)", lambda rows: rows["amount"].max()),
    "mean": ("avg(amount)", lambda rows: rows["amount"].mean()),
    "middle": ("median(amount)", lambda rows: rows["amount"].median()),
    "customers": ("count(distinct customer)", lambda rows: rows["customer"].nunique()),
    "spread": ("stddev(amount)", lambda rows: rows["amount"].std()),
    "joint": ("bool_or(joint)", lambda rows: float((rows["joint"] == "true").any())),
    "silence": ("date_diff('day', max(date), date '2025-12-31')", lambda rows: (YEAR_END - rows["date"].max()).days),
}  # fmt: skip


def brute_force_workspace() -> Workspace:
    metrics = {}
    for number, (window, offset, lag) in enumerate(SPANS):
        for name, (value, _) in AGGREGATES.items():
            given = {"from": "deals", "value": value, "where": "quantity > 200", "window": window}
            given |= {"offset": offset} if offset else {}
            metrics[f"{name}_{number}"] = given | ({"lag": lag} if lag else {})
    return make_workspace(metrics, calendar={"fiscal_year_starts": "february"})


@pytest.fixture(scope="module")
def brute_force() -> tuple[pd.DataFrame, pd.DataFrame]:
    workspace = brute_force_workspace()
    tables = made_up_rows(workspace, seed=11, partners=12, events=80)
    tables["partners"]["joined_on"] = None
    deals = tables["deals"].assign(amount=lambda rows: rows["amount"].astype(float).round(4))
    deals["quantity"] = pd.to_numeric(deals["quantity"])
    for column in ("date", "known_on"):
        deals[column] = pd.to_datetime(deals[column]).dt.date
    return compute_over(workspace, tables, AS_OF_DATES), deals


@pytest.mark.parametrize("name", AGGREGATES)
@pytest.mark.parametrize("window", SPANS, ids=lambda window: "-".join(str(part) for part in window))
def test_every_window_against_rows_picked_by_hand(
    brute_force: tuple[pd.DataFrame, pd.DataFrame], window: tuple, name: str
) -> None:
    rows, deals = brute_force
    metric = f"{name}_{list(SPANS).index(window)}"
    after, until = (None if day is None else date.fromisoformat(day) for day in SPANS[window])
    found = rows[rows["as_of"] == pd.Timestamp(2024, 5, 14)].set_index("partner_id")[metric]
    counted = deals[(deals["date"] <= until) & (deals["known_on"] <= date(2024, 5, 14)) & (deals["quantity"] > 200)]
    counted = counted if after is None else counted[counted["date"] > after]
    expected = {partner: AGGREGATES[name][1](mine) for partner, mine in counted.groupby("partner_id")}
    assert 4 <= len(expected) <= len(found) == 12
    for partner, value in found.items():
        assert value == pytest.approx(expected.get(partner, np.nan), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("as_of", AS_OF_DATES)
def test_month_ends_and_leap_days(brute_force: tuple[pd.DataFrame, pd.DataFrame], as_of: date) -> None:
    """Twelve months up to a month's end are whole months; up to 29 February they begin on 1 March."""
    rows, deals = brute_force
    starts = {2023: date(2022, 2, 28), 2024: date(2023, 2, 28), 2025: date(2024, 1, 31)}
    after = date(2023, 5, 14) if as_of == date(2024, 5, 14) else starts[as_of.year]
    counted = deals[
        (deals["date"] > after) & (deals["date"] <= as_of) & (deals["known_on"] <= as_of) & (deals["quantity"] > 200)
    ]
    found = rows[rows["as_of"] == pd.Timestamp(as_of)].set_index("partner_id")["rows_1"]
    pd.testing.assert_series_equal(
        found.dropna(), counted.groupby("partner_id").size().astype(float), check_names=False
    )


NOVEMBER = {"fiscal_year_starts": "november"}


def tables_without_known_on() -> dict:
    columns = {name: column for name, column in TABLES["deals"]["columns"].items() if name != "known_on"}
    return TABLES | {"deals": TABLES["deals"] | {"columns": columns}}


@pytest.mark.parametrize("per", ["day", "month", "quarter", "year"])
@pytest.mark.parametrize("window", ["200 days", "18 months", "5 quarters", "lifetime"])
@pytest.mark.parametrize("known", [True, False], ids=["known late", "known at once"])
@pytest.mark.parametrize("as_of", [date(2024, 10, 20), date(2024, 10, 31)], ids=["within a period", "at its end"])
def test_two_levels_against_pandas(per: str, window: str, known: bool, as_of: date) -> None:
    two_levels = {"from": "deals", "per": per, "value": "sum(amount)", "window": window}
    metrics = {
        "active": two_levels | {"then": "count_if(value > 5000)"},
        "best": two_levels | {"then": "max(value)"},
        "mean": two_levels | {"then": "avg(value)"},
        "middle": two_levels | {"value": "median(amount)", "then": "avg(value)"},
        "customers": two_levels | {"value": "count(distinct customer)", "then": "max(value)"},
    }
    workspace = make_workspace(metrics, tables_without_known_on() if not known else None, calendar=NOVEMBER)
    tables = made_up_rows(workspace, seed=5, partners=6, events=150)
    tables["partners"]["joined_on"] = None
    found = compute_over(workspace, tables, [date(2024, 3, 31), as_of]).query("as_of == @pd.Timestamp(@as_of)")
    deals = tables["deals"].assign(amount=lambda rows: rows["amount"].astype(float))
    deals["known_on"] = deals["known_on"] if known else deals["date"]
    until = last_closed_quarter_end(as_of, Calendar(**NOVEMBER)) if window == "5 quarters" else as_of
    after = {
        "200 days": as_of - timedelta(days=200),
        "18 months": shift_months(as_of, -18),
        "5 quarters": shift_quarters(until, -5),
    }.get(window, date.min)
    deals = deals[
        (deals["date"] > after.isoformat())
        & (deals["date"] <= until.isoformat())
        & (deals["known_on"] <= as_of.isoformat())
    ]
    days = pd.to_datetime(deals["date"])
    frequency = {"month": "M", "quarter": "Q-OCT", "year": "Y-OCT"}
    period = deals["date"] if per == "day" else days.dt.to_period(frequency[per])
    grouped = deals.groupby(["partner_id", period])
    sums = grouped["amount"].sum()
    expected = pd.DataFrame(
        {
            "active": (sums > 5000).groupby("partner_id").sum().astype(float),
            "best": sums.groupby("partner_id").max(),
            "mean": sums.groupby("partner_id").mean(),
            "middle": grouped["amount"].median().groupby("partner_id").mean(),
            "customers": grouped["customer"].nunique().groupby("partner_id").max().astype(float),
        }
    )
    pd.testing.assert_frame_equal(found.set_index("partner_id")[list(metrics)], expected, check_names=False, rtol=1e-9)


# --- real channels ---


def real_workspace(metrics: dict) -> Workspace:
    columns = {"partner_id": {}, "date": {}, "amount": {"type": "money"}, "order_id": {}, "product": {}}
    tables = {
        "partners": {"kind": "partners", "columns": {"partner_id": {}}},
        "sales": {"kind": "events", "columns": columns, "money": "amount"},
    }
    return make_workspace({name: {"from": "sales"} | metric for name, metric in metrics.items()}, tables)


SALES_METRICS = {
    "revenue_4q": {"value": "sum(amount)", "window": "4 quarters", "missing": 0},
    "revenue_prev_2q": {"value": "sum(amount)", "window": "2 quarters", "offset": "2 quarters", "missing": 0},
    "revenue_100d": {"value": "sum(amount)", "window": "100 days", "missing": 0},
    "orders_12m": {"value": "count(distinct order_id)", "window": "12 months", "missing": 0},
    "mean_line": {"value": "avg(amount)", "window": "12 months"},
    "lifetime": {"value": "sum(amount)", "window": "lifetime", "missing": 0},
    "active_quarters": {
        "per": "quarter",
        "value": "count(*)",
        "then": "count(value)",
        "window": "8 quarters",
        "missing": 0,
    },
}


def load_sales(engine: Engine, workspace: Workspace, query: str) -> pd.DataFrame:
    make_empty_tables(engine, workspace)
    engine.run(f"INSERT INTO sales {query}")
    engine.run("INSERT INTO partners SELECT DISTINCT partner_id FROM sales")
    return engine.frame("SELECT * REPLACE (CAST(amount AS DOUBLE) AS amount) FROM sales")


def with_pandas(sales: pd.DataFrame, quarter_end: pd.Timestamp) -> pd.DataFrame:
    """The same metrics, computed independently, at a quarter's end."""
    ends = {months: quarter_end - pd.offsets.MonthEnd(months) for months in (6, 12, 24)}
    known = sales[sales["date"] <= quarter_end]
    year = known[known["date"] > ends[12]]
    before = known[(known["date"] > ends[12]) & (known["date"] <= ends[6])]
    recent = known[known["date"] > quarter_end - pd.Timedelta(days=100)]
    quarters = known[known["date"] > ends[24]].assign(quarter=lambda rows: rows["date"].dt.to_period("Q"))
    columns = {
        "revenue_4q": year.groupby("partner_id")["amount"].sum(),
        "revenue_prev_2q": before.groupby("partner_id")["amount"].sum(),
        "revenue_100d": recent.groupby("partner_id")["amount"].sum(),
        "orders_12m": year.groupby("partner_id")["order_id"].nunique(),
        "mean_line": year.groupby("partner_id")["amount"].mean(),
        "lifetime": known.groupby("partner_id")["amount"].sum(),
        "active_quarters": quarters.groupby("partner_id")["quarter"].nunique(),
    }
    frame = pd.DataFrame(columns, index=sorted(sales["partner_id"].unique()))
    return frame.fillna(dict.fromkeys(set(columns) - {"mean_line"}, 0)).astype("float64")


CHANNELS = {
    "adventureworks": (
        "adventureworks_dw/FactResellerSales.parquet",
        "SELECT CAST(ResellerKey AS VARCHAR), CAST(OrderDate AS DATE), CAST(SalesAmount AS DECIMAL(18,4)),"
        " SalesOrderNumber, CAST(ProductKey AS VARCHAR) FROM '{file}'",
        [date(2012, 6, 30), date(2013, 3, 31), date(2013, 12, 31)],
        80_450_596.98,
    ),
    "olist": (
        "olist_marketplace/olist_order_items_dataset.parquet",
        "SELECT seller_id, CAST(shipping_limit_date AS DATE), CAST(price AS DECIMAL(18,4)), order_id, product_id"
        " FROM '{file}'",
        [date(2017, 6, 30), date(2018, 6, 30), date(2020, 6, 30)],
        13_591_643.70,
    ),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_real_channels_against_pandas_and_published_totals(shared_data: Path, channel: str) -> None:
    file, query, as_of_dates, total = CHANNELS[channel]
    workspace = real_workspace(SALES_METRICS)
    with open_engine() as engine:
        sales = load_sales(engine, workspace, query.format(file=shared_data / file))
        rows = compute(engine, workspace, as_of_dates)
    for as_of in as_of_dates:
        found = rows[rows["as_of"] == pd.Timestamp(as_of)].set_index("partner_id")[list(SALES_METRICS)]
        expected = with_pandas(sales, pd.Timestamp(as_of))
        pd.testing.assert_frame_equal(found, expected, check_names=False, rtol=1e-12, atol=1e-8)
    last = rows[rows["as_of"] == pd.Timestamp(as_of_dates[-1])]
    assert round(last["lifetime"].sum(), 2) == total
