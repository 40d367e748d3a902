"""Which policy is in force, that none is edited once it was, and what changed from one to another, in words."""

from datetime import date

import pandas as pd
import pytest

from tierwise.config.policy import Policy
from tierwise.errors import InvalidInput, Refused
from tierwise.policy import LockedPolicy, check_lock, diff, in_force, tier_on

HEAD = {"policy": "standard", "owner": "o", "reason": "r"}


def policy(start: str = "2026-01-01", rule: object = "revenue >= 100", **body: object) -> Policy:
    tiers = [{"name": "low"}, {"name": "high", "when": rule}]
    return Policy.model_validate({**HEAD, "effective_from": start, "tiers": tiers, **body})


def test_latest_policy_that_has_started_is_in_force() -> None:
    policies = [policy("2026-07-01"), policy("2026-01-01"), policy("2027-01-01")]
    assert in_force(policies, date(2026, 7, 1)).effective_from == date(2026, 7, 1)
    assert in_force(policies, date(2026, 6, 30)).effective_from == date(2026, 1, 1)
    with pytest.raises(InvalidInput, match="no policy is in force on 2025-12-31"):
        in_force(policies, date(2025, 12, 31))


def on_record(decided: Policy) -> LockedPolicy:
    return LockedPolicy(decided.version, decided.sha256, date(2026, 3, 31))


def test_edit_of_a_policy_that_decided_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(Refused, match="later effective_from") as refused:
        check_lock([policy(rule="revenue >= 90")], [on_record(policy())])
    assert "was edited, but it has decided the review of 2026-03-31" in str(refused.value)


def test_removal_of_a_policy_that_decided_is_refused() -> None:
    with pytest.raises(Refused, match="is gone"):
        check_lock([policy("2026-07-01")], [on_record(policy())])


def test_unchanged_policies_and_new_ones_pass() -> None:
    check_lock([policy(), policy("2027-01-01", rule="revenue >= 5")], [on_record(policy())])


def test_hash_is_of_what_the_file_says() -> None:
    same = policy(movement={"promote": {"band": 0.05, "steps": 1}})
    turned = policy(movement={"promote": {"steps": 1, "band": 0.050}})
    assert same.sha256 == turned.sha256
    assert same.sha256 != policy(movement={"promote": {"band": 0.06, "steps": 1}}).sha256


def sentences(before: Policy, after: Policy) -> list[str]:
    return [change.sentence for change in diff(before, after)]


def test_nothing_changed() -> None:
    assert diff(policy(), policy()) == ()


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({}, {"rule": "revenue >= 120"}, "tiers.high.when: revenue >= 100 → >= 120 (+20.0%)"),
        ({}, {"rule": "revenue > 100"}, "tiers.high.when: revenue >= 100 → revenue > 100 (at the boundary itself)"),
        ({}, {"rule": "revenue >= 100 and people >= 2"}, "tiers.high.when: asks for people >= 2 as well"),
        ({"rule": "revenue >= 100 and people >= 2"}, {}, "tiers.high.when: no longer asks for people >= 2"),
        (
            {"rule": {"all": ["revenue >= 100", "people >= 2"]}},
            {"rule": {"any": ["revenue >= 100", "people >= 2"]}},
            "tiers.high.when: the same criteria are combined in another way",
        ),
        (
            {"rule": {"check": "revenue >= 100", "unknown": "fail"}},
            {"rule": {"check": "revenue >= 100", "unknown": "skip"}},
            "tiers.high.when: revenue >= 100 with other options: unknown fail → unknown skip",
        ),
        ({}, {"rule": {"flag": "paid"}}, "tiers.high.when: asks for the flag paid as well"),
        (
            {"parameters": {"goal": {"by": "region", "EMEA": 40000, "default": 1}}},
            {"parameters": {"goal": {"by": "region", "EMEA": 50000, "default": 1}}},
            "parameters.goal.EMEA: 40000 → 50000 (+25.0%)",
        ),
        ({}, {"movement": {"demote": {"grace": "90 days"}}}, "movement.demote.grace.count: added, 90"),
        ({}, {"movement": {"promote": {"steps": 1}}}, "movement.promote.steps: any → 1"),
        (
            {"tiers": [{"name": "low"}]},
            {"tiers": [{"name": "low"}, {"name": "top", "when": "a > 1"}]},
            "tiers: new tier top",
        ),
        (
            {"tiers": [{"name": "a"}, {"name": "b"}]},
            {"tiers": [{"name": "b"}, {"name": "a"}]},
            "tiers: order of tiers a < b → b < a",
        ),
    ],
)  # fmt: skip
def test_change_is_said_in_words(before: dict, after: dict, sentence: str) -> None:
    assert sentence in sentences(policy(**before), policy(**after))


def test_only_what_changed_is_said() -> None:
    assert sentences(policy(), policy(rule="revenue >= 120")) == ["tiers.high.when: revenue >= 100 → >= 120 (+20.0%)"]


def test_tier_on_the_day_of_an_event() -> None:
    history = pd.DataFrame(
        {
            "partner_id": ["a", "a", "b"],
            "as_of": pd.to_datetime(["2026-03-31", "2026-06-30", "2026-03-31"]),
            "tier": list("xyz"),
        }
    )
    events = pd.DataFrame(
        {
            "partner_id": ["b", "a", "a", "a"],
            "date": pd.to_datetime(["2026-04-01", "2026-06-30", "2026-06-29", "2026-01-01"]),
        }
    )
    assert tier_on(history, events).tolist()[:3] == ["z", "y", "x"]
    assert tier_on(history, events).isna().tolist() == [False, False, False, True]
