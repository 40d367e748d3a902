"""Loops over blocks of rows: which way each row goes, its pattern in every cell, and the sum of what the tables say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.kernel_cells import Cells
from tierwise.forest.compiling import compiled
from tierwise.forest.scoring import ZERO
from tierwise.forest.text import Tree

Floats = NDArray[np.float64]
Masks = NDArray[np.uint16]


@compiled
def decide(tree: Tree, block: Floats) -> Masks:
    """Tell for every inner node and row whether the row goes left: all ones, or 0.

    Args:
        tree: The tree.
        block: The rows, transposed: shape (columns, rows).

    Returns:
        Shape (inner nodes, rows).
    """
    rows = block.shape[1]
    ways = np.empty((len(tree.feature), rows), dtype=np.uint16)
    left, right = np.uint16(0xFFFF), np.uint16(0)
    for node in range(len(tree.feature)):
        values, threshold = block[tree.feature[node]], tree.threshold[node]
        if tree.missing[node] == 0:
            unknown = left if threshold >= 0.0 else right
        else:
            unknown = left if tree.default_left[node] else right
        zero_is_missing = tree.missing[node] == 1
        for row in range(rows):
            value = values[row]
            way = left if value <= threshold else right
            ways[node, row] = unknown if value != value else way
        if zero_is_missing:
            for row in range(rows):
                if abs(values[row]) <= ZERO:
                    ways[node, row] = unknown
    return ways


@compiled
def _pattern(cells: Cells, cell: int, ways: Masks, found: Masks) -> None:
    """Write the pattern of every row in one cell of at most 16 bits into `found`."""
    found[:] = np.uint16(0xFFFF)
    first, last = cells.bit_start[cell], cells.bit_start[cell + 1]
    for bit in range(first, last):
        others = np.uint16(0xFFFF ^ (1 << (bit - first)))
        for condition in range(cells.condition_start[bit], cells.condition_start[bit + 1]):
            way, flip = ways[cells.node[condition]], cells.flip[condition]
            for row in range(len(found)):
                found[row] &= np.uint16((way[row] ^ flip) | others)
    used = np.uint16((1 << (last - first)) - 1)
    for row in range(len(found)):
        found[row] &= used


@compiled
def add_tables(cells: Cells, tables: Floats, ways: Masks, sums: Floats) -> None:
    """Add what the tables say about each row to `sums`, shape (columns, rows)."""
    found = np.empty(ways.shape[1], dtype=np.uint16)
    for cell in range(len(cells.bit_start) - 1):
        start = cells.table_start[cell]
        if cells.table_start[cell + 1] == start:
            continue
        _pattern(cells, cell, ways, found)
        size = 1 << (cells.bit_start[cell + 1] - cells.bit_start[cell])
        first = cells.feature_start[cell]
        for place in range(cells.feature_start[cell + 1] - first):
            table = tables[start + place * size : start + (place + 1) * size]
            own = sums[cells.feature[first + place]]
            for row in range(len(found)):
                own[row] += table[found[row]]


@compiled
def count_patterns(cells: Cells, ways: Masks, counts: Floats) -> None:
    """Count the rows by pattern of every cell that tables cover, one after the other, each 2^bits long."""
    found = np.empty(ways.shape[1], dtype=np.uint16)
    start = 0
    for cell in range(len(cells.bit_start) - 1):
        bits = cells.bit_start[cell + 1] - cells.bit_start[cell]
        if cells.table_start[cell + 1] == cells.table_start[cell] and bits > 0:
            continue
        _pattern(cells, cell, ways, found)
        for row in range(len(found)):
            counts[start + found[row]] += 1.0
        start += 1 << bits
