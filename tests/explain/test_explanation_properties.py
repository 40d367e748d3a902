"""What must hold of plans' levels, paces, similar partners, moved metrics and stability, for any figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tierwise.explain.changes import MOST_MOVED, moved_metrics
from tierwise.explain.roadmap_levels import Levers, candidate_moves
from tierwise.explain.roadmap_pace import Pace, comparable_pace, quarterly_moves, size_of
from tierwise.explain.similar import ALIKE, CODES, MOST_MOVES, MOST_PEERS, Channel, similar_partners
from tierwise.explain.stability import masked_correlation, strongest_agreement, top_overlap

NAMES = ("sales", "skills", "delay")
CELLS = arrays(float, (4, 3), elements=st.integers(0, 60).map(float) | st.just(float("nan")))
EFFECTS = arrays(float, (5, 4), elements=st.integers(-6, 6).map(float))


def _levers(start: np.ndarray, seed: int) -> Levers:
    random = np.random.default_rng(seed)
    usual = np.where(random.random(start.shape) < 0.2, np.nan, random.uniform(0.1, 9, start.shape))
    directions = np.array([1.0, 1.0, -1.0])
    start = np.where(np.isnan(start) & (directions > 0), 0.0, start)
    pace = Pace(usual, usual * 1.5)
    return Levers(NAMES, directions, np.array([False, True, False]), np.array([np.inf, 20.0, 0.0]), start, pace, 6)


@settings(max_examples=60, deadline=None)
@given(CELLS, CELLS, st.integers(0, 1000))
def test_moves_rise_from_nothing_to_the_furthest_for_any_levers(start: np.ndarray, asked: np.ndarray, seed: int):
    levers = _levers(start, seed)
    moves = candidate_moves(levers, asked[:, :, None])
    furthest = levers.furthest
    assert (moves[:, :, 0] == 0).all()
    for partner, lever in np.ndindex(furthest.shape):
        own = moves[partner, lever][np.isfinite(moves[partner, lever])]
        assert (np.diff(own) > 0).all()
        assert own[-1] == pytest.approx(furthest[partner, lever])
        if not np.isfinite(levers.pace.usual[partner, lever]):
            assert own.tolist() == [0.0]


@settings(max_examples=60, deadline=None)
@given(CELLS, st.integers(0, 1000))
def test_no_move_passes_its_limit_or_the_time_and_counts_stay_whole(start: np.ndarray, seed: int) -> None:
    levers = _levers(start, seed)
    furthest = levers.furthest
    ends = levers.start + levers.directions * furthest
    moved = furthest > 0
    assert (ends[:, 1][moved[:, 1]] <= 20).all()
    assert (ends[:, 2][moved[:, 2]] >= -1e-9).all()
    assert (furthest[:, 1] == np.round(furthest[:, 1])).all()
    assert (furthest[moved] <= 6 * levers.pace.most[moved] + 1e-9).all()
    rounded = levers.rounded(furthest / 3)
    assert (rounded[moved] >= furthest[moved] / 3 - 1e-9).all()
    assert (rounded[moved] <= furthest[moved]).all()


def test_some_partners_reach_as_far_as_among_all() -> None:
    levers = _levers(np.arange(12.0).reshape(4, 3), 1)
    some = np.array([3, 1])
    np.testing.assert_array_equal(levers.of(some).furthest, levers.furthest[some])


def test_sizes_are_thirds_within_a_day_and_ties_share_one() -> None:
    days = pd.Series(["a"] * 3 + ["b"] * 4)
    assert size_of(pd.Series([1.0, 5.0, 9.0, 7.0, 7.0, 7.0, 7.0]), days).tolist() == [0, 1, 2, 1, 1, 1, 1]
    assert size_of(pd.Series([np.nan, 0.0, 9.0]), days.head(3)).tolist() == [1, 1, 2]
    assert size_of(pd.Series([4.0]), days.head(1)).tolist() == [2]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_the_pace_does_not_depend_on_the_order_of_the_record(seed: int) -> None:
    random = np.random.default_rng(seed)
    panel = pd.DataFrame(
        [
            (day, f"P{number}", random.integers(0, 9))
            for day in pd.date_range("2025-01-31", periods=4)
            for number in range(5)
        ],
        columns=["as_of", "partner_id", "sales"],
    )
    moves, shuffled = (
        quarterly_moves(frame, ["sales"], np.array([1.0])) for frame in (panel, panel.sample(frac=1, random_state=seed))
    )
    pd.testing.assert_frame_equal(moves, shuffled)
    groups = pd.DataFrame({"archetype": ["x"] * len(moves), "size": 0})
    pace = comparable_pace(moves, groups, groups.head(1), ["sales"])
    known = moves["sales"].dropna()
    if len(known):
        assert known.min() <= pace.usual[0, 0] <= pace.most[0, 0] <= known.max()


def _channel(seed: int, partners: int = 24) -> Channel:
    random = np.random.default_rng(seed)
    names = [f"P{number:02d}" for number in range(partners)]
    figures = {
        name: np.where(random.random(partners) < 0.1, np.nan, random.integers(0, 30, partners)) for name in NAMES
    }
    tier = np.where(np.arange(partners) % 2, "growth", "entry")
    now = pd.DataFrame({"partner_id": names, "tier": tier, **figures}).assign(
        next_tier=np.where(tier == "entry", "growth", None),
        archetype=random.choice(["x", "y", None], partners),
        region=random.choice(["n", "s"], partners),
    )
    then = pd.DataFrame({"partner_id": names, **{name: random.integers(0, 30, partners) * 1.0 for name in NAMES}})
    return Channel(now, then.iloc[:20], NAMES, {"sales": 1.0, "delay": -1.0})


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_similar_partners_are_few_alike_and_one_tier_up(seed: int) -> None:
    channel = _channel(seed)
    found = similar_partners(channel)
    tier = channel.now.set_index("partner_id")["tier"]
    assert set(found["partner_id"]) == set(tier[tier == "entry"].index)
    assert set(found["code"]) <= set(CODES)
    peers = found[found["code"] == "similar"]
    assert (peers["distance"] <= ALIKE).all()
    assert (tier[peers["peer_id"]] == "growth").all()
    assert peers.groupby("partner_id")["peer_id"].nunique().max() <= MOST_PEERS or peers.empty
    assert set(peers["peer_id"]) <= set(channel.then["partner_id"])
    risen = peers[peers["move"] > 0]
    assert set(risen["metric"]) <= {"sales", "delay"}
    assert risen["move"].max() <= MOST_MOVES or risen.empty
    better = (risen["to"] - risen["from"]) * np.where(risen["metric"] == "delay", -1, 1)
    assert (better > 0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_unit_of_a_figure_does_not_change_who_is_similar(seed: int) -> None:
    channel = _channel(seed)
    dear = Channel(
        channel.now.assign(sales=channel.now["sales"] * 1000), channel.then.assign(sales=channel.then["sales"] * 1000),
        NAMES, channel.directions,
    )  # fmt: skip
    shown = ["partner_id", "rank", "move", "code", "peer_id", "matched_on", "distance", "metric"]
    pd.testing.assert_frame_equal(similar_partners(dear)[shown], similar_partners(channel)[shown])


def _moves(random: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    names = [f"m{number}" for number in range(8)]
    partners = pd.DataFrame({"partner_id": list("ABCDE")})
    before, now = (partners.join(pd.DataFrame(random.integers(0, 4, (5, 8)) * 1.0, columns=names)) for _ in range(2))
    wide = pd.DataFrame(random.normal(size=(5, 8)), columns=names).assign(partner_id=list("ABCDE"))
    return before, now, wide.melt("partner_id", var_name="feature", value_name="effect")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_moved_metrics_really_moved_and_the_order_of_rows_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    before, now, effects = _moves(random)
    found = moved_metrics(before, now, effects)
    shuffled = (frame.sample(frac=1, random_state=seed) for frame in (before, now, effects))
    pd.testing.assert_frame_equal(moved_metrics(*shuffled), found)
    assert (found["value_before"] != found["value_now"]).all()
    for _, own in found.groupby("partner_id"):
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
        assert len(own) <= MOST_MOVED
        assert (np.diff(own["effect"].abs()) <= 1e-12).all()
    assert moved_metrics(now, now, effects).empty


@settings(max_examples=40, deadline=None)
@given(EFFECTS, EFFECTS)
def test_agreements_are_shares_and_full_with_oneself(first: np.ndarray, second: np.ndarray) -> None:
    own, other = (pd.DataFrame(values, columns=list("abcd")) for values in (first, second))
    for measure in (strongest_agreement, top_overlap):
        assert measure(own, [own]) == 1
        assert measure(own, [own, -own]) == 1
        assert 0 <= measure(own, [other]) <= 1
    assert top_overlap(own, [other], top=9) == 1  # all four columns of either


@settings(max_examples=40, deadline=None)
@given(EFFECTS)
def test_effects_that_are_the_parts_correlate_fully_in_any_unit(parts: np.ndarray) -> None:
    expected = 1.0 if np.ptp(parts) else np.nan
    assert masked_correlation(parts, parts * 3 + 1) == pytest.approx(expected, nan_ok=True)
    assert masked_correlation(parts, -parts) == pytest.approx(-expected, nan_ok=True)
    assert np.isnan(masked_correlation(parts, np.ones_like(parts)))
