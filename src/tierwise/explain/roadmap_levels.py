"""The levels that a plan may raise a figure to: what criteria ask for, and what so many quarters of work bring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.roadmap_pace import Pace

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]

QUARTERS_TRIED = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
DECIMALS = 9
DIGITS = 3


@dataclass(frozen=True, eq=False)
class Levers:
    """The figures that partners can move, and how far; arrays are (n, levers) or (levers,).

    Attributes:
        names: The metrics.
        directions: 1 where more is better, -1 where less is, shape (levers,).
        counted: Whether the metric is counted in whole numbers, shape (levers,).
        limits: The best value that there can be, shape (levers,); infinite where there is no such limit.
        start: Today's values; an unknown one of a metric where more is better counts as 0, of another it is NaN.
        pace: What comparable partners achieve in a quarter.
        most_quarters: A step that takes longer is not realistic.
    """

    names: tuple[str, ...]
    directions: Floats
    counted: Bools
    limits: Floats
    start: Floats
    pace: Pace
    most_quarters: int

    def of(self, partners: Whole) -> Levers:
        """The levers of some partners."""
        pace = Pace(self.pace.usual[partners], self.pace.most[partners])
        return replace(self, start=self.start[partners], pace=pace)

    @property
    def furthest(self) -> Floats:
        """The greatest move of each lever within the quarters and the limit; 0 where it cannot be moved."""
        reach = np.minimum(self.pace.most * self.most_quarters, self.directions * (self.limits - self.start))
        reach = np.where(self.counted, np.floor(np.round(reach, DECIMALS)), reach)
        return np.where(np.isfinite(reach) & (reach > 0) & (self.pace.usual > 0), reach, 0.0)

    def rounded(self, moves: Floats) -> Floats:
        """Moves rounded up so that the figure they lead to is one that people would name."""
        counted, start, direction = self.counted, self.start, self.directions
        level = start + direction * moves
        size = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(level), 1e-12))) - DIGITS + 1)
        size = np.where(counted, 1.0, size)
        steps = np.round(level / size, DECIMALS)
        named = np.where(direction > 0, np.ceil(steps), np.floor(steps)) * size
        return np.asarray(np.minimum(direction * (named - start), self.furthest))


def candidate_moves(levers: Levers, asked: Floats) -> Floats:
    """The moves that a search tries for each lever, shape (n, levers, levels), rising, the first 0.

    Args:
        levers: The levers.
        asked: The levels that criteria ask for, shape (n, levers, any number); NaN where nothing.

    Returns:
        Moves, each within the lever's furthest; NaN beyond the last of a lever. The furthest itself is among them.
    """
    furthest = levers.furthest
    by_work = [levers.rounded(np.minimum(levers.pace.usual * quarters, furthest)) for quarters in QUARTERS_TRIED]
    to_asked = levers.directions[:, None] * (asked - levers.start[:, :, None])
    moves = np.concatenate([np.stack([*by_work, furthest], axis=2), to_asked], axis=2)
    within = (moves > 0) & (moves <= furthest[:, :, None] * (1 + 1e-12))
    moves = np.sort(np.where(within, moves, np.nan), axis=2)
    doubled = np.concatenate([np.zeros((*moves.shape[:2], 1), dtype=bool), ~(np.diff(moves, axis=2) > 0)], axis=2)
    moves = np.sort(np.where(doubled & (np.arange(moves.shape[2]) > 0), np.nan, moves), axis=2)
    kept = int(np.isfinite(moves).sum(axis=2).max(initial=0))
    return np.concatenate([np.zeros((*moves.shape[:2], 1)), moves[:, :, :kept]], axis=2)
