"""What was decided about every partner, filled in rule by rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierwise.policy.movement_rules import MovementRule
from tierwise.policy.review import Mask, Places, Review
from tierwise.policy.tier_names import tier_names

NOTHING_PENDING = -9


@dataclass(frozen=True)
class Outcome:
    """One decision per partner.

    Attributes:
        before: The current place.
        place: The recommended place.
        pending: The place of a move that waits; `NOTHING_PENDING` where none does.
        codes: Which of `rules` decided; -1 where none did yet.
        rules: The rules that decided so far.
    """

    before: Places
    place: Places
    pending: Places
    codes: Places
    rules: tuple[MovementRule, ...] = ()

    @classmethod
    def nothing_decided(cls, current: Places) -> Outcome:
        """Every partner undecided in the current place."""
        return cls(current, current.copy(), np.full_like(current, NOTHING_PENDING), np.full_like(current, -1))

    def decided(self, who: Mask, rule: MovementRule, review: Review) -> Outcome:
        """The same with some partners decided by a rule."""
        pending = self.pending if rule.pending is None else np.where(who, rule.pending(review), self.pending)
        place = np.where(who, rule.leads_to(review), self.place)
        return self._with(who, rule, place, pending)

    def replaced(self, who: Mask, rule: MovementRule, place: Places) -> Outcome:
        """The same with the decision about some partners replaced by that of a guardrail."""
        return self._with(who, rule, np.where(who, place, self.place), np.where(who, NOTHING_PENDING, self.pending))

    def _with(self, who: Mask, rule: MovementRule, place: Places, pending: Places) -> Outcome:
        codes = np.where(who, len(self.rules), self.codes)
        return Outcome(self.before, place, pending, codes, (*self.rules, rule))

    def _texts(self, texts: list[str]) -> pd.Series[str]:
        return tier_names(self.codes, texts)

    @property
    def action(self) -> pd.Series[str]:
        """The recommended action."""
        return self._texts([rule.action for rule in self.rules])

    @property
    def rule(self) -> pd.Series[str]:
        """The name of the deciding rule."""
        return self._texts([rule.name for rule in self.rules])

    @property
    def reason_code(self) -> pd.Series[str]:
        """The reason code of the deciding rule."""
        return self._texts([rule.reason_code for rule in self.rules])
