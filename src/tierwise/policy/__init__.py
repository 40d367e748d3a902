"""The policy engine: places partners by a dated policy file, moves them by named rules, lints and replays policies."""

from tierwise.policy.diff import Change, diff
from tierwise.policy.flags import with_flags
from tierwise.policy.gains import Gains
from tierwise.policy.guardrail_reports import manager_load, promoted_without_growth, tier_inflation
from tierwise.policy.linting import Finding, lint, worst
from tierwise.policy.movement import NO_HISTORY, move
from tierwise.policy.movement_rules import MOVEMENT_RULES, MovementRule
from tierwise.policy.placement import Placement, place
from tierwise.policy.preview import Preview, Stakes, Today, preview
from tierwise.policy.replay import Replay, as_history, compare_replays, replay
from tierwise.policy.texts import check_expressions, needed_columns
from tierwise.policy.tier_dates import tier_on
from tierwise.policy.tracks import move_tracks
from tierwise.policy.versions import LockedPolicy, check_lock, in_force

__all__ = [
    "MOVEMENT_RULES",
    "NO_HISTORY",
    "Change",
    "Finding",
    "Gains",
    "LockedPolicy",
    "MovementRule",
    "Placement",
    "Preview",
    "Replay",
    "Stakes",
    "Today",
    "as_history",
    "check_expressions",
    "check_lock",
    "compare_replays",
    "diff",
    "in_force",
    "lint",
    "manager_load",
    "move",
    "move_tracks",
    "needed_columns",
    "place",
    "preview",
    "promoted_without_growth",
    "replay",
    "tier_inflation",
    "tier_on",
    "with_flags",
    "worst",
]
