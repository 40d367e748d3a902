"""The criterion that explains a placement: closest of those met, widest of those missed, nearest of those missing."""

from __future__ import annotations

import pandas as pd
import pytest

from tierwise.explain.focus import focus_criteria, is_below

TIERS = ("entry", "growth", "strategic")


def _move(action: str, current: str | None, eligible: str, recommended: str, next_tier: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "partner_id": ["P1"], "action": [action], "current_tier": pd.Series([current], dtype="str"),
            "eligible_tier": [eligible], "recommended_tier": [recommended],
            "next_tier": pd.Series([next_tier], dtype="str"),
        }
    )  # fmt: skip


def _criteria(*rows: tuple[str, str, str, float, float | None, str, str, bool]) -> pd.DataFrame:
    columns = ["tier", "criterion", "operator", "threshold", "value", "met", "route", "cheapest"]
    frame = pd.DataFrame(rows, columns=columns).assign(partner_id="P1")
    gap = (frame["threshold"] - frame["value"].astype(float)).clip(lower=0)
    return frame.assign(metric=frame["criterion"], expression=frame["criterion"], gap=gap)


CRITERIA = _criteria(
    ("growth", "revenue", ">=", 100.0, 250.0, "true", "", True),
    ("growth", "certified", ">=", 2.0, 3.0, "true", "", True),
    ("growth", "good_standing", "is", 1.0, 1.0, "true", "", True),
    ("strategic", "revenue", ">=", 400.0, 250.0, "false", "", True),
    ("strategic", "joint", ">=", 2.0, 1.0, "false", "1", True),
    ("strategic", "reviews", ">=", 10.0, 9.9, "false", "2", False),
    ("strategic", "nps", ">=", 50.0, None, "unknown", "", True),
)


def test_a_promotion_rests_on_the_criterion_that_is_met_most_narrowly() -> None:
    found = focus_criteria(_move("promote", "entry", "growth", "growth", "strategic"), CRITERIA, TIERS).iloc[0]
    assert (found["code"], found["tier"], found["metric"]) == (
        "closest_threshold", "growth", "certified",
    )  # fmt: skip


def test_a_hold_names_what_the_next_tier_asks_for_and_is_nearest_on_the_cheapest_route() -> None:
    found = focus_criteria(_move("hold", "growth", "growth", "growth", "strategic"), CRITERIA, TIERS).iloc[0]
    assert (found["code"], found["metric"], found["others"]) == ("missing_for_next_tier", "revenue", 2)


def test_a_partner_below_its_tier_sees_what_is_missed_there_most_widely() -> None:
    known = CRITERIA[CRITERIA["met"] != "unknown"]
    found = focus_criteria(_move("watch", "strategic", "growth", "strategic", None), known, TIERS).iloc[0]
    assert (found["code"], found["tier"], found["metric"]) == ("missed_threshold", "strategic", "joint")


def test_an_unknown_figure_is_said_to_be_unknown() -> None:
    unknown = CRITERIA[CRITERIA["criterion"] == "nps"]
    found = focus_criteria(_move("hold", "growth", "growth", "growth", "strategic"), unknown, TIERS).iloc[0]
    assert found["code"] == "unknown_figure"


def test_a_condition_that_holds_is_never_the_closest_when_a_figure_is() -> None:
    rows = CRITERIA[CRITERIA["criterion"].isin(["revenue", "good_standing"])]
    found = focus_criteria(_move("place", None, "growth", "growth", "strategic"), rows, TIERS).iloc[0]
    assert found["metric"] == "revenue"


def test_a_first_placement_at_the_bottom_sees_what_the_next_tier_asks_for() -> None:
    found = focus_criteria(_move("place", None, "entry", "entry", "strategic"), CRITERIA, TIERS).iloc[0]
    assert (found["code"], found["tier"], found["metric"]) == ("missing_for_next_tier", "strategic", "revenue")


def test_nothing_is_missing_at_the_top() -> None:
    assert focus_criteria(_move("hold", "strategic", "strategic", "strategic", None), CRITERIA, TIERS).empty


@pytest.mark.parametrize(
    ("current", "eligible", "expected"),
    [("growth", "entry", True), ("growth", "growth", False), (None, "entry", False), ("growth", None, True)],
)
def test_below_means_eligible_for_less_than_held(current: str | None, eligible: str | None, expected: bool) -> None:
    move = pd.DataFrame(
        {"current_tier": pd.Series([current], dtype="str"), "eligible_tier": pd.Series([eligible], dtype="str")}
    )
    assert is_below(move, TIERS).tolist() == [expected]
