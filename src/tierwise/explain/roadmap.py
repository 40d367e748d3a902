"""The ways up: the plans with the least effort that reach the next tier when they are scored again.

The policy is asked as it is, so anything it weighs counts. A search has three parts:

1. Raise everything as far as is realistic. Who does not reach the tier so has no plan.
2. Find for each figure the least level without which no plan reaches it: the base of every plan.
3. Where the base alone does not reach it, try every further figure alone and the cheapest pairs, over a grid of levels,
   in the order of effort; where neither does, lower everything from the top as far as it goes.

On the grid this is exact for plans of at most two figures beyond the base, as long as no more pairs than
`MOST_PAIRS` are cheaper than the best plan; chosen steps are then lowered between the grid's levels. It relies on one
property: doing more never loses the tier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]
Reaches = Callable[[Whole, Floats], Bools]

MOST_PLANS = 3
MOST_PAIRS = 128
REFINED = 8


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
        return _at(self.moves[partners], levels)

    def effort(self, partners: Whole, moves: Floats) -> Floats:
        """The effort of moves, shape (m,)."""
        own = np.where(moves > 0, moves * self.effort_per_unit[partners], 0.0)
        return np.asarray(own.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Plans:
    """Plans, those of a partner together and the one with the least effort first.

    Attributes:
        partner: The row of each plan's partner, shape (m,).
        moves: Its moves, shape (m, levers).
        effort: Its effort, shape (m,).
        at_top: For every partner, whether it reaches the tier with everything raised as far as is realistic.
    """

    partner: Whole
    moves: Floats
    effort: Floats
    at_top: Bools


def find_plans(search: Search) -> Plans:
    """Search up to `MOST_PLANS` plans per partner that raise different figures."""
    everyone = np.arange(len(search.moves))
    top = search.top
    at_top = search.reaches_at(everyone, top) & (top > 0).any(axis=1)
    alive = everyone[at_top]
    base = _base(search, alive, top)
    enough = search.reaches_at(alive, base)
    found = [(alive[enough], base[enough])]
    open_, base = alive[~enough], base[~enough]
    least = _least_alone(search, open_, base)
    found.append(_alone(open_, base, least))
    if search.tries_pairs:
        found.append(_pairs(search, open_, base, least))
    without = open_[~np.isin(open_, np.concatenate([partners for partners, _ in found]))]
    found.append((without, _lowered(search, without, base[np.isin(open_, without)])))
    partner = np.concatenate([partners for partners, _ in found])
    levels = np.concatenate([levels for _, levels in found])
    partner, levels = _chosen(search, partner, levels)
    moves = _refined(search, partner, levels)
    effort = search.effort(partner, moves)
    order = np.lexsort((effort, partner))
    return Plans(partner[order], moves[order], effort[order], at_top)


def _base(search: Search, partners: Whole, top: Whole) -> Whole:
    """The least level of each lever without which the tier is not reached, all others at the top."""
    row, lever = np.nonzero(top[partners] > 0)
    without = top[partners[row]]
    without[np.arange(len(row)), lever] = 0
    needed = ~search.reaches_at(partners[row], without)
    base = np.zeros((len(partners), top.shape[1]), dtype=np.int64)
    row, lever = row[needed], lever[needed]
    base[row, lever] = _least(search, partners[row], top[partners[row]], lever, np.ones_like(row))
    return base


def _least(search: Search, partners: Whole, levels: Whole, lever: Whole, floor: Whole) -> Whole:
    """The least level, from a floor on, of one lever per task at which the tier is reached; the given level must."""
    most = levels[np.arange(len(lever)), lever]
    tries = np.maximum(most - floor, 0)
    task = np.repeat(np.arange(len(lever)), tries)
    level = np.arange(len(task)) - np.repeat(np.cumsum(tries) - tries, tries) + floor[task]
    tried = levels[task]
    tried[np.arange(len(task)), lever[task]] = level
    reached = search.reaches_at(partners[task], tried)
    least = most.copy()
    np.minimum.at(least, task[reached], level[reached])
    return least


def _least_alone(search: Search, partners: Whole, base: Whole) -> Whole:
    """The least level of each lever that alone, beyond the base, reaches the tier; 0 where none does."""
    top = search.top[partners]
    row, lever = np.nonzero(top > base)
    raised = base[row]
    raised[np.arange(len(row)), lever] = top[row, lever]
    enough = search.reaches_at(partners[row], raised)
    row, lever, raised = row[enough], lever[enough], raised[enough]
    least = np.zeros_like(base)
    least[row, lever] = _least(search, partners[row], raised, lever, base[row, lever] + 1)
    return least


def _alone(partners: Whole, base: Whole, least: Whole) -> tuple[Whole, Whole]:
    row, lever = np.nonzero(least)
    levels = base[row]
    levels[np.arange(len(row)), lever] = least[row, lever]
    return partners[row], levels


def _pairs(search: Search, partners: Whole, base: Whole, least: Whole) -> tuple[Whole, Whole]:
    """The pairs of further levers that reach the tier, among the cheapest that could be better than what was found."""
    row, levels = _cheapest_pairs(search, partners, base, least)
    reached = search.reaches_at(partners[row], levels)
    return partners[row[reached]], levels[reached]


def _cheapest_pairs(search: Search, partners: Whole, base: Whole, least: Whole) -> tuple[Whole, Whole]:
    """Up to `MOST_PAIRS` level vectors per partner: two levers beyond the base, each below what reaches it alone."""
    n, levers = base.shape
    if not n or levers < 2:
        return np.zeros(0, dtype=np.int64), np.zeros((0, levers), dtype=np.int64)
    extra = _extra_effort(search, partners, base)
    alone = np.where(least > 0, _at(extra, least), np.inf)
    place = np.arange(extra.shape[2])
    below = (place > base[:, :, None]) & ((least[:, :, None] == 0) | (place < least[:, :, None]))
    extra = np.where(below & np.isfinite(extra), extra, np.inf)
    pairs = np.array(list(combinations(range(levers), 2)))
    costs = (extra[:, pairs[:, 0], :, None] + extra[:, pairs[:, 1], None, :]).reshape(n, -1)
    cutoff = np.sort(alone, axis=1)[:, min(MOST_PLANS, levers) - 1]
    costs = np.where(costs < cutoff[:, None], costs, np.inf)
    kept = min(MOST_PAIRS, costs.shape[1])
    cheapest = np.argpartition(costs, kept - 1, axis=1)[:, :kept]
    row, column = np.nonzero(np.isfinite(np.take_along_axis(costs, cheapest, axis=1)))
    pair, level = np.divmod(cheapest[row, column], len(place) ** 2)
    levels, at = base[row], np.arange(len(row))
    levels[at, pairs[pair, 0]], levels[at, pairs[pair, 1]] = np.divmod(level, len(place))
    return row, levels


def _extra_effort(search: Search, partners: Whole, base: Whole) -> Floats:
    """The effort of every level beyond that of the base, shape (m, levers, levels)."""
    effort = search.moves[partners] * search.effort_per_unit[partners][:, :, None]
    return np.asarray(effort - _at(effort, base)[:, :, None])


def _at(values: Floats, levels: Whole) -> Floats:
    return np.asarray(np.take_along_axis(values, levels[:, :, None], axis=2)[:, :, 0])


def _lowered(search: Search, partners: Whole, base: Whole) -> Whole:
    """Everything at the top, then each lever, from the one with the most effort on, lowered as far as it goes."""
    levels = search.top[partners]
    effort = search.moves_at(partners, levels) * search.effort_per_unit[partners]
    order = np.argsort(-np.nan_to_num(effort), axis=1, kind="stable")
    at = np.arange(len(partners))
    for place in range(levels.shape[1] if len(partners) else 0):
        lever = order[:, place]
        levels[at, lever] = _least(search, partners, levels, lever, base[at, lever])
    return levels


def _chosen(search: Search, partner: Whole, levels: Whole) -> tuple[Whole, Whole]:
    """Per partner the cheapest plans that differ: none moves all the figures of a cheaper one and more."""
    effort = search.effort(partner, search.moves_at(partner, levels))
    order = np.lexsort((*levels.T[::-1], effort, partner))
    kept: list[int] = []
    sets: list[Bools] = []
    current = -1
    for place in order.tolist():
        if partner[place] != current:
            current, sets = int(partner[place]), []
        own = levels[place] > 0
        if len(sets) < MOST_PLANS and not any((own | cheaper == own).all() for cheaper in sets):
            sets.append(own)
            kept.append(place)
    chosen = np.array(kept, dtype=np.int64)
    return partner[chosen], levels[chosen]


def _refined(search: Search, partner: Whole, levels: Whole) -> Floats:
    """Lower each step of every plan, on the grid and then between its levels, as far as the tier is still reached."""
    levels = levels.copy()
    for lever, task in _steps_in_turn(levels):  # moves nothing unless doing more can lose the tier
        levels[task, lever] = _least(search, partner[task], levels[task], lever, np.ones_like(lever))
    moves = search.moves_at(partner, levels)
    below = search.moves_at(partner, np.maximum(levels - 1, 0))
    share = np.arange(1, REFINED) / REFINED
    for lever, task in _steps_in_turn(levels):
        start, end = below[task, lever], moves[task, lever]
        tried = np.repeat(moves[task], len(share), axis=0)
        who, which = np.repeat(partner[task], len(share)), np.repeat(lever, len(share))
        at = np.arange(len(who))
        tried[at, which] = (start[:, None] + share * (end - start)[:, None]).ravel()
        tried[at, which] = search.rounded(who, tried)[at, which]
        reached = search.reaches(who, tried).reshape(len(task), -1)
        options = np.where(reached, tried[at, which].reshape(len(task), -1), np.inf)
        moves[task, lever] = np.minimum(end, options.min(axis=1))
    return moves


def _steps_in_turn(levels: Whole) -> Iterator[tuple[Whole, Whole]]:
    """The first step of every plan, then every second one, and so on: levers and plans, one lever per plan a turn."""
    plan, lever = np.nonzero(levels > 0)
    turn = np.arange(len(plan)) - np.searchsorted(plan, plan)
    for number in range(turn.max(initial=-1) + 1):
        yield lever[turn == number], plan[turn == number]
