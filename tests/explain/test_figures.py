"""Numbers are written as their reader expects them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.explain.figures import factor, figure, over_period, told_apart

CASES = [
    (412_345.0, "USD", "USD 412 k"),
    (9_999.0, "USD", "USD 9,999"),
    (-12_500.0, "EUR", "EUR -12.5 k"),
    (1_250_000.0, "EUR", "EUR 1.25 m"),
    (999_960.0, "EUR", "EUR 1.00 m"),
    (2.5e9, "USD", "USD 2.50 bn"),
    (0.0, "USD", "USD 0"),
    (0.3412, "ratio", "34.1 %"),
    (0.5, "share", "50 %"),
    (1.0, "deals", "1 deal"),
    (12.0, "deals", "12 deals"),
    (1.0, "people", "1 person"),
    (1.0, "address", "1 address"),
    (2.5, "hours", "2.5 hours"),
    (0.125, "days", "0.12 days"),
    (61.25, "points", "61.2"),
    (1_234.5, "", "1,234"),
]


@pytest.mark.parametrize(("value", "unit", "expected"), CASES)
def test_a_figure_reads_as_expected(value: float, unit: str, expected: str) -> None:
    assert figure(value, unit) == expected


@pytest.mark.parametrize("value", [None, math.nan])
def test_an_unknown_value_says_so(value: float | None) -> None:
    assert figure(value, "USD") == "unknown"


def test_a_factor_keeps_two_decimals_while_they_matter() -> None:
    assert [factor(1.834), factor(0.5), factor(23.4)] == ["× 1.83", "× 0.50", "× 23"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("won revenue, last 4 quarters", "won revenue over the last 4 quarters"),
        ("sales, last quarter", "sales over the last quarter"),
        ("sales, the 2 quarters before the last 2", "sales over the 2 quarters before the last 2"),
        ("months with sales, of the last 6", "months with sales, of the last 6"),
        ("customers, last call missed", "customers, last call missed"),
        ("", ""),
    ],
)
def test_a_period_is_tied_to_its_title(title: str, said: str) -> None:
    assert over_period(title) == said


@pytest.mark.parametrize(
    ("value", "other", "unit", "shown"),
    [
        (199.98, 200.0, "BRL", "BRL 199.98"),
        (150.0, 200.0, "BRL", "BRL 150"),
        (200.0, 200.0, "BRL", "BRL 200"),
        (49_999_999.0, 50_000_000.0, "EUR", "EUR 49,999,999.00"),
        (0.2999, 0.3, "ratio", "29.99 %"),
        (99.996, 100.0, "points", "99.996"),
        (4.999, 5.0, "people", "4.999 people"),
        (None, 5.0, "people", "unknown"),
        (math.nan, 5.0, "people", "unknown"),
    ],
)
def test_a_value_never_reads_the_same_as_a_threshold_that_it_is_not(
    value: float | None, other: float, unit: str, shown: str
) -> None:
    assert told_apart(value, other, unit) == shown


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1.0), st.sampled_from(["EUR", "ratio", "deals", ""]))
def test_two_values_are_told_apart_whatever_their_size(value: float, step: float, unit: str) -> None:
    if value + step != value:
        assert told_apart(value, value + step, unit) != figure(value + step, unit)
