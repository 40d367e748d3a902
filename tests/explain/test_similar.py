"""Similar partners: who is alike, who is preferred, what rose, and that none is an answer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierwise.explain.similar import MOST_MOVES, MOST_PEERS, Channel, similar_partners

METRICS = ("sales", "skills", "delay")
DIRECTIONS = {"sales": 1.0, "skills": 1.0, "delay": -1.0}


def _channel(now: list[tuple], then: list[tuple]) -> Channel:
    columns = ["partner_id", "tier", "next_tier", "archetype", "region", *METRICS]
    return Channel(
        pd.DataFrame(now, columns=columns), pd.DataFrame(then, columns=["partner_id", *METRICS]), METRICS, DIRECTIONS
    )


def _climber(name: str = "A", archetype: str | None = "x", region: str | None = "n") -> tuple:
    return (name, "entry", "growth", archetype, region, 10.0, 1.0, 5.0)


def _peer(name: str, archetype: str = "x", region: str = "n", sales: float = 90.0) -> tuple:
    return (name, "growth", None, archetype, region, sales, 4.0, 2.0)


ALIKE = (10.0, 1.0, 5.0)


def test_a_peer_that_was_alike_is_shown_with_what_rose_most() -> None:
    found = similar_partners(_channel([_climber(), _peer("B")], [("B", *ALIKE)]))
    assert found["peer_id"].unique().tolist() == ["B"]
    assert found["code"].unique().tolist() == ["similar"]
    assert found["move"].tolist() == [1, 2, 3]
    moves = {row.metric: (row.to, found.loc[row.Index, "from"]) for row in found.itertuples()}
    assert moves == {"sales": (90.0, 10.0), "skills": (4.0, 1.0), "delay": (2.0, 5.0)}
    assert (found["matched_on"] == "archetype and region").all()
    assert (found["distance"] == 0).all()


def test_the_same_archetype_and_region_come_before_a_nearer_stranger() -> None:
    now = [_climber(), _peer("B", "y", "s"), _peer("C", "x", "s"), _peer("D"), _peer("E", "y", "n")]
    then = [("B", *ALIKE), ("C", *ALIKE), ("D", 10.0, 4.0, 5.0), ("E", *ALIKE)]
    found = similar_partners(_channel(now, then))
    assert found.drop_duplicates("rank")["peer_id"].tolist() == ["D", "C", "E"]
    assert found["rank"].max() == MOST_PEERS


def test_who_was_far_away_is_not_shown_and_none_is_an_answer() -> None:
    now = [_climber(), *[_peer(f"B{n}", sales=90.0 + n) for n in range(5)]]
    found = similar_partners(_channel(now, [(f"B{n}", 95.0, 5.0, 1.0) for n in range(5)]))
    assert found[["rank", "move", "code"]].values.tolist() == [[0, 0, "none_was_alike"]]
    assert pd.isna(found["peer_id"].iloc[0])


def test_an_empty_tier_and_one_without_a_past_are_told_apart() -> None:
    assert similar_partners(_channel([_climber()], []))["code"].tolist() == ["none_one_tier_up"]
    assert similar_partners(_channel([_climber(), _peer("B")], []))["code"].tolist() == ["no_figures_a_year_ago"]


def test_fewer_than_three_is_an_answer_and_the_top_tier_has_none() -> None:
    now = [_climber("A"), _climber("Z"), _peer("B")]
    found = similar_partners(_channel(now, [("B", *ALIKE)]))
    assert set(found["partner_id"]) == {"A", "Z"}
    assert set(found["rank"]) == {1}
    assert similar_partners(_channel([_peer("B")], [])).empty


def test_an_unknown_archetype_or_region_is_never_the_same() -> None:
    now = [_climber(archetype=None, region=None), ("B", "growth", None, None, None, 90.0, 4.0, 2.0)]
    found = similar_partners(_channel(now, [("B", *ALIKE)]))
    assert set(found["matched_on"]) == {"neither archetype nor region"}


def test_a_peer_that_raised_nothing_has_one_row_without_a_figure() -> None:
    now = [_climber(), ("B", "growth", None, "x", "n", *ALIKE)]
    found = similar_partners(_channel(now, [("B", *ALIKE)]))
    assert found[["rank", "move"]].values.tolist() == [[1, 0]]
    assert pd.isna(found["metric"].iloc[0])


def test_unknown_figures_neither_rise_nor_stop_the_comparison() -> None:
    now = [("A", "entry", "growth", "x", "n", np.nan, 1.0, 5.0), _peer("B")]
    found = similar_partners(_channel(now, [("B", np.nan, 1.0, 5.0)]))
    assert found["metric"].tolist() == ["skills", "delay"]


def test_the_order_of_rows_changes_nothing() -> None:
    random = np.random.default_rng(3)
    now = [(f"A{n:02d}", "entry", "growth", "xy"[n % 2], "ns"[n % 3 > 0], *random.uniform(0, 9, 3)) for n in range(20)]
    now += [(f"B{n:02d}", "growth", None, "xy"[n % 2], "n", *random.uniform(0, 9, 3)) for n in range(15)]
    then = [(f"B{n:02d}", *random.uniform(0, 9, 3)) for n in range(15)]
    one = similar_partners(_channel(now, then))
    other = similar_partners(_channel(now[::-1], then[::-1]))
    pd.testing.assert_frame_equal(one, other)
    assert one.groupby(["partner_id", "rank"]).size().max() <= MOST_MOVES
    assert not (one["partner_id"] == one["peer_id"]).any()


def test_a_single_partner_two_partners_and_a_channel_at_the_top_have_answers() -> None:
    assert similar_partners(_channel([_climber()], [("A", *ALIKE)]))["code"].tolist() == ["none_one_tier_up"]
    two = similar_partners(_channel([_climber(), _peer("B")], [("A", *ALIKE), ("B", *ALIKE)]))
    assert set(two["partner_id"]) == {"A"}
    assert similar_partners(_channel([_peer("B"), _peer("C")], [("B", *ALIKE), ("C", *ALIKE)])).empty


def test_asking_for_some_partners_gives_their_rows_among_all() -> None:
    now = [_climber("A"), _climber("C", region="s"), _climber("D", archetype=None), _peer("B"), _peer("E", region="s")]
    channel = _channel(sorted(now), [("B", *ALIKE), ("E", *ALIKE)])
    everybody, some = similar_partners(channel), similar_partners(channel, pd.Series(["C", "B", "nobody"]))
    assert set(everybody["partner_id"]) == {"A", "C", "D"}
    pd.testing.assert_frame_equal(some, everybody[everybody["partner_id"] == "C"].reset_index(drop=True))
