"""Fill the tables of a tree's cells: the Shapley values of every feature for every pattern.

A leaf is reached by a coalition of features if every feature on its path is followed: by the row where the feature is
in the coalition, by the background where it is not. Call A the features that only the row follows and B those that
only the background follows; if some feature is followed by neither, nobody gets there. The leaf then counts for
exactly the coalitions that hold all of A and none of B, so its Shapley values follow from the sizes of A and B alone.

The background is either the training rows as the tree counted them, each feature followed independently of the others
(path-dependent TreeSHAP: Lundberg et al., "From local explanations to global understanding", 2020), or the patterns of
given rows (interventional SHAP; patterns shared by all rows as in Nadel and Wettenstein, "WOODELF", 2025).
"""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.kernel_cells import MOST_LEAF_BITS, Cells, Leaves
from tierwise.forest.compiling import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


def shapley_weights(most: int) -> Floats:
    """The weight of a member of A (first) and of B (second), by the sizes of A and B; shape (2, most + 1, most + 1)."""
    weights = np.zeros((2, most + 1, most + 1))
    for a in range(most + 1):
        for b in range(most + 1 - a):
            if a:
                weights[0, a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
            if b:
                weights[1, a, b] = factorial(a) * factorial(b - 1) / factorial(a + b)
    return weights


WEIGHTS = shapley_weights(MOST_LEAF_BITS)
BITS_SET = np.array([bin(pattern).count("1") for pattern in range(1 << MOST_LEAF_BITS)], dtype=np.int32)


@compiled
def fill_tables(cells: Cells, leaves: Leaves, seen: Floats, weights: Floats, bits_set: Ints) -> tuple[Floats, float]:
    """Fill the tables of a tree.

    Args:
        cells: The tree's cells.
        leaves: The leaves that tables cover.
        seen: The share of background rows by pattern of every covered cell, one after the other, each 2^bits long;
            empty for the training rows as the tree counted them.
        weights: `WEIGHTS`.
        bits_set: `BITS_SET`.

    Returns:
        The tables, each (features, 2^bits), at `table_start`; the mean value of the covered leaves over the background.
    """
    tables = np.zeros(cells.table_start[-1])
    seen_start = _seen_start(cells)
    base = 0.0
    for leaf in range(len(leaves.cell)):
        cell, first, last = leaves.cell[leaf], leaves.part_start[leaf], leaves.part_start[leaf + 1]
        size, value = 1 << (cells.bit_start[cell + 1] - cells.bit_start[cell]), leaves.value[leaf]
        followed = _followed(leaves.mask[first:last], leaves.want[first:last], size)
        if len(seen):
            background = _seen_shares(seen[seen_start[cell] : seen_start[cell] + size], followed, last - first)
        else:
            background = _counted_shares(leaves.share[first:last])
        base += value * background[-1]
        effects = _leaf_effects(background, last - first, weights, bits_set)
        for part in range(last - first):
            start = cells.table_start[cell] + leaves.place[first + part] * size
            for pattern in range(size):
                tables[start + pattern] += value * effects[part, followed[pattern]]
    return tables, base


@compiled
def _seen_start(cells: Cells) -> NDArray[np.int64]:
    """Where the patterns of each cell begin in what was seen; a deep leaf has none there."""
    start = np.zeros(len(cells.bit_start), dtype=np.int64)
    for cell in range(len(start) - 1):
        bits = cells.bit_start[cell + 1] - cells.bit_start[cell]
        is_deep = cells.table_start[cell + 1] == cells.table_start[cell] and bits > 0
        start[cell + 1] = start[cell] + (0 if is_deep else 1 << bits)
    return start


@compiled
def _followed(mask: Ints, want: Ints, size: int) -> Ints:
    """Translate every pattern of a cell into the leaf's own: which parts of its path are followed."""
    followed = np.zeros(size, dtype=np.int32)
    for pattern in range(size):
        for part in range(len(mask)):
            if (pattern & mask[part]) == want[part]:
                followed[pattern] |= 1 << part
    return followed


@compiled
def _seen_shares(seen: Floats, followed: Ints, depth: int) -> Floats:
    """The share of background rows by the leaf's pattern, shape (2^depth,)."""
    background = np.zeros(1 << depth)
    for pattern in range(len(seen)):
        background[followed[pattern]] += seen[pattern]
    return background


@compiled
def _counted_shares(shares: Floats) -> Floats:
    """The same for training rows that follow each part of the path independently of the others."""
    background = np.ones(1 << len(shares))
    for pattern in range(len(background)):
        for part in range(len(shares)):
            background[pattern] *= shares[part] if pattern >> part & 1 else 1.0 - shares[part]
    return background


@compiled
def _leaf_effects(background: Floats, depth: int, weights: Floats, bits_set: Ints) -> Floats:
    """The Shapley values of a leaf of value 1 for every pattern of the row, shape (depth, 2^depth)."""
    everything = (1 << depth) - 1
    effects = np.zeros((depth, 1 << depth))
    for own in range(1 << depth):
        against = everything & ~own
        against_count = bits_set[against]
        both = own
        against_effect = 0.0
        while True:
            share = background[against | both]
            if share != 0.0:
                towards = own & ~both
                towards_count = bits_set[towards]
                against_effect -= share * weights[1, towards_count, against_count]
                effect = share * weights[0, towards_count, against_count]
                while towards:
                    part = bits_set[(towards & -towards) - 1]
                    effects[part, own] += effect
                    towards &= towards - 1
            if both == 0:
                break
            both = (both - 1) & own
        while against:
            part = bits_set[(against & -against) - 1]
            effects[part, own] = against_effect
            against &= against - 1
    return effects
