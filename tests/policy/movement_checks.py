"""The invariants of movement (METHODS section 4), each a named check on one review and what was decided in it.

A check returns the partners that break it. They are written from the words of the settings, partner by partner, and
share no code with the rules.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from tests.policy.random_reviews import TIERS
from tierwise.config.calendar import shift
from tierwise.policy.movement_rules import EXIT_PLACE
from tierwise.policy.outcome import NOTHING_PENDING, Outcome
from tierwise.policy.review import Review

OUTRIGHT = ("sunset", "immediate_loss")
NO_NOTICE = None


class Facts:
    """What the settings and the history say about one partner, read plainly."""

    def __init__(self, review: Review, decided: dict, rows: list[dict], number: int) -> None:
        self.review, self.movement, self.rows, self.number = review, review.policy.movement, rows, number
        self.action, self.rule = decided["action"][number], decided["rule"][number]
        self.before, self.after = int(review.current[number]), int(decided["after"][number])
        self.pending = int(decided["pending"][number])
        self.eligible, self.gain, self.keep = (
            int(values[number]) for values in (review.eligible, review.gain, review.keep)
        )

    @property
    def is_known(self) -> bool:
        return len(self.rows) > 0

    @property
    def left(self) -> bool:
        return self.is_known and self.rows[-1]["tier"] == "exit"

    @property
    def frozen(self) -> bool:
        freeze = self.movement.freeze[0]
        return bool(self.review.controls.frozen[0][self.number]) and freeze.from_ <= self.review.as_of <= freeze.until

    @property
    def evidence(self) -> bool:
        return bool(self.review.controls.evidence[self.number])

    @property
    def moves(self) -> bool:
        return self.action in ("promote", "demote")

    @property
    def moves_by_rule(self) -> bool:
        return self.moves and self.rule not in OUTRIGHT

    def places(self, column: str) -> list[int]:
        return [TIERS.index(row[column]) if row[column] in TIERS else -1 for row in self.rows]

    def supported(self, kind: str) -> int:
        """The place that enough of the last reviews agree on, this one included; -9 or 9 if too few agree."""
        confirm = getattr(self.movement, "promote" if kind == "gain" else "demote").confirm
        now = self.gain if kind == "gain" else self.keep
        votes = [now, *reversed(self.places(f"{kind}_tier"))][: confirm.of_last]
        if kind == "gain":
            agreed = [place for place in range(-1, 4) if sum(vote >= place for vote in votes) >= confirm.at_least]
            return max(agreed, default=-9)
        agreed = [place for place in range(-1, 4) if sum(vote <= place for vote in votes) >= confirm.at_least]
        return min(agreed, default=9)

    @property
    def tier_since(self) -> date:
        tiers = self.places("tier")
        start = len(tiers) - 1
        while start > 0 and tiers[start - 1] == tiers[-1]:
            start -= 1
        return self.rows[start]["as_of"]

    @property
    def quarters_in_tier(self) -> int:
        months = (self.review.as_of.year - self.tier_since.year) * 12 + self.review.as_of.month - self.tier_since.month
        counted = sum(row["as_of"] >= self.tier_since for row in self.rows)
        return max(counted, months // 3)

    def waited(self, since: date, wait: object) -> bool:
        return shift(since, wait, self.review.calendar) <= self.review.as_of

    @property
    def held(self) -> bool:
        hold = self.movement.hold
        young = hold.min_time_in_tier is not None and not self.waited(self.tier_since, hold.min_time_in_tier)
        return young or self.quarters_in_tier < hold.min_reviews_in_tier

    @property
    def notice_on(self) -> date | None:
        """The first of the latest reviews in a row that were decided by the grace."""
        since = NO_NOTICE
        for row in reversed(self.rows):
            if row["rule"] != "demotion_grace":
                break
            since = row["as_of"]
        return since

    def is_due(self, move: str) -> bool:
        day, at = self.review.as_of, getattr(self.movement, move).at
        ends = {"any_date": True, "never": False, "quarter_end": (day.month, day.day) == (9, 30), "year_end": False}
        return ends[at]

    @property
    def guaranteed(self) -> bool:
        transition, start = self.movement.transition, self.review.policy.effective_from
        if transition is None or self.tier_since >= start:
            return False
        return not self.waited(start, transition.no_demotion_for)

    @property
    def newcomer(self) -> bool:
        newcomers = self.movement.newcomers
        return newcomers is not None and not self.waited(self.rows[0]["as_of"], newcomers.no_demotion_for)

    @property
    def sunset(self) -> bool:
        sunset = self.movement.sunset
        if sunset is None or not self.is_known:
            return False
        if sunset.at_entry_for is not None:
            stuck = self.before == 0 and self.eligible <= 0
            return stuck and self.waited(self.tier_since, sunset.at_entry_for)
        below = [self.eligible, *reversed(self.places("eligible_tier"))][: sunset.below_entry_for.count]
        return not self.left and len(below) == sunset.below_entry_for.count and max(below) < 0

    @property
    def immediate(self) -> bool:
        return bool(self.review.controls.immediate_loss[self.number]) and self.before > 0

    @property
    def wants_up(self) -> bool:
        return max(self.eligible, self.supported("gain")) > self.before

    @property
    def wants_down(self) -> bool:
        return not self.wants_up and self.eligible < self.before

    @property
    def free(self) -> bool:
        """Nothing but the move's own conditions restrains or forces a move."""
        return self.is_known and self.evidence and not (self.frozen or self.sunset or self.immediate or self.held)


def all_facts(review: Review, outcome: Outcome, history: pd.DataFrame) -> list[Facts]:
    decided = {
        "action": list(outcome.action),
        "rule": list(outcome.rule),
        "after": outcome.place,
        "pending": outcome.pending,
    }
    earlier = history[history["as_of"] < pd.Timestamp(review.as_of)].sort_values(["partner_id", "as_of"])
    rows = earlier.assign(as_of=earlier["as_of"].dt.date).to_dict(orient="records")
    by_partner: dict[str, list[dict]] = {}
    for row in rows:
        by_partner.setdefault(row["partner_id"], []).append(row)
    return [
        Facts(review, decided, by_partner.get(f"P{number:03d}", []), number) for number in range(len(review.current))
    ]


def _action_fits_direction(facts: Facts) -> bool:
    if facts.action == "place":
        return facts.is_known
    if facts.action == "promote":
        return not facts.after > facts.before
    if facts.action == "demote":
        return not facts.after < facts.before
    first = facts.action == "insufficient_evidence" and not facts.is_known
    return not first and facts.after != facts.before


def _too_many_steps(facts: Facts) -> bool:
    if not facts.moves_by_rule:
        return False
    steps = facts.movement.promote.steps if facts.action == "promote" else facts.movement.demote.steps
    if steps == "any" or (facts.action == "demote" and facts.movement.demote.to == "entry"):
        return False
    return abs(facts.after - facts.before) > steps


def _moves_inside_band(facts: Facts) -> bool:
    if facts.action == "promote":
        return facts.supported("gain") <= facts.before
    return facts.action == "demote" and facts.moves_by_rule and facts.keep >= facts.before


def _demoted_in_grace(facts: Facts) -> bool:
    grace = facts.movement.demote.grace
    if facts.action != "demote" or not facts.moves_by_rule or grace is None:
        return False
    return facts.notice_on is None or not facts.waited(facts.notice_on, grace)


def _moves_off_calendar(facts: Facts) -> bool:
    return facts.moves_by_rule and not facts.is_due(facts.action)


def _qualified_but_not_promoted(facts: Facts) -> bool:
    ready = facts.free and facts.supported("gain") > facts.before and facts.is_due("promote")
    return ready and facts.movement.promote.approval is None and facts.action != "promote"


def _fallen_but_not_demoted(facts: Facts) -> bool:
    demote = facts.movement.demote
    over = demote.grace is None or (facts.notice_on is not None and facts.waited(facts.notice_on, demote.grace))
    ready = facts.free and facts.wants_down and facts.supported("keep") < facts.before and facts.keep < facts.before
    if not ready or not over or not facts.is_due("demote") or demote.approval is not None:
        return False
    return not facts.guaranteed and not facts.newcomer and facts.action != "demote"


def _goes_elsewhere_than_supported(facts: Facts) -> bool:
    if not facts.moves_by_rule:
        return False
    if facts.action == "promote":
        return facts.after > facts.supported("gain")
    return facts.movement.demote.to != "entry" and facts.after < facts.supported("keep")


def _is_cut_short(facts: Facts) -> bool:
    if facts.action == "promote":
        return facts.after < facts.supported("gain")
    return facts.after > facts.supported("keep")


def _pending_not_shown(facts: Facts) -> bool:
    """A move that waits for approval or grace says where it leads; nothing else has a pending tier."""
    waits = facts.rule in ("promotion_approval", "demotion_approval", "demotion_grace")
    return waits != (facts.pending != NOTHING_PENDING)


MOVEMENT_CHECKS: dict[str, Callable[[Facts], bool]] = {
    "every partner gets an action and the name of one rule": lambda facts: pd.isna(facts.action) or pd.isna(facts.rule),
    "no partner moves both ways: the action fits the direction": _action_fits_direction,
    "a partner without history is placed, one with history never": lambda facts: (
        facts.is_known == (facts.rule in ("first_placement", "evidence_floor_first"))
    ),
    "a first placement is the eligible tier; without evidence at most the lowest": lambda facts: (
        not facts.is_known and facts.after != (facts.eligible if facts.evidence else min(facts.eligible, 0))
    ),
    "never more steps than allowed": _too_many_steps,
    "nothing moves inside the band": _moves_inside_band,
    "nothing falls in its grace": _demoted_in_grace,
    "nothing moves in its hold": lambda facts: facts.moves_by_rule and facts.held,
    "nothing moves in a freeze": lambda facts: facts.is_known and facts.moves and facts.frozen,
    "nothing moves without evidence": lambda facts: facts.moves_by_rule and not facts.evidence,
    "nothing moves on a day without moves": _moves_off_calendar,
    "a move goes no further than enough reviews support": _goes_elsewhere_than_supported,
    "a pending move never moves": lambda facts: (
        facts.moves_by_rule and getattr(facts.movement, facts.action).approval == "pending"
    ),
    "a waiting move says where it leads": _pending_not_shown,
    "a tier held before the policy is guaranteed": lambda facts: (
        facts.action == "demote" and facts.moves_by_rule and facts.guaranteed
    ),
    "a newcomer is not demoted": lambda facts: facts.action == "demote" and facts.moves_by_rule and facts.newcomer,
    "the sunset takes effect unless frozen": lambda facts: facts.sunset and not facts.frozen and facts.rule != "sunset",
    "the sunset leads out of the program": lambda facts: facts.rule == "sunset" and facts.after != EXIT_PLACE,
    "the trigger of immediate loss takes effect unless frozen": lambda facts: (
        facts.immediate and not facts.frozen and not facts.sunset and facts.after != 0
    ),
    "whoever is eligible for the current tier holds it": lambda facts: (
        facts.is_known and not (facts.wants_up or facts.wants_down) and facts.moves_by_rule
    ),
    "an unchanged partner is told so": lambda facts: (
        facts.free and not (facts.wants_up or facts.wants_down) and facts.rule != "unchanged"
    ),
    "whoever qualifies and is not restrained is promoted": _qualified_but_not_promoted,
    "whoever falls short and is not protected is demoted": _fallen_but_not_demoted,
    "a step limit is told": lambda facts: facts.moves_by_rule and facts.rule.endswith("_steps") != _is_cut_short(facts),
    "inside the band is told": lambda facts: (
        (
            facts.free
            and facts.wants_up
            and max(facts.gain, facts.supported("gain")) <= facts.before
            and facts.rule != "promotion_band"
        )
        or (facts.free and facts.wants_down and facts.keep >= facts.before and facts.rule != "demotion_band")
    ),
    "an unconfirmed move is watched": lambda facts: (
        (
            facts.free
            and facts.wants_up
            and facts.gain > facts.before
            and facts.supported("gain") <= facts.before
            and facts.action != "watch"
        )
        or (
            facts.free
            and facts.wants_down
            and not (facts.guaranteed or facts.newcomer)
            and facts.keep < facts.before <= facts.supported("keep")
            and facts.action != "watch"
        )
    ),
}


def broken_checks(review: Review, outcome: Outcome, history: pd.DataFrame) -> dict[str, list[int]]:
    """The checks that a decision breaks, with the partners that break them."""
    facts = all_facts(review, outcome, history)
    found = {name: [one.number for one in facts if broken(one)] for name, broken in MOVEMENT_CHECKS.items()}
    return {name: partners for name, partners in found.items() if partners}


def raised(review: Review, random: np.random.Generator) -> Review:
    """The same review with some partners' figures better: every place at least as high."""
    up = random.integers(0, 3, len(review.eligible))
    gain, eligible, keep = (np.minimum(places + up, 3) for places in (review.gain, review.eligible, review.keep))
    return replace(review, gain=np.maximum(review.gain, gain), eligible=eligible, keep=keep)
