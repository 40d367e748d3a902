"""Size bands of the intervals for any values: enough partners in each, covered as promised, never a hole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tierwise.config.model_spec import IntervalSpec
from tierwise.potential.intervals import (
    BAND_COLUMNS,
    NOTHING,
    LogScale,
    band_edges,
    calibrate,
    conformal_quantile,
    widen,
)

SPEC = IntervalSpec(bands=3, band_rows=10)
CENTRES = st.integers(1, 60).flatmap(lambda n: arrays(float, n, elements=st.integers(0, 15).map(float)))


@settings(max_examples=60, deadline=None)
@given(CENTRES)
def test_bands_rise_from_no_bound_and_hold_enough_partners(centre: np.ndarray) -> None:
    edges = band_edges(centre, SPEC)
    assert edges[0] == -np.inf
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= SPEC.bands + (centre == 0).any()
    counts = np.histogram(centre, bins=[*edges, np.inf])[0]
    assert (counts >= min(SPEC.band_rows, len(centre))).all()


@settings(max_examples=60, deadline=None)
@given(CENTRES, st.integers(0, 1000), st.booleans())
def test_the_review_it_was_calibrated_on_is_covered_as_promised(centre: np.ndarray, seed: int, quantiles: bool) -> None:
    rng = np.random.default_rng(seed)
    logged = np.log1p(centre)
    actual = logged + rng.normal(0, 1, len(centre))
    bounds = (logged - 0.3, logged + 0.3) if quantiles else (logged, logged)
    table = calibrate("model", centre, bounds, actual, SPEC)
    assert tuple(table.columns) == BAND_COLUMNS
    assert table["partners"].sum() == len(centre)
    scale = LogScale(1.0)
    low, high = widen(table, "model", centre, bounds, scale)
    inside = (scale.back(actual) >= low - 1e-9) & (scale.back(actual) <= high + 1e-9)
    assert inside.mean() >= SPEC.coverage


@settings(max_examples=60, deadline=None)
@given(arrays(float, st.integers(1, 40), elements=st.integers(-9, 9).map(float)), st.floats(0.01, 0.99))
def test_the_conformal_quantile_leaves_at_least_its_level_below(scores: np.ndarray, level: float) -> None:
    found = conformal_quantile(scores, level)
    assert found in scores
    assert (scores <= found).mean() >= level - 1e-12


def test_bands_that_ties_would_empty_are_merged_into_one() -> None:
    mostly = np.concatenate([np.zeros(35), np.arange(1.0, 6)])
    assert band_edges(mostly, SPEC).tolist() == [-np.inf]
    assert band_edges(np.full(40, 7.0), SPEC).tolist() == [-np.inf]
    assert len(band_edges(np.arange(40.0), SPEC)) == 3
    assert len(band_edges(np.arange(29.0), SPEC)) == 2


def test_nobody_to_calibrate_on_makes_no_band() -> None:
    nothing = np.zeros(0)
    assert calibrate("model", nothing, (nothing, nothing), nothing, SPEC).empty


def test_a_source_without_bands_has_no_bounds_and_others_keep_theirs() -> None:
    centre = np.arange(1.0, 21)
    logged = np.log1p(centre)
    table = calibrate("model", centre, (logged, logged), logged + 0.5, IntervalSpec())
    assert np.isnan(widen(table, "cold_start", centre, (logged, logged), LogScale(1.0))).all()
    low, high = widen(table, "model", centre, (logged, logged), LogScale(1.0))
    np.testing.assert_allclose(high, np.expm1(logged + 0.5))
    np.testing.assert_allclose(low, centre)  # all were better than said, and a bound never passes the prediction


@pytest.mark.parametrize("unit", [0.01, 1.0, 1e6])
def test_the_log_scale_goes_there_and_back_in_any_unit(unit: float) -> None:
    scale, values = LogScale(unit), np.array([0.0, 1.0, 1e3]) * unit
    np.testing.assert_allclose(scale.back(scale.log(values)), values)
    assert scale.log(np.array([-5.0])).tolist() == [0.0]
    assert scale.back(np.array([-5.0])).tolist() == [0.0]


def resellers(seed: int, partners: int) -> tuple[np.ndarray, np.ndarray]:
    """What each sold and then sells: of two fifths nothing, hardly ever something again; the others vary widely."""
    rng = np.random.default_rng(seed)
    sold = np.where(rng.random(partners) < 0.4, 0.0, np.exp(rng.normal(8, 1, partners)))
    again = np.exp(rng.normal(7, 1, partners)) * (rng.random(partners) < 0.05)
    return sold, np.where(sold > 0, sold * np.exp(rng.normal(0, 0.8, partners)), again)


def test_those_predicted_to_have_nothing_are_apart_so_that_the_small_are_covered_as_promised() -> None:
    scale, (sold, after) = LogScale(100.0), resellers(1, 900)
    table = calibrate("persistence", sold, (scale.log(sold), scale.log(sold)), scale.log(after), IntervalSpec())
    assert table["band"].tolist() == [NOTHING, 0, 1, 2]
    assert table["partners"].tolist()[0] == (sold == 0).sum()
    sold, after = resellers(2, 9000)
    low, high = widen(table, "persistence", sold, (scale.log(sold), scale.log(sold)), scale)
    inside = (after >= low) & (after <= high)
    smallest = (sold > 0) & (sold < table["from_value"].iloc[2])
    assert inside[smallest].mean() == pytest.approx(0.8, abs=0.05)
    assert inside[sold == 0].mean() >= 0.9  # as many stay at nothing, and no interval is narrower than that
    assert (high[sold == 0] == 0).all()


def test_a_hundredth_is_not_nothing() -> None:
    sold = resellers(3, 600)[0]
    edges = band_edges(sold, IntervalSpec())
    assert np.searchsorted(edges, [0.0, 0.01], side="right").tolist() == [1, 2]
    assert band_edges(sold, IntervalSpec(bands=1)).tolist() == [-np.inf]
    few = np.concatenate([np.zeros(39), np.arange(1.0, 200)])
    assert len(band_edges(few, IntervalSpec())) == 3  # too few for a band: they stay among the smallest


@pytest.mark.parametrize("partners", [24, 40, 48, 90, 165])
def test_no_more_is_covered_than_whole_ranks_make_necessary(partners: int) -> None:
    actual = np.random.default_rng(partners).normal(0, 1, partners) + 9
    centre = np.full(partners, 9.0)
    row = calibrate("persistence", centre, (centre, centre), actual, IntervalSpec(bands=1)).iloc[0]
    inside = ((actual - 9 >= row["low_offset"]) & (actual - 9 <= row["high_offset"])).sum()
    assert inside == np.ceil(0.8 * (partners + 1)) + 1  # the gaps between k + 1 ranks are k parts of n + 1


def test_where_nothing_can_be_missed_below_all_that_may_be_is_missed_above() -> None:
    actual = np.concatenate([np.zeros(50), np.arange(1.0, 50)])
    centre = np.zeros(99)
    row = calibrate("persistence", centre, (centre, centre), actual, IntervalSpec()).iloc[0]
    assert row["low_offset"] == 0
    assert row["high_offset"] == np.sort(actual)[79]  # the 80th of 99
