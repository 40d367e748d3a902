"""The search for plans against trying everything; levels, paces and what is different about different plans."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.explain.roadmap import find_plans
from tierwise.explain.roadmap_levels import Levers, candidate_moves
from tierwise.explain.roadmap_pace import FEWEST_MOVES, Pace, comparable_pace, quarterly_moves, size_of
from tierwise.explain.roadmap_pairs import find_pairs
from tierwise.explain.roadmap_search import MOST_PLANS, Search

LEVELS = np.array([0.0, 1.0, 2.0, 3.0, 4.0])


def _search(weights: np.ndarray, goals: np.ndarray, effort: np.ndarray, needs: np.ndarray) -> Search:
    """Partners reach the tier with enough points by their own weights, and no less of each lever than needed."""
    n, levers = weights.shape

    def reaches(partners: np.ndarray, moves: np.ndarray) -> np.ndarray:
        points = (weights[partners] * np.minimum(moves, 3.0)).sum(axis=1)
        return (points >= goals[partners]) & (moves >= needs[partners]).all(axis=1)

    return Search(np.tile(LEVELS, (n, levers, 1)), effort, lambda _, moves: np.ceil(moves), reaches)


def _cheapest_by_trying_all(search: Search, partner: int, levers: int, beyond: int, base: np.ndarray) -> float:
    best = np.inf
    for moves in product(LEVELS, repeat=levers):
        own = np.array([moves])
        if ((own[0] > base).sum() <= beyond) and search.reaches(np.array([partner]), own)[0]:
            best = min(best, float(search.effort(np.array([partner]), own)[0]))
    return best


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_no_plan_of_up_to_two_further_figures_takes_less_effort(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, levers = 4, 3
    weights, effort = random.integers(0, 4, (n, levers)).astype(float), random.uniform(0.2, 3, (n, levers))
    needs = np.where(random.uniform(size=(n, levers)) < 0.2, 2.0, 0.0)
    search = _search(weights, random.integers(1, 14, n).astype(float), effort, needs)
    plans = find_plans(search)
    for partner in range(n):
        own = plans.partner == partner
        best = _cheapest_by_trying_all(search, partner, levers, 2, needs[partner])
        assert own.any() == plans.at_top[partner]
        if own.any():
            assert plans.effort[own][0] <= best + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_plans_reach_the_tier_differ_and_come_by_effort(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, levers = 6, 4
    weights, effort = random.integers(0, 4, (n, levers)).astype(float), random.uniform(0.2, 3, (n, levers))
    search = _search(weights, random.integers(1, 20, n).astype(float), effort, np.zeros((n, levers)))
    plans = find_plans(search)
    assert search.reaches(plans.partner, plans.moves).all()
    for partner in np.unique(plans.partner):
        own = plans.partner == partner
        figures = [frozenset(np.flatnonzero(moves)) for moves in plans.moves[own]]
        assert len(figures) <= MOST_PLANS
        assert (np.diff(plans.effort[own]) >= 0).all()
        assert not any(one <= other for at, one in enumerate(figures) for other in figures[at + 1 :])


def test_everything_is_lowered_from_the_top_where_three_further_figures_are_needed() -> None:
    search = _search(np.ones((1, 4)), np.array([8.0]), np.array([[1.0, 2.0, 4.0, 3.0]]), np.zeros((1, 4)))
    plans = find_plans(search)
    assert plans.moves.tolist() == [[3.0, 3.0, 0.0, 2.0]]


def test_nobody_is_everybody_without_a_plan() -> None:
    empty = _search(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2)))
    assert len(find_plans(empty).partner) == 0
    none = _search(np.zeros((2, 2)), np.ones(2), np.ones((2, 2)), np.zeros((2, 2)))
    assert find_plans(none).at_top.tolist() == [False, False]


def _levers(start: list[list[float]], counted: bool = False, direction: float = 1.0, limit: float = np.inf) -> Levers:
    values = np.array(start)
    pace = Pace(np.full(values.shape, 2.0), np.full(values.shape, 3.0))
    return Levers(("a",), np.array([direction]), np.array([counted]), np.array([limit]), values, pace, most_quarters=4)


def test_levels_rise_from_nothing_to_the_furthest_and_hold_what_is_asked() -> None:
    levers = _levers([[10.0], [0.0]], counted=True)
    moves = candidate_moves(levers, np.array([[[17.0]], [[99.0]]]))
    first = moves[0, 0][np.isfinite(moves[0, 0])]
    assert first.tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 12]
    assert np.nanmax(moves[1, 0]) == 12.0  # 99 is beyond what one in ten achieved in four quarters
    assert (np.diff(first) > 0).all()


def test_a_figure_where_less_is_better_is_lowered_and_never_below_its_limit() -> None:
    levers = _levers([[5.0]], direction=-1.0, limit=0.0)
    assert levers.furthest.tolist() == [[5.0]]
    assert levers.rounded(np.array([[1.2345]]))[0, 0] == pytest.approx(1.24)  # to 3.76, the better side


def test_an_unknown_figure_where_less_is_better_cannot_be_moved() -> None:
    assert _levers([[np.nan]], direction=-1.0).furthest.tolist() == [[0.0]]


def test_money_is_rounded_up_to_three_digits_but_not_beyond_the_furthest() -> None:
    levers = _levers([[123_456.0]])
    far = Levers(("a",), levers.directions, levers.counted, levers.limits, levers.start,
                 Pace(np.array([[1e4]]), np.array([[1e4]])), 4)  # fmt: skip
    assert far.rounded(np.array([[1_000.0]]))[0, 0] == 125_000 - 123_456
    assert far.rounded(np.array([[39_999.9]]))[0, 0] == pytest.approx(40_000)


def _panel(values: dict[str, list[float]]) -> pd.DataFrame:
    days = pd.to_datetime(["2026-03-31", "2026-06-30", "2026-09-30"])
    rows = [(day, name, value) for name, own in values.items() for day, value in zip(days, own, strict=False)]
    return pd.DataFrame(rows, columns=["as_of", "partner_id", "a"])


def test_only_improvements_of_the_same_partner_count() -> None:
    moves = quarterly_moves(_panel({"P": [1, 4, 2], "Q": [9, float("nan"), 10], "R": [5]}), ["a"], np.array([1.0]))
    assert moves["partner_id"].tolist() == ["P", "P", "Q", "Q"]
    assert moves["a"].dropna().tolist() == [3.0]
    assert moves["as_of"].dt.month.tolist() == [3, 6, 3, 6]
    down = quarterly_moves(_panel({"P": [1, 4, 2]}), ["a"], np.array([-1.0]))
    assert down["a"].dropna().tolist() == [2.0]


def test_the_pace_is_that_of_comparable_partners_where_enough_of_them_moved() -> None:
    moves = pd.DataFrame({"a": [1.0] * FEWEST_MOVES + [10.0] * (FEWEST_MOVES - 1)})
    groups = pd.DataFrame({"archetype": ["x"] * FEWEST_MOVES + ["y"] * (FEWEST_MOVES - 1), "size": 0})
    of = pd.DataFrame({"archetype": ["x", "y", None], "size": [0, 1, 1]})
    pace = comparable_pace(moves, groups, of, ["a"])
    assert pace.usual[:, 0].tolist() == [1.0, 10.0, 10.0]  # y: too few, and nobody of its size: the whole channel
    assert (pace.most >= pace.usual).all()


def test_a_figure_that_nobody_moved_has_no_pace() -> None:
    moves, groups = pd.DataFrame({"a": [np.nan]}), pd.DataFrame({"archetype": ["x"], "size": [0]})
    assert np.isnan(comparable_pace(moves, groups, groups, ["a"]).usual).all()


def test_sizes_are_thirds_of_each_day() -> None:
    values = pd.Series([1.0, 2.0, 3.0, 30.0, 20.0, 10.0])
    assert size_of(values, pd.Series([1, 1, 1, 2, 2, 2])).tolist() == [0, 1, 2, 2, 1, 0]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000))
def test_the_cheapest_pairs_are_found_with_the_levels_that_make_them_so(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, levers = 3, 5
    weights, effort = random.integers(0, 4, (n, levers)).astype(float), random.uniform(0.2, 3, (n, levers))
    search = _search(weights, random.integers(8, 16, n).astype(float), effort, np.zeros((n, levers)))
    nothing = np.zeros((n, levers), dtype=np.int64)
    open_ = np.flatnonzero(~search.reaches_at(np.arange(n), nothing))
    partners, levels = find_pairs(search, open_, nothing[open_], nothing[open_])
    for partner in open_.tolist():
        own = LEVELS[levels[partners == partner]]
        assert search.reaches(np.full(len(own), partner), own).all()
        found = np.sort(search.effort(np.full(len(own), partner), own))[:MOST_PLANS]
        costs = [_cheapest_of_pair(search, partner, pair) for pair in combinations(range(levers), 2)]
        expected = [cost for cost in sorted(costs)[:MOST_PLANS] if np.isfinite(cost)]
        assert found.tolist() == pytest.approx(expected)


def test_a_pair_that_costs_more_than_one_of_its_figures_alone_is_not_looked_for() -> None:
    search = _search(np.array([[3.0, 1.0, 1.0]]), np.array([9.0]), np.ones((1, 3)), np.zeros((1, 3)))
    nothing, least = np.zeros((1, 3), dtype=np.int64), np.array([[3, 0, 0]])
    partners, levels = find_pairs(search, np.array([0]), nothing, least)
    assert (search.effort(partners, LEVELS[levels]) < 3.0).all()


def _cheapest_of_pair(search: Search, partner: int, pair: tuple[int, ...]) -> float:
    tries = np.zeros((16, search.moves.shape[1]))
    tries[:, list(pair)] = list(product(LEVELS[1:], repeat=2))
    reached = search.reaches(np.full(16, partner), tries)
    return float(np.where(reached, search.effort(np.full(16, partner), tries), np.inf).min())


def test_no_pair_is_looked_for_among_nobody_or_one_figure() -> None:
    none = np.zeros((0, 3), dtype=np.int64)
    search = _search(np.ones((1, 3)), np.array([3.0]), np.ones((1, 3)), np.zeros((1, 3)))
    assert find_pairs(search, np.zeros(0, dtype=np.int64), none, none)[1].shape == (0, 3)
    alone = _search(np.ones((1, 1)), np.array([9.0]), np.ones((1, 1)), np.zeros((1, 1)))
    one = np.zeros((1, 1), dtype=np.int64)
    assert not len(find_pairs(alone, np.array([0]), one, one)[0])
