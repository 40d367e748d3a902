"""What changed for a partner since the review before, and what similar partners did, as people read it."""

from __future__ import annotations

from collections import defaultdict

from tierwise.explain.figures import figure
from tierwise.explain.wording import Wording
from tierwise.jobs.explain_criteria import signed
from tierwise.reports.partner import Change, Move, Peer
from tierwise.store.partner_rows import Record

ELIGIBLE = "eligible_tier"
TIERS = "tiers"
TITLES = {ELIGIBLE: "Tier by the criteria alone", "potential": "Potential"}


def changes_of(rows: list[Record], wording: Wording) -> tuple[Change, ...]:
    """Word each figure's change, with its parts from data, model and policy."""
    return tuple(_change(row, wording) for row in rows)


def _change(row: Record, wording: Wording) -> Change:
    target, unit = row["target"], row["unit"] or ""
    data, model, policy = (signed(row[f"from_{part}"], unit) or "-" for part in ("data", "model", "policy"))
    before, now = (_value(row[name], target, unit, wording) for name in ("value_before", "value_now"))
    title = TITLES.get(target) or wording.titles.get(target, target.replace("_", " "))
    return Change(title, before, now, data, model, policy, row["code"] == "split")


def _value(value: float | None, target: str, unit: str, wording: Wording) -> str:
    """A figure with its unit; of an eligible tier its name, for it is stored as its place."""
    if target != ELIGIBLE or value is None:
        return figure(value, unit)
    place = round(value)
    return wording.tier_names[place] if 0 <= place < len(wording.tier_names) else "no tier"


def moved_of(rows: list[Record], wording: Wording) -> tuple[Move, ...]:
    """Word the figures that moved most, in their stored order."""
    return tuple(_move(row["metric"], row["value_before"], row["value_now"], wording) for row in rows)


def peers_of(rows: list[Record], names: dict[str, str], wording: Wording) -> tuple[Peer, ...]:
    """Word the similar partners and what each raised; none where the review found none."""
    moves: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        if row["peer_id"]:
            moves[row["peer_id"]].append(row)
    return tuple(_peer(peer, own, names, wording) for peer, own in moves.items())


def _peer(peer: str, rows: list[Record], names: dict[str, str], wording: Wording) -> Peer:
    first = rows[0]
    raised = [row for row in rows if row["metric"]]
    return Peer(
        shown=f"{names[peer]} ({peer})" if peer in names else peer,
        tier=first["peer_tier"] or "",
        alike_as_of=str(first["alike_as_of"] or ""),
        matched_on=first["matched_on"] or "",
        moves=tuple(_move(row["metric"], row["from"], row["to"], wording) for row in raised),
    )


def _move(metric: str, before: float | None, now: float | None, wording: Wording) -> Move:
    unit = wording.units.get(metric, "")
    rose = None if before is None or now is None or before == now else now > before
    title = wording.titles.get(metric, metric.replace("_", " "))
    return Move(title, figure(before, unit), figure(now, unit), rose)
