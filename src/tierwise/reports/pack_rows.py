"""One partner as the lists of a review pack show it."""

from __future__ import annotations

from dataclasses import dataclass

NO_TIER = "no tier"


@dataclass(frozen=True)
class PackRow:
    """One partner as lists show it.

    Attributes:
        partner_id: Its id.
        name: Its name; the id where it has none.
        region: Its region; empty where none is stored.
        manager: Its partner manager; likewise.
        archetype: Its archetype; empty where it has none.
        current_tier: The tier before the review.
        recommended_tier: The tier recommended.
        action: The recommended action.
        why: The deciding reason and the one after it.
        approval_role: Who must approve; empty where nobody must.
        value: What the partner brings now; None where the review does not store it.
        shown_value: The same with its unit.
        potential: The expected value.
        shown_potential: The same with its unit.
        is_at_risk: Whether it is below the line of the tier it holds.
        missing: The one item that keeps it from the next tier; empty where there are more, or none.
        page: The place of its one-pager; empty where the pack has none.
    """

    partner_id: str
    name: str
    region: str
    manager: str
    archetype: str
    current_tier: str
    recommended_tier: str
    action: str
    why: str
    approval_role: str
    value: float | None
    shown_value: str
    potential: float | None
    shown_potential: str
    is_at_risk: bool
    missing: str
    page: str = ""

    @property
    def move(self) -> str:
        """The move in short: `growth → strategic`, or the tier alone."""
        if self.current_tier in (self.recommended_tier, ""):
            return self.recommended_tier
        return f"{self.current_tier} → {self.recommended_tier}"
