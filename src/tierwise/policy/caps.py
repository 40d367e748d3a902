"""Caps of the guardrails: how many may enter a tier or rise in one review. The lowest ranked wait, with that as reason.

Promotions and first placements enter a tier; whoever holds one keeps it. A promotion that a cap leaves no room for
waits where it is, or rises to the tier below the full one; a first placement waits one tier lower. Where somebody
waits, room may be missing elsewhere, so the caps are asked again until nobody else has to wait.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierwise.config.policy_movement import ManagerCapacity
from tierwise.policy.movement_rules import MovementRule
from tierwise.policy.outcome import Outcome
from tierwise.policy.review import Mask, Places, Review

NOBODY_ELSE = MovementRule("", "hold", lambda review: review.everyone(False), "")
TIER_FULL = MovementRule("tier_share_cap", "hold", NOBODY_ELSE.applies, "tier_is_full")
LOWER_TIER = MovementRule("tier_share_cap", "promote", NOBODY_ELSE.applies, "higher_tier_is_full")
FIRST_LOWER = MovementRule("tier_share_cap", "place", NOBODY_ELSE.applies, "first_tier_is_full")
MANAGER_FULL = MovementRule("manager_capacity", "hold", NOBODY_ELSE.applies, "manager_has_no_capacity")
FIRST_UNMANAGED = MovementRule("manager_capacity", "place", NOBODY_ELSE.applies, "manager_has_no_capacity_yet")
CYCLE_FULL = MovementRule("promotion_cap", "hold", NOBODY_ELSE.applies, "too_many_promotions")
CAP_RULES = (TIER_FULL, LOWER_TIER, FIRST_LOWER, MANAGER_FULL, FIRST_UNMANAGED, CYCLE_FULL)


def apply_caps(review: Review, outcome: Outcome) -> Outcome:
    """Hold back the lowest ranked promotions and first placements that a cap leaves no room for.

    The rank is the policy's `rank_by`, highest first; equal ranks go by partner id, by which a placement is sorted.
    First placements are not held back up to the policy's `migration_until`.
    """
    order = _Order.of(review)
    while True:
        restrained = _restrained(review, order, outcome)
        if np.array_equal(restrained.place, outcome.place):
            return outcome
        outcome = restrained


def _restrained(review: Review, order: _Order, outcome: Outcome) -> Outcome:
    """Look at every cap once."""
    for tier, room in _tier_rooms(review):
        outcome = _fill_tier(outcome, review, order, tier, room)
    capacity = review.policy.guardrails.manager_capacity
    if capacity is not None and review.controls.manager is not None:
        outcome = _fill_managers(outcome, review, order, capacity)
    limit = promotions_allowed(review, len(review.current))
    return outcome if limit is None else _wait(outcome, order.beyond(_rising(outcome), limit), CYCLE_FULL)


@dataclass(frozen=True)
class _Order:
    """The order in which partners are let through."""

    position: Places

    @classmethod
    def of(cls, review: Review) -> _Order:
        by = np.where(np.isnan(review.controls.rank_by), -np.inf, review.controls.rank_by)
        order = np.argsort(-by, kind="stable")
        position = np.empty(len(order), dtype=np.int64)
        position[order] = np.arange(len(order))
        return cls(position)

    def beyond(self, who: Mask, room: int) -> Mask:
        """Those of `who` for whom there is no room: all but the first ones."""
        found = np.zeros(len(who), dtype=bool)
        members = np.flatnonzero(who)
        ordered = members[np.argsort(self.position[members])]
        found[ordered[max(room, 0) :]] = True
        return found

    def beyond_each(self, who: Mask, group: Places, room: Places) -> Mask:
        """Those of `who` for whom their group has no room: all but its first ones; `room` is by group."""
        found = np.zeros(len(who), dtype=bool)
        members = np.flatnonzero(who)
        ordered = members[np.lexsort((self.position[members], group[members]))]
        own = group[ordered]
        place = np.arange(len(own)) - np.searchsorted(own, own)
        found[ordered[place >= room[own]]] = True
        return found


def promotions_allowed(review: Review, partners: int) -> int | None:
    """The most promotions of this review; none without a cap."""
    rails = review.policy.guardrails
    limits = [] if rails.max_promotions is None else [rails.max_promotions]
    if rails.max_promotions_share is not None:
        limits.append(_share_of(rails.max_promotions_share, partners))
    return min(limits, default=None)


def _share_of(share: float, partners: int) -> int:
    return math.floor(share * partners + 1e-9)


def _tier_rooms(review: Review) -> Iterator[tuple[int, int]]:
    """The most partners of each capped tier, from the highest tier down."""
    rails, names = review.policy.guardrails, review.policy.tier_names
    for tier in reversed(range(len(names))):
        limits = [rails.max_count[names[tier]]] if names[tier] in rails.max_count else []
        if names[tier] in rails.max_share:
            limits.append(_share_of(rails.max_share[names[tier]], len(review.current)))
        if limits:
            yield tier, min(limits)


def _rising(outcome: Outcome) -> Mask:
    return (outcome.action == "promote").to_numpy(dtype=bool)


def _placing(review: Review, outcome: Outcome) -> Mask:
    """The first placements that the caps restrain."""
    until = review.policy.guardrails.migration_until
    if until is not None and review.as_of <= until:
        return review.everyone(False)
    return (outcome.action == "place").to_numpy(dtype=bool)


def _fill_tier(outcome: Outcome, review: Review, order: _Order, tier: int, most: int) -> Outcome:
    """Let the first ones into a tier beside those who are there; the others go to the tier below, or wait."""
    rising, placing, there = _rising(outcome), _placing(review, outcome), outcome.place == tier
    entering = (rising | placing) & there
    late = order.beyond(entering, most - int((there & ~entering).sum()))
    below = np.full_like(outcome.place, tier - 1)
    outcome = _with(outcome, late & placing, FIRST_LOWER, below)
    lower = late & rising & (review.current < tier - 1)
    outcome = _with(outcome, lower, LOWER_TIER, below)
    return _wait(outcome, late & rising & ~lower, TIER_FULL)


def _fill_managers(outcome: Outcome, review: Review, order: _Order, capacity: ManagerCapacity) -> Outcome:
    """Let each manager's first ones into the tiers that take the manager's time."""
    places = [review.policy.tier_names.index(name) for name in capacity.tiers]
    takes_time = np.isin(outcome.place, places)
    rising, placing = _rising(outcome), _placing(review, outcome)
    entering = takes_time & ((rising & ~np.isin(review.current, places)) | placing)
    managers = review.controls.manager
    assert managers is not None
    codes, names = pd.factorize(managers, use_na_sentinel=True)
    held = np.bincount(codes[takes_time & ~entering & (codes >= 0)], minlength=len(names))
    room = np.array([capacity.partners.get(name, capacity.default) for name in names], dtype=np.int64) - held
    late = order.beyond_each(entering & (codes >= 0), codes, room)
    outcome = _with(outcome, late & placing, FIRST_UNMANAGED, _below(outcome.place, places))
    return _wait(outcome, late & rising, MANAGER_FULL)


def _below(place: Places, places: list[int]) -> Places:
    """The highest lower place that takes no manager's time; -1 for none."""
    free = np.array([-1, *(lower for lower in range(max(places)) if lower not in places)])
    found: Places = free[np.searchsorted(free, place) - 1]
    return found


def _wait(outcome: Outcome, who: Mask, rule: MovementRule) -> Outcome:
    return _with(outcome, who, rule, outcome.before)


def _with(outcome: Outcome, who: Mask, rule: MovementRule, place: Places) -> Outcome:
    return outcome.replaced(who, rule, place) if who.any() else outcome
