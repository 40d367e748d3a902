"""A partner's tracks and units as people read them, from the stored rows of a review."""

from __future__ import annotations

from collections import defaultdict

from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.explain.wording import Wording
from tierwise.jobs.explain_criteria import criterion_of
from tierwise.reports.ladders import Ladders, TrackPlace, UnitPlace
from tierwise.reports.partner import Criterion
from tierwise.reports.partner_words import LADDER_DATES
from tierwise.store.partner_rows import Record

LADDER_TABLES = ("tracks", "units", "unit_criteria")


def ladders_of(rows: dict[str, list[Record]], workspace: Workspace, policy: Policy, wording: Wording) -> Ladders:
    """Word the rows of `tracks`, `units` and `unit_criteria` of one partner."""
    order = {name: place for place, name in enumerate(policy.tracks)}
    tracks = sorted(rows["tracks"], key=lambda row: order.get(row["track"], len(order)))
    return Ladders(
        tracks=tuple(_track(row, policy) for row in tracks),
        units=tuple(_units(rows, wording)),
        unit_title=unit_title(workspace, policy),
    )


def track_title(policy: Policy, name: str) -> str:
    """What people read for a track; one that the policy has no more keeps its name."""
    track = policy.tracks.get(name)
    return (track.title if track else "") or name.replace("_", " ")


def unit_title(workspace: Workspace, policy: Policy) -> str:
    """What people read for a unit of the policy."""
    if policy.per is None:
        return "Unit"
    unit = workspace.catalog.units.get(policy.per.column)
    return (unit.title if unit else "") or policy.per.column.replace("_", " ").capitalize()


def _track(row: Record, policy: Policy) -> TrackPlace:
    dates = [f"{words} {row[name]}" for name, words in LADDER_DATES.items() if row[name] is not None]
    return TrackPlace(
        title=track_title(policy, row["track"]),
        current=row["current_tier"] or "",
        recommended=row["recommended_tier"] or "",
        next_tier=row["next_tier"] or "",
        action=row["action"],
        approval_role=row["approval_role"] or "",
        dates=", ".join(dates),
    )


def _units(rows: dict[str, list[Record]], wording: Wording) -> list[UnitPlace]:
    """The deciding unit first, then the highest tiers, then by name."""
    height = {name: place for place, name in enumerate(wording.tier_names)}
    asked: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for row in rows["unit_criteria"]:
        asked[row["unit"], row["tier"]].append(row)
    order = sorted(
        rows["units"], key=lambda row: (not row["decides"], -height.get(row["eligible_tier"] or "", -1), row["unit"])
    )
    return [
        UnitPlace(
            unit=row["unit"],
            tier=row["eligible_tier"] or "",
            next_tier=row["next_tier"] or "",
            gap=_nearest_gap(asked[row["unit"], row["next_tier"] or ""], wording),
            decides=bool(row["decides"]),
        )
        for row in order
    ]


def _nearest_gap(asked: list[Record], wording: Wording) -> str:
    """The criterion of the next tier that is nearest to being met; one outside of alternatives, where there is one."""
    missed = [row for row in asked if row["met"] != "true"]
    if not missed:
        return ""
    criterion = criterion_of(min(missed, key=_distance), wording)
    more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
    return f"{_said(criterion)}{more}"


def _distance(row: Record) -> tuple[bool, float, str]:
    is_elsewhere = bool(row["route"]) and not row["cheapest"]
    if row["gap"] is None or row["threshold"] is None:
        return is_elsewhere, float("inf"), row["criterion"]
    return is_elsewhere, abs(row["gap"]) / (abs(row["threshold"]) or 1.0), row["criterion"]


def _said(criterion: Criterion) -> str:
    if criterion.threshold is None:
        return f"{criterion.title}: {criterion.shown_value}"
    return f"{criterion.title}: {criterion.shown_value}, asked {criterion.shown_threshold}"
