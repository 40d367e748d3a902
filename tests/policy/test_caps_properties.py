"""What caps promise, on random reviews with random caps: full tiers stay full, the lowest wait, nobody loses."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.random_reviews import PARTNERS, TIERS, random_review
from tierwise.config.policy_movement import Guardrails
from tierwise.policy.caps import CAP_RULES, apply_caps
from tierwise.policy.movement import decide
from tierwise.policy.outcome import Outcome
from tierwise.policy.review import Review

MANAGERS = ("kim", "lee", "mo")
ENTERS = ("promote", "place")
CAP_NAMES = {rule.name for rule in CAP_RULES}
seeds = st.integers(0, 99)
shares = st.dictionaries(st.sampled_from(TIERS), st.sampled_from([0, 0.02, 0.1, 0.3, 1]), max_size=4)
counts = st.dictionaries(st.sampled_from(TIERS), st.integers(0, 20), max_size=4)
capacities = st.none() | st.builds(
    lambda tiers, most: {"by": "manager", "tiers": sorted(tiers), "default": most, "partners": {"kim": most + 2}},
    st.sets(st.sampled_from(TIERS), min_size=1),
    st.integers(0, 8),
)
caps = st.fixed_dictionaries(
    {
        "max_share": shares,
        "max_count": counts,
        "manager_capacity": capacities,
        "max_promotions": st.none() | st.integers(0, 10),
    }
)


cached_review = lru_cache(random_review)


def with_caps(seed: int, rails: dict) -> Review:
    """A random review whose policy has these guardrails; half of its partners are new."""
    review = cached_review(seed).review
    random = np.random.default_rng(seed)
    known = review.past.known & (random.uniform(size=PARTNERS) < 0.5)
    past = replace(review.past, known=known, current=np.where(known, review.past.current, -1))
    controls = replace(review.controls, manager=pd.Series(random.choice([*MANAGERS, None], PARTNERS), dtype="str"))
    policy = review.policy.model_copy(update={"guardrails": Guardrails.model_validate(rails)})
    return replace(review, policy=policy, past=past, controls=controls)


def most_of(review: Review, tier: str) -> float:
    rails = review.policy.guardrails
    share = math.floor(rails.max_share[tier] * PARTNERS + 1e-9) if tier in rails.max_share else math.inf
    return min(share, rails.max_count.get(tier, math.inf))


@settings(max_examples=500, deadline=None)
@given(seeds, caps)
def test_caps_keep_their_promises(seed: int, rails: dict) -> None:
    review = with_caps(seed, rails)
    before = decide(review)
    after = apply_caps(review, before)
    no_tier_overflows(review, after)
    no_manager_overflows(review, after)
    limit = review.policy.guardrails.max_promotions
    assert limit is None or (after.action == "promote").sum() <= limit
    only_entries_change(before, after)
    np.testing.assert_array_equal(apply_caps(review, after).place, after.place)


def entered(after: Outcome) -> np.ndarray:
    return after.action.isin(ENTERS).to_numpy()


def no_tier_overflows(review: Review, after: Outcome) -> None:
    """A tier holds more than its cap only if nobody entered it."""
    for place, tier in enumerate(TIERS):
        there = after.place == place
        assert there.sum() <= most_of(review, tier) or not (entered(after) & there).any()


def no_manager_overflows(review: Review, after: Outcome) -> None:
    capacity, managers = review.policy.guardrails.manager_capacity, review.controls.manager
    if capacity is None:
        return
    places = [TIERS.index(name) for name in capacity.tiers]
    takes_time = np.isin(after.place, places)
    came = takes_time & entered(after) & ~np.isin(after.before, places)
    for manager in MANAGERS:
        own = (managers == manager).to_numpy()
        most = capacity.partners.get(manager, capacity.default)
        assert (own & takes_time).sum() <= most or not (own & came).any()


def only_entries_change(before: Outcome, after: Outcome) -> None:
    """Caps lower nothing but promotions and first placements, never below the tier held, and say so."""
    changed = (after.place != before.place) | (after.rule != before.rule).to_numpy()
    assert before.action[changed].isin(ENTERS).all()
    assert after.rule[changed].isin(CAP_NAMES).all()
    assert (after.place[changed] < before.place[changed]).all()
    assert (after.place >= np.minimum(after.before, before.place)).all()
    assert (after.action[changed & (before.action == "place").to_numpy()] == "place").all()


@settings(max_examples=500, deadline=None)
@given(seeds, st.sampled_from(TIERS), st.integers(0, 12))
def test_a_cap_leaves_out_the_lowest_ranked(seed: int, tier: str, most: int) -> None:
    review, place = with_caps(seed, {"max_count": {tier: most}}), TIERS.index(tier)
    before = decide(review)
    after = apply_caps(review, before)
    wanted = entered(before) & (before.place == place)
    let_in = wanted & (after.place == place)
    rank = np.lexsort((np.arange(PARTNERS), -review.controls.rank_by)).argsort()
    if let_in.any() and (wanted & ~let_in).any():
        assert rank[let_in].max() < rank[wanted & ~let_in].min()
    staying = ((before.place == place) & ~wanted).sum()
    assert let_in.sum() == min(wanted.sum(), max(most - staying, 0))


@settings(max_examples=200, deadline=None)
@given(seeds, caps)
def test_a_migration_holds_back_no_first_placement(seed: int, rails: dict) -> None:
    review = with_caps(seed, rails | {"migration_until": date(2026, 9, 30)})
    before = decide(review)
    after = apply_caps(review, before)
    placed = (before.action == "place").to_numpy()
    np.testing.assert_array_equal(after.place[placed], before.place[placed])
    over = replace(review, as_of=date(2026, 10, 1))
    again = apply_caps(over, decide(over))
    no_tier_overflows(over, again)


@pytest.mark.parametrize("rule", CAP_RULES, ids=lambda rule: rule.reason_code)
def test_every_cap_rule_decides_somewhere(rule: object) -> None:
    rails = {
        "max_share": {"flagship": 0.05, "strategic": 0.1, "growth": 0.2},
        "max_promotions": 4,
        "manager_capacity": {"by": "manager", "tiers": ["growth", "strategic"], "default": 3},
    }
    found: set[str] = set()
    for seed in range(60):
        review = with_caps(seed, rails)
        found |= set(apply_caps(review, decide(review)).reason_code)
    assert rule.reason_code in found  # type: ignore[attr-defined]
