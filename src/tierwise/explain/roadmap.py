"""The ways up: the plans with the least effort that reach the next tier when they are scored again.

The policy is asked as it is, so anything it weighs counts. A search has three parts:

1. Raise everything as far as is realistic. Who does not reach the tier so has no plan.
2. Find for each figure the least level without which no plan reaches it: the base of every plan.
3. Where the base alone does not reach it, try every further figure alone and pairs, over a grid of levels; where
   neither does, lower everything from the top as far as it goes.

On the grid this is exact for plans of at most two figures beyond the base; chosen steps are then lowered between the
grid's levels. It relies on one property: doing more never loses the tier. Asking costs a good deal however few are
asked about, so every question is put for all partners at once, and rather with some tries too many than twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.roadmap_pairs import find_pairs
from tierwise.explain.roadmap_search import MOST_PLANS, Search

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]

REFINED = 8


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
        found.append(find_pairs(search, open_, base, least))
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
    for lever, task in _steps_in_turn(levels):
        lower = levels[task]
        lower[np.arange(len(task)), lever] -= 1
        loose = search.reaches_at(partner[task], lower)  # nobody, unless doing more can lose the tier
        task, lever = task[loose], lever[loose]
        levels[task, lever] = _least(search, partner[task], levels[task], lever, np.ones_like(lever))
    moves = search.moves_at(partner, levels)
    below = search.moves_at(partner, np.maximum(levels - 1, 0))
    for lever, task in _steps_in_turn(levels):
        moves[task, lever] = _least_between(search, partner[task], moves[task], lever, below[task, lever])
    return moves


def _least_between(search: Search, partners: Whole, moves: Floats, lever: Whole, below: Floats) -> Floats:
    """The least move of one lever per task between a level that is too little and its own, in figures people name."""
    task, at = np.arange(len(lever)), np.repeat(np.arange(len(lever)), REFINED - 1)
    most = moves[task, lever]
    tried, which = moves[at], lever[at]
    own = np.arange(len(at))
    share = np.tile(np.arange(1, REFINED) / REFINED, len(lever))
    tried[own, which] = below[at] + share * (most - below)[at]
    named = search.rounded(partners[at], tried)[own, which]
    new = (named < most[at]) & ((at != np.roll(at, 1)) | (named != np.roll(named, 1)))
    at, tried, which, named = at[new], tried[new], which[new], named[new]
    tried[np.arange(len(at)), which] = named
    reached = search.reaches(partners[at], tried) if len(at) else np.zeros(0, dtype=bool)
    least = most.copy()
    np.minimum.at(least, at[reached], named[reached])
    return least


def _steps_in_turn(levels: Whole) -> Iterator[tuple[Whole, Whole]]:
    """The first step of every plan, then every second one, and so on: levers and plans, one lever per plan a turn."""
    plan, lever = np.nonzero(levels > 0)
    turn = np.arange(len(plan)) - np.searchsorted(plan, plan)
    for number in range(turn.max(initial=-1) + 1):
        yield lever[turn == number], plan[turn == number]
