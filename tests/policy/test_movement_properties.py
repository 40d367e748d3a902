"""Every invariant of movement on random policies and random partners (METHODS section 4)."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policy.movement_checks import broken_checks, raised
from tests.policy.random_reviews import TIERS, random_review
from tierwise.policy.caps import apply_caps
from tierwise.policy.movement import decide
from tierwise.policy.past import past_of

seeds = st.integers(0, 2**32 - 1)
five_hundred = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@five_hundred
@given(seeds)
def test_every_named_invariant_holds(seed: int) -> None:
    made = random_review(seed)
    assert broken_checks(made.review, decide(made.review), made.history) == {}


@five_hundred
@given(seeds)
def test_better_figures_never_lead_to_a_lower_tier(seed: int) -> None:
    review = random_review(seed).review
    better = raised(review, np.random.default_rng(seed))
    before, after = decide(review), decide(better)
    assert np.flatnonzero(after.place < before.place).tolist() == []


@five_hundred
@given(seeds)
def test_order_of_history_rows_is_irrelevant(seed: int) -> None:
    made = random_review(seed)
    shuffled = made.history.sample(frac=1, random_state=seed)
    partners = pd.Series([f"P{number:03d}" for number in range(len(made.review.current))], dtype="str")
    again = past_of(partners, shuffled, TIERS, made.review.as_of, made.review.policy.movement)
    for name, values in vars(made.review.past).items():
        np.testing.assert_array_equal(values, getattr(again, name), err_msg=name)


@five_hundred
@given(seeds)
def test_caps_leave_out_the_lowest_ranked(seed: int) -> None:
    review = random_review(seed).review
    free = decide(review)
    capped = apply_caps(review, free)
    limit = review.policy.guardrails.max_promotions
    wanted, got = (np.flatnonzero(outcome.action == "promote") for outcome in (free, capped))
    assert len(got) == (len(wanted) if limit is None else min(limit, len(wanted)))
    left_out = np.setdiff1d(wanted, got)
    rank = review.controls.rank_by
    if len(left_out) and len(got):
        assert rank[left_out].max() <= rank[got].min()
    assert (capped.rule.iloc[left_out] == "promotion_cap").all()
    assert (capped.place[left_out] == review.current[left_out]).all()
    untouched = np.setdiff1d(np.arange(len(review.current)), left_out)
    assert (capped.place[untouched] == free.place[untouched]).all()
