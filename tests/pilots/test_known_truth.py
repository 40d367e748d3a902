"""The simulations of known_truth.py with few repeats; benchmarks/bench_pilots.py runs many against tight bands.

Bands here are those of METHODS section 5 widened by three Monte-Carlo errors.
"""

from __future__ import annotations

import math

import pytest

from tests.pilots import known_truth


def near(share: float, low: float, high: float, repeats: int) -> bool:
    slack = 3 * math.sqrt(max(low * (1 - low), high * (1 - high)) / repeats)
    return low - slack <= share <= high + slack


def test_intervals_hold_the_truth_and_covariates_make_them_narrower():
    found = known_truth.coverage(200, 11)
    assert near(found["plain"], 0.935, 0.965, 200)
    assert near(found["lin"], 0.935, 0.965, 200)
    assert found["width ratio"] < 0.75


def test_looking_twelve_times_does_not_find_what_is_not_there():
    found = known_truth.peeking(400, 12)
    assert near(found["accumulating"], 0, 0.05, 400)
    assert near(found["joining"], 0, 0.05, 400)
    assert found["joining, naive"] > 0.15


def test_ten_distributors_hold_the_error_rate_where_the_naive_error_does_not():
    found = known_truth.ten_clusters(150, 13, permutations=99)
    assert near(found["CR2"], 0.03, 0.07, 150)
    assert near(found["redrawing"], 0.03, 0.07, 150)
    assert found["naive"] > 0.2


def test_ratios_by_partner_cover_and_by_deal_do_not():
    found = known_truth.ratios(300, 14)
    assert near(found["delta"], 0.935, 0.965, 300)
    assert found["naive by deals"] < 0.9


def test_returns_cover():
    found = known_truth.return_on_cost(150, 15)
    assert near(found["return"], 0.935, 0.965, 150)
    assert near(found["payback"], 0.935, 0.965, 150)


def test_staggered_roll_outs_are_unbiased_where_two_way_effects_are_not():
    found = known_truth.staggered_roll_out(12, 16)
    assert found["mean estimate"] == pytest.approx(found["truth"], abs=0.08)
    assert found["two-way"] < 0.6 * found["truth"]
    assert near(found["coverage"], 0.935, 0.965, 12)


def test_thresholds_cover_and_pushing_is_caught():
    found = known_truth.discontinuity(8, 17)
    assert found["pushing caught"] == 1
    assert near(found["coverage"], 0.935, 0.965, 8)


def test_one_region_finds_its_effect():
    found = known_truth.one_region(4, 18)
    assert found["mean estimate"] == pytest.approx(1.0, abs=0.3)
    assert near(found["type one"], 0, 0.05, 4)


def test_effects_by_archetype_are_better_drawn_in():
    found = known_truth.by_archetype(10, 19)
    assert found["error drawn in / own"] < 0.8
    assert found["coverage"] >= 0.9
