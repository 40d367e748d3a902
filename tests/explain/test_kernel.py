"""The contribution kernel equals LightGBM's own contributions, whatever the trees look like."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forest.forests import lightgbm_split, make_model, make_rows, raw
from tierwise.explain.kernel import BLOCK_ROWS, NotCovered, split_to_background, split_to_training
from tierwise.explain.kernel_cells import MOST_LEAF_BITS, cut
from tierwise.forest.text import read_forest

BOUND = 1e-9


def _check_against_lightgbm(text: str, rows: np.ndarray) -> None:
    base, parts = lightgbm_split(text, rows)
    ours = split_to_training(text, rows)
    np.testing.assert_allclose(ours.parts, parts, rtol=0, atol=BOUND)
    assert ours.base == pytest.approx(base, abs=BOUND)
    np.testing.assert_allclose(ours.base + ours.parts.sum(axis=1), raw(text, rows), rtol=0, atol=BOUND)


def _deepest(text: str) -> int:
    trees = [cut(tree) for tree in read_forest(text).trees]
    return max(np.diff(part.part_start).max(initial=0) for tree in trees for part in (tree.deep, tree.leaves))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    columns=st.integers(1, 16),
    leaves=st.integers(2, 63),
    depth=st.sampled_from([-1, 1, 2, 4, 6, 10]),
    missing=st.sampled_from([0.0, 0.05, 0.5, 0.95]),
    zeros=st.sampled_from([0.0, 0.3]),
    zero_as_missing=st.booleans(),
    use_missing=st.booleans(),
)
def test_it_equals_lightgbm_on_random_models(
    seed: int, columns: int, leaves: int, depth: int, missing: float, zeros: float, zero_as_missing: bool,
    use_missing: bool,
) -> None:  # fmt: skip
    rows = make_rows(seed, 200, columns, missing, zeros)
    text = make_model(
        rows, seed, num_leaves=leaves, max_depth=depth, zero_as_missing=zero_as_missing, use_missing=use_missing
    )
    _check_against_lightgbm(text, np.vstack([rows[:40], make_rows(seed + 1, 40, columns, 0.3, 0.3)]))


def test_unknown_values_and_zeros_go_where_lightgbm_sends_them() -> None:
    odd = np.array([0.0, -0.0, 1e-36, -1e-36, 1e-35, 2e-35, -2e-35, np.nan, np.inf, -np.inf, 1e308])
    for settings_ in ({}, {"zero_as_missing": True}, {"use_missing": False}):
        rows = make_rows(3, 400, 2, missing=0.2, zeros=0.4)
        text = make_model(rows, 3, trees=20, num_leaves=15, **settings_)
        _check_against_lightgbm(text, np.array([(left, right) for left in odd for right in odd]))


def test_trees_without_a_split_only_have_a_base() -> None:
    rows = make_rows(1, 50, 3)
    text = make_model(rows, 1, min_data_in_leaf=1000)
    split = split_to_training(text, rows)
    assert not split.parts.any()
    _check_against_lightgbm(text, rows)


def test_a_single_column_is_split_on_again_and_again() -> None:
    rows = make_rows(5, 500, 1, missing=0.1)
    _check_against_lightgbm(make_model(rows, 5, num_leaves=63), rows)


def test_leaves_too_deep_for_a_table_are_integrated_exactly() -> None:
    rows = make_rows(7, 4000, 30, missing=0.05)
    text = make_model(rows, 7, trees=20, num_leaves=63, max_depth=-1)
    assert _deepest(text) > MOST_LEAF_BITS
    _check_against_lightgbm(text, rows[:500])


def test_contributions_on_a_linear_scale_keep_their_digits() -> None:
    rows = make_rows(8, 500, 5)
    data = lgb.Dataset(rows, label=1e6 * rows[:, 0] + 3e5 * rows[:, 1])
    options = {"num_leaves": 15, "num_threads": 1, "verbose": -1}
    text = lgb.train({"objective": "regression", **options}, data, num_boost_round=50).model_to_string()
    _, parts = lightgbm_split(text, rows)
    ours = split_to_training(text, rows).parts
    np.testing.assert_allclose(ours, parts, rtol=0, atol=1e-9 * np.abs(parts).max())


def test_many_columns_that_no_tree_uses_contribute_nothing() -> None:
    rows = make_rows(9, 300, 400)
    text = make_model(rows, 9, trees=3, num_leaves=5)
    _check_against_lightgbm(text, rows)
    assert (split_to_training(text, rows).parts == 0).all(axis=0).sum() >= 388


def test_the_bytes_depend_neither_on_threads_nor_on_the_other_rows() -> None:
    rows = make_rows(11, 3 * BLOCK_ROWS + 7, 8, missing=0.1)
    text = make_model(rows, 11, trees=30, num_leaves=31)
    whole = split_to_training(text, rows, threads=1).parts
    assert split_to_training(text, rows, threads=2).parts.tobytes() == whole.tobytes()
    assert split_to_training(text, rows[1000:1010]).parts.tobytes() == whole[1000:1010].tobytes()
    peers = rows[:100]
    one, two = (split_to_background(text, rows, peers, threads=count).parts for count in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_no_rows_give_no_parts() -> None:
    rows = make_rows(12, 100, 4)
    assert split_to_training(make_model(rows, 12), rows[:0]).parts.shape == (0, 4)


def test_rows_of_another_width_are_refused() -> None:
    rows = make_rows(13, 100, 4)
    with pytest.raises(ValueError, match="reads 4 columns"):
        split_to_training(make_model(rows, 13), rows[:, :3])


def test_categorical_splits_fall_back_to_lightgbm() -> None:
    rows = make_rows(14, 300, 3)
    rows[:, 2] = np.random.default_rng(0).integers(0, 8, 300)
    data = lgb.Dataset(rows, label=(rows[:, 2] % 3) + rows[:, 0], categorical_feature=[2], params={"verbose": -1})
    text = lgb.train({"verbose": -1, "num_threads": 1, "min_data_per_group": 5}, data, 5).model_to_string()
    assert read_forest(text).uncovered == "a tree splits on categories"
    _check_against_lightgbm(text, rows)
    with pytest.raises(NotCovered, match="categories"):
        split_to_background(text, rows, rows)


def test_linear_leaves_are_refused_because_lightgbm_cannot_split_them_either(capfd: pytest.CaptureFixture) -> None:
    rows = make_rows(15, 300, 3)
    text = make_model(rows, 15, linear_tree=True)
    with pytest.raises(NotCovered, match="linear"):
        split_to_training(text, rows)
    capfd.readouterr()


def test_several_figures_at_once_are_refused() -> None:
    rows = make_rows(16, 300, 3)
    label = np.random.default_rng(0).integers(0, 3, 300)
    options = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
    text = lgb.train(options, lgb.Dataset(rows, label=label), 2).model_to_string()
    with pytest.raises(NotCovered, match="several figures"):
        split_to_training(text, rows)


def test_averaged_trees_fall_back_to_lightgbm() -> None:
    rows = make_rows(17, 300, 3)
    text = make_model(rows, 17, boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    assert read_forest(text).uncovered == "the model averages its trees"
    base, parts = lightgbm_split(text, rows)
    ours = split_to_training(text, rows)
    np.testing.assert_array_equal(ours.parts, parts)
    assert ours.base == base
