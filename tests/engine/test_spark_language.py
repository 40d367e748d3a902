"""Every function of the expression language gives the same on Spark as on DuckDB, over awkward values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from tests.engine.spark_here import SETTINGS, accepted, skip_without_spark
from tierwise.engine import EmbeddedEngine, parse_expression, render
from tierwise.engine.grammar import (
    AGGREGATE_FUNCTIONS,
    CANONICAL_NAMES,
    RANK_FUNCTIONS,
    SCALAR_FUNCTIONS,
    ExpressionKind,
)

__all__ = ["accepted"]

SCALARS = """
    abs(amount) | ceil(amount) | floor(amount) | floor(ratio) | ceil(-ratio) | round(amount) | round(amount, 1)
    round(ratio, 2) | round(ratio * 100) / 100 | sign(amount) | sqrt(amount) | ln(amount) | log(ratio)
    log2(amount) | log10(amount) | exp(ratio / 100) | pow(ratio, 2) | power(amount, 0.5) | mod(quantity, 7)
    amount % 3 | least(amount, quantity) | greatest(amount, quantity, 0) | least(amount) | coalesce(amount, 0)
    ifnull(quantity, -1) | nullif(quantity, 0) | if(joint, 1, 0) | lower(status) | upper(status) | length(status)
    trim(status) | substring(status, 2, 3) | left(status, 2) | left(status, -2) | right(status, 2)
    right(status, -1) | starts_with(status, 'w') | ends_with(status, 'n') | contains(status, 'o')
    regexp_matches(status, '^w.n$') | regexp_matches(status, '\\d+|[éü]') | status like 'w_n' | status like '%\\%'
    status ilike 'W%' | status || '-' || country | status = 'won' | status in ('won', 'lost') | status < 'möbel'
    amount between -5 and 100 | not joint | joint is true | amount is null | amount is not distinct from quantity
    status is distinct from country | quantity / 3 | amount / quantity | quantity + amount * 2 - 1 | -amount | 7 / 2
    amount / 0 | case when amount > 0 then 'up' when amount < 0 then 'down' end | date_diff('day', date, expires_on)
    date_diff('week', date, expires_on) | date_diff('month', date, expires_on)
    date_diff('quarter', date, expires_on) | date_diff('year', date, expires_on) | expires_on - date
    date + 30 > expires_on | date_trunc('month', date) = date '2024-02-01'
    date_trunc('week', date) < date '2024-02-29' | date_trunc('day', date) = date
    date_trunc('quarter', date) <= date | date_trunc('year', date) < date | extract(week from date)
    extract(year from date) | year(date) | quarter(date) | month(date) | day(date) | last_day(date)
    make_date(2024, 2, 29) = date | date + interval 1 month > expires_on
    date - interval '1 quarter' < date '2023-11-30' | date + interval 1 year = expires_on
    date + interval 2 week >= expires_on | cast(amount as int) | cast(ratio as bigint)
    cast(quantity as double) / 7 | cast(status as int) | cast(status as double) | cast(status as date)
    cast(written as date) | cast(written as decimal(12,3)) | cast(date as varchar) | cast(amount as varchar)
    cast(quantity as varchar) | cast(joint as int) | cast(ratio as decimal(18,3)) | date >= '2024-02-29'
    stamp < date '2024-03-01' | date_diff('day', stamp, expires_on) | year(stamp) | cast(stamp as date)
"""
AGGREGATES = """
    count(*) | count(amount) | count(distinct status) | count(distinct amount) filter (where joint)
    count_if(amount > 0) | sum(amount) | sum(ratio) | sum(quantity) | sum(amount) filter (where status = 'won')
    sum(if(joint, amount, 0)) | min(amount) | max(date) | min(status) | max(country) | avg(amount) | avg(ratio)
    avg(quantity) filter (where joint) | median(amount) | median(ratio) filter (where amount > 0)
    quantile_cont(amount, 0.9) | quantile_cont(ratio, 0.25) | quantile_disc(amount, 0.5)
    quantile_disc(quantity, 0.9) filter (where amount is not null) | bool_and(joint) | bool_or(amount > 50)
    stddev(amount) | stddev_pop(ratio) | variance(quantity) | var_pop(amount) | stddev_samp(ratio)
    var_samp(amount) | arg_max(amount, date) | max_by(status, amount) | arg_min(amount, expires_on)
    min_by(quantity, date) | arg_max(amount, date) filter (where joint) | sum(amount) / nullif(count(*), 0)
    round(avg(amount), 2) | date_diff('day', min(date), max(date)) | max(date) - min(date)
    sum(quantity) / sum(amount)
"""
WINDOWS = """
    rank() over (order by ratio desc) | dense_rank() over (partition by country order by ratio)
    percent_rank() over (order by other) | percent_rank() over (partition by country order by ratio desc)
    cume_dist() over (order by ratio) | sum(ratio) over () | ratio / sum(ratio) over (partition by country)
    avg(other) over (partition by country) | median(ratio) over (partition by status)
    count(*) over (partition by country) | max(ratio) over () - ratio
    count_if(ratio > 0) over (partition by country)
"""
STATUSES = ["won", "lost", "", None, " won ", "10%\\", "é1ü", "Möbel", "日本", "2024-02-29", "12", "2.5", "O'Neil"]
DAYS = [
    "2024-02-29",
    "2023-12-31",
    "2024-03-31",
    "2024-01-31",
    None,
    "2020-02-29",
    "2024-06-30",
    "1999-12-31",
    "2024-02-01",
]


@pytest.fixture(scope="module")
def spark(accepted: EmbeddedEngine) -> Iterator[object]:
    skip_without_spark()
    accepted.add_table("texts", awkward())
    accepted.create_table(
        "deals",
        "SELECT number, status, country, CAST(amount AS DECIMAL(18,4)) AS amount, CAST(quantity AS BIGINT) AS quantity,"
        " CAST(joint AS BOOLEAN) AS joint, CAST(day AS DATE) AS date, CAST(until AS DATE) AS expires_on,"
        " CAST(day AS TIMESTAMP) + INTERVAL 13 HOUR AS stamp, ratio, other, written FROM texts",
    )
    from tierwise.engine.spark import SparkEngine

    with SparkEngine(accepted, SETTINGS) as engine:
        yield engine


def awkward() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = 300
    amounts = rng.choice(["0", "-0.0001", "12.5", "2.5", "3.5", "-2.5", "1e5", "9999999999.9999", "0.1"], rows)
    ratios = rng.choice([0.5, 2.5, -1.5, 2.675, 1.005, 1e-7, 123456.789, -0.0, 1 / 3], rows) * rng.choice(
        [1, 1, 7], rows
    )
    return pd.DataFrame(
        {
            "number": np.arange(rows), "status": rng.choice(np.array(STATUSES, dtype=object), rows),
            "country": rng.choice(np.array(["DE", "SE", "Åland", None], dtype=object), rows),
            "amount": np.where(rng.random(rows) < 0.15, None, amounts), "quantity": rng.integers(-3, 20, rows),
            "joint": rng.choice(np.array(["true", "false", None], dtype=object), rows),
            "day": rng.choice(np.array(DAYS, dtype=object), rows),
            "until": rng.choice(np.array(DAYS, dtype=object), rows),
            "ratio": np.where(rng.random(rows) < 0.1, np.nan, ratios), "other": rng.normal(size=rows),
            "written": rng.choice(["2024", "2024-2-9", "2023-02-29", "1.2345", "1e3", " 7 ", "x"], rows),
        }
    )  # fmt: skip


def listed(text: str) -> list[str]:
    return [part.strip() for line in text.splitlines() for part in line.split(" | ") if part.strip()]


def rendered(text: str, kind: ExpressionKind) -> str:
    return render(parse_expression(text, where="here", kind=kind))


def assert_equal(found: pd.DataFrame, wanted: pd.DataFrame, texts: list[str]) -> None:
    differing = [text for place, text in enumerate(texts) if not alike(found[f"e{place}"], wanted[f"e{place}"])]
    assert differing == []


def alike(found: pd.Series, wanted: pd.Series) -> bool:
    if not (found.isna() == wanted.isna()).all():
        return False
    found, wanted = found[wanted.notna()], wanted[wanted.notna()]
    if pd.api.types.is_bool_dtype(wanted) or wanted.map(type).isin([str, bool]).any():
        return list(found) == list(wanted)
    if pd.api.types.is_datetime64_any_dtype(wanted):
        return list(pd.to_datetime(found)) == list(wanted)
    return bool(np.allclose(found.astype(float), wanted.astype(float), rtol=1e-9, atol=0))


def test_scalars(spark: object, accepted: EmbeddedEngine) -> None:
    texts = listed(SCALARS)
    columns = ", ".join(f"{rendered(text, 'scalar')} AS e{place}" for place, text in enumerate(texts))
    query = f"SELECT number, {columns} FROM deals ORDER BY number"
    assert_equal(spark.frame(query), accepted.frame(query), texts)


def test_aggregates(spark: object, accepted: EmbeddedEngine) -> None:
    texts = listed(AGGREGATES)
    columns = ", ".join(f"{rendered(text, 'aggregate')} AS e{place}" for place, text in enumerate(texts))
    query = f"SELECT country, {columns} FROM deals WHERE coalesce(amount, 0) < 1e9 GROUP BY country ORDER BY country"
    assert_equal(spark.frame(query), accepted.frame(query), texts)


def test_windows(spark: object, accepted: EmbeddedEngine) -> None:
    texts = listed(WINDOWS)
    columns = ", ".join(f"{rendered(text, 'window')} AS e{place}" for place, text in enumerate(texts))
    query = f"SELECT number, {columns} FROM deals ORDER BY number"
    assert_equal(spark.frame(query), accepted.frame(query), texts)


def test_every_function_of_the_language_is_compared() -> None:
    parsed = [parse_expression(text, where="here", kind="scalar") for text in listed(SCALARS)]
    parsed += [parse_expression(text, where="here", kind="aggregate") for text in listed(AGGREGATES)]
    parsed += [parse_expression(text, where="here", kind="window") for text in listed(WINDOWS)]
    called = {name for expression in parsed for name in expression.functions}
    known = {CANONICAL_NAMES[node] for node in {**SCALAR_FUNCTIONS, **AGGREGATE_FUNCTIONS, **RANK_FUNCTIONS}.values()}
    assert known - called == {"mod"}  # the parser reads it as %, which is compared
