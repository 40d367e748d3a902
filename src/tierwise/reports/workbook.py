"""The review pack as the sheets of a workbook; cells are coloured by action and tier, and say the same in words."""

from __future__ import annotations

from collections.abc import Sequence

from tierwise.reports.pack import Pack, PackRow
from tierwise.reports.pack_ladders import counted
from tierwise.reports.partner_words import SHAPES, action_words
from tierwise.store.workbook import Column, Sheet

ACTION_COLOURS = {
    "place": "E4F0F7", "promote": "CFE8D5", "demote": "F6D5C8", "watch": "FBE9C0", "insufficient_evidence": "ECECEC",
}  # fmt: skip
TIER_COLOURS = ("9CC3DC", "C3DCEB", "DFECF4", "F3F8FB")
"""The highest tier first; further tiers have the last colour."""


def sheets_of(pack: Pack) -> tuple[Sheet, ...]:
    """Lay the pack out as sheets: the summary first, everybody last."""
    return (
        _summary(pack),
        _matrix(pack),
        _archetypes(pack),
        _partners("Movers", pack, pack.movers),
        _partners("At risk", pack, pack.at_risk),
        _partners("Near misses", pack, pack.near_misses),
        _guardrails(pack),
        *_ladders(pack),
        _partners("Partners", pack, pack.partners),
    )


def _summary(pack: Pack) -> Sheet:
    columns = (
        Column("Tier", width=22, colours=_tier_colours(pack)),
        Column("Partners", "count"),
        Column("Share of partners", "share"),
        Column("Partners before", "count"),
        Column("Share of value", "share"),
        Column(f"Value ({pack.value_title})", width=30),
    )
    rows = [
        (line.tier, line.partners, line.share, line.before, line.value_share, line.shown_value)
        for line in pack.composition
    ]
    actions = [(_action(name), number, None, None, None, "") for name, number in pack.actions]
    versions = [(f"{name}: {value}", None, None, None, None, "") for name, value in pack.versions]
    about: list[tuple[object, ...]] = [(f"Review as of {pack.as_of}", None, None, None, None, "")]
    return Sheet("Summary", columns, [*rows, *actions, *about, *versions])


def _matrix(pack: Pack) -> Sheet:
    tiers = [line.before for line in pack.matrix]
    columns = (Column("From tier, to tier", width=22), *(Column(tier, "count") for tier in tiers))
    rows = [(line.before, *(number for number, _ in line.cells)) for line in pack.matrix]
    return Sheet("Moves", columns, rows)


def _archetypes(pack: Pack) -> Sheet:
    columns = (
        Column("Archetype", width=60),
        Column("Partners", "count"),
        Column("Value", width=16),
        Column("Share of value", "share"),
        *(Column(f"in {tier}", "share") for tier in pack.tiers),
    )
    rows = [
        (line.archetype, line.partners, line.shown_value, line.value_share, *line.by_tier) for line in pack.archetypes
    ]
    return Sheet("Archetypes", columns, rows)


def _guardrails(pack: Pack) -> Sheet:
    columns = (Column("Guardrail", width=44), Column("Partners", "count"), Column("The most valuable", width=80))
    rows = [(hit.title, hit.partners, ", ".join(_shown(row) for row in hit.examples)) for hit in pack.guardrails]
    return Sheet("Guardrails", columns, rows)


def _ladders(pack: Pack) -> list[Sheet]:
    """Who moves on tracks and what units earn, where the policy has any."""
    ladders = pack.ladders
    sheets: list[Sheet] = []
    if ladders.tracks:
        widths = {"Track": 30, "Partner id": 14, "Partner": 34, "Action": 22, "Tier on it": 34, "Approval by": 20}
        columns = tuple(Column(title, width=width) for title, width in widths.items())
        moves = [
            (one.track, one.row.partner_id, one.row.name, _action(one.action), one.move, one.approval_role)
            for one in ladders.moves
        ]
        counts = [(line.title, "", "", "all partners", counted(line.tiers), "") for line in ladders.tracks]
        sheets.append(Sheet("Tracks", columns, [*counts, *moves]))
    if ladders.units:
        columns = (
            Column(ladders.unit_title, width=30), Column("Partners", "count"), Column("Decides for", "count"),
            Column("Partners by tier", width=60),
        )  # fmt: skip
        rows = [(line.unit, line.partners, line.decides, counted(line.tiers)) for line in ladders.units]
        sheets.append(Sheet("Units", columns, rows))
    return sheets


def _partners(name: str, pack: Pack, rows: Sequence[PackRow]) -> Sheet:
    tiers = _tier_colours(pack)
    columns = (
        Column("Partner id", width=14),
        Column("Partner", width=34),
        Column("Action", width=22, colours={_action(action): colour for action, colour in ACTION_COLOURS.items()}),
        Column("Tier before", width=14, colours=tiers),
        Column("Tier recommended", width=18, colours=tiers),
        Column("Why", width=70),
        Column("One item short", width=60),
        Column("At risk", width=9),
        Column(f"{pack.value_title} ({pack.unit})" if pack.unit else pack.value_title, "money", 20),
        Column("Potential", "money", 16),
        Column("Archetype", width=40),
        Column("Region", width=14),
        Column("Partner manager", width=18),
        Column("Approval by", width=20),
    )
    return Sheet(name, columns, [_cells(row) for row in rows])


def _cells(row: PackRow) -> tuple[object, ...]:
    return (
        row.partner_id, row.name, _action(row.action), row.current_tier, row.recommended_tier, row.why, row.missing,
        "yes" if row.is_at_risk else "", row.value, row.potential, row.archetype, row.region, row.manager,
        row.approval_role,
    )  # fmt: skip


def _tier_colours(pack: Pack) -> dict[str, str]:
    return {tier: TIER_COLOURS[min(place, len(TIER_COLOURS) - 1)] for place, tier in enumerate(pack.tiers)}


def _action(action: str) -> str:
    return f"{SHAPES.get(action, '')} {action_words(action)}".strip()


def _shown(row: PackRow) -> str:
    return row.partner_id if row.name == row.partner_id else f"{row.name} ({row.partner_id})"
