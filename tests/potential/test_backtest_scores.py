"""How scores of past reviews are pooled, paired and compared: by hand, and never apples with pears."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.potential.backtest_bootstrap import Draws, weighted_capture, weighted_mean, weighted_ratio
from tierwise.potential.backtest_scores import (
    GAINS_COLUMNS,
    SCORES_COLUMNS,
    Found,
    Scored,
    common,
    coverage_parts,
    gain,
    gains_table,
    known_candidates,
    pool,
    rank_agreement,
    score_all,
    scores_table,
)

NAMES = pd.Series([f"P{number}" for number in range(6)])
DRAWS = Draws.of(NAMES, 40, 0.9, np.random.default_rng(1))


def _scored(value: float, *draws: float) -> Scored:
    return Scored(value, np.array(draws), 3)


def _predictions(**columns: object) -> pd.DataFrame:
    blank = dict.fromkeys(("run_rate", "glm", "trees", "model", "low", "high"), np.nan)
    amounts = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 60.0])
    rows = pd.DataFrame({"origin": "2025-03-31", "partner_id": NAMES, **blank, "actual": amounts})
    return rows.assign(persistence=amounts[::-1], chosen=amounts, median=amounts).assign(**columns)


def test_a_pool_is_the_mean_of_figures_and_of_draws() -> None:
    pooled = pool([_scored(0.2, 0.1, 0.3), _scored(0.6, 0.5, 0.9)])
    assert (pooled.value, pooled.partners) == (pytest.approx(0.4), 6)
    np.testing.assert_allclose(pooled.draws, [0.3, 0.6])


def test_a_gain_is_paired_and_counts_ties_half() -> None:
    better, baseline = _scored(0.5, 0.5, 0.6, 0.3, np.nan), _scored(0.4, 0.4, 0.6, 0.4, 0.1)
    difference, low, high, probability = gain(better, baseline, DRAWS)
    assert difference == pytest.approx(0.1)
    assert probability == pytest.approx((1 + 0.5 + 0) / 3)
    assert -0.1 <= low <= high <= 0.1


def test_a_gain_without_any_draw_is_unknown() -> None:
    assert np.isnan(gain(_scored(1.0, np.nan), _scored(0.0, 1.0), DRAWS)[1:]).all()


def test_only_reviews_that_all_could_be_scored_at_are_pooled() -> None:
    one = _scored(0.1, 0.1)
    found: Found = {
        ("persistence", "gini"): {"a": one, "b": one, "c": one},
        ("model", "gini"): {"b": one, "c": one},
        ("model", "mae"): {"a": one, "b": one},
    }
    assert {key: sorted(parts) for key, parts in common(found).items()} == {
        ("persistence", "gini"): ["b", "c"],
        ("model", "gini"): ["b", "c"],
        ("model", "mae"): ["b"],
    }
    assert common({}) == {}


def test_a_bound_that_is_met_exactly_covers() -> None:
    rows = pd.DataFrame({"actual": [1.0, 2.0, 3.0, 0.0], "low": [1.0, 0.0, 3.1, 0.0], "high": [5.0, 2.0, 4.0, 0.0]})
    inside, width = coverage_parts(rows)
    assert inside.tolist() == [1, 1, 0, 1]
    np.testing.assert_allclose(width, [4, 2, 0.9, 0])


def test_a_candidate_that_predicts_nothing_is_not_scored() -> None:
    rows = _predictions()
    assert known_candidates(rows) == ["persistence", "chosen"]
    assert {candidate for candidate, _ in score_all(rows, DRAWS)} == {"persistence", "run_rate", "median", "chosen"}


def test_the_truth_gains_over_its_opposite_with_certainty() -> None:
    found = score_all(_predictions(), DRAWS)
    table = gains_table(found, DRAWS)
    assert tuple(table.columns) == GAINS_COLUMNS
    assert table["origin"].tolist() == ["2025-03-31", "all"]
    assert table["gain"].tolist() == pytest.approx([2, 2])  # from -1 to 1
    assert (table["probability"] == 1).all()


def test_intervals_are_scored_over_the_partners_that_have_one() -> None:
    low = [0.0, 0.0, np.nan, np.nan, 6.0, 0.0]
    high = [2.0, 2.0, np.nan, np.nan, 9.0, 100.0]
    table = scores_table(score_all(_predictions(low=low, high=high), DRAWS), DRAWS)
    assert tuple(table.columns) == SCORES_COLUMNS
    own = table[table["origin"] == "2025-03-31"].set_index(["candidate", "score"])
    assert own.loc[("chosen", "coverage"), ["value", "partners"]].tolist() == [0.75, 4]
    assert own.loc[("chosen", "relative_width"), "value"] == pytest.approx(107 / 68)


def test_without_intervals_there_is_no_coverage() -> None:
    assert ("chosen", "coverage") not in score_all(_predictions(), DRAWS)


def test_the_order_of_rows_changes_no_score() -> None:
    rows = _predictions(low=0.0, high=50.0)
    first, second = (
        scores_table(score_all(frame, DRAWS), DRAWS) for frame in (rows, rows.sample(frac=1, random_state=4))
    )
    pd.testing.assert_frame_equal(first, second)


def test_retrains_that_rank_alike_agree_fully() -> None:
    weights = DRAWS.of_rows(NAMES)
    values = np.array([1.0, 5.0, 2.0, 9.0, 7.0, 3.0])
    assert rank_agreement(values, np.exp(values), weights).value == pytest.approx(1)
    assert rank_agreement(values, -values, weights).value == pytest.approx(-1)


def test_figures_of_an_empty_sample_are_unknown() -> None:
    nobody = np.array([[0.0, 0.0], [1.0, 3.0]])
    values = np.array([2.0, 6.0])
    np.testing.assert_array_equal(weighted_mean(values, nobody), [np.nan, 5.0])
    np.testing.assert_array_equal(weighted_ratio(values, np.array([1.0, 1.0]), nobody), [np.nan, 5.0])
    assert np.isnan(weighted_capture(values, values, nobody)[0])
    assert weighted_capture(values, values, nobody)[1] == pytest.approx(6 * 1 / 20)  # one of the three drawn twins
