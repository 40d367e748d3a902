"""Pairs of figures that reach the tier together where neither does alone, beyond the base of every plan.

A pair is tried first with both figures as far as they would still be better than what was found. What does not reach
the tier so does not with less, as doing more never loses it, and most pairs end here. The others are walked down from
the most of the first figure with the least of the second: where the tier is not reached the second is raised, where it
is the first is lowered. Such a walk passes the cheapest combination of the pair in as many tries as the two figures
have levels together. It leaves out what costs as much as the plans that would be shown without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.roadmap_search import MOST_PLANS, Search, at_levels

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]


def find_pairs(search: Search, partners: Whole, base: Whole, least: Whole) -> tuple[Whole, Whole]:
    """Find the pairs that could be better than what one further figure alone does.

    Args:
        search: The search.
        partners: Partners whom the base alone does not bring to the tier, shape (m,).
        base: Their base levels, shape (m, levers).
        least: The level from which each lever alone, beyond the base, is enough; 0 where none is.

    Returns:
        The partner and the levels of the cheapest combination of each pair that reaches the tier and is among the
        `MOST_PLANS` cheapest of its partner, and of some others.
    """
    levers = base.shape[1]
    if not len(partners) or levers < 2:
        return np.zeros(0, dtype=np.int64), np.zeros((0, levers), dtype=np.int64)
    field = _field(search, partners, base, least)
    walks = _hopeful(search, field, _begun(field))
    while len(walks.row):
        walks = _further(search, field, walks)
    row, pair = np.nonzero(np.isfinite(field.best))
    return partners[row], field.levels(row, pair, field.best_first[row, pair], field.best_second[row, pair])


@dataclass(frozen=True, eq=False)
class _Field:
    """What the walks of all partners look at; `best` and its levels are written by them.

    Attributes:
        partners: The partners, shape (m,).
        base: Their base levels, shape (m, levers).
        extra: The effort of every level beyond the base, infinite where it is no use, shape (m, levers, levels).
        alone: What each lever alone costs; infinite where it does not reach the tier, shape (m, levers).
        pairs: The levers of each pair, shape (pairs, 2).
        best: The least effort of each pair that reached the tier, infinite where none did yet, shape (m, pairs).
        best_first: The level of its first lever.
        best_second: The level of its second lever.
    """

    partners: Whole
    base: Whole
    extra: Floats
    alone: Floats
    pairs: Whole
    best: Floats
    best_first: Whole
    best_second: Whole

    def limit(self, row: Whole, pair: Whole) -> Floats:
        """What a combination must cost less than to be shown: the last plan that would be shown without it.

        Of two plans of which one moves all figures of the other, only the cheaper is shown.
        """
        shown = np.concatenate([self.alone, self.best], axis=1)
        last = np.partition(shown, MOST_PLANS - 1, axis=1)[:, MOST_PLANS - 1] if shown.shape[1] > MOST_PLANS else np.inf
        last = np.broadcast_to(last, (len(shown),))[row]
        return np.asarray(
            np.minimum.reduce([last, self.best[row, pair], *self.alone[row[:, None], self.pairs[pair]].T])
        )

    def cost(self, row: Whole, pair: Whole, first: Whole, second: Whole) -> Floats:
        """The effort of combinations of levels, beyond the base."""
        one, other = self.pairs[pair].T
        return np.asarray(self.extra[row, one, first] + self.extra[row, other, second])

    def levels(self, row: Whole, pair: Whole, first: Whole, second: Whole) -> Whole:
        """The levels of all levers with a pair raised, shape (tries, levers)."""
        levels, at = self.base[row], np.arange(len(row))
        for lever, level in zip(self.pairs[pair].T, (first, second), strict=True):
            levels[at, lever] = level
        return levels


def _field(search: Search, partners: Whole, base: Whole, least: Whole) -> _Field:
    effort = search.moves[partners] * search.effort_per_unit[partners][:, :, None]
    extra = effort - at_levels(effort, base)[:, :, None]
    place = np.arange(extra.shape[2])
    useful = (place > base[:, :, None]) & ((least[:, :, None] == 0) | (place < least[:, :, None]))
    alone = np.where(least > 0, at_levels(extra, least), np.inf)
    pairs = np.array(list(combinations(range(base.shape[1]), 2)), dtype=np.int64)
    none = np.zeros((len(partners), len(pairs)), dtype=np.int64)
    useful &= np.isfinite(extra)
    return _Field(
        partners, base, np.where(useful, extra, np.inf), alone, pairs, np.full(none.shape, np.inf), none, none.copy()
    )


@dataclass(frozen=True, eq=False)
class _Walks:
    """Where the walks of some pairs stand, shape (walks,) each.

    Attributes:
        row: The place of the partner.
        pair: The pair.
        first: The level of its first lever, which falls.
        second: The level of its second lever, which rises.
        most: The last level of the second lever that is of use.
    """

    row: Whole
    pair: Whole
    first: Whole
    second: Whole
    most: Whole

    def of(self, chosen: Bools) -> _Walks:
        """Some of the walks."""
        return _Walks(*(values[chosen] for values in (self.row, self.pair, self.first, self.second, self.most)))


def _begun(field: _Field) -> _Walks:
    """Every pair with the most of the first lever and the least of the second that could still be better."""
    useful = np.isfinite(field.extra)
    least = np.where(useful.any(axis=2), useful.argmax(axis=2), 0)
    row, pair = np.nonzero((least[:, field.pairs[:, 0]] > 0) & (least[:, field.pairs[:, 1]] > 0))
    one, other = field.pairs[pair].T
    limit = field.limit(row, pair)
    first, most = (
        _last_below(field.extra[row, lever], limit - field.extra[row, beside, least[row, beside]])
        for lever, beside in ((one, other), (other, one))
    )
    walks = _Walks(row, pair, first, least[row, other], most)
    return walks.of((first > 0) & (most > 0))


def _last_below(extra: Floats, limit: Floats) -> Whole:
    """The last level of each row that costs less than a limit; 0 where none does."""
    below = extra < limit[:, None]
    last = extra.shape[1] - 1 - below[:, ::-1].argmax(axis=1)
    return np.asarray(np.where(below.any(axis=1), last, 0), dtype=np.int64)


def _hopeful(search: Search, field: _Field, walks: _Walks) -> _Walks:
    """The walks of pairs that reach the tier with both figures as far as is of use."""
    furthest = field.levels(walks.row, walks.pair, walks.first, walks.most)
    return walks.of(search.reaches_at(field.partners[walks.row], furthest))


def _further(search: Search, field: _Field, walks: _Walks) -> _Walks:
    """Try the combination at which each walk stands, and take it a step further; leaves out those at their end."""
    walks = _affordable(field, walks)
    row, pair, first, second = walks.row, walks.pair, walks.first, walks.second
    reached = search.reaches_at(field.partners[row], field.levels(row, pair, first, second))
    at = row[reached], pair[reached]
    field.best[at] = field.cost(row, pair, first, second)[reached]
    field.best_first[at], field.best_second[at] = first[reached], second[reached]
    return _inside(field, _Walks(row, pair, first - reached, second + ~reached, walks.most))


def _affordable(field: _Field, walks: _Walks) -> _Walks:
    """Lower the first figure of each walk until the combination costs less than the limit."""
    limit = field.limit(walks.row, walks.pair)
    first = walks.first.copy()
    dear = np.flatnonzero(field.cost(walks.row, walks.pair, first, walks.second) >= limit)
    while len(dear):
        first[dear] -= 1
        dear = dear[first[dear] > field.base[walks.row, field.pairs[walks.pair, 0]][dear]]
        cost = field.cost(walks.row[dear], walks.pair[dear], first[dear], walks.second[dear])
        dear = dear[cost >= limit[dear]]
    return _inside(field, _Walks(walks.row, walks.pair, first, walks.second, walks.most))


def _inside(field: _Field, walks: _Walks) -> _Walks:
    base = field.base[walks.row, field.pairs[walks.pair, 0]]
    return walks.of((walks.first > base) & (walks.second <= walks.most))
