"""Levels as numbers: the same for every way a text column is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.potential.levels import level_places, level_values

TEXTS = ["b", "a", None, "zz", "a"]


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_a_level_has_its_place_and_its_value_however_the_column_is_kept(dtype: str) -> None:
    column = pd.Series(TEXTS, dtype=dtype)
    assert np.array_equal(level_places(column, ("a", "b")), [1, 0, np.nan, np.nan, 0], equal_nan=True)
    assert level_values(column, {"a": 1.5, "b": -2.0}).tolist() == [-2.0, 1.5, 0.0, 0.0, 1.5]


def test_parts_of_columns_and_columns_put_together_give_the_places_of_their_rows() -> None:
    column = pd.Series(TEXTS, dtype="str")
    whole = level_places(pd.concat([column, column], ignore_index=True), ("a", "b"))
    assert np.array_equal(whole, np.tile(level_places(column, ("a", "b")), 2), equal_nan=True)
    assert np.array_equal(level_places(column.iloc[1:4], ("a", "b")), whole[1:4], equal_nan=True)


def test_no_rows_no_levels_and_nothing_known_are_no_special_cases() -> None:
    column = pd.Series(TEXTS, dtype="str")
    assert len(level_places(column.iloc[:0], ("a",))) == 0
    assert np.isnan(level_places(column, ())).all()
    assert level_values(column, {}).tolist() == [0.0] * 5
    assert np.isnan(level_places(pd.Series([None, None], dtype="object"), ("a",))).all()
