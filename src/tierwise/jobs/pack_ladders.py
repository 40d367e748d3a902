"""The tracks and units of a review, counted for its pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from tierwise.jobs.explain import Source
from tierwise.jobs.explain_ladders import track_title, unit_title
from tierwise.reports.pack_ladders import PackLadders, TrackLine, TrackMove, UnitLine
from tierwise.reports.pack_rows import NO_TIER, PackRow
from tierwise.store import read_table

MOVES = ("promote", "demote")


def pack_ladders(source: Source, records: Mapping[str, PackRow]) -> PackLadders:
    """Count the tracks and units of a review; nothing where it stores none."""
    policy, stored = source.policy, source.review.rows
    day, output = source.review.as_of, source.output
    tracks = read_table(output, day, "tracks") if stored.get("tracks") else None
    units = read_table(output, day, "units") if stored.get("units") else None
    return PackLadders(
        tracks=() if tracks is None else tuple(_track_line(source, name, tracks) for name in policy.tracks),
        moves=() if tracks is None else tuple(_moves(source, tracks, records)),
        units=() if units is None else _unit_lines(units, policy.tier_names),
        unit_title=unit_title(source.workspace, policy),
    )


def _track_line(source: Source, name: str, tracks: pd.DataFrame) -> TrackLine:
    own = tracks[tracks["track"] == name]
    actions = own["action"].value_counts()
    tiers = [tier.name for tier in source.policy.tracks[name].tiers]
    return TrackLine(
        title=track_title(source.policy, name),
        tiers=_by_tier(own["recommended_tier"], tiers),
        rises=int(actions.get("promote", 0)),
        falls=int(actions.get("demote", 0)),
    )


def _moves(source: Source, tracks: pd.DataFrame, records: Mapping[str, PackRow]) -> list[TrackMove]:
    """Who moves: in the order of the tracks, promotions before demotions, the most valuable first."""
    order = {name: place for place, name in enumerate(source.policy.tracks)}
    moving = tracks[tracks["action"].isin(MOVES)].to_dict("records")
    found = [(row, records[row["partner_id"]]) for row in moving if row["track"] in order]
    found.sort(
        key=lambda one: (
            order[one[0]["track"]], MOVES.index(one[0]["action"]), -(one[1].value or 0.0), one[1].partner_id,
        )
    )  # fmt: skip
    return [
        TrackMove(
            row=record,
            track=track_title(source.policy, str(row["track"])),
            action=str(row["action"]),
            move=f"{_text(row['current_tier']) or NO_TIER} → {_text(row['recommended_tier']) or NO_TIER}",
            approval_role=_text(row["approval_role"]),
        )
        for row, record in found
    ]


def _unit_lines(units: pd.DataFrame, tier_names: Sequence[str]) -> tuple[UnitLine, ...]:
    lines = [
        UnitLine(str(unit), len(own), int(own["decides"].sum()), _by_tier(own["eligible_tier"], tier_names))
        for unit, own in units.groupby("unit", sort=True)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.partners, line.unit)))


def _by_tier(tiers: pd.Series, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Partners by tier from the top; tiers that nobody has are left out."""
    counts = tiers.fillna(NO_TIER).value_counts()
    order = (*reversed(names), NO_TIER)
    return tuple((name, int(counts[name])) for name in order if name in counts)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
