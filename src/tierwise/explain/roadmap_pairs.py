"""Pairs of figures that reach the tier together where neither does alone, beyond the base of every plan.

A pair is tried first with both figures as far as they would still be better than what was found. What does not reach
the tier so does not with less, as doing more never loses it, and most pairs end here. Of those that are left, every
combination of levels is tried in the order of effort, up to `MOST_PAIRS` a partner; the first that reaches the tier is
the cheapest of its pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.roadmap_search import MOST_PLANS, Search, at_levels

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]

MOST_PAIRS = 128
TRIED_FIRST = 16
BLOCK_CELLS = 5_000_000


def find_pairs(search: Search, partners: Whole, base: Whole, least: Whole) -> tuple[Whole, Whole]:
    """Find the pairs that could be better than what one further figure alone does.

    Args:
        search: The search.
        partners: Partners whom the base alone does not bring to the tier, shape (m,).
        base: Their base levels, shape (m, levers).
        least: The level from which each lever alone, beyond the base, is enough; 0 where none is.

    Returns:
        The partner and the levels of each pair that reaches the tier.
    """
    n, levers = base.shape
    nothing = np.zeros(0, dtype=np.int64), np.zeros((0, levers), dtype=np.int64)
    if not n or levers < 2:
        return nothing
    extra, cutoff = _worth_trying(search, partners, base, least)
    row, pair = _hopeful(search, partners, base, extra)
    blocks = [
        _cheapest(extra, row[own], pair[own], cutoff) for own in _blocks(row, extra.shape[1], extra.shape[2] ** 2)
    ]
    if not blocks:
        return nothing
    row, pair, level, turn = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
    return _reaching(search, partners, base, (row, pair, level, turn))


def _worth_trying(search: Search, partners: Whole, base: Whole, least: Whole) -> tuple[Floats, Floats]:
    """The effort of every level beyond the base, infinite where it is no use, and what a pair must stay below."""
    effort = search.moves[partners] * search.effort_per_unit[partners][:, :, None]
    extra = effort - at_levels(effort, base)[:, :, None]
    alone = np.where(least > 0, at_levels(extra, least), np.inf)
    cutoff = np.sort(alone, axis=1)[:, min(MOST_PLANS, base.shape[1]) - 1]
    place = np.arange(extra.shape[2])
    useful = (place > base[:, :, None]) & ((least[:, :, None] == 0) | (place < least[:, :, None]))
    return np.where(useful & (extra < cutoff[:, None, None]), extra, np.inf), cutoff


def _pairs_of(levers: int) -> Whole:
    return np.array(list(combinations(range(levers), 2)), dtype=np.int64)


def _hopeful(search: Search, partners: Whole, base: Whole, extra: Floats) -> tuple[Whole, Whole]:
    """The pairs that reach the tier with both as far as is of use: rows of the partners, and places of pairs."""
    pairs = _pairs_of(base.shape[1])
    place = np.arange(extra.shape[2])
    furthest = np.where(np.isfinite(extra), place, 0).max(axis=2)
    row, pair = np.nonzero((furthest[:, pairs[:, 0]] > 0) & (furthest[:, pairs[:, 1]] > 0))
    levels, at = base[row], np.arange(len(row))
    for lever in pairs[pair].T:
        levels[at, lever] = furthest[row, lever]
    reached = search.reaches_at(partners[row], levels)
    return row[reached], pair[reached]


def _blocks(row: Whole, levers: int, cells: int) -> Iterator[slice]:
    """Slices of pairs with all of a partner's together, few enough for every combination of levels at once."""
    most = levers * (levers - 1) // 2 * cells
    partners = max(1, BLOCK_CELLS // max(most, 1))
    starts = np.flatnonzero(np.diff(row, prepend=-1))[::partners]
    return (slice(start, end) for start, end in pairwise([*starts.tolist(), len(row)]))


def _cheapest(extra: Floats, row: Whole, pair: Whole, cutoff: Floats) -> tuple[Whole, Whole, Whole, Whole]:
    """The cheapest combinations of levels of each partner: row, pair, both levels as one number, turn by effort."""
    first, second = _pairs_of(extra.shape[1])[pair].T
    costs = extra[row, first][:, :, None] + extra[row, second][:, None, :]
    costs = costs.reshape(len(row), -1)
    at, level = np.nonzero(costs < cutoff[row][:, None])
    order = np.lexsort((costs[at, level], row[at]))
    at, level = at[order], level[order]
    own = row[at]
    turn = np.arange(len(own)) - np.searchsorted(own, own)
    kept = turn < MOST_PAIRS
    return own[kept], pair[at[kept]], level[kept], turn[kept]


def _reaching(
    search: Search, partners: Whole, base: Whole, tries: tuple[Whole, Whole, Whole, Whole]
) -> tuple[Whole, Whole]:
    """Try combinations, the cheapest of every partner first; a pair that reached the tier is not tried with more."""
    row, pair, level, turn = tries
    pairs = _pairs_of(base.shape[1])
    found_partners, found_levels = [], []
    done = np.zeros((len(partners), len(pairs)), dtype=bool)
    for now in (turn < TRIED_FIRST, turn >= TRIED_FIRST):
        own = np.flatnonzero(now & ~done[row, pair])
        levels, at = base[row[own]], np.arange(len(own))
        for lever, place in zip(pairs[pair[own]].T, np.divmod(level[own], search.moves.shape[2]), strict=True):
            levels[at, lever] = place
        reached = search.reaches_at(partners[row[own]], levels)
        done[row[own[reached]], pair[own[reached]]] = True
        found_partners.append(partners[row[own[reached]]])
        found_levels.append(levels[reached])
    return np.concatenate(found_partners), np.concatenate(found_levels)
