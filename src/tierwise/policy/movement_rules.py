"""The movement rules: an ordered list of small named rules, of which the first that applies to a partner decides.

Each rule says to whom it applies, where it leads and what it is called; its name is stored with the recommendation.
Defaults and evidence: METHODS section 4. The rules of published programs behind each are listed in
docs/policy-language.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from tierwise.config.calendar import shift
from tierwise.config.durations import Duration
from tierwise.policy.review import Days, Mask, Places, Review

Action = Literal["place", "promote", "demote", "hold", "watch", "insufficient_evidence"]
Who = Callable[[Review], Mask]
Where = Callable[[Review], Places]

EXIT_PLACE = -2


def stay(review: Review) -> Places:
    """The current tier."""
    return review.current


@dataclass(frozen=True)
class MovementRule:
    """One rule of movement.

    Attributes:
        name: The rule's name, stored with every partner that it decides.
        action: What is recommended.
        applies: To whom it applies.
        leads_to: The recommended place; the current one unless the rule moves.
        pending: The place of a move that waits; none unless the rule makes one wait.
        reason_code: The reason in one word.
    """

    name: str
    action: Action
    applies: Who
    reason_code: str
    leads_to: Where = stay
    pending: Where | None = None


# --- who ---


def is_new_without_evidence(review: Review) -> Mask:
    """First placement above the lowest tier, without the evidence that the guardrails ask for."""
    return ~review.past.known & ~review.controls.evidence & (review.eligible > 0)


def is_new(review: Review) -> Mask:
    """No tier history exists."""
    return ~review.past.known


def is_frozen(review: Review) -> Mask:
    """A freeze of the policy holds today for this partner."""
    frozen = review.everyone(False)
    for freeze, concerned in zip(review.movement.freeze, review.controls.frozen, strict=True):
        if freeze.from_ <= review.as_of <= freeze.until:
            frozen |= concerned
    would_move = review.rises | review.falls | loses_at_once(review) | is_at_sunset(review)
    return frozen & would_move


def is_at_sunset(review: Review) -> Mask:
    """Too long below the lowest tier, or too long in it."""
    sunset = review.movement.sunset
    if sunset is None:
        return review.everyone(False)
    if sunset.at_entry_for is not None:
        stuck: Mask = (review.current == 0) & (review.eligible <= 0)
        return stuck & _lasted(review, sunset.at_entry_for, review.reviews_in_tier, review.past.tier_since)
    below = (review.eligible < 0) & ~review.past.exited
    reviews_below = review.past.reviews_below_entry + 1
    return below & _lasted(review, sunset.below_entry_for, reviews_below, review.past.below_entry_since)


def _lasted(review: Review, wait: Duration | None, reviews: Places, since: Days) -> Mask:
    """Whether something lasted so many reviews, or so much time."""
    if wait is None:
        return review.everyone(False)
    if wait.unit != "review":
        return review.waited(since, wait)
    long_enough: Mask = reviews >= wait.count
    return long_enough


def loses_at_once(review: Review) -> Mask:
    """The policy's trigger of immediate loss, above the lowest tier."""
    return review.controls.immediate_loss & (review.current > 0)


def is_unchanged(review: Review) -> Mask:
    """Eligible for the current tier."""
    return ~review.rises & ~review.falls


def lacks_evidence(review: Review) -> Mask:
    """Below the evidence floor of the guardrails."""
    return ~review.controls.evidence


def rises_inside_band(review: Review) -> Mask:
    """Eligible for more, but not by the band."""
    return review.rises & (review.gain <= review.current) & (review.confirmed_gain <= review.current)


def rises_unconfirmed(review: Review) -> Mask:
    """Eligible for more by the band, but not in enough reviews."""
    return review.rises & (review.confirmed_gain <= review.current)


def rises_held(review: Review) -> Mask:
    """Eligible for more, but the current tier is too young to change."""
    return review.rises & _is_held(review, "promote")


def rises_off_calendar(review: Review) -> Mask:
    """Eligible for more on a day without promotions."""
    return review.rises & review.everyone(not review.is_due("promote"))


def rises_pending(review: Review) -> Mask:
    """A promotion that waits for approval."""
    return review.rises & review.everyone(review.movement.promote.approval == "pending")


def rises_by_steps(review: Review) -> Mask:
    """A promotion cut short by the allowed steps."""
    return review.rises & (review.risen < review.confirmed_gain)


def falls_inside_band(review: Review) -> Mask:
    """Eligible for less, but not below the band."""
    return review.falls & (review.keep >= review.current)


def falls_guaranteed(review: Review) -> Mask:
    """Eligible for less, but the tier held before this policy is guaranteed."""
    transition = review.movement.transition
    if transition is None or transition.no_demotion_for is None:
        return review.everyone(False)
    start = review.policy.effective_from
    is_running = review.as_of < shift(start, transition.no_demotion_for, review.calendar)
    held_before: Mask = review.past.tier_since < np.datetime64(start, "D")
    return review.falls & review.everyone(is_running) & held_before


def falls_new(review: Review) -> Mask:
    """Eligible for less, but the partner is new."""
    newcomers = review.movement.newcomers
    if newcomers is None:
        return review.everyone(False)
    recorded = review.controls.newcomer_since
    since = review.past.first_review if recorded is None else recorded
    return review.falls & ~np.isnat(since) & ~review.waited(since, newcomers.no_demotion_for)


def falls_held(review: Review) -> Mask:
    """Eligible for less, but the current tier is too young to change."""
    return review.falls & _is_held(review, "demote")


def falls_unconfirmed(review: Review) -> Mask:
    """Below the band, but not in enough reviews."""
    return review.falls & (review.confirmed_keep >= review.current)


def falls_in_grace(review: Review) -> Mask:
    """A demotion whose notice was given, or is given now, and whose grace still runs."""
    grace = review.movement.demote.grace
    if grace is None:
        return review.everyone(False)
    return review.falls & ~review.waited(notice_days(review), grace)


def falls_off_calendar(review: Review) -> Mask:
    """Eligible for less on a day without demotions."""
    return review.falls & review.everyone(not review.is_due("demote"))


def falls_pending(review: Review) -> Mask:
    """A demotion that waits for approval."""
    return review.falls & review.everyone(review.movement.demote.approval == "pending")


def falls_by_steps(review: Review) -> Mask:
    """A demotion cut short by the allowed steps."""
    return review.falls & (review.fallen > review.confirmed_keep)


def _is_held(review: Review, move: str) -> Mask:
    hold = review.movement.hold
    if move not in hold.against:
        return review.everyone(False)
    held = review.reviews_in_tier < hold.min_reviews_in_tier
    if hold.min_time_in_tier is not None:
        held |= ~review.waited(review.past.tier_since, hold.min_time_in_tier)
    return held


# --- where ---


def notice_days(review: Review) -> np.ndarray:
    """The day of each partner's notice of demotion: that on record, else today."""
    recorded = review.past.notice_on
    return np.where(np.isnat(recorded), np.datetime64(review.as_of, "D"), recorded)


def eligible_place(review: Review) -> Places:
    """The eligible tier."""
    return review.eligible


def lowest_place(review: Review) -> Places:
    """The lowest tier."""
    return np.zeros_like(review.current)


def out_of_program(review: Review) -> Places:
    """No tier at all."""
    return np.full_like(review.current, EXIT_PLACE)


def risen_place(review: Review) -> Places:
    """Where the promotion leads."""
    return review.risen


def fallen_place(review: Review) -> Places:
    """Where the demotion leads."""
    return review.fallen


FIRST_PLACEMENT = (
    MovementRule(
        "evidence_floor_first", "insufficient_evidence", is_new_without_evidence, "too_little_evidence", lowest_place
    ),
    MovementRule("first_placement", "place", is_new, "no_tier_history", eligible_place),
)
WHATEVER_THE_DIRECTION = (
    MovementRule("freeze", "hold", is_frozen, "frozen"),
    MovementRule("sunset", "demote", is_at_sunset, "left_program", out_of_program),
    MovementRule("immediate_loss", "demote", loses_at_once, "immediate_loss_trigger", lowest_place),
    MovementRule("unchanged", "hold", is_unchanged, "eligible_for_current_tier"),
    MovementRule("evidence_floor", "insufficient_evidence", lacks_evidence, "too_little_evidence"),
)
UPWARDS = (
    MovementRule("promotion_band", "hold", rises_inside_band, "inside_promotion_band"),
    MovementRule("promotion_hold", "hold", rises_held, "tier_too_young"),
    MovementRule("promotion_confirmation", "watch", rises_unconfirmed, "promotion_not_confirmed"),
    MovementRule("promotion_calendar", "hold", rises_off_calendar, "no_promotions_on_this_day"),
    MovementRule("promotion_approval", "watch", rises_pending, "promotion_awaits_approval", pending=risen_place),
    MovementRule("promotion_steps", "promote", rises_by_steps, "qualified_for_more_steps", risen_place),
    MovementRule("promotion", "promote", lambda review: review.rises, "qualified", risen_place),
)
DOWNWARDS = (
    MovementRule("demotion_band", "hold", falls_inside_band, "inside_demotion_band"),
    MovementRule("status_guarantee", "hold", falls_guaranteed, "status_guaranteed"),
    MovementRule("newcomer_protection", "hold", falls_new, "newcomer"),
    MovementRule("demotion_hold", "hold", falls_held, "tier_too_young"),
    MovementRule("demotion_confirmation", "watch", falls_unconfirmed, "demotion_not_confirmed"),
    MovementRule("demotion_grace", "watch", falls_in_grace, "in_grace", pending=fallen_place),
    MovementRule("demotion_calendar", "hold", falls_off_calendar, "no_demotions_on_this_day"),
    MovementRule("demotion_approval", "watch", falls_pending, "demotion_awaits_approval", pending=fallen_place),
    MovementRule("demotion_steps", "demote", falls_by_steps, "fell_more_steps", fallen_place),
    MovementRule("demotion", "demote", lambda review: review.falls, "below_threshold", fallen_place),
)
MOVEMENT_RULES: tuple[MovementRule, ...] = (*FIRST_PLACEMENT, *WHATEVER_THE_DIRECTION, *UPWARDS, *DOWNWARDS)


def grace_end(notice: date, review: Review) -> date:
    """The day on which the grace of a notice is over."""
    grace = review.movement.demote.grace
    return notice if grace is None else shift(notice, grace, review.calendar)
