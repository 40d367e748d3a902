"""Raw scores of many rows from a model's trees, equal to LightGBM's to the last bit and several times as fast.

Method: Lucchese, Nardini, Orlando, Perego, Tonellotto and Venturini, "QuickScorer: a fast algorithm to rank documents
with additive ensembles of regression trees", SIGIR 2015. Every inner node that sends a row to the right rules out the
leaves on its left; of the leaves that no node has ruled out the leftmost is the row's. No step depends on the one
before, so that a processor works on many rows at once instead of guessing which way each goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tierwise.forest.compiling import compiled
from tierwise.forest.text import Forest, Tree, read_forest

MOST_LEAVES = 64
ROWS_AT_ONCE = 512
ZERO_IS_MISSING = 1
# LightGBM's kZeroThreshold, a single-precision constant: what is nearer to zero is zero.
ZERO = float(np.float32(1e-35))
# A de Bruijn sequence: times a power of two, its upper six bits tell which power.
_SEQUENCE = 0x03F79D71B4CB0A89

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Masks = NDArray[np.uint64]
Laid = tuple[Ints, Ints, Floats, NDArray[np.bool_], Masks, Ints, Floats]


def _powers() -> Ints:
    found = np.zeros(MOST_LEAVES, dtype=np.int64)
    for power in range(MOST_LEAVES):
        found[((_SEQUENCE << power) & 0xFFFFFFFFFFFFFFFF) >> 58] = power
    return found


_POWERS = _powers()


@dataclass(frozen=True, eq=False)
class Scorer:
    """The trees of one model, one after the other.

    Attributes:
        node_start: Where each tree's inner nodes begin, and the last end, shape (trees + 1,).
        feature: The column each node splits on.
        threshold: Values up to it go left.
        unknown_left: Whether unknown values go left.
        others: All leaves of the tree but those on the node's left, a bit each.
        leaf_start: Where each tree's leaves begin, shape (trees,).
        value: The value of each leaf, of each tree from left to right.
    """

    node_start: Ints
    feature: Ints
    threshold: Floats
    unknown_left: NDArray[np.bool_]
    others: Masks
    leaf_start: Ints
    value: Floats

    def raw(self, matrix: Floats) -> Floats:
        """Return the raw score of each row of a matrix, shape (n, columns), of finite values and NaN: shape (n,)."""
        sums = np.zeros(len(matrix))
        trees = (self.node_start, self.feature, self.threshold, self.unknown_left, self.others, self.leaf_start,
                 self.value)  # fmt: skip
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            block = np.ascontiguousarray(matrix[rows].T)
            block[np.abs(block) <= ZERO] = 0.0
            _add_trees(trees, block, sums[rows])
        return sums


@lru_cache(maxsize=64)
def scorer_of(text: str) -> Scorer | None:
    """Make the scorer of a model's native text; None where its trees are of a kind that is not covered."""
    return scorer(read_forest(text))


def scorer(forest: Forest) -> Scorer | None:
    """Lay out a forest; None where it was not read, a tree has too many leaves, or a zero counts as missing."""
    if forest.uncovered or any(_too_much(tree) for tree in forest.trees):
        return None
    laid = [_laid_out(tree) for tree in forest.trees]
    nodes = [len(tree.feature) for tree in forest.trees]
    leaves = [len(tree.value) for tree in forest.trees]
    feature, threshold, unknown_left, others, value = (np.concatenate(arrays) for arrays in zip(*laid, strict=True))
    return Scorer(
        node_start=np.cumsum([0, *nodes]), feature=feature, threshold=threshold, unknown_left=unknown_left,
        others=others, leaf_start=np.cumsum([0, *leaves[:-1]]), value=value,
    )  # fmt: skip


def _too_much(tree: Tree) -> bool:
    return len(tree.value) > MOST_LEAVES or bool((tree.missing == ZERO_IS_MISSING).any())


def _laid_out(tree: Tree) -> tuple[Ints, Floats, NDArray[np.bool_], Masks, Floats]:
    """A tree's nodes and its leaf values from left to right."""
    order: list[int] = []
    others = np.full(len(tree.feature), 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)

    def visit(child: int) -> int:
        """Number the leaves below a child from left to right; the bits of their places."""
        if child < 0:
            order.append(-child - 1)
            return 1 << (len(order) - 1)
        left = visit(int(tree.left[child]))
        others[child] ^= np.uint64(left)
        return left | visit(int(tree.right[child]))

    visit(0 if len(tree.feature) else -1)
    unknown_left = np.where(tree.missing == 0, tree.threshold >= 0.0, tree.default_left)
    return tree.feature.astype(np.int64), tree.threshold, unknown_left, others, tree.value[order]


@compiled
def _add_trees(trees: Laid, block: Floats, sums: Floats) -> None:
    """Add what every tree says about each row of a block, shape (columns, rows), tree by tree as LightGBM does."""
    node_start, feature, threshold, unknown_left, others, leaf_start, value = trees
    rows, every = block.shape[1], np.uint64(0xFFFFFFFFFFFFFFFF)
    left = np.empty(rows, dtype=np.uint64)  # the leaves that no node has ruled out
    for tree in range(len(leaf_start)):
        left[:] = every
        for node in range(node_start[tree], node_start[tree + 1]):
            values, most, without = block[feature[node]], threshold[node], others[node]
            if unknown_left[node]:
                for row in range(rows):
                    left[row] &= without if values[row] > most else every
            else:
                for row in range(rows):
                    left[row] &= every if values[row] <= most else without
        first = leaf_start[tree]
        for row in range(len(sums)):
            lowest = left[row] & (~left[row] + np.uint64(1))
            place = np.uint64(lowest * np.uint64(_SEQUENCE)) >> np.uint64(58)
            sums[row] += value[first + _POWERS[place]]
