"""Everything that the movement rules look at in one review, one entry per partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from tierwise.config.durations import Duration
from tierwise.config.policy import Policy
from tierwise.config.policy_movement import Confirmation, Movement
from tierwise.config.workspace import Calendar
from tierwise.policy.occasions import has_passed, is_due
from tierwise.policy.past import NO_REVIEW, Past

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Controls:
    """What the policy's movement rules and guardrails ask about a partner beside the tiers.

    Attributes:
        frozen: By freeze of the policy, whether it concerns the partner.
        evidence: Whether the evidence floor is reached.
        immediate_loss: Whether the tier is lost at once.
        newcomer_since: The date that newcomer protection counts from, where the policy names a column.
        rank_by: By what the caps let partners through.
        manager: The partner manager.
        growth: The growth that a promotion should come with.
    """

    frozen: tuple[Mask, ...]
    evidence: Mask
    immediate_loss: Mask
    newcomer_since: Days | None
    rank_by: npt.NDArray[np.float64]
    manager: pd.Series[str] | None
    growth: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class Review:
    """One review of all partners.

    Attributes:
        policy: The policy in force.
        calendar: The fiscal calendar.
        as_of: The review's day.
        eligible: The place of the eligible tier; -1 for none.
        gain: The place with the promotion's band.
        keep: The place with the demotion's band.
        past: What the history says.
        controls: What the policy asks beside the tiers.
    """

    policy: Policy
    calendar: Calendar
    as_of: date
    eligible: Places
    gain: Places
    keep: Places
    past: Past
    controls: Controls

    @property
    def movement(self) -> Movement:
        """The policy's movement settings."""
        return self.policy.movement

    @property
    def current(self) -> Places:
        """The place of the current tier; -1 for none."""
        return self.past.current

    @cached_property
    def confirmed_gain(self) -> Places:
        """The highest place that enough of the last reviews support with the gaining band."""
        return _supported(self.gain, self.past.gain, self.movement.promote.confirm, highest=True)

    @cached_property
    def confirmed_keep(self) -> Places:
        """The lowest place that enough of the last reviews have fallen to with the keeping band."""
        return _supported(self.keep, self.past.keep, self.movement.demote.confirm, highest=False)

    @cached_property
    def rises(self) -> Mask:
        """Who is eligible for more, now or by the reviews that may confirm a promotion."""
        return (self.eligible > self.current) | (self.confirmed_gain > self.current)

    @cached_property
    def falls(self) -> Mask:
        """Who is eligible for less."""
        return ~self.rises & (self.eligible < self.current)

    @cached_property
    def risen(self) -> Places:
        """Where a promotion leads, within the allowed steps."""
        return np.minimum(self.confirmed_gain, self.current + _most(self.movement.promote.steps))

    @cached_property
    def fallen(self) -> Places:
        """Where a demotion leads, within the allowed steps; out of the lowest tier it leads to none."""
        if self.movement.demote.to == "entry":
            return np.where(self.current > 0, 0, self.confirmed_keep)
        return np.maximum(self.confirmed_keep, self.current - _most(self.movement.demote.steps))

    def everyone(self, answer: bool) -> Mask:
        """The same answer for every partner."""
        return np.full(len(self.current), answer)

    def is_due(self, move: str) -> bool:
        """Whether `promote` or `demote` moves are made at this review."""
        return is_due(self.as_of, getattr(self.movement, move).at, self.calendar)

    def waited(self, since: Days, wait: Duration) -> Mask:
        """For every start whether the wait is over."""
        return has_passed(since, wait, self.as_of, self.calendar)

    @cached_property
    def reviews_in_tier(self) -> Places:
        """Reviews that the current tier has lasted: counted, or elapsed by the calendar where reviews were not kept."""
        months = 3 if self.calendar.review == "quarter" else 1
        day = np.datetime64(self.as_of, "M").astype(np.int64)
        start = self.past.tier_since.astype("datetime64[M]")
        elapsed = np.where(np.isnat(start), 0, day - start.astype(np.int64)) // months
        reviews: Places = np.maximum(self.past.reviews_in_tier, elapsed)
        return reviews


def _most(steps: int | str) -> int:
    return 127 if steps == "any" else int(steps)


def _supported(now: Places, past: Places, confirm: Confirmation, *, highest: bool) -> Places:
    """The place that enough of the last reviews reach, or have fallen to; a missing review gives no support."""
    missing = -128 if highest else 127
    earlier = past[:, : confirm.of_last - 1]
    reviews = np.column_stack([now, np.where(earlier == NO_REVIEW, missing, earlier)])
    if reviews.shape[1] == 1:
        return now
    ordered = np.sort(reviews, axis=1)
    supported: Places = ordered[:, -confirm.at_least] if highest else ordered[:, confirm.at_least - 1]
    return supported
