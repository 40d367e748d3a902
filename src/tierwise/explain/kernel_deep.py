"""Leaves with too many distinct features for a table: worked out row by row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.kernel_cells import Cells
from tierwise.forest.compiling import compiled

Floats = NDArray[np.float64]
Patterns = NDArray[np.uint64]


def quadrature(depth: int) -> Floats:
    """Gauss-Legendre points and weights on 0..1, exact for polynomials of degree `depth - 1`; shape (2, points)."""
    points, weights = np.polynomial.legendre.leggauss((depth + 1) // 2)
    return np.stack([(points + 1) / 2, weights / 2])


@compiled
def add_deep(
    cells: Cells, leaf: tuple[int, float], shares: Floats, points: Floats, ways: NDArray[np.uint16], sums: Floats
) -> None:
    """Add one deep leaf's path-dependent Shapley values to `sums`, shape (columns, rows).

    A feature's value is the integral over t in 0..1 of the product of all other features' chances to be followed when
    each is in the coalition with probability t: a polynomial, so that few points of Gauss and Legendre are exact.

    Args:
        cells: The tree's cells.
        leaf: The leaf's cell and value.
        shares: The share of training rows that followed each feature's splits.
        points: `quadrature` of as many features.
        ways: What `decide` returned.
        sums: Where to add.
    """
    cell, value = leaf
    rows, depth, first = ways.shape[1], len(shares), cells.bit_start[cell]
    chances, before = np.ones((depth, rows)), np.empty((depth, rows))
    total, running = np.zeros((depth, rows)), np.empty(rows)
    for part in range(depth):
        for condition in range(cells.condition_start[first + part], cells.condition_start[first + part + 1]):
            way, flip = ways[cells.node[condition]], cells.flip[condition]
            for row in range(rows):
                chances[part, row] *= 1.0 if way[row] != flip else 0.0
    for point in range(points.shape[1]):
        t = points[0, point]
        running[:] = 1.0
        for part in range(depth):
            for row in range(rows):
                before[part, row] = running[row]
                running[row] *= shares[part] + t * (chances[part, row] - shares[part])
        running[:] = points[1, point]
        for back in range(depth):
            part = depth - 1 - back
            for row in range(rows):
                total[part, row] += before[part, row] * running[row]
                running[row] *= shares[part] + t * (chances[part, row] - shares[part])
    for part in range(depth):
        own = sums[cells.feature[cells.feature_start[cell] + part]]
        for row in range(rows):
            own[row] += value * (chances[part, row] - shares[part]) * total[part, row]


@compiled
def wide_patterns(cells: Cells, cell: int, ways: NDArray[np.uint16]) -> Patterns:
    """The pattern of every row in one cell of at most 64 bits."""
    first, last = cells.bit_start[cell], cells.bit_start[cell + 1]
    found = np.zeros(ways.shape[1], dtype=np.uint64)
    for row in range(len(found)):
        for bit in range(first, last):
            follows = True
            for condition in range(cells.condition_start[bit], cells.condition_start[bit + 1]):
                follows = follows and ways[cells.node[condition], row] != cells.flip[condition]
            if follows:
                found[row] |= np.uint64(1) << np.uint64(bit - first)
    return found


@compiled
def deep_effects(own: Patterns, seen: Patterns, share: Floats, depth: int, weights: Floats) -> Floats:
    """A deep leaf's interventional Shapley values for rows against the distinct patterns of a background.

    Args:
        own: The patterns of the rows.
        seen: The distinct patterns of the background.
        share: The share of the background that has each.
        depth: How many features the leaf's path has.
        weights: `shapley_weights` of at least as many.

    Returns:
        Shape (depth, rows), for a leaf of value 1.
    """
    one = np.uint64(1)
    effects = np.zeros((depth, len(own)))
    everything = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - depth)
    for row in range(len(own)):
        for place in range(len(seen)):
            if (own[row] | seen[place]) != everything:
                continue
            towards, against = 0, 0
            for part in range(depth):
                bit = one << np.uint64(part)
                towards += 1 if (own[row] & bit) and not (seen[place] & bit) else 0
                against += 1 if not (own[row] & bit) else 0
            for part in range(depth):
                bit = one << np.uint64(part)
                if not (own[row] & bit):
                    effects[part, row] -= share[place] * weights[1, towards, against]
                elif not (seen[place] & bit):
                    effects[part, row] += share[place] * weights[0, towards, against]
    return effects
