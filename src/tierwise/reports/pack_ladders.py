"""What a review pack tells beside the tiers: tracks with who moves on them, and units with the tiers they earn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tierwise.reports.pack_rows import PackRow


@dataclass(frozen=True)
class TrackLine:
    """One track: how many partners are in each of its tiers, the highest first, and how many rise and fall."""

    title: str
    tiers: tuple[tuple[str, int], ...]
    rises: int
    falls: int


@dataclass(frozen=True)
class TrackMove:
    """One partner who moves on a track: from where to where, and who must approve."""

    row: PackRow
    track: str
    action: str
    move: str
    approval_role: str


@dataclass(frozen=True)
class UnitLine:
    """One unit: how many partners have it, for how many it decides, and how many earn each tier in it."""

    unit: str
    partners: int
    decides: int
    tiers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class PackLadders:
    """The tracks and units of a review; empty where the policy has none.

    Attributes:
        tracks: One line per track, in the order of the policy.
        moves: Who moves on a track, by track, promotions first.
        units: One line per unit, the one with the most partners first.
        unit_title: What people read for a unit.
    """

    tracks: tuple[TrackLine, ...] = ()
    moves: tuple[TrackMove, ...] = ()
    units: tuple[UnitLine, ...] = ()
    unit_title: str = "Unit"

    def linked(self, link: Callable[[PackRow], PackRow]) -> PackLadders:
        """The same with the places of one-pagers filled in."""
        return replace(self, moves=tuple(replace(move, row=link(move.row)) for move in self.moves))


def counted(tiers: tuple[tuple[str, int], ...]) -> str:
    """How many are in each tier, in words: `Gold 3, none 12`."""
    return ", ".join(f"{tier} {partners:,}" for tier, partners in tiers)
