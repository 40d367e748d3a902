"""Contributions to given rows: the definition itself, shap's interventional values, and exact additivity."""

from __future__ import annotations

import warnings

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forest.forests import make_model, make_rows, raw, shapley_by_definition
from tierwise.explain.kernel import NotCovered, split_to_background
from tierwise.explain.kernel_cells import MOST_LEAF_BITS, cut
from tierwise.forest.text import read_forest

with warnings.catch_warnings():  # shap makes its colour maps in a way that matplotlib gives up
    warnings.filterwarnings("ignore", "The set_(bad|over|under) function", PendingDeprecationWarning)
    import shap

BOUND = 1e-9


def _check_additive(text: str, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    split = split_to_background(text, rows, background)
    assert split.base == pytest.approx(raw(text, background).mean(), abs=BOUND)
    np.testing.assert_allclose(split.base + split.parts.sum(axis=1), raw(text, rows), rtol=0, atol=BOUND)
    return split.parts


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    columns=st.integers(1, 5),
    leaves=st.integers(2, 31),
    missing=st.sampled_from([0.0, 0.3]),
    zero_as_missing=st.booleans(),
    peers=st.integers(1, 20),
)
def test_it_equals_the_definition(
    seed: int, columns: int, leaves: int, missing: float, zero_as_missing: bool, peers: int
) -> None:
    rows = make_rows(seed, 200, columns, missing, 0.2)
    text = make_model(rows, seed, trees=3, num_leaves=leaves, zero_as_missing=zero_as_missing)
    background = rows[100 : 100 + peers]
    parts = _check_additive(text, rows[:3], background)
    model = lgb.Booster(model_str=text)
    for row, found in zip(rows, parts, strict=False):
        expected = shapley_by_definition(lambda mixed: model.predict(mixed, num_threads=1), row, background)
        np.testing.assert_allclose(found, expected, rtol=0, atol=BOUND)


@pytest.mark.parametrize("depth", [6, -1])
def test_it_agrees_with_shaps_interventional_explainer(depth: int) -> None:
    rows = make_rows(3, 3000, 12, missing=0.05)
    text = make_model(rows, 3, trees=25, num_leaves=31, max_depth=depth)
    background = rows[200:260]
    explainer = shap.TreeExplainer(
        lgb.Booster(model_str=text), background, feature_perturbation="interventional", model_output="raw"
    )
    expected = explainer(rows[:100], check_additivity=False)
    parts = _check_additive(text, rows[:100], background)
    # shap holds thresholds and values in single precision.
    np.testing.assert_allclose(parts, expected.values, rtol=0, atol=2e-5)


def test_deep_leaves_are_exact_too() -> None:
    rows = make_rows(7, 3000, 30, missing=0.05)
    text = make_model(rows, 7, trees=10, num_leaves=127, max_depth=-1)
    trees = [cut(tree) for tree in read_forest(text).trees]
    deepest = max(np.diff(tree.deep.part_start).max(initial=0) for tree in trees)
    assert deepest > MOST_LEAF_BITS
    background = rows[1000:1003]
    parts = _check_additive(text, rows[:20], background)
    means = np.mean([split_to_background(text, rows[:20], peer[None, :]).parts for peer in background], axis=0)
    np.testing.assert_allclose(parts, means, rtol=0, atol=BOUND)


def test_a_row_among_equals_has_no_difference_to_explain() -> None:
    rows = make_rows(5, 200, 4, missing=0.2)
    text = make_model(rows, 5, num_leaves=15)
    assert not split_to_background(text, rows[:1], np.repeat(rows[:1], 12, axis=0)).parts.any()


def test_features_that_a_row_shares_with_all_peers_contribute_nothing() -> None:
    rows = make_rows(6, 400, 5)
    text = make_model(rows, 6, trees=20, num_leaves=15)
    peers = rows[:40].copy()
    peers[:, 2] = rows[50, 2]
    assert split_to_background(text, rows[50:51], peers).parts[0, 2] == 0


def test_nobody_to_compare_with_is_refused() -> None:
    rows = make_rows(8, 100, 3)
    with pytest.raises(NotCovered, match="no rows to compare with"):
        split_to_background(make_model(rows, 8), rows, rows[:0])
