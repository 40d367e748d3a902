"""Metrics as of one date are read straight from the rows: the same figures as among many dates, and no more work."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

import pandas as pd
import pytest

from tests.metrics.small_workspaces import TABLES, add_rows, made_up_rows, make_workspace, metric_rows
from tierwise.config.load import Workspace
from tierwise.engine import open_engine
from tierwise.metrics import compute, parse_catalog
from tierwise.metrics.checking import make_empty_tables
from tierwise.metrics.compute import table_queries

DAY = date(2025, 12, 31)
DEALS = {"from": "deals"}
METRICS: dict[str, dict[str, object]] = {
    "all_time": {"value": "sum(amount)", "window": "lifetime", "missing": 0},
    "year": {"value": "sum(amount)", "where": "status = 'won'", "window": "4 quarters", "missing": 0},
    "before": {"value": "sum(amount)", "window": "4 quarters", "offset": "4 quarters", "missing": 0},
    "late": {"value": "max(amount)", "window": "90 days", "lag": "30 days"},
    "rate": {"value": "count(*) filter (where status = 'won') / count(*)", "window": "24 months", "min_rows": 2},
    "mean": {"value": "avg(amount)", "window": "12 months"},
    "median": {"value": "median(amount)", "where": "status = 'won'", "window": "24 months"},
    "share": {"value": "max(amount) / sum(amount)", "window": "12 months"},
    "age": {"value": "sum(date_diff('day', date, as_of))", "window": "24 months"},
    "since": {"value": "date_diff('day', max(date), as_of)", "window": "lifetime"},
    "customers": {"value": "count(distinct customer)", "where": "status = 'won'", "window": "12 months", "missing": 0},
    "customers_before": {
        "value": "count(distinct customer)", "window": "12 months", "offset": "12 months", "missing": 0,
    },
    "countries": {"value": "count(distinct country)", "window": "lifetime", "missing": 0},
    "active": {"value": "sum(amount)", "per": "quarter", "then": "count_if(value > 10)", "window": "8 quarters"},
    "weakest": {"value": "sum(amount)", "per": "quarter", "then": "min(coalesce(value, 0))", "window": "8 quarters"},
    "days": {"value": "count(*)", "per": "day", "then": "max(value)", "window": "lifetime"},
}  # fmt: skip
UNITS = {"country": {"columns": {"deals": "country"}}}
REQUIRED = {"type": "money", "required": True}
DECLARED = TABLES["deals"]["columns"]
assert isinstance(DECLARED, dict)


def workspace_of(known_late: bool, required: bool, names: Collection[str] = METRICS) -> Workspace:
    columns = {name: column for name, column in DECLARED.items() if known_late or name != "known_on"}
    columns |= {"amount": REQUIRED} if required else {}
    metrics = {name: DEALS | METRICS[name] for name in names}
    return make_workspace(metrics, TABLES | {"deals": TABLES["deals"] | {"columns": columns}}, UNITS)


@pytest.mark.parametrize("required", [False, True], ids=["amounts_may_be_empty", "amounts_required"])
@pytest.mark.parametrize("unit", [None, "country"])
@pytest.mark.parametrize("known_late", [False, True], ids=["known_at_once", "known_late"])
def test_a_date_alone_gives_what_it_gives_among_others(known_late: bool, required: bool, unit: str | None) -> None:
    workspace = workspace_of(known_late, required)
    tables = made_up_rows(workspace, seed=11, partners=12, events=400)
    if not required:
        tables["deals"]["amount"] = tables["deals"]["amount"].mask(tables["deals"]["customer"] == "k2")
    newest = pd.to_datetime(tables["deals"]["date"]).max().date()
    days = sorted({newest.replace(month=12, day=31), date(newest.year, 2, 28), date(newest.year - 1, 9, 30)})
    together = computed(workspace, tables, days, unit)
    assert together[list(METRICS)].notna().any().all(), "every metric has something to show"
    for day in days:
        part = together[together["as_of"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(computed(workspace, tables, [day], unit), part, check_exact=True)


def computed(workspace: Workspace, tables: dict[str, pd.DataFrame], days: list[date], unit: str | None) -> pd.DataFrame:
    with open_engine() as engine:
        make_empty_tables(engine, workspace)
        for name, rows in tables.items():
            add_rows(engine, workspace.table(name), name, rows)
        return compute(engine, workspace, days, unit)


def sql_of(required: bool, *names: str) -> str:
    workspace = workspace_of(False, required, names)
    return table_queries(workspace, parse_catalog(workspace), [DAY])["deals"]


def test_rows_are_counted_only_where_an_empty_amount_could_look_like_no_row() -> None:
    assert len(re.findall(r"COUNT\(", sql_of(False, "all_time", "year", "before"))) == 3
    assert "COUNT(" not in sql_of(True, "all_time", "year", "before")
    assert "COUNT(*)" in sql_of(True, "mean")
    assert 'COUNT("amount")' not in sql_of(True, "mean")
    assert 'COUNT("amount")' in sql_of(False, "mean")


def test_no_row_older_than_the_windows_is_read_and_a_shared_condition_is_asked_once() -> None:
    query = sql_of(False, "median", "customers")
    for day in ("2023-12-31", "2024-12-31"):
        assert query.count(f"t.\"date\" > DATE '{day}'") == 1
    assert "FILTER" not in query
    assert len(re.findall("'won'", query)) == 2, "once for each of the two steps"


def test_an_amount_that_is_empty_in_every_row_is_not_zero() -> None:
    rows = [{"partner_id": "a", "date": "2025-11-01"}, {"partner_id": "b", "date": "2025-11-01", "amount": "5"}]
    found = metric_rows({"x": DEALS | METRICS["all_time"]}, {"deals": rows}, [DAY]).set_index("partner_id")["x"]
    assert found.isna().to_dict() == {"a": True, "b": False}
    assert found["b"] == 5


@pytest.mark.parametrize(
    ("names", "is_found"),
    [
        (["all_time", "year"], True),
        (["since"], True),
        (["all_time", "median"], True),
        (["year", "mean"], False),
        (["median"], False),
        (["customers", "countries"], False),
        (["active", "days"], False),
    ],
    ids=lambda given: "_".join(given) if isinstance(given, list) else None,
)
def test_the_first_day_is_found_beside_metrics_that_read_every_row(names: list[str], is_found: bool) -> None:
    workspace = workspace_of(False, True, names)
    query = table_queries(workspace, parse_catalog(workspace), [DAY])["deals"]
    assert ("AS _first_day" in query) == is_found


def test_rows_before_a_lag_or_of_one_kind_alone_do_not_tell_the_first_day() -> None:
    late = {"value": "sum(amount)", "window": "lifetime", "lag": "30 days", "missing": 0}
    won = {"value": "sum(amount)", "where": "status = 'won'", "window": "lifetime", "missing": 0}
    rows = [
        {"partner_id": "a", "date": "2025-12-20", "status": "won", "amount": "1"},
        {"partner_id": "b", "date": "2025-01-02", "status": "lost", "amount": "2"},
        {"partner_id": "b", "date": "2025-03-02", "status": "won", "amount": "4"},
        {"partner_id": "c", "date": "2026-01-01", "status": "won", "amount": "8"},
    ]
    for metric, figures in ((late, [0, 6, 0]), (won, [1, 4, 0])):
        found = metric_rows({"x": DEALS | metric}, {"deals": rows}, [DAY])
        seen = found["first_seen"].dt.strftime("%Y-%m-%d").fillna("never")
        assert list(seen) == ["2025-12-20", "2025-01-02", "never"]
        assert list(found["x"]) == figures


def test_what_is_known_late_does_not_date_a_partner_before() -> None:
    rows = [
        {"partner_id": "a", "date": "2025-01-02", "known_on": "2026-01-01"},
        {"partner_id": "a", "date": "2025-03-02", "known_on": "2025-12-31"},
        {"partner_id": "b", "date": "2025-01-02", "known_on": "2026-01-01"},
    ]
    found = metric_rows({"n": DEALS | {"value": "count(*)", "window": "lifetime", "missing": 0}}, {"deals": rows}, DAY)
    assert found["first_seen"].tolist() == [pd.Timestamp(2025, 3, 2), pd.NaT]
    assert found["tenure_days"].dropna().tolist() == [304]


def test_inner_values_that_metrics_share_are_aggregated_together() -> None:
    assert sql_of(True, "active", "weakest").count("_outer_active AS (") == 1, "one fills empty quarters, one does not"
    assert sql_of(True, "active", "weakest").count("_outer_weakest AS (") == 1
    shared = {"active": METRICS["active"], "best": METRICS["active"] | {"then": "max(value)"}}
    workspace = make_workspace({name: DEALS | metric for name, metric in shared.items()})
    query = table_queries(workspace, parse_catalog(workspace), [DAY])["deals"]
    assert query.count(" AS (SELECT partner_id, _quarter AS _period") == 1
    assert "_outer_best AS (" not in query
