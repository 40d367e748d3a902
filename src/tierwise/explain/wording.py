"""What figures, scores and settings of a workspace are called; light, so that one page needs no table library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tierwise.explain.figures import in_sentence


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
    """

    titles: Mapping[str, str]
    units: Mapping[str, str]
    tier_names: Sequence[str]
    target_unit: str
    horizon: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def title(self, name: str) -> str:
        """What people read for a figure, as the middle of a sentence."""
        return in_sentence(self.titles.get(name, name.replace("_", " ")))
