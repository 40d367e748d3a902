"""The policy engine: places partners by a dated policy file, moves them by named rules, lints and replays policies."""

from tierwise.policy.movement import NO_HISTORY, move
from tierwise.policy.movement_rules import MOVEMENT_RULES, MovementRule
from tierwise.policy.placement import Placement, place
from tierwise.policy.texts import check_expressions

__all__ = ["MOVEMENT_RULES", "NO_HISTORY", "MovementRule", "Placement", "check_expressions", "move", "place"]
