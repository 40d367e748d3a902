"""The policy engine: places partners by a dated policy file, moves them by named rules, lints and replays policies."""

from tierwise.policy.placement import Placement, place
from tierwise.policy.texts import check_expressions

__all__ = ["Placement", "check_expressions", "place"]
