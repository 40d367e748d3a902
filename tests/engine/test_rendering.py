"""What expressions mean: division, unknown values, exact sums, ties, ranks; the same tree for Spark."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.engine import Engine, is_exact, open_engine, parse_expression, render, to_tree

ROWS = [  # group, amount, quantity, status
    ("a", "1.5", 1, "won"),
    ("a", "2.5", 0, "lost"),
    ("a", None, 3, None),
    ("b", "-4", 2, "Won"),
]


@pytest.fixture(scope="module")
def engine():
    with open_engine() as engine:
        engine.run("CREATE TABLE deals (grp VARCHAR, amount DECIMAL(18,4), quantity BIGINT, status VARCHAR)")
        engine.run("INSERT INTO deals SELECT * FROM (VALUES " + ", ".join(map(sql_row, ROWS)) + ")")
        yield engine


def sql_row(row: tuple) -> str:
    return "(" + ", ".join("NULL" if value is None else repr(value) for value in row) + ")"


def aggregate(engine: Engine, text: str, group: str = "a") -> object:
    sql = render(parse_expression(text, where="x", kind="aggregate"))
    return engine.rows(f"SELECT {sql} FROM deals WHERE grp = '{group}'")[0][0]


def scalar(engine: Engine, text: str) -> object:
    return engine.rows(f"SELECT {render(parse_expression(text, where='x'))}")[0][0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 2", 0.5),
        ("1 / 0", None),
        ("0 / 0", None),
        ("1 / (1 - 1)", None),
        ("1 / 0.0", None),
        ("7 % 0", None),
        ("7 % 4", 3),
        ("10 / 4 * 2", 5.0),
        ("10 - 4 - 3", 3),
        ("10 - (4 - 3)", 9),
        ("2 - - 3", 5),
        ("least(3, 1, 2)", 1),
        ("least(3, null)", None),
        ("greatest(null, 1)", None),
        ("40 * least(null / 500, 1)", None),
        ("coalesce(null, 2)", 2),
        ("nullif(2, 2)", None),
        ("ln(0)", None),
        ("ln(-1)", None),
        ("log(100)", 2.0),
        ("log2(8)", 3.0),
        ("log(3, 81)", 4.0),
        ("sqrt(-1)", None),
        ("sqrt(16)", 4.0),
        ("pow(-8, 0.5)", None),
        ("pow(10, 1000)", None),
        ("exp(10000)", None),
        ("cast('x' as integer)", None),
        ("'12'::integer + 1", 13),
        ("'Won' = 'won'", False),
        ("null = null", None),
        ("null is not distinct from null", True),
        ("null and false", False),
        ("null or true", True),
        ("1 in (2, null)", None),
        ("date_diff('day', date '2024-02-28', date '2024-03-01')", 2),
        ("date '2024-03-31' - interval 1 month = date '2024-02-29'", True),
        ("date_trunc('quarter', date '2024-05-17') = date '2024-04-01'", True),
        ("date_trunc('month', cast('2024-05-17 10:11:12' as timestamp)) = date '2024-05-01'", True),
        ("case when null then 1 else 2 end", 2),
        ("if(1 > 2, 3, 4)", 4),
        ("'it''s' || '!'", "it's!"),
        ("round(2.5)", 3),
        ("floor(7 / 2)", 3.0),
    ],
)
def test_scalars(engine: Engine, text: str, expected: object) -> None:
    assert scalar(engine, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count(*)", 3),
        ("count(amount)", 2),
        ("count_if(amount > 2)", 1),
        ("count(distinct status)", 2),
        ("count(*) filter (where status = 'won') / count(*)", 1 / 3),
        ("sum(amount)", Decimal("4.0000")),
        ("avg(amount)", 2.0),
        ("avg(amount) filter (where quantity > 0)", 1.5),
        ("avg(amount) filter (where quantity > 9)", None),
        ("2 / avg(amount)", 1.0),
        ("6 / 3 / avg(quantity)", 1.5),
        ("sum(amount) / sum(quantity) filter (where quantity < 1)", None),
        ("median(quantity)", 1.0),
        ("quantile_cont(quantity, 0.75)", 2.0),
        ("quantile_disc(quantity, 0.5)", 1.0),
        ("min(amount)", Decimal("1.5000")),
        ("bool_or(quantity = 0)", True),
        ("bool_and(quantity > 0)", False),
        ("var_pop(quantity)", 14 / 9),
        ("variance(quantity)", 7 / 3),
        ("stddev(quantity)", (7 / 3) ** 0.5),
        ("stddev_pop(quantity) filter (where quantity > 0)", 1.0),
        ("arg_max(amount, quantity)", Decimal("1.5000")),
        ("arg_min(amount, quantity)", Decimal("2.5000")),
        ("arg_max(status, quantity) filter (where quantity < 1)", "lost"),
        ("sum(amount / quantity)", Decimal("1.500000000")),
        ("sum(amount * 0.1)", Decimal("0.40000")),
    ],
)
def test_aggregates(engine: Engine, text: str, expected: object) -> None:
    assert aggregate(engine, text) == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_a_spread_of_one_row_is_unknown(engine: Engine) -> None:
    assert aggregate(engine, "stddev(amount)", "b") is None
    assert aggregate(engine, "stddev_pop(amount)", "b") == 0.0


TIED = [("2", 7), ("9", 7), ("5", 7), ("1", 3), ("4", 3)]


@pytest.mark.parametrize(
    ("text", "expected"), [("arg_max(amount, quantity)", 9), ("arg_min(amount, quantity)", 1), ("sum(amount / 3)", 7)]
)
def test_no_aggregate_depends_on_row_order(text: str, expected: int) -> None:
    sql = render(parse_expression(text, where="x", kind="aggregate"))
    found = set()
    with open_engine() as engine:
        for rows in list(permutations(TIED))[::7]:
            values = ", ".join(f"(CAST({amount} AS DECIMAL(18,4)), {quantity})" for amount, quantity in rows)
            found.add(engine.rows(f"SELECT {sql} FROM (VALUES {values}) AS v(amount, quantity)")[0][0])
    assert {round(value, 6) for value in found} == {expected}
    assert len(found) == 1


def formula(engine: Engine, text: str, partition_by: tuple[str, ...] = ()) -> list[object]:
    sql = render(parse_expression(text, where="x", kind="window"), partition_by=partition_by)
    rows = engine.rows(f"SELECT grp, {sql} FROM deals ORDER BY grp, amount NULLS LAST")
    return [value for _, value in rows]


def test_ranks_leave_unknown_figures_out(engine: Engine) -> None:
    assert formula(engine, "rank() over (order by amount)") == [2, 3, None, 1]
    assert formula(engine, "rank() over (order by amount desc)") == [2, 1, None, 3]
    assert formula(engine, "percent_rank() over (partition by grp order by amount)") == [0.0, 1.0, None, 0.0]
    assert formula(engine, "1 - percent_rank() over (order by amount)") == [0.5, 0.0, None, 1.0]


def test_windows_are_within_each_as_of_date(engine: Engine) -> None:
    assert formula(engine, "rank() over (order by amount)", ("grp",)) == [1, 2, None, 1]
    assert formula(engine, "amount / sum(amount) over ()", ("grp",)) == [0.375, 0.625, None, 1.0]
    assert formula(engine, "avg(quantity) over (partition by grp)") == [pytest.approx(4 / 3)] * 3 + [2.0]
    assert formula(engine, "median(quantity) over ()") == [1.5] * 4


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("a", True), ("a * 0.1", True), ("a + b - 3", True), ("case when a > 1 then a else 0.5 end", True),
        ("coalesce(a, 0)", True), ("least(a, b)", True), ("a > b", True), ("date_diff('day', a, b)", True),
        ("a / b", False), ("a * 1e3", False), ("sqrt(a)", False), ("pow(a, 2)", False), ("a::double", False),
        ("if(a > 1, a, a / 2)", False), ("round(a / 3, 2)", False), ("a::decimal(18, 2)", True),
    ],
)  # fmt: skip
def test_sums_of_inexact_values_are_made_exact(text: str, exact: bool) -> None:
    assert is_exact(to_tree(parse_expression(text, where="x"))) is exact
    summed = render(parse_expression(f"sum({text})", where="x", kind="aggregate"))
    assert ("AS DECIMAL(38, 9)" in summed) is not exact


def test_the_text_of_an_expression_is_left_unchanged_by_rendering() -> None:
    parsed = parse_expression("avg(a / 2) / nullif(sum(b), 0)", where="x", kind="aggregate")
    before = parsed.tree.sql("duckdb")
    assert render(parsed) == render(parsed)
    assert parsed.tree.sql("duckdb") == before


@pytest.mark.parametrize(
    "text",
    [
        "count(*) filter (where a > 1) / count(*)",
        "avg(a / b)",
        "arg_max(a, b)",
        "sum(coalesce(a, 0))",
        "count(distinct a)",
    ],
)
def test_the_same_tree_renders_for_spark(text: str) -> None:
    sql = render(parse_expression(text, where="x", kind="aggregate"), "spark")
    assert "`a`" in sql
    assert sqlglot.parse_one(sql, read="spark") is not None


NAMES = st.sampled_from(["amount", "quantity", "1", "0", "2.5", "null"])
SCALARS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["abs", "sqrt", "ln", "floor", "exp"]), inner).map(
            lambda parts: f"{parts[0]}({parts[1]})"
        ),
        st.tuples(st.sampled_from(["least", "greatest", "coalesce", "nullif"]), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(text=SCALARS)
def test_no_arithmetic_gives_nan_or_infinity_or_an_error(engine: Engine, text: str) -> None:
    sql = render(parse_expression(f"({text}) / 7", where="x"))
    for (value,) in engine.rows(f"SELECT CAST({sql} AS DOUBLE) FROM deals"):
        assert value is None or abs(value) < 1e300
