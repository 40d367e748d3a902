"""Movement on the tracks: the same rules as for the tiers, each track with a history of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from tierwise.config.policy import Policy
from tierwise.config.workspace import Calendar
from tierwise.policy.movement import NO_HISTORY, move
from tierwise.policy.placement import Placement

TRACK_COLUMNS = (
    "partner_id", "track", "current_tier", "eligible_tier", "recommended_tier", "action", "rule", "reason_code",
    "next_tier", "approval_role", "pending_tier", "effective_on", "notice_on", "grace_until", "gain_tier", "keep_tier",
)  # fmt: skip


def move_tracks(
    policy: Policy,
    placement: Placement,
    histories: Mapping[str, pd.DataFrame],
    as_of: date,
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """Apply the movement rules to every track of a policy.

    Args:
        policy: The policy in force.
        placement: The partners placed by that policy.
        histories: The tier history of each track; a track without one starts with a first placement.
        as_of: The day of the review.
        calendar: The fiscal calendar.

    Returns:
        One row per partner and track, sorted by both, with the columns of `move` and `track`; empty for a policy
        without tracks.

    Raises:
        InvalidInput: If a history cannot be used.
    """
    moved = [
        move(policy, placement, histories.get(track, NO_HISTORY), as_of, calendar, ladder=track).assign(track=track)
        for track in policy.tracks
    ]
    if not moved:
        texts = pd.DataFrame({name: pd.Series(dtype="str") for name in TRACK_COLUMNS})
        return texts.astype(dict.fromkeys(("effective_on", "notice_on", "grace_until"), "datetime64[us]"))
    table = pd.concat(moved, ignore_index=True)[list(TRACK_COLUMNS)]
    return table.sort_values(["partner_id", "track"], kind="stable", ignore_index=True)
