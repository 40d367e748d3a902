"""The split of a change into data, model and policy against answers by hand, and which metrics moved most."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.explain.changes import MOST_MOVED, PARTS, moved_metrics, split_change

CORNERS = list(product((0, 1), repeat=3))


def _corners(values: list[float]) -> dict[tuple[int, int, int], np.ndarray]:
    return {corner: np.array([value]) for corner, value in zip(CORNERS, values, strict=True)}


def test_what_only_adds_goes_to_its_own_part() -> None:
    corners = _corners([100 + 7 * data - 3 * model + 20 * policy for data, model, policy in CORNERS])
    parts = split_change(corners)
    assert [parts[name][0] for name in PARTS] == pytest.approx([7, -3, 20])


def test_what_two_make_together_is_shared_half_and_half() -> None:
    corners = _corners([(1 + data) * (10 + 10 * policy) for data, _, policy in CORNERS])
    parts = split_change(corners)  # 10 -> 40: data alone 10, policy alone 10, and 10 of both together
    assert [parts[name][0] for name in PARTS] == pytest.approx([15, 0, 15])


def test_what_all_three_make_together_is_shared_in_thirds() -> None:
    parts = split_change(_corners([float(data and model and policy) for data, model, policy in CORNERS]))
    assert [parts[name][0] for name in PARTS] == pytest.approx([1 / 3] * 3)


def test_an_unknown_corner_leaves_the_parts_unknown() -> None:
    parts = split_change(_corners([1, 2, 3, float("nan"), 5, 6, 7, 8]))
    assert all(np.isnan(parts[name][0]) for name in PARTS)


VALUES = st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=8)


@settings(max_examples=300)
@given(VALUES)
def test_the_parts_add_up_to_the_difference(values: list[float]) -> None:
    parts = split_change(_corners(values))
    total = sum(parts[name][0] for name in PARTS)
    assert total == pytest.approx(values[-1] - values[0], abs=1e-9, rel=1e-12)


@given(st.floats(-1e9, 1e9))
def test_nothing_changed_is_all_zero(value: float) -> None:
    parts = split_change(_corners([value] * 8))
    assert [parts[name][0] for name in PARTS] == [0.0, 0.0, 0.0]


@given(VALUES, st.permutations([0, 1, 2]))
def test_no_part_is_treated_differently(values: list[float], order: list[int]) -> None:
    corners = _corners(values)
    turned = {tuple(corner[place] for place in order): value for corner, value in corners.items()}
    own, other = split_change(corners), split_change(turned)
    for place, name in enumerate(PARTS):
        assert other[name][0] == pytest.approx(own[PARTS[order[place]]][0], abs=1e-6)


def _rows(**columns: list[float]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"partner_id": [f"P{n}" for n in range(count)], **columns})


def _effects(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["partner_id", "feature", "effect"])


def test_the_largest_effect_comes_first_then_the_largest_move() -> None:
    before = _rows(a=[0.0, 0.0], b=[0.0, 5.0], c=[0.0, 0.0], same=[3.0, 3.0])
    now = _rows(a=[1.0, 0.0], b=[2.0, 5.0], c=[10.0, 0.0], same=[3.0, 3.0])
    found = moved_metrics(before, now, _effects(("P0", "a", 0.1), ("P0", "b", -0.4)))
    assert found["partner_id"].tolist() == ["P0"] * 3
    assert found["metric"].tolist() == ["b", "a", "c"]
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["effect"].tolist()[:2] == [-0.4, 0.1]
    assert np.isnan(found["effect"].iloc[2])
    assert found.loc[2, "size"] == pytest.approx(10 / np.std([10.0, 0.0]))


def test_a_figure_that_became_known_or_unknown_has_moved() -> None:
    found = moved_metrics(_rows(a=[np.nan, 1.0]), _rows(a=[2.0, np.nan]), _effects())
    assert found["partner_id"].tolist() == ["P0", "P1"]
    assert found["size"].isna().all()


def test_partners_of_one_review_only_and_figures_of_one_only_are_left_out() -> None:
    before = _rows(a=[1.0], old=[1.0])
    now = _rows(a=[2.0, 5.0], new=[1.0, 1.0])
    found = moved_metrics(before, now, _effects())
    assert found[["partner_id", "metric"]].values.tolist() == [["P0", "a"]]


def test_no_more_metrics_than_people_read() -> None:
    many = {f"m{n}": [float(n + 1)] for n in range(MOST_MOVED + 3)}
    found = moved_metrics(_rows(**{name: [0.0] for name in many}), _rows(**many), _effects())
    assert len(found) == MOST_MOVED
