"""Raw scores equal LightGBM's to the last bit, whatever the trees look like; what is not covered goes to LightGBM."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forest.forests import SETTINGS, make_model, make_rows, raw
from tierwise.forest.scoring import MOST_LEAVES, ROWS_AT_ONCE, scorer_of
from tierwise.potential.trees import Columns, Trees


def _check_equal(text: str, rows: np.ndarray) -> None:
    scorer = scorer_of(text)
    assert scorer is not None
    assert np.array_equal(scorer.raw(rows), raw(text, rows))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    columns=st.integers(1, 16),
    leaves=st.integers(2, MOST_LEAVES),
    depth=st.sampled_from([-1, 1, 2, 4, 6, 10]),
    missing=st.sampled_from([0.0, 0.05, 0.5, 0.95]),
    zeros=st.sampled_from([0.0, 0.3]),
    use_missing=st.booleans(),
)
def test_it_equals_lightgbm_on_random_models(
    seed: int, columns: int, leaves: int, depth: int, missing: float, zeros: float, use_missing: bool
) -> None:
    rows = make_rows(seed, ROWS_AT_ONCE + 88, columns, missing, zeros)
    text = make_model(rows, seed, trees=8, num_leaves=leaves, max_depth=depth, use_missing=use_missing)
    _check_equal(text, rows)
    _check_equal(text, make_rows(seed + 1, 3, columns, 0.3))


def test_values_on_a_threshold_go_left_as_in_lightgbm() -> None:
    rows = make_rows(7, 400, 3)
    rows = np.round(rows, 1)  # many equal values, and thresholds between and on them
    text = make_model(rows, 7, trees=20, num_leaves=31)
    scorer = scorer_of(text)
    assert scorer is not None
    on_thresholds = np.repeat(scorer.threshold[:200, None], 3, axis=1)
    _check_equal(text, np.concatenate([on_thresholds, np.nextafter(on_thresholds, np.inf)]))


def test_trees_without_a_split_are_constants() -> None:
    rows = make_rows(1, 30, 2)
    _check_equal(make_model(rows, 1, trees=2, num_leaves=7, min_data_in_leaf=1000), rows)


def test_no_rows_have_no_scores() -> None:
    rows = make_rows(3, 60, 2)
    scorer = scorer_of(make_model(rows, 3))
    assert scorer is not None
    assert scorer.raw(rows[:0]).shape == (0,)


def _by_categories(rows: np.ndarray) -> str:
    data = lgb.Dataset(rows, label=rows[:, 0] % 3 + rows[:, 1], categorical_feature=[0], params={"verbose": -1})
    return lgb.train({**SETTINGS, "min_data_per_group": 5}, data, 5).model_to_string()


@pytest.mark.parametrize(
    "make",
    [
        partial(make_model, seed=5, trees=3, num_leaves=MOST_LEAVES + 1, min_data_in_leaf=1),
        partial(make_model, seed=5, trees=3, num_leaves=15, zero_as_missing=True),
        _by_categories,
    ],
    ids=["too many leaves", "zeros are missing", "categories"],
)
def test_what_is_not_covered_has_no_scorer_and_the_same_scores_by_lightgbm(make: Callable[[np.ndarray], str]) -> None:
    rows = make_rows(5, 3000, 3, zeros=0.3)
    rows[:, 0] = np.abs(np.round(rows[:, 0] * 5))
    text = make(rows)
    assert scorer_of(text) is None
    trees = Trees(text, Columns(("a", "b", "c"), {}))
    assert np.array_equal(trees.raw(pd.DataFrame(rows, columns=["a", "b", "c"])), raw(text, rows))


def test_many_rows_score_as_each_does_alone() -> None:
    rows = make_rows(11, 5000, 4, missing=0.1)
    trees = Trees(make_model(rows, 11, trees=30, num_leaves=15), Columns(("a", "b", "c", "d"), {}))
    frame = pd.DataFrame(rows, columns=["a", "b", "c", "d"])
    few = np.concatenate([trees.raw(frame[start : start + 400]) for start in range(0, 5000, 400)])
    assert np.array_equal(trees.raw(frame), few)  # by the scorer, and by LightGBM


def test_the_settings_of_these_tests_make_trees_deep_enough_to_matter() -> None:
    rows = make_rows(2, 500, 5)
    text = lgb.train({**SETTINGS, "num_leaves": 31}, lgb.Dataset(rows, rows[:, 0] * rows[:, 1]), 5).model_to_string()
    scorer = scorer_of(text)
    assert scorer is not None
    assert (np.diff(scorer.node_start) > 20).all()
