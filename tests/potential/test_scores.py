"""The plain scores by hand, and what must not change them: the order of rows and the unit of money."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tierwise.potential.scores import (
    PLAIN_SCORES,
    bootstrap_range,
    calibration,
    deciles,
    mean_absolute_error,
    skill_on_change,
    spearman,
    top_decile_capture,
    total_ratio,
)

AMOUNTS = arrays(float, 25, elements=st.integers(0, 50).map(float))


def test_rank_correlation_by_hand() -> None:
    actual = np.array([1.0, 2.0, 300.0])
    assert spearman(actual, np.array([10.0, 30.0, 20.0])) == pytest.approx(0.5)  # 1 - 6 x 2 / (3 x 8)
    assert spearman(actual, -actual) == pytest.approx(-1)


def test_error_and_total_by_hand() -> None:
    actual, predicted = np.array([1.0, 3.0]), np.array([2.0, 4.0])
    assert mean_absolute_error(actual, predicted) == 1
    assert total_ratio(actual, predicted) == 1.5


@pytest.mark.parametrize("predicted", [np.zeros(20), np.full(20, 7.0)])
def test_a_constant_prediction_captures_a_tenth_of_the_value(predicted: np.ndarray) -> None:
    assert top_decile_capture(np.arange(1.0, 21), predicted) == pytest.approx(0.1)


def test_the_top_tenth_of_twenty_is_two_partners() -> None:
    actual = np.arange(1.0, 21)
    assert top_decile_capture(actual, actual) == pytest.approx(39 / 210)
    assert top_decile_capture(actual, -actual) == pytest.approx(3 / 210)


def test_the_top_tenth_of_fewer_than_ten_is_one_partner() -> None:
    assert top_decile_capture(np.array([6.0, 3.0, 1.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(0.6)


@settings(max_examples=40, deadline=None)
@given(AMOUNTS, AMOUNTS, st.integers(0, 1000))
def test_no_score_depends_on_the_order_of_rows(actual: np.ndarray, predicted: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(actual))
    for score in PLAIN_SCORES.values():
        assert score(actual[order], predicted[order]) == pytest.approx(score(actual, predicted), nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(AMOUNTS, AMOUNTS)
def test_in_cents_only_the_error_is_a_hundred_times_as_large(actual: np.ndarray, predicted: np.ndarray) -> None:
    for name, score in PLAIN_SCORES.items():
        factor = 100 if name == "mae" else 1
        found = score(actual * 100, predicted * 100)
        assert found == pytest.approx(score(actual, predicted) * factor, nan_ok=True)


def test_persistence_has_no_skill_on_change_and_the_truth_has_all() -> None:
    before, after = np.array([1.0, 10.0, 100.0]), np.array([5.0, 9.0, 20.0])
    assert np.isnan(skill_on_change(after, before, before, 1.0))
    assert skill_on_change(after, after, before, 1.0) == pytest.approx(1)


def test_tenths_hold_one_of_ten_each_and_ties_stay_together() -> None:
    assert deciles(np.arange(10.0)).tolist() == list(range(1, 11))
    assert deciles(np.full(4, 5.0)).tolist() == [6, 6, 6, 6]
    assert deciles(np.array([3.0])).tolist() == [6]


@settings(max_examples=40, deadline=None)
@given(AMOUNTS, AMOUNTS)
def test_calibration_loses_no_partner_and_no_money(actual: np.ndarray, predicted: np.ndarray) -> None:
    table = calibration(actual, predicted)
    assert table["partners"].sum() == len(actual)
    assert (table["partners"] * table["actual"]).sum() == pytest.approx(actual.sum())
    assert (table["partners"] * table["predicted"]).sum() == pytest.approx(predicted.sum())
    assert table["predicted"].is_monotonic_increasing


def test_calibration_of_nobody_has_its_columns() -> None:
    table = calibration(np.zeros(0), np.zeros(0))
    assert table.empty
    assert list(table.columns) == ["decile", "partners", "predicted", "actual"]


def test_the_interval_of_draws_leaves_out_what_is_undefined() -> None:
    draws = np.concatenate([np.arange(101.0), [np.nan, np.inf]])
    assert bootstrap_range(draws, 0.9) == pytest.approx((5, 95))
    assert np.isnan(bootstrap_range(np.array([1.0, np.nan]), 0.9)).all()
