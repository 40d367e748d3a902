"""Standing checks that every metric of every shipped catalog must pass, on made-up rows that fit its tables.

A small list of named checks, in the manner of scikit-learn's estimator checks: what must not change a metric's values.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlglot import exp

from tests.metrics.small_workspaces import compute_over, made_up_rows, make_workspace
from tierwise.config.load import Workspace, load_workspace
from tierwise.metrics import check_catalog, parse_catalog

PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"
SHIPPED = sorted(path.parent.name for path in PIPELINES.glob("*/metrics.yaml"))
AS_OF_DATES = [date(2024, 8, 15), date(2024, 12, 31)]
FEW = ["P003", "P017", "P031"]

TOLD = {"title": "t", "unit": "u", "owner": "o"}
OWN_CATALOG = {
    "revenue_4q": {"value": "sum(amount)", "where": "status = 'won'", "window": "4 quarters", "missing": 0},
    "revenue_last_year": {"value": "sum(amount)", "window": "12 months", "offset": "1 year"},
    "settled": {"value": "sum(amount)", "window": "2 quarters", "lag": "30 days"},
    "win_rate": {"value": "count(*) filter (where status = 'won') / count(*)", "window": "12 months", "min_rows": 3},
    "mean_price": {"value": "sum(amount / quantity) / count(*)", "window": "lifetime"},
    "spread": {"value": "stddev(amount)", "window": "900 days"},
    "median_deal": {"value": "median(amount)", "window": "8 calendar quarters"},
    "customers": {"value": "count(distinct customer)", "window": "5 quarters"},
    "winning_customers": {"value": "count(distinct customer) filter (where status = 'won')", "window": "18 months"},
    "latest_amount": {"value": "arg_max(amount, date)", "window": "lifetime"},
    "silence": {"value": "date_diff('day', max(date), as_of)", "window": "lifetime"},
    "recent_share": {"value": "count_if(date > as_of - 90) / count(*)", "window": "as of"},
    "active_months": {"per": "month", "value": "sum(amount)", "then": "count_if(value > 1000)", "window": "24 months"},
    "idle_quarters": {"per": "quarter", "value": "count(*)", "then": "count_if(value is null)", "window": "8 quarters"},
    "best_year": {"per": "year", "value": "sum(amount)", "then": "max(value)", "window": "lifetime"},
    "certified": {
        "from": "certifications",
        "value": "count(distinct person)",
        "where": "expires_on > as_of",
        "window": "lifetime",
    },
    "segments_ever": {"from": "segments", "value": "count(distinct segment)", "window": "lifetime"},
    "growth": {"formula": "revenue_4q / nullif(revenue_last_year, 0) - 1"},
    "growth_per_head": {"formula": "growth / staff"},
    "rank_in_region": {"formula": "percent_rank() over (partition by region order by revenue_4q)"},
    "rank_of_growth": {"formula": "rank() over (partition by segment order by growth desc)"},
    "share_of_region": {"formula": "revenue_4q / sum(revenue_4q) over (partition by region)"},
}  # fmt: skip


@lru_cache
def workspace_of(name: str) -> Workspace:
    if name in SHIPPED:
        return load_workspace(PIPELINES / name)
    metrics = {
        key: TOLD | ({} if "formula" in metric else {"from": "deals"}) | metric for key, metric in OWN_CATALOG.items()
    }
    return make_workspace(metrics, calendar={"fiscal_year_starts": "february"})


@lru_cache
def tables_of(name: str) -> dict[str, pd.DataFrame]:
    return made_up_rows(workspace_of(name), seed=7)


@lru_cache
def rows_of(name: str, variant: Callable[[str], dict[str, pd.DataFrame]] = tables_of) -> pd.DataFrame:
    return compute_over(workspace_of(name), variant(name), AS_OF_DATES)


def dated_by(table: str, name: str) -> str:
    return "date" if workspace_of(name).table(table).kind == "events" else "valid_from"


def dated_tables(name: str) -> list[str]:
    return list(workspace_of(name).tables_of("events", "history", "tier_history"))


# --- the variants: tables that differ in something that must not matter ---


def shuffled(name: str) -> dict[str, pd.DataFrame]:
    return {table: rows.sample(frac=1, random_state=3) for table, rows in tables_of(name).items()}


def few_partners(name: str) -> dict[str, pd.DataFrame]:
    return {table: rows[rows["partner_id"].isin(FEW)] for table, rows in tables_of(name).items()}


def one_partner(name: str) -> dict[str, pd.DataFrame]:
    return {table: rows[rows["partner_id"] == FEW[0]] for table, rows in tables_of(name).items()}


def without_future(name: str) -> dict[str, pd.DataFrame]:
    last = AS_OF_DATES[-1].isoformat()
    kept = dict(tables_of(name))
    for table in dated_tables(name):
        rows = kept[table]
        rows = rows[rows[dated_by(table, name)] <= last]
        kept[table] = rows[rows["known_on"] <= last] if "known_on" in rows else rows
    return kept


def scrambled_future(name: str) -> dict[str, pd.DataFrame]:
    """Every row that is dated or known after the last as-of date gets other values, and another partner."""
    last, rng = AS_OF_DATES[-1].isoformat(), np.random.default_rng(5)
    changed = dict(tables_of(name))
    for table in dated_tables(name):
        rows = changed[table].copy()
        future = rows[dated_by(table, name)] > last
        future |= rows["known_on"] > last if "known_on" in rows else False
        values = [column for column in rows if column not in ("date", "known_on", "valid_from")]
        for column in values:
            rows.loc[future, column] = rng.permutation(rows.loc[future, column].to_numpy())
        changed[table] = rows
    return changed


# --- the checks ---


def assert_same(name: str, metric: str, found: pd.DataFrame) -> None:
    usual = rows_of(name).set_index(["as_of", "partner_id"])[metric]
    found = found.set_index(["as_of", "partner_id"])[metric]
    pd.testing.assert_series_equal(found, usual.loc[found.index], check_exact=True)


def check_row_order_is_irrelevant(name: str, metric: str) -> None:
    assert_same(name, metric, rows_of(name, shuffled))


def check_other_partners_are_irrelevant(name: str, metric: str) -> None:
    if not compares_partners(name, metric):
        assert_same(name, metric, rows_of(name, few_partners))


def check_one_partner_alone_gets_the_same(name: str, metric: str) -> None:
    if not compares_partners(name, metric):
        assert_same(name, metric, rows_of(name, one_partner))


def check_the_future_can_be_deleted(name: str, metric: str) -> None:
    assert_same(name, metric, rows_of(name, without_future))


def check_the_future_can_be_changed(name: str, metric: str) -> None:
    assert_same(name, metric, rows_of(name, scrambled_future))


def check_an_as_of_date_alone_gets_the_same(name: str, metric: str) -> None:
    assert_same(name, metric, alone(name))


@lru_cache
def alone(name: str) -> pd.DataFrame:
    return compute_over(workspace_of(name), tables_of(name), AS_OF_DATES[:1])


def check_it_is_known_for_someone(name: str, metric: str) -> None:
    values = rows_of(name)[metric]
    assert values.dtype == "float64"
    assert np.isfinite(values.dropna()).all()
    assert values.notna().any()


def check_unit_title_and_owner_are_given(name: str, metric: str) -> None:
    settings = workspace_of(name).catalog.metrics[metric]
    assert settings.title
    assert settings.unit
    assert settings.owner


CHECKS = [
    check_row_order_is_irrelevant,
    check_other_partners_are_irrelevant,
    check_one_partner_alone_gets_the_same,
    check_the_future_can_be_deleted,
    check_the_future_can_be_changed,
    check_an_as_of_date_alone_gets_the_same,
    check_it_is_known_for_someone,
    check_unit_title_and_owner_are_given,
]


@lru_cache
def comparing_metrics(name: str) -> frozenset[str]:
    """The formulas that rank or sum over partners, and those that use them."""
    found: set[str] = set()
    for step in parse_catalog(workspace_of(name)).formulas:
        for formula in step:
            if formula.expression.tree.find(exp.Window) or formula.expression.names & found:
                found.add(formula.name)
    return frozenset(found)


def compares_partners(name: str, metric: str) -> bool:
    return metric in comparing_metrics(name)


MEMBERS = [(name, metric) for name in ["own", *SHIPPED] for metric in workspace_of(name).catalog.metrics]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize(("name", "metric"), MEMBERS, ids=lambda value: str(value))
def test_every_metric_of_every_catalog_passes(name: str, metric: str, check: Callable[[str, str], None]) -> None:
    check(name, metric)


@pytest.mark.parametrize("name", ["own", *SHIPPED])
def test_every_catalog_is_free_of_faults_and_warnings(name: str) -> None:
    assert check_catalog(workspace_of(name)) == ()


def test_the_own_catalog_covers_what_compares_partners() -> None:
    assert comparing_metrics("own") == {"rank_in_region", "rank_of_growth", "share_of_region"}


@pytest.mark.parametrize("name", ["own", *SHIPPED])
def test_the_rows_are_as_contracted(name: str) -> None:
    rows = rows_of(name)
    assert rows["as_of"].dtype == "datetime64[us]"
    assert rows["first_seen"].dtype == "datetime64[us]"
    assert rows["partner_id"].dtype == "str"
    assert rows.sort_values(["as_of", "partner_id"], ignore_index=True).equals(rows)
    assert not rows.duplicated(["as_of", "partner_id"]).any()
    attributes = list(workspace_of(name).attributes)
    assert all(rows[attribute].dtype == "str" for attribute in attributes)
    metrics = list(workspace_of(name).catalog.metrics)
    assert list(rows) == ["as_of", "partner_id", "first_seen", "tenure_days", *attributes, *metrics]
