"""The review pack: one value that the index, the workbook and the digest of a review are rendered from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from tierwise.reports.pack_ladders import PackLadders
from tierwise.reports.pack_rows import NO_TIER, PackRow
from tierwise.reports.pages import count
from tierwise.reports.partner_words import action_words

__all__ = [
    "NO_TIER", "ArchetypeLine", "GuardrailHit", "MatrixLine", "Pack", "PackLadders", "PackRow", "PackWritten",
    "TierLine", "as_payload", "as_text",
]  # fmt: skip


@dataclass(frozen=True)
class TierLine:
    """One tier of the composition: partners now and before, and its share of partners and of value."""

    tier: str
    partners: int
    share: float
    before: int | None
    value_share: float | None
    shown_value: str


@dataclass(frozen=True)
class MatrixLine:
    """One row of the movement matrix: the tier before, and how many went to each tier; `direction` is -1, 0 or 1."""

    before: str
    cells: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ArchetypeLine:
    """What one archetype brings: partners, value and its share, and the share by tier of its value."""

    archetype: str
    partners: int
    shown_value: str
    value_share: float | None
    by_tier: tuple[float | None, ...]


@dataclass(frozen=True)
class GuardrailHit:
    """A guardrail that decided about partners: its name, how many, and the largest of them."""

    title: str
    partners: int
    examples: tuple[PackRow, ...]


@dataclass(frozen=True)
class Pack:
    """What a review pack tells.

    Attributes:
        workspace: The workspace's name.
        as_of: The as-of date.
        tiers: The tiers in the order of the tables, the highest first; `no tier` where partners have none.
        value_title: What the value is called.
        unit: Its unit.
        shown_total: The value of all partners.
        shown_at_risk: The value of those at risk.
        actions: How many partners each action is proposed for.
        composition: One line per tier.
        matrix: One line per tier before; empty without tier history.
        archetypes: One line per archetype, the most valuable first.
        guardrails: The guardrails that decided about somebody.
        movers: Who changes tier, the widest moves first.
        near_misses: Who lacks one item for the next tier, the closest first.
        at_risk: Who is below the line of its tier, the most valuable first.
        partners: Everybody, by id.
        versions: What the review was made from.
        ladders: Tracks and units, where the policy has any.
    """

    workspace: str
    as_of: date
    tiers: tuple[str, ...]
    value_title: str
    unit: str
    shown_total: str
    shown_at_risk: str
    actions: tuple[tuple[str, int], ...]
    composition: tuple[TierLine, ...]
    matrix: tuple[MatrixLine, ...]
    archetypes: tuple[ArchetypeLine, ...]
    guardrails: tuple[GuardrailHit, ...]
    movers: tuple[PackRow, ...]
    near_misses: tuple[PackRow, ...]
    at_risk: tuple[PackRow, ...]
    partners: tuple[PackRow, ...]
    versions: tuple[tuple[str, str], ...]
    ladders: PackLadders = field(default_factory=PackLadders)

    @property
    def knows_value(self) -> bool:
        """Whether the review stores what partners bring; earlier versions did not."""
        return any(row.value is not None for row in self.partners)

    @property
    def waiting(self) -> int:
        """How many moves wait for an approval, those on tracks among them."""
        on_tracks = sum(bool(move.approval_role) for move in self.ladders.moves)
        return sum(bool(row.approval_role) for row in self.partners) + on_tracks

    def moved(self, action: str) -> int:
        """How many partners an action is proposed for."""
        return dict(self.actions).get(action, 0)


@dataclass(frozen=True)
class PackWritten:
    """Where a review pack was written, and what it holds."""

    folder: str
    pages: int
    lists: int
    partners: int
    counts: Mapping[str, int]


def as_payload(written: PackWritten) -> dict[str, Any]:
    """Give the outcome as plain values, for JSON."""
    return asdict(written)


def as_text(written: PackWritten) -> str:
    """Say where the pack is and what it holds."""
    counts = ", ".join(f"{action_words(name).lower()} {number:,}" for name, number in written.counts.items())
    return (
        f"review pack of {count(written.partners, 'partner')} in {written.folder}: {counts}\n"
        f"  open index.html (one-pagers: {written.pages:,}); review.xlsx and digest.md hold the same"
    )
