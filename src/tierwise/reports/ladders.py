"""Where a partner stands beside the tiers: on tracks of its own, and unit by unit (a country, a product)."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SHOWN = 4


@dataclass(frozen=True)
class TrackPlace:
    """A partner on one track.

    Attributes:
        title: What people read for the track.
        current: The tier held on it; empty where none was.
        recommended: The tier recommended; empty where there is none.
        next_tier: The one above; empty at the top.
        action: The recommended action.
        approval_role: Who must approve the move; empty where nobody must.
        dates: When it takes effect, or until when the tier is kept, in words; empty where there is no date.
    """

    title: str
    current: str
    recommended: str
    next_tier: str
    action: str
    approval_role: str
    dates: str

    @property
    def move(self) -> str:
        """The move in short: `none → skilled`, or the tier alone."""
        return self.recommended if self.current in (self.recommended, "") else f"{self.current} → {self.recommended}"


@dataclass(frozen=True)
class UnitPlace:
    """One unit of a partner.

    Attributes:
        unit: The country, product or region.
        tier: The tier that its own figures earn; empty where they earn none.
        next_tier: The one above that a unit can earn; empty at the top.
        gap: What is nearest to being met for it, in words; empty where nothing is missing or known.
        decides: Whether it is the unit that gives the partner its tier.
    """

    unit: str
    tier: str
    next_tier: str
    gap: str
    decides: bool


@dataclass(frozen=True)
class Ladders:
    """Everything that a partner has beside its tier.

    Attributes:
        tracks: Its tracks, in the order of the policy.
        units: Its units: the deciding one first, then the highest tiers.
        unit_title: What people read for a unit.
    """

    tracks: tuple[TrackPlace, ...] = ()
    units: tuple[UnitPlace, ...] = ()
    unit_title: str = "Unit"

    @property
    def lines(self) -> int:
        """How many lines its tables take on a sheet, where they stand side by side."""
        return max((min(len(rows), MOST_SHOWN) * 2 + 4 for rows in (self.tracks, self.units) if rows), default=0)
