"""Edges of `compute`: who is known, which attribute holds, formulas, faults, and odd names."""

from __future__ import annotations

import re
from datetime import date

import pandas as pd
import pytest
import sqlglot

from tests.metrics.small_workspaces import TABLES, compute_over, fill, made_up_rows, make_workspace, metric_rows
from tierwise.engine import open_engine
from tierwise.errors import InvalidInput
from tierwise.metrics import check_catalog, compute, parse_catalog
from tierwise.metrics.compute import table_queries

DAY = date(2025, 12, 31)
COUNT = {"n": {"from": "deals", "value": "count(*)", "window": "lifetime", "missing": 0}}


def deal(partner: str, day: str, **columns: object) -> dict:
    return {"partner_id": partner, "date": day, "known_on": day} | columns


def test_who_is_known_and_since_when() -> None:
    rows = {
        "partners": [
            {"partner_id": "always"},
            {"partner_id": "joined", "joined_on": "2025-12-31"},
            {"partner_id": "later", "joined_on": "2026-01-01"},
            {"partner_id": "sold_before", "joined_on": "2025-06-01"},
        ],
        "deals": [deal("sold_before", "2025-02-01"), deal("always", "2026-01-01"), deal("later", "2025-01-01")],
        "segments": [
            {"partner_id": "prospect", "valid_from": "2025-03-01", "segment": "s"},
            {"partner_id": "too_late", "valid_from": "2026-03-01", "segment": "s"},
        ],
    }
    tables = TABLES | {"segments": TABLES["segments"] | {"introduces_partners": True}}
    workspace = make_workspace(COUNT, tables)
    with open_engine() as engine:
        fill(engine, workspace, rows)
        found = compute(engine, workspace, [DAY]).set_index("partner_id")
    assert list(found.index) == ["always", "joined", "prospect", "sold_before"]
    seen = found["first_seen"].dropna().dt.strftime("%Y-%m-%d").to_dict()
    assert seen == {"joined": "2025-12-31", "prospect": "2025-03-01", "sold_before": "2025-02-01"}
    assert found["tenure_days"].dropna().to_dict() == {"joined": 0, "prospect": 305, "sold_before": 333}
    assert found["n"].to_dict() == {"always": 0, "joined": 0, "prospect": 0, "sold_before": 1}


def test_an_event_known_late_does_not_make_a_partner_seen() -> None:
    late = deal("a", "2025-01-01") | {"known_on": "2026-01-01"}
    rows = metric_rows(COUNT, {"deals": [late, deal("a", "2025-06-01")]}, [DAY, date(2026, 1, 1)])
    assert rows["first_seen"].tolist() == [pd.Timestamp(2025, 6, 1), pd.Timestamp(2025, 1, 1)]
    assert rows["n"].tolist() == [1, 2]


def test_what_becomes_known_on_the_as_of_date_counts() -> None:
    metrics = COUNT | {"customers": {"from": "deals", "value": "count(distinct customer)", "window": "lifetime"}}
    known = [
        deal("a", "2025-01-01", customer=day) | {"known_on": day} for day in ("2025-12-30", "2025-12-31", "2026-01-01")
    ]
    found = metric_rows(metrics, {"deals": known}, [date(2025, 12, 30), DAY, date(2026, 1, 1)])
    assert found[["n", "customers"]].to_numpy().tolist() == [[1, 1], [2, 2], [3, 3]]


def test_the_attribute_in_force_is_that_of_the_last_row() -> None:
    history = [("2024-01-01", "b"), ("2025-12-31", "c"), ("2025-01-01", None), ("2026-01-01", "d")]
    rows = {"segments": [{"partner_id": "a", "valid_from": day, "segment": segment} for day, segment in history]}
    found = metric_rows(COUNT, rows, [date(2024, 6, 1), date(2025, 6, 1), DAY])["segment"]
    assert found.fillna("unknown").tolist() == ["b", "unknown", "c"]


def test_two_rows_of_one_day_give_one_answer_in_any_order() -> None:
    rows = [{"partner_id": "a", "valid_from": "2025-01-01", "segment": segment} for segment in ("x", "y")]
    answers = {metric_rows(COUNT, {"segments": order}, DAY)["segment"][0] for order in (rows, rows[::-1])}
    assert len(answers) == 1


def test_as_of_dates_may_come_in_any_order_and_twice() -> None:
    deals = {"deals": [deal("a", "2025-01-01")]}
    usual = metric_rows(COUNT, deals, [date(2024, 12, 31), DAY])
    pd.testing.assert_frame_equal(metric_rows(COUNT, deals, [DAY, date(2024, 12, 31), DAY]), usual)


def test_many_as_of_dates_equal_each_alone() -> None:
    metrics = COUNT | {
        "customers": {"from": "deals", "value": "count(distinct customer)", "window": "7 months"},
        "active": {"from": "deals", "per": "month", "value": "count(*)", "then": "count(value)", "window": "7 months"},
    }
    workspace = make_workspace(metrics)
    tables = made_up_rows(workspace, seed=2, partners=5, events=60)
    tables["partners"]["joined_on"] = None
    days = [day.date() for day in pd.date_range("2019-06-30", periods=70, freq="ME")]
    together = compute_over(workspace, tables, days)
    assert together["as_of"].nunique() == 70
    for day in days[::23]:
        alone = compute_over(workspace, tables, [day])
        part = together[together["as_of"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, part)


def test_the_same_inputs_give_the_same_bytes_whatever_the_threads() -> None:
    workspace = make_workspace(
        {"mean": {"from": "deals", "value": "avg(amount / quantity)", "window": "lifetime"}},
    )
    tables = made_up_rows(workspace, seed=3, partners=50, events=400)
    first, second = (compute_over(workspace, tables, [DAY]) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_no_rows_at_all_give_an_empty_frame_of_the_same_shape() -> None:
    workspace = make_workspace(COUNT)
    found = compute_over(workspace, {}, [DAY])
    assert len(found) == 0
    assert found.dtypes.astype(str).to_dict() == {
        "as_of": "datetime64[us]", "partner_id": "str", "first_seen": "datetime64[us]", "tenure_days": "float64",
        "region": "str", "staff": "str", "segment": "str", "n": "float64",
    }  # fmt: skip


def test_a_catalog_of_formulas_alone_works() -> None:
    found = metric_rows({"years": {"formula": "tenure_days / 365"}}, {"deals": [deal("a", "2024-12-31")]}, DAY)
    assert found["years"].tolist() == [1.0]


def test_formulas_of_formulas_in_any_order() -> None:
    metrics = {"c": {"formula": "b + a"}, "b": {"formula": "a * 2"}, "a": {"formula": "n + 1"}} | COUNT
    found = metric_rows(metrics, {"deals": [deal("x", "2025-01-01")]}, DAY)
    assert list(found.columns[-4:]) == ["c", "b", "a", "n"]
    assert found[["a", "b", "c"]].to_numpy().tolist() == [[2.0, 4.0, 6.0]]


def test_a_few_metrics_alone_are_those_of_the_whole_catalog() -> None:
    metrics = {
        "c": {"formula": "b + a"}, "b": {"formula": "a * 2"}, "a": {"formula": "n + 1"},
        "other": {"formula": "buyers"},
        "buyers": {"from": "deals", "value": "count(distinct customer)", "window": "lifetime"},
    } | COUNT  # fmt: skip
    workspace = make_workspace(metrics)
    tables = made_up_rows(workspace, seed=4, partners=6, events=80)
    whole, some = compute_over(workspace, tables, [DAY]), compute_over(workspace, tables, [DAY], only=["c", "n"])
    assert list(some.columns) == ["as_of", "partner_id", "first_seen", "tenure_days", "c", "n"]
    pd.testing.assert_frame_equal(some, whole[some.columns])


def test_infinite_results_are_unknown() -> None:
    metrics = {"huge": {"formula": "1e300 * 1e300 * n"}, "over": {"formula": "n / 0"}} | COUNT
    found = metric_rows(metrics, {"deals": [deal("x", "2025-01-01")]}, DAY)
    assert found[["huge", "over"]].isna().all(axis=None)


def test_tables_and_metrics_may_have_any_name_the_settings_allow() -> None:
    """Names of tables and metrics never meet the names that the query uses itself."""
    columns = {
        "partner_id": {},
        "date": {},
        "order": {"type": "money"},
        "cell": {},
        "review": {},
        "bit": {},
        "p1": {"type": "integer"},
    }
    tables = {name: {"kind": "events", "columns": columns} for name in ("reviews", "events", "days", "select", "v")}
    metrics = {}
    for name in tables:
        metrics[f"cells_{name}"] = {"from": name, "value": 'sum("order")', "window": "4 quarters"}
        metrics[f"keys_{name}"] = {"from": name, "value": "count(distinct review)", "window": "4 quarters"}
        metrics[f"rows_{name}"] = {"from": name, "value": "median(p1)", "where": "bit = 'x'", "window": "as of"}
        metrics[f"by_{name}"] = {
            "from": name,
            "per": "month",
            "value": "count(*)",
            "then": "sum(value)",
            "window": "lifetime",
        }
    metrics |= {"value": {"formula": "cells_v"}, "order": {"formula": "value + 1"}, "bit": {"formula": '"order"'}}
    workspace = make_workspace(metrics, {"partners": TABLES["partners"]} | tables)
    row = {"partner_id": "a", "date": "2025-12-01", "order": "5", "cell": "c", "review": "r", "bit": "x", "p1": "7"}
    filled = {name: pd.DataFrame([row]) for name in tables} | {
        "partners": pd.DataFrame([{"partner_id": "a", "joined_on": "2020-01-01", "region": "r", "staff": "1"}])
    }
    found = compute_over(workspace, filled, [DAY]).iloc[0]
    for name in tables:
        assert [found[f"{part}_{name}"] for part in ("cells", "keys", "rows", "by")] == [5, 1, 7, 1]
    assert found["bit"] == 6


def test_texts_in_conditions_are_data_not_sql() -> None:
    hostile = "x'; DROP TABLE deals; --"
    metrics = {
        "n": {
            "from": "deals",
            "value": "count(*)",
            "where": "status = 'x''; DROP TABLE deals; --'",
            "window": "lifetime",
        }
    }
    found = metric_rows(metrics, {"deals": [deal("a'b\"; --", "2025-01-01", status=hostile)]}, DAY)
    assert found[["partner_id", "n"]].to_numpy().tolist() == [["a'b\"; --", 1.0]]


def test_missing_rows_stop_the_run_where_they_may_not_be_missing() -> None:
    metrics = {"n": {"from": "deals", "value": "count(*)", "window": "lifetime", "missing": "fail"}}
    partners = [{"partner_id": name} for name in "abcde"]
    with pytest.raises(InvalidInput) as caught:
        metric_rows(metrics, {"partners": partners, "deals": [deal("c", "2025-01-01")]}, DAY)
    assert str(caught.value) == (
        "metrics.yaml: metrics.n.missing: the metric 'n' may not be missing: 4 partner rows have no rows of 'deals'\n"
        "  for example: a, b, d\n"
        "  to do: complete the data, or let the metric's 'missing' be 0 or unknown"
    )


def test_an_unknown_formula_stops_the_run_where_it_may_not_be_missing() -> None:
    metrics = COUNT | {"ratio": {"formula": "1 / n", "missing": "fail"}}
    with pytest.raises(InvalidInput, match="the metric 'ratio' may not be missing: it is unknown for 1 partner rows"):
        metric_rows(metrics, {"partners": [{"partner_id": "a"}], "deals": [deal("b", "2025-01-01")]}, DAY)


def test_the_metric_that_does_not_suit_the_data_is_named() -> None:
    metrics = COUNT | {"cubed": {"from": "deals", "value": "sum(amount * amount * amount)", "window": "lifetime"}}
    with pytest.raises(InvalidInput) as caught:
        metric_rows(metrics, {"deals": [deal("a", "2025-01-01", amount="99999999999")]}, DAY)
    assert [fault.where for fault in caught.value.faults] == ["metrics.yaml: metrics.cubed"]
    assert "it does not suit the data" in str(caught.value)


def test_no_as_of_date_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no as-of date is given"):
        metric_rows(COUNT, {}, [])


def test_nothing_is_left_in_the_engine() -> None:
    workspace = make_workspace(COUNT)
    with open_engine() as engine:
        fill(engine, workspace, {"deals": [deal("a", "2025-01-01")]})
        before = engine.rows("SELECT table_name FROM information_schema.tables ORDER BY 1")
        compute(engine, workspace, [DAY])
        assert engine.rows("SELECT table_name FROM information_schema.tables ORDER BY 1") == before


def test_it_works_on_a_locked_engine() -> None:
    workspace = make_workspace(COUNT)
    with open_engine() as engine:
        fill(engine, workspace, {"deals": [deal("a", "2025-01-01")], "partners": [{"partner_id": "a"}]})
        engine.lock()
        assert compute(engine, workspace, [DAY])["n"].tolist() == [1]


FAULTY = {
    "unknown_column": ({"value": "sum(ammount)"}, "value: unknown name 'ammount'; did you mean 'amount'?"),
    "no_aggregate": ({"value": "amount"}, "value: no aggregate: write for example sum(amount)"),
    "of_texts": ({"value": "sum(status)"}, "value: it does not suit the columns' types"),
    "a_date": ({"value": "max(date)"}, "value: it must be a number; it is of type DATE"),
    "not_a_condition": ({"value": "count(*)", "where": "amount"}, "where: it must be true or false"),
    "in_where": ({"value": "count(*)", "where": "sum(amount) > 1"}, "where: sum() is an aggregate"),
    "outer": ({"value": "sum(amount)", "per": "month", "then": "avg(valeu)"}, "then: unknown name 'valeu'"),
    "outer_text": ({"value": "max(status)", "per": "month", "then": "max(value)"}, "then: it must be a number"),
    "no_table": ({"from": "dealz", "value": "count(*)"}, "from: 'dealz' is not a table of events"),
    "partner_table": ({"from": "partners", "value": "count(*)"}, "from: 'partners' is not a table of events"),
    "unknown_metric": ({"formula": "reveneu"}, "formula: unknown name 'reveneu'"),
    "a_text": ({"formula": "region"}, "formula: it must be a number; it is of type VARCHAR"),
    "undated_column": ({"formula": "joined_on is null"}, "formula: unknown name 'joined_on'"),
    "egg": ({"formula": "hen + 1"}, "formula: formulas depend on one another in a circle: egg -> hen -> egg"),
    "hen": ({"formula": "egg + 1"}, ""),
    "file": ({"value": "count(*)", "where": "read_csv('/etc/passwd') is null"}, "where: the function read_csv()"),
}  # fmt: skip


def test_all_faults_of_a_catalog_are_reported_at_once() -> None:
    base = {"from": "deals", "window": "lifetime"}
    metrics = {name: ({} if "formula" in metric else base) | metric for name, (metric, _) in FAULTY.items()}
    with pytest.raises(InvalidInput) as caught:
        check_catalog(make_workspace(metrics))
    messages = [str(fault).splitlines()[0] for fault in caught.value.faults]
    for name, (_, message) in FAULTY.items():
        if message:
            assert [m for m in messages if m.startswith(f"metrics.yaml: metrics.{name}.{message}")], (name, messages)
    assert len(messages) == sum(bool(message) for _, message in FAULTY.values())


def test_a_table_with_a_column_as_of_is_refused() -> None:
    tables = TABLES | {"visits": {"kind": "events", "columns": {"partner_id": {}, "date": {}, "as_of": {}}}}
    workspace = make_workspace({"n": {"from": "visits", "value": "count(*)", "window": "lifetime"}}, tables)
    with pytest.raises(InvalidInput, match="has a column 'as_of', which in a metric means the as-of date"):
        parse_catalog(workspace)


def test_warnings_tell_what_people_need_to_trust_a_figure() -> None:
    metrics = COUNT | {
        "m": {"formula": "n", "title": "t", "unit": "u", "owner": "o"},
        "k": {"formula": "n", "title": "t"},
    }
    warnings = check_catalog(make_workspace(metrics))
    assert [warning.what for warning in warnings] == [
        "the metric 'n' has no title, no unit, no owner", "the metric 'k' has no unit, no owner",
    ]  # fmt: skip


def test_the_query_can_be_written_for_spark() -> None:
    """The seam for another engine: each query is SQL that SQLGlot reads as a whole and writes for Spark."""
    workspace = make_workspace(
        COUNT | {"k": {"from": "deals", "value": "count(distinct customer)", "window": "5 months"}}
    )
    for query in table_queries(workspace, parse_catalog(workspace), [DAY]).values():
        (spark,) = sqlglot.transpile(query, read="duckdb", write="spark")
        assert sqlglot.parse_one(spark, read="spark").find(sqlglot.exp.With) is not None


def test_one_query_per_event_table_that_scans_no_more_than_the_windows_reach() -> None:
    bounded = {
        "a": {"from": "deals", "value": "sum(amount)", "window": "4 quarters"},
        "b": {"from": "deals", "value": "sum(amount)", "window": "12 months"},
        "c": {"from": "deals", "value": "sum(amount)", "window": "30 days"},
        "d": {"from": "certifications", "value": "count(*)", "window": "lifetime"},
    }
    workspace = make_workspace(bounded)
    queries = table_queries(workspace, parse_catalog(workspace), [DAY])
    assert list(queries) == ["deals", "certifications"]
    assert "t.\"date\" <= DATE '2025-12-31' AND t.\"date\" > DATE '2024-12-31'" in queries["deals"]
    assert " > DATE" not in queries["certifications"]
    assert len(re.findall(r'SUM\("amount"\)', queries["deals"])) == 2, "windows of the same days share one sum"
    assert queries["deals"].count('FROM "deals"') == 1
    many = table_queries(workspace, parse_catalog(workspace), [date(2025, 9, 30), DAY])["deals"]
    assert "\"date\" <= DATE '2025-12-31' AND \"date\" > DATE '2024-09-30'" in many
    assert len(re.findall(r'SUM\("amount"\)', many)) == 1, "one sum per cell serves all windows"
    assert "_in_12_months" not in many, "windows of the same days share one condition"
