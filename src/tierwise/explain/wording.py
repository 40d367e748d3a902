"""What figures, scores and settings of a workspace are called; light, so that one page needs no table library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tierwise.explain.figures import figure, in_sentence, over_period


def robustness_words(share: float) -> str:
    """Say how sure a plan is, by the share of the models trained again on drawn partners in which it holds."""
    if share >= 1:
        return "by every model trained again on other draws of partners"
    return f"by {figure(share, 'share')} of the models trained again on other draws of partners"


@dataclass(frozen=True)
class Wording:
    """What figures, scores and settings are called in sentences.

    Attributes:
        titles: What people read for each figure, by name; names without one are shown as they are.
        units: The unit of each figure, by name.
        tier_names: The tiers from the lowest to the highest.
        target_unit: The unit of the potential.
        horizon: The horizon of the potential, in words.
        settings: Further texts that sentences name: `promotion_band`, `demotion_band`, `evidence`.
        parts: What people read for each component of a score, by name.
        internal: Figures whose values are not told to partners: scores, what models say, and internal metrics.
        hidden: Texts that no sentence for a partner holds: what internal metrics are called.
        conditions: What the policy calls its named conditions, by tier and criterion.
    """

    titles: Mapping[str, str]
    units: Mapping[str, str]
    tier_names: Sequence[str]
    target_unit: str
    horizon: str
    settings: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    internal: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    conditions: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def title(self, name: str) -> str:
        """What people read for a figure, as the middle of a sentence."""
        return over_period(in_sentence(self.titles.get(name, name.replace("_", " "))))

    def part(self, name: str) -> str:
        """What people read for a component of a score, as the middle of a sentence."""
        return over_period(in_sentence(self.parts.get(name) or name.replace("_", " ")))
