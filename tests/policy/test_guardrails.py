"""Caps, capacity and the guardrails' reports on channels whose answer is known."""

from datetime import date

import pandas as pd
import pytest

from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.policy import manager_load, move, place, promoted_without_growth, tier_inflation

DAY = date(2026, 6, 30)
HEAD = {"policy": "x", "effective_from": "2026-01-01", "owner": "o", "reason": "r"}
TIERS = [{"name": "low"}, {"name": "mid", "when": "revenue >= 100"}, {"name": "top", "when": "revenue >= 200"}]
AT_ONCE = {"promote": {"band": 0}, "demote": {"band": 0, "confirm": 1}, "hold": {"min_reviews_in_tier": 0}}


def policy(**guardrails: object) -> Policy:
    given = {"rank_by": "revenue", **guardrails}
    return Policy.model_validate({**HEAD, "tiers": TIERS, "movement": AT_ONCE, "guardrails": given})


def reviewed(engine: Engine, rules: Policy, revenue: dict[str, float], before: dict[str, str], **columns: object):
    inputs = pd.DataFrame({"partner_id": list(revenue), "revenue": list(revenue.values()), **columns})
    rows = {"partner_id": list(before), "as_of": pd.Timestamp(2026, 3, 31), "tier": list(before.values())}
    history = pd.DataFrame(rows).assign(eligible_tier="low", action="hold", rule="unchanged")
    placement = place(engine, rules, inputs)
    return placement, move(rules, placement, history, DAY)


def tiers(moved: pd.DataFrame) -> dict[str, str]:
    return dict(zip(moved["partner_id"], moved["recommended_tier"], strict=True))


def rules(moved: pd.DataFrame) -> dict[str, str]:
    return dict(zip(moved["partner_id"], moved["rule"], strict=True))


ALL_LOW = dict.fromkeys("abcd", "low")


def test_promotions_are_capped_by_count_and_share(engine: Engine) -> None:
    revenue = {"a": 110.0, "b": 140, "c": 130, "d": 120}
    for limit in (
        {"max_promotions": 2},
        {"max_promotions_share": 0.5},
        {"max_promotions": 3, "max_promotions_share": 0.5},
    ):
        _, moved = reviewed(engine, policy(**limit), revenue, ALL_LOW)
        assert tiers(moved) == {"a": "low", "b": "mid", "c": "mid", "d": "low"}
        assert rules(moved)["a"] == "promotion_cap"
        assert set(moved.loc[moved["rule"] == "promotion_cap", "reason_code"]) == {"too_many_promotions"}


def test_equal_ranks_go_by_partner_id(engine: Engine) -> None:
    _, moved = reviewed(engine, policy(max_promotions=1, rank_by="0 * revenue"), dict.fromkeys("dcba", 150.0), ALL_LOW)
    assert tiers(moved) == {"a": "mid", "b": "low", "c": "low", "d": "low"}


def test_full_tier_lets_partners_rise_to_the_one_below(engine: Engine) -> None:
    revenue = {"a": 250.0, "b": 260, "c": 270, "d": 280}
    _, moved = reviewed(
        engine, policy(max_share={"top": 0.5}), revenue, {"a": "low", "b": "mid", "c": "low", "d": "low"}
    )
    assert tiers(moved) == {"a": "mid", "b": "mid", "c": "top", "d": "top"}
    assert {name: rules(moved)[name] for name in "ab"} == {"a": "tier_share_cap", "b": "tier_share_cap"}
    assert moved.set_index("partner_id").loc[["a", "b"], "action"].tolist() == ["promote", "hold"]


def test_nobody_loses_a_tier_because_it_is_full(engine: Engine) -> None:
    revenue = dict.fromkeys("abcd", 250.0)
    before = {"a": "top", "b": "top", "c": "top", "d": "low"}
    _, moved = reviewed(engine, policy(max_count={"top": 1}), revenue, before)
    assert tiers(moved) == {"a": "top", "b": "top", "c": "top", "d": "mid"}


def test_lowest_ranked_wait_for_a_manager_with_capacity(engine: Engine) -> None:
    capacity = {"by": "manager", "tiers": ["mid", "top"], "default": 1, "partners": {"kim": 2}}
    rails = policy(manager_capacity=capacity)
    revenue = {"a": 110.0, "b": 120, "c": 130, "d": 140}
    before = {"a": "mid", "b": "low", "c": "low", "d": "low"}
    placement, moved = reviewed(engine, rails, revenue, before, manager=["kim", "kim", "kim", "lee"])
    assert rules(moved) == {"a": "unchanged", "b": "manager_capacity", "c": "promotion", "d": "promotion"}
    load = manager_load(rails, placement, moved).set_index("manager")
    assert load.loc["kim"].to_dict() == {"partners": 2, "capacity": 2, "waiting": 1}
    assert load.loc["lee"].to_dict() == {"partners": 1, "capacity": 1, "waiting": 0}


NOBODY: dict[str, str] = {}


def test_first_placements_beyond_a_tiers_share_wait_one_tier_lower(engine: Engine) -> None:
    revenue = {"a": 210.0, "b": 220, "c": 230, "d": 240}
    _, moved = reviewed(engine, policy(max_share={"top": 0.5}), revenue, NOBODY)
    assert tiers(moved) == {"a": "mid", "b": "mid", "c": "top", "d": "top"}
    assert moved["action"].tolist() == ["place"] * 4
    assert moved["reason_code"].tolist() == ["first_tier_is_full"] * 2 + ["no_tier_history"] * 2


def test_seats_go_by_rank_whether_promoted_or_new(engine: Engine) -> None:
    revenue = {"a": 240.0, "b": 230, "c": 220, "d": 210}
    _, moved = reviewed(engine, policy(max_count={"top": 2}), revenue, {"a": "mid", "c": "mid"})
    assert tiers(moved) == {"a": "top", "b": "top", "c": "mid", "d": "mid"}
    assert rules(moved) == {"a": "promotion", "b": "first_placement", "c": "tier_share_cap", "d": "tier_share_cap"}


def test_who_waits_in_a_full_lower_tier_goes_down_further(engine: Engine) -> None:
    _, moved = reviewed(engine, policy(max_count={"top": 1, "mid": 1}), {"a": 300.0, "b": 250, "c": 240}, NOBODY)
    assert tiers(moved) == {"a": "top", "b": "mid", "c": "low"}


def test_a_seat_is_not_given_away_while_its_holder_waits_above(engine: Engine) -> None:
    """b leaves mid for top, but the manager has no room: then a may not have taken b's seat."""
    capacity = {"by": "manager", "tiers": ["top"], "default": 0}
    rails = policy(max_count={"mid": 1}, manager_capacity=capacity)
    _, moved = reviewed(engine, rails, {"a": 110.0, "b": 300}, {"a": "low", "b": "mid"}, manager=["kim", "kim"])
    assert tiers(moved) == {"a": "low", "b": "mid"}
    assert rules(moved) == {"a": "tier_share_cap", "b": "manager_capacity"}


def test_a_newcomer_without_a_manager_to_spare_starts_where_none_is_needed(engine: Engine) -> None:
    capacity = {"by": "manager", "tiers": ["mid", "top"], "default": 1}
    revenue = {"a": 300.0, "b": 250, "c": 300}
    placement, moved = reviewed(
        engine, policy(manager_capacity=capacity), revenue, NOBODY, manager=["kim", "kim", "lee"]
    )
    assert tiers(moved) == {"a": "top", "b": "low", "c": "top"}
    assert moved["reason_code"].tolist() == ["no_tier_history", "manager_has_no_capacity_yet", "no_tier_history"]
    assert manager_load(placement.policy, placement, moved)["waiting"].tolist() == [1, 0]


def test_a_program_moves_in_whole_until_its_migration_ends(engine: Engine) -> None:
    revenue = dict.fromkeys("abcd", 250.0)
    _, moved = reviewed(engine, policy(max_share={"top": 0.25}, migration_until=DAY), revenue, NOBODY)
    assert set(moved["recommended_tier"]) == {"top"}
    _, late = reviewed(engine, policy(max_share={"top": 0.25}, migration_until=date(2026, 6, 29)), revenue, NOBODY)
    assert tiers(late) == {"a": "top", "b": "mid", "c": "mid", "d": "mid"}


def test_below_a_full_lowest_tier_there_is_no_tier(engine: Engine) -> None:
    _, moved = reviewed(engine, policy(max_count={"low": 1}), {"a": 10.0, "b": 20}, NOBODY)
    assert moved["recommended_tier"].isna().tolist() == [True, False]
    assert moved["action"].tolist() == ["place", "place"]


def test_evidence_floor_keeps_the_tier_and_says_so(engine: Engine) -> None:
    rails = policy(evidence={"min_deals": 5})
    columns = {"deals": [4.0, 5.0, None, 9.0]}
    _, moved = reviewed(engine, rails, dict.fromkeys("abcd", 150.0), ALL_LOW, **columns)
    assert tiers(moved) == {"a": "low", "b": "mid", "c": "low", "d": "mid"}
    assert moved["action"].tolist() == ["insufficient_evidence", "promote", "insufficient_evidence", "promote"]


def test_promotion_without_growth_is_listed(engine: Engine) -> None:
    rails = policy(growth={"of": "growth", "at_least": 0})
    columns = {"growth": [0.1, -0.1, None, -0.5]}
    placement, moved = reviewed(engine, rails, {"a": 150.0, "b": 150, "c": 150, "d": 50}, ALL_LOW, **columns)
    assert promoted_without_growth(rails, placement, moved)["partner_id"].tolist() == ["b", "c"]
    assert promoted_without_growth(policy(), placement, moved).empty


@pytest.mark.parametrize(("partners", "inflated"), [(8, False), (9, True)])
def test_inflation_has_a_binomial_tolerance(partners: int, inflated: bool) -> None:
    """Of 100 partners at a plan of 4.5 %, eight are within the 95 % quantile of chance; nine are not."""
    rails = policy(tier_plan={"shares": {"top": 0.045}, "significance": 0.05})
    moved = pd.DataFrame({"recommended_tier": ["top"] * partners + ["low"] * (100 - partners)})
    (row,) = tier_inflation(rails, moved).to_dict(orient="records")
    assert row["share"] == partners / 100
    assert row["most_by_chance"] == 8
    assert row["inflated"] is inflated
    assert (row["probability"] < 0.05) is inflated


def test_no_plan_no_report() -> None:
    assert tier_inflation(policy(), pd.DataFrame({"recommended_tier": ["low"]})).empty
