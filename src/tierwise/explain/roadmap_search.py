"""What a search for plans works on: the moves of every lever, what they cost, and whether they reach the tier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]
Reaches = Callable[[Whole, Floats], Bools]

MOST_PLANS = 3


@dataclass(frozen=True, eq=False)
class Search:
    """What a search works on.

    Attributes:
        moves: The moves tried for each lever, shape (n, levers, levels), rising from 0; NaN beyond the last.
        effort_per_unit: Effort of moving each lever by one, shape (n, levers).
        rounded: Rounds moves of some partners up to levels that people would name: partners (m,), moves (m, levers).
        reaches: Scores again: partners (m,) and their moves (m, levers); tells for each whether it reaches the tier.
        tries_pairs: Whether pairs are tried; not where every try costs a scoring of the whole channel.
    """

    moves: Floats
    effort_per_unit: Floats
    rounded: Callable[[Whole, Floats], Floats]
    reaches: Reaches
    tries_pairs: bool = True

    @property
    def top(self) -> Whole:
        """The last level of each lever, shape (n, levers)."""
        return np.asarray(np.isfinite(self.moves).sum(axis=2) - 1, dtype=np.int64)

    def reaches_at(self, partners: Whole, levels: Whole) -> Bools:
        """Whether partners reach the tier with each lever at a level, shapes (m,) and (m, levers)."""
        if not len(partners):
            return np.zeros(0, dtype=bool)
        return self.reaches(partners, self.moves_at(partners, levels))

    def moves_at(self, partners: Whole, levels: Whole) -> Floats:
        """The moves of levels, shape (m, levers)."""
        lever = np.arange(levels.shape[1])
        return np.asarray(self.moves[partners[:, None], lever, levels])

    def effort(self, partners: Whole, moves: Floats) -> Floats:
        """The effort of moves, shape (m,)."""
        own = np.where(moves > 0, moves * self.effort_per_unit[partners], 0.0)
        return np.asarray(own.sum(axis=1))


def at_levels(values: Floats, levels: Whole) -> Floats:
    """Take each lever's value at its level: values (m, levers, levels), levels (m, levers)."""
    return np.asarray(np.take_along_axis(values, levels[:, :, None], axis=2)[:, :, 0])
