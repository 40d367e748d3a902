"""Whose explanations a scoring run makes: everybody's, those of who moves, or nobody's.

Every partner has its recommendation, criteria, score components and reasons in any case. Left out are what takes long:
contributions to the potential, plans to the next tier, similar partners, and why figures changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.errors import Fault, InvalidInput

Scope = Literal["all", "movers", "none"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
NOT_EXPLAINED = "not_explained"


def refuse_unknown_scope(scope: str) -> None:
    """Refuse anything but a scope.

    Raises:
        InvalidInput: With the scopes that there are.
    """
    if scope not in SCOPES:
        raise InvalidInput(Fault(f"{scope!r} is no scope", "--explain", todo=f"choose one of {', '.join(SCOPES)}"))


@dataclass(frozen=True, eq=False)
class Explained:
    """The partners whose recommendations a run explains.

    Attributes:
        scope: One of `SCOPES`.
        partner_ids: The partners; not looked at where everybody is explained.
    """

    scope: str
    partner_ids: pd.Series

    @property
    def everybody(self) -> bool:
        """Whether nobody is left out."""
        return self.scope == "all"

    @property
    def nobody(self) -> bool:
        """Whether there is nobody to explain."""
        return not self.everybody and self.partner_ids.empty

    def among(self, partner_ids: pd.Series) -> NDArray[np.bool_]:
        """Tell which of some partners are explained."""
        if self.everybody:
            return np.ones(len(partner_ids), dtype=bool)
        return partner_ids.isin(self.partner_ids).to_numpy()

    def rows_of(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of explained partners."""
        return table if self.everybody else table[self.among(table["partner_id"])].reset_index(drop=True)

    def with_way_up(self, moves: pd.DataFrame) -> pd.DataFrame:
        """The movement table with the next tier of explained partners only, so that no other's way up is looked for."""
        if self.everybody:
            return moves
        return moves.assign(next_tier=moves["next_tier"].where(self.among(moves["partner_id"])))


def explained_partners(scope: str, moves: pd.DataFrame) -> Explained:
    """Choose whose recommendations are explained.

    A mover's recommended tier is another than the one held, or a move waits for a further review. Who is placed for
    the first time moves from nowhere and is none: in a channel's first review that is everybody.

    Args:
        scope: One of `SCOPES`.
        moves: The movement table: `partner_id, current_tier, recommended_tier, pending_tier`.
    """
    held, given = (moves[name].fillna("") for name in ("current_tier", "recommended_tier"))
    moving = (held != "") & ((held != given) | moves["pending_tier"].notna()) & (scope == "movers")
    return Explained(scope, moves.loc[moving, "partner_id"].reset_index(drop=True))


EVERYBODY = Explained("all", pd.Series(dtype="str"))
