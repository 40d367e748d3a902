from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tierwise.pilots.families import holm
from tierwise.pilots.intervals import at_look, by_t, fieller

numbers = st.floats(-50, 50)


@given(numbers, st.floats(5, 50), st.floats(0.1, 1), st.floats(0.1, 1), st.floats(-0.9, 0.9))
def test_fiellers_ends_are_where_the_difference_is_just_not_zero(above, below, first, second, correlation):
    both = correlation * first * second
    found = fieller(above, below, np.array([[first**2, both], [both, second**2]]), 1.96)
    assert found.low is not None
    assert found.high is not None
    for end in (found.low, found.high):
        gap = above - end * below
        error = math.sqrt(first**2 - 2 * end * both + end**2 * second**2)
        assert abs(gap) / error == pytest.approx(1.96, rel=1e-6)


def test_fieller_has_no_end_where_the_denominator_may_be_zero():
    found = fieller(3.0, 1.0, np.array([[1.0, 0.0], [0.0, 1.0]]), 1.96)
    assert (found.estimate, found.low, found.high) == (3.0, None, None)
    assert math.isnan(fieller(3.0, 0.0, np.eye(2), 1.96).estimate)


def test_fieller_with_a_sure_denominator_is_a_scaled_interval():
    found = fieller(6.0, 2.0, np.array([[1.0, 0.0], [0.0, 0.0]]), 2.0)
    assert (found.low, found.high) == (pytest.approx(2.0), pytest.approx(4.0))


@given(numbers, st.floats(0.1, 10), st.floats(0.05, 1), st.floats(0.01, 0.2))
def test_a_look_excludes_zero_exactly_where_its_p_is_below_alpha(estimate, error, share, alpha):
    found = at_look(estimate, error, share, alpha)
    excluded = found.low > 0 or found.high < 0
    assert excluded == (found.p < alpha) or found.p == pytest.approx(alpha, rel=1e-6)
    plain = by_t(estimate, error, 1e9, alpha)
    assert found.low < plain.low
    assert found.high > plain.high


def test_a_sure_estimate_has_no_test():
    assert by_t(1.0, 0.0, 5, 0.05).p is None
    assert at_look(1.0, 0.0, 0.5, 0.05).low == 1.0


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_holm_is_that_of_statsmodels(count):
    ps = np.random.default_rng(count).choice([0.0, 0.004, 0.01, 0.03, 0.2, 1.0], count)
    assert holm(ps) == pytest.approx(multipletests(ps, method="holm")[1])
