"""Movement: from eligible tiers and the tier history to one recommendation per partner, with the rule that decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from tierwise.config.policy import EXIT, Policy
from tierwise.config.workspace import Calendar
from tierwise.policy.caps import apply_caps
from tierwise.policy.controls import controls_of
from tierwise.policy.movement_rules import EXIT_PLACE, MOVEMENT_RULES, MovementRule, grace_end, notice_days
from tierwise.policy.occasions import effective_day
from tierwise.policy.outcome import NOTHING_PENDING, Outcome
from tierwise.policy.past import HISTORY_COLUMNS, past_of
from tierwise.policy.placement import Placement
from tierwise.policy.review import Places, Review
from tierwise.policy.tier_names import tier_names

NO_HISTORY = pd.DataFrame({column: pd.Series(dtype="str") for column in HISTORY_COLUMNS})


def move(
    policy: Policy,
    placement: Placement,
    history: pd.DataFrame,
    as_of: date,
    calendar: Calendar | None = None,
    ladder: str = "",
) -> pd.DataFrame:
    """Apply the movement rules and the caps of the guardrails to a placement.

    Args:
        policy: The policy in force.
        placement: The partners placed by that policy.
        history: One row per partner and earlier review: `partner_id, as_of, tier, eligible_tier, action, rule`, and
            `gain_tier, keep_tier, notice_on` where they were kept; rows on or after `as_of` do not count.
        as_of: The day of the review.
        calendar: The fiscal calendar and the length of a review; calendar quarters by default.
        ladder: A track's name, to move partners on that track; the policy's own tiers by default. Nobody leaves the
            program by a track, so a sunset does not hold there, nor do the caps.

    Returns:
        One row per partner, sorted: `partner_id, current_tier, eligible_tier, recommended_tier, action, rule,
        reason_code, approval_role, effective_on, pending_tier, notice_on, grace_until, gain_tier, keep_tier,
        next_tier`. The next tier is the one above the recommended tier.

    Raises:
        InvalidInput: If the history lacks a column or holds a review of a partner twice.
    """
    review = review_of(policy, placement, history, as_of, calendar or Calendar(), ladder)
    outcome = decide(review)
    if not ladder:
        outcome = apply_caps(review, outcome)
    return _table(review, outcome, placement, ladder)


def review_of(
    policy: Policy, placement: Placement, history: pd.DataFrame, as_of: date, calendar: Calendar, ladder: str = ""
) -> Review:
    """Gather what the movement rules look at."""
    partners = placement.tiers["partner_id"]
    tiers = policy.tier_names if not ladder else tuple(tier.name for tier in policy.tracks[ladder].tiers)
    ranks = placement.ranks(ladder)
    if ladder:
        policy = policy.model_copy(update={"movement": policy.movement.model_copy(update={"sunset": None})})
    return Review(
        policy=policy,
        calendar=calendar,
        as_of=as_of,
        eligible=ranks["eligible"],
        gain=ranks["gain"],
        keep=ranks["keep"],
        past=past_of(partners, history, tiers, as_of, policy.movement),
        controls=controls_of(placement),
    )


def decide(review: Review, rules: Sequence[MovementRule] = MOVEMENT_RULES) -> Outcome:
    """Let the first rule that applies decide about every partner."""
    outcome = Outcome.nothing_decided(review.current)
    undecided = review.everyone(True)
    for rule in rules:
        deciding = undecided & rule.applies(review)
        if deciding.any():
            outcome = outcome.decided(deciding, rule, review)
            undecided = undecided & ~deciding
    return outcome


def _table(review: Review, outcome: Outcome, placement: Placement, ladder: str) -> pd.DataFrame:
    policy = review.policy
    tiers = policy.tier_names if not ladder else tuple(tier.name for tier in policy.tracks[ladder].tiers)
    prefix = f"{ladder}_" if ladder else ""
    moved_on, until = _notice(review, outcome)
    return pd.DataFrame(
        {
            "partner_id": placement.tiers["partner_id"],
            "current_tier": _names(np.where(review.past.exited, EXIT_PLACE, review.current), tiers),
            "eligible_tier": placement.tiers[f"{prefix}eligible_tier"],
            "recommended_tier": _names(_still_out(review, outcome), tiers),
            "action": outcome.action,
            "rule": outcome.rule,
            "reason_code": outcome.reason_code,
            "approval_role": _approval_role(policy, outcome),
            "effective_on": _effective_on(review, outcome),
            "pending_tier": _names(outcome.pending, tiers),
            "notice_on": moved_on,
            "grace_until": until,
            "gain_tier": placement.tiers[f"{prefix}gain_tier"],
            "keep_tier": placement.tiers[f"{prefix}keep_tier"],
            "next_tier": tier_names(np.maximum(outcome.place, -1) + 1, tiers),
        }
    )


def _still_out(review: Review, outcome: Outcome) -> Places:
    """A partner who left and does not come back stays out."""
    return np.where(review.past.exited & (outcome.place == review.current), EXIT_PLACE, outcome.place)


def _names(places: Places, tiers: Sequence[str]) -> pd.Series[str]:
    with_exit = (*tiers, EXIT)
    return tier_names(np.where(places == EXIT_PLACE, len(tiers), places), with_exit)


def _approval_role(policy: Policy, outcome: Outcome) -> pd.Series[str]:
    """The roles that approve the move, or the move that waits."""
    roles = policy.approvals
    up = outcome.pending > outcome.before
    waits = outcome.pending != NOTHING_PENDING
    named = {
        "place": outcome.action == "place",
        "promote": (outcome.action == "promote") | (waits & up),
        "demote": (outcome.action == "demote") | (waits & ~up),
    }
    text = pd.Series(pd.NA, index=outcome.action.index, dtype="str")
    for action, rows in named.items():
        given: tuple[str, ...] = getattr(roles, action)
        if given:
            text = text.mask(rows, ", ".join(given))
    return text


def _effective_on(review: Review, outcome: Outcome) -> pd.Series[pd.Timestamp]:
    days = np.full(len(outcome.place), np.datetime64("NaT", "us"))
    settings = {
        "place": review.movement.promote.effective,
        "promote": review.movement.promote.effective,
        "demote": review.movement.demote.effective,
    }
    for action, effective in settings.items():
        day = effective_day(review.as_of, effective, review.calendar)
        days[(outcome.action == action).to_numpy()] = np.datetime64(day, "us")
    return pd.Series(days)


def _notice(review: Review, outcome: Outcome) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    """The notice in force after this review and the end of its grace; a recovery or a move ends it."""
    nothing = np.datetime64("NaT", "us")
    notice = notice_days(review)
    given = (outcome.rule == "demotion_grace").to_numpy()
    waiting = outcome.rule.isin(["demotion_calendar", "demotion_approval"]).to_numpy()
    stands = given | (waiting & ~np.isnat(review.past.notice_on))
    notice_on = np.where(stands, notice.astype("datetime64[us]"), nothing)
    until = np.full(len(notice_on), nothing)
    if review.movement.demote.grace is not None:
        for start in np.unique(notice_on[stands]):
            until[notice_on == start] = np.datetime64(
                grace_end(start.astype("datetime64[D]").astype(date), review), "us"
            )
    return notice_on, until
