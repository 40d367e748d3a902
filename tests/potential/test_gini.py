from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tierwise.potential.gini import normalized_gini, partner_weights, weighted_ginis

amounts = arrays(np.float64, st.integers(3, 30), elements=st.floats(0, 1e6).map(lambda x: round(x, 2)))


def plain_gini(actual: np.ndarray, order: tuple[int, ...]) -> float:
    """The definition, row by row: twice the area between the concentration curve and the diagonal."""
    shares = np.concatenate(([0.0], np.cumsum(actual[list(order)]) / actual.sum()))
    return float(np.sum(shares[1:] + shares[:-1]) / len(actual) - 1)


def test_the_perfect_ranking_scores_one_the_opposite_minus_one_and_a_constant_zero():
    actual = np.array([0.0, 1.0, 2.0, 5.0, 9.0])
    assert normalized_gini(actual, actual) == pytest.approx(1)
    assert normalized_gini(actual, -actual) == pytest.approx(-1)
    assert normalized_gini(actual, np.ones(5)) == pytest.approx(0)


def test_a_hand_computed_example():
    # Concentration curve 0, 5/10, 8/10, 10/10 against the perfect one of the same partners in the order 5, 3, 2.
    assert normalized_gini(np.array([5.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])) == pytest.approx(
        plain_gini(np.array([5.0, 2.0, 3.0]), (0, 1, 2)) / plain_gini(np.array([5.0, 2.0, 3.0]), (0, 2, 1))
    )


def test_ties_are_the_average_over_all_orders_of_the_tied_partners():
    actual = np.array([4.0, 1.0, 7.0, 2.0])
    predicted = np.array([2.0, 2.0, 2.0, 1.0])
    best = plain_gini(actual, (2, 0, 3, 1))
    over_orders = np.mean([plain_gini(actual, (*order, 3)) for order in permutations((0, 1, 2))])
    assert normalized_gini(actual, predicted) == pytest.approx(over_orders / best)


@given(amounts, st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(actual: np.ndarray, seed: int):
    predicted = np.round(np.log1p(actual) + seed % 3, 0)
    order = np.random.default_rng(seed).permutation(len(actual))
    first, second = normalized_gini(actual, predicted), normalized_gini(actual[order], predicted[order])
    assert first == pytest.approx(second, abs=1e-9, nan_ok=True)


@given(amounts)
def test_only_the_ranking_counts_and_it_never_exceeds_one(actual: np.ndarray):
    predicted = np.arange(len(actual), dtype=np.float64)
    plain = normalized_gini(actual, predicted)
    assert plain == pytest.approx(normalized_gini(actual * 100, np.exp(predicted / 10)), abs=1e-9, nan_ok=True)
    assert np.isnan(plain) or plain <= 1 + 1e-9


def test_no_spread_has_no_gini():
    assert np.isnan(normalized_gini(np.zeros(4), np.arange(4.0)))
    assert np.isnan(normalized_gini(np.full(4, 3.0), np.arange(4.0)))
    assert np.isnan(normalized_gini(np.zeros(0), np.zeros(0)))


def test_a_weight_counts_a_partner_that_often():
    rng = np.random.default_rng(1)
    actual, predicted = rng.exponential(size=20), np.round(rng.normal(size=20), 1)
    weights = rng.integers(0, 4, size=(3, 20)).astype(np.float64)
    repeated = [
        normalized_gini(np.repeat(actual, row.astype(int)), np.repeat(predicted, row.astype(int))) for row in weights
    ]
    assert weighted_ginis(actual, predicted, weights) == pytest.approx(repeated)


def test_bootstrap_weights_keep_a_partners_rows_together():
    codes = np.array([0, 1, 1, 2, 0])
    weights = partner_weights(codes, 3, 50, np.random.default_rng(3))
    assert weights.shape == (50, 5)
    assert (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, 1] == weights[:, 2]).all()
    assert (weights[:, 0] + weights[:, 1] + weights[:, 3] == 3).all()
