"""What the language holds, what the three kinds of expression may hold, and how names are checked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.engine import check_names, parse_expression, render
from tierwise.engine.grammar import AGGREGATE_FUNCTIONS, RANK_FUNCTIONS, SCALAR_FUNCTIONS
from tierwise.errors import InvalidInput


def refusal(text: str, kind: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_expression(text, where="x", kind=kind)
    return str(caught.value)


def test_an_expression_tells_its_names_and_functions() -> None:
    parsed = parse_expression(
        "count(*) filter (where status = 'won') / nullif(count(*), 0)", where="x", kind="aggregate"
    )
    assert parsed.names == {"status"}
    assert parsed.functions == {"count", "nullif"}


@pytest.mark.parametrize("name", ["date", "value", "name", "type", "status", "year", "month", "order", "filter", "end"])
def test_columns_may_have_everyday_names(name: str) -> None:
    assert parse_expression(f"{name} is not null", where="x").names == {name}
    assert parse_expression(f'"{name}" is not null', where="x").names == {name}


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("sum(amount)", "scalar", "sum() is an aggregate, which is not allowed here"),
        ("rank() over (order by a)", "scalar", "window functions are allowed only in a formula"),
        ("rank() over (order by a)", "aggregate", "window functions are allowed only in a formula"),
        ("amount", "aggregate", "no aggregate: write for example sum(amount)"),
        ("amount + sum(amount)", "aggregate", "the column 'amount' stands outside an aggregate"),
        ("sum(max(amount))", "aggregate", "max() is inside another aggregate; use 'per' and 'then'"),
        ("count(a, b)", "aggregate", "count takes '*', or one column"),
        ("count(distinct a, b)", "aggregate", "count(distinct ...) takes one column"),
        ("sum(distinct a)", "aggregate", "'distinct' is allowed only in count(distinct ...)"),
        ("sum(*)", "aggregate", "'*' is allowed only in count(*)"),
        ("quantile_cont(a, 2)", "aggregate", "a share between 0 and 1"),
        ("quantile_cont(a, b)", "aggregate", "a share between 0 and 1"),
        ("first(a)", "aggregate", "depends on row order; use arg_min(column, date)"),
        ("last(a)", "aggregate", "depends on row order; use arg_max(column, date)"),
        ("any_value(a)", "aggregate", ""),
        ("string_agg(a, ',')", "aggregate", "depends on row order"),
        ("list(a)", "aggregate", "depends on row order"),
        ("mode(a)", "aggregate", "ties would be broken at random"),
        ("approx_count_distinct(a)", "aggregate", "use count(distinct column), which is exact"),
        ("sum(a order by b)", "aggregate", "'order by'"),
        ("sum(a)", "window", "sum() needs over (...) in a formula"),
        ("rank()", "window", "rank() needs over (...)"),
        ("rank() over ()", "window", "rank() needs 'order by' one figure"),
        ("rank() over (order by a, b)", "window", "rank() needs 'order by' one figure"),
        ("row_number() over (order by a)", "window", "row_number"),
        ("ntile(4) over (order by a)", "window", "ties would be broken at random"),
        ("sum(a) over (order by b)", "window", "a running aggregate depends on row order"),
        ("avg(a) over (rows between 1 preceding and current row)", "window", "a window takes only"),
        ("max(a) over w", "window", "a window takes only"),
        ("sum(rank() over (order by a)) over ()", "window", "a window function is inside another"),
        ("lag(a) over (order by b)", "window", "'offset'"),
        ("count(distinct a) over ()", "window", ""),
        ("summ(a)", "aggregate", "did you mean sum()?"),
        ("date_diff(unit, a, b)", "scalar", ""),
        ("date_trunc('fortnight', a)", "scalar", "is not a unit of time"),
        ("a + interval 1 fortnight", "scalar", ""),
        ("regexp_matches(a, b)", "scalar", "a pattern in single quotes"),
        ("a is b", "scalar", ""),
        ("least(least(least(least(least(a, 1), 1), 1), 1), 1)", "scalar", "nested more than 4 deep"),
    ],
)
def test_each_kind_refuses_what_it_may_not_hold(text: str, kind: str, message: str) -> None:
    assert message in refusal(text, kind)


def test_unknown_names_are_reported_with_the_nearest_known_one() -> None:
    parsed = parse_expression("ammount + Status + zzz", where="metrics.yaml: x")
    faults = check_names(parsed, ["amount", "status"], "metrics.yaml: x")
    assert [fault.what for fault in faults] == [
        "unknown name 'Status'; did you mean 'status'?",
        "unknown name 'ammount'; did you mean 'amount'?",
        "unknown name 'zzz'; known are 'amount', 'status'",
    ]
    assert all(fault.where == "metrics.yaml: x" for fault in faults)
    assert check_names(parsed, ["ammount", "Status", "zzz"]) == ()


WORDS = """
    read_csv first select from where filter over partition order by case when then else end and or not in is null
    between like cast as date interval day distinct true ( ) ( ) , * / + - = < > <> :: || . 1 0.5 1e5 'x' a amount as_of
    "a" ; -- integer decimal(18,2) exists all any row unnest lateral qualify with values ?
"""
TOKENS = st.sampled_from([*WORDS.split(), *SCALAR_FUNCTIONS, *AGGREGATE_FUNCTIONS, *RANK_FUNCTIONS])
HOSTILE_TEXT = st.one_of(st.text(max_size=200), st.lists(TOKENS, max_size=40).map(" ".join))


@settings(max_examples=1500, deadline=None)
@given(text=HOSTILE_TEXT, kind=st.sampled_from(["scalar", "aggregate", "window"]))
def test_whatever_the_text_only_a_valid_expression_or_a_refusal_comes_out(text: str, kind: str) -> None:
    try:
        parsed = parse_expression(text, where="x", kind=kind)
    except InvalidInput:
        return
    sql = render(parsed)
    assert ";" not in sql.replace("';'", "")
    again = parse_expression(text, where="x", kind=kind)
    assert again.tree == parsed.tree
    assert render(again) == sql
