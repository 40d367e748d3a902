"""Cut a tree into cells: small groups of leaves whose contributions fit into one table of patterns.

A row meets a cell as a pattern of bits: one for every distinct feature on the way to the cell (does the row follow all
splits on it), one for every split inside (does it go left). Everything the cell contributes depends on the pattern
alone, so it is worked out once per pattern, not once per row. A leaf is the smallest cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tierwise.forest.text import Tree

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Masks = NDArray[np.uint16]

MOST_CELL_BITS = 8
MOST_LEAF_BITS = 12
_ALL = 0xFFFF
Path = tuple[tuple[int, bool], ...]


class Cells(NamedTuple):
    """The cells of one tree, as the loops over rows read them.

    Attributes:
        bit_start: Where the bits of each cell begin, shape (cells + 1,).
        condition_start: Where the conditions of each bit begin; a bit is set where all its conditions hold.
        node: The inner node of each condition.
        flip: 0 where the condition is to go left, all ones where it is to go right.
        feature_start: Where the features of each cell begin, shape (cells + 1,).
        feature: The features that each cell contributes to.
        table_start: Where the table of each cell begins, shape (cells + 1,); a deep leaf has none.
    """

    bit_start: Ints
    condition_start: Ints
    node: Ints
    flip: Masks
    feature_start: Ints
    feature: Ints
    table_start: NDArray[np.int64]


class Leaves(NamedTuple):
    """The leaves of one tree, as the loops that fill the tables read them.

    Attributes:
        cell: The cell of each leaf.
        value: The value of each leaf.
        part_start: Where the parts of each leaf begin; a part is one distinct feature on its whole path.
        place: The place of each part's feature among the features of the cell.
        mask: The bits of the cell's pattern that the part depends on.
        want: What those bits must be for the row to follow the path in this feature.
        share: The share of training rows that followed it, the product over the splits.
    """

    cell: Ints
    value: Floats
    part_start: Ints
    place: Ints
    mask: Ints
    want: Ints
    share: Floats


@dataclass(frozen=True, eq=False)
class CutTree:
    """A tree with its cells.

    Attributes:
        tree: The tree.
        cells: Its cells; every leaf belongs to one of them.
        leaves: The leaves that tables cover.
        deep: Single leaves with too many distinct features for a table, each a cell of its own.
    """

    tree: Tree
    cells: Cells
    leaves: Leaves
    deep: Leaves


def cut(tree: Tree) -> CutTree:
    """Cut a tree into the largest cells of at most `MOST_CELL_BITS` bits; a leaf may have up to `MOST_LEAF_BITS`."""
    sizes = _inner_nodes(tree)
    cells, leaves, deep = _CellLists(), _LeafLists(), _LeafLists()
    for node, path in _roots(tree, sizes):
        cell = _cell(tree, node, path)
        is_deep = len(cell.bits) > MOST_LEAF_BITS
        place = cells.add(cell, 0 if is_deep else len(cell.features) << len(cell.bits))
        for leaf, inside in _leaves_below(tree, node):
            (deep if is_deep else leaves).add(tree, cell, place, leaf, (path, inside))
    return CutTree(tree, cells.frozen(), leaves.frozen(), deep.frozen())


@dataclass(frozen=True)
class _Cell:
    """Bits as lists of (node, goes left); the first are of the path's distinct features, the rest of inner nodes."""

    path_features: tuple[int, ...]
    bits: tuple[Path, ...]
    bit_of_node: dict[int, int]
    features: tuple[int, ...]


@dataclass
class _CellLists:
    bit_start: list[int] = field(default_factory=lambda: [0])
    condition_start: list[int] = field(default_factory=lambda: [0])
    node: list[int] = field(default_factory=list)
    flip: list[int] = field(default_factory=list)
    feature_start: list[int] = field(default_factory=lambda: [0])
    feature: list[int] = field(default_factory=list)
    table_start: list[int] = field(default_factory=lambda: [0])

    def add(self, cell: _Cell, size: int) -> int:
        for conditions in cell.bits:
            self.node += [node for node, _ in conditions]
            self.flip += [0 if goes_left else _ALL for _, goes_left in conditions]
            self.condition_start.append(len(self.node))
        self.feature += cell.features
        self.bit_start.append(len(self.condition_start) - 1)
        self.feature_start.append(len(self.feature))
        self.table_start.append(self.table_start[-1] + size)
        return len(self.bit_start) - 2

    def frozen(self) -> Cells:
        return Cells(
            np.array(self.bit_start, np.int32),
            np.array(self.condition_start, np.int32),
            np.array(self.node, np.int32),
            np.array(self.flip, np.uint16),
            np.array(self.feature_start, np.int32),
            np.array(self.feature, np.int32),
            np.array(self.table_start, np.int64),
        )


@dataclass
class _LeafLists:
    cell: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    part_start: list[int] = field(default_factory=lambda: [0])
    place: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    want: list[int] = field(default_factory=list)
    share: list[float] = field(default_factory=list)

    def add(self, tree: Tree, cell: _Cell, place: int, leaf: int, paths: tuple[Path, Path]) -> None:
        """Add a leaf with its path to the cell and inside it."""
        masks = {feature: 1 << bit for bit, feature in enumerate(cell.path_features)}
        wants = dict(masks)
        shares: dict[int, float] = dict.fromkeys(cell.path_features, 1.0)
        for node, goes_left in paths[0] + paths[1]:
            feature = int(tree.feature[node])
            share = float(tree.share_left[node] if goes_left else tree.share_right[node])
            shares[feature] = shares.get(feature, 1.0) * share
        for node, goes_left in paths[1]:
            feature, bit = int(tree.feature[node]), 1 << cell.bit_of_node[node]
            masks[feature] = masks.get(feature, 0) | bit
            wants[feature] = wants.get(feature, 0) | (bit if goes_left else 0)
        self.cell.append(place)
        self.value.append(float(tree.value[leaf]))
        self.place += [cell.features.index(feature) for feature in masks]
        self.mask += masks.values()
        self.want += wants.values()
        self.share += [shares[feature] for feature in masks]
        self.part_start.append(len(self.mask))

    def frozen(self) -> Leaves:
        return Leaves(
            np.array(self.cell, np.int32),
            np.array(self.value, np.float64),
            np.array(self.part_start, np.int32),
            np.array(self.place, np.int32),
            # A deep leaf's bits do not fit into 32 and are read from the cell instead.
            np.array([bits & 0x7FFFFFFF for bits in self.mask], np.int32),
            np.array([bits & 0x7FFFFFFF for bits in self.want], np.int32),
            np.array(self.share, np.float64),
        )


def _inner_nodes(tree: Tree) -> list[int]:
    """How many inner nodes hang below and at each inner node; LightGBM numbers children after their parent."""
    sizes = [1] * len(tree.left)
    for node in reversed(range(len(sizes))):
        sizes[node] += sum(sizes[child] for child in (tree.left[node], tree.right[node]) if child >= 0)
    return sizes


def _roots(tree: Tree, sizes: list[int]) -> Iterator[tuple[int, Path]]:
    """The root of each cell with the path that leads to it, from left to right."""
    waiting: list[tuple[int, Path]] = [(0 if len(tree.left) else -1, ())]
    while waiting:
        node, path = waiting.pop()
        distinct = len({int(tree.feature[at]) for at, _ in path})
        if node < 0 or distinct + sizes[node] <= MOST_CELL_BITS:
            yield node, path
        else:
            waiting.append((int(tree.right[node]), (*path, (node, False))))
            waiting.append((int(tree.left[node]), (*path, (node, True))))


def _leaves_below(tree: Tree, root: int) -> Iterator[tuple[int, Path]]:
    waiting: list[tuple[int, Path]] = [(root, ())]
    while waiting:
        node, path = waiting.pop()
        if node < 0:
            yield -node - 1, path
        else:
            waiting.append((int(tree.right[node]), (*path, (node, False))))
            waiting.append((int(tree.left[node]), (*path, (node, True))))


def _cell(tree: Tree, root: int, path: Path) -> _Cell:
    by_feature: dict[int, list[tuple[int, bool]]] = {}
    for node, goes_left in path:
        by_feature.setdefault(int(tree.feature[node]), []).append((node, goes_left))
    inner = _below(tree, root)
    bits = (*(tuple(conditions) for conditions in by_feature.values()), *(((node, True),) for node in inner))
    features = tuple(dict.fromkeys([*by_feature, *(int(tree.feature[node]) for node in inner)]))
    return _Cell(tuple(by_feature), bits, {node: len(by_feature) + at for at, node in enumerate(inner)}, features)


def _below(tree: Tree, root: int) -> list[int]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if node >= 0:
            found.append(node)
            waiting += [int(tree.right[node]), int(tree.left[node])]
    return found
