"""The contribution kernel: exact Shapley values of a LightGBM model's raw score, to the training rows or to peers.

METHODS section 3. Each tree is cut into cells whose contributions are tabulated by pattern (`kernel_cells`,
`kernel_tables`), rows are looked up in blocks (`kernel_rows`), and leaves with more than twelve distinct features are
integrated (`kernel_deep`). The order of every sum is fixed, so the bytes do not depend on the number of threads. Models
that the kernel does not cover are left to LightGBM's own `pred_contrib`, which is also its oracle in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from tierwise.explain.kernel_cells import CutTree, cut
from tierwise.explain.kernel_deep import add_deep, deep_effects, quadrature, wide_patterns
from tierwise.explain.kernel_rows import add_tables, count_patterns, decide
from tierwise.explain.kernel_tables import BITS_SET, WEIGHTS, fill_tables, shapley_weights
from tierwise.forest.scoring import ZERO
from tierwise.forest.text import read_forest

Floats = NDArray[np.float64]

BLOCK_ROWS = 1024
MOST_THREADS = 2
_ROWS_PER_THREAD = 50_000
_TABLE_VALUES_AT_ONCE = 8_000_000
_WIDEST = 64


class NotCovered(ValueError):
    """The model has no exact contributions here; the message says why."""


@dataclass(frozen=True, eq=False)
class Split:
    """Raw scores, split.

    Attributes:
        base: The mean raw score of the background.
        parts: Each column's part of each row's difference to it, shape (rows, columns).
    """

    base: float
    parts: Floats


def split_to_training(text: str, matrix: Floats, threads: int | None = None) -> Split:
    """Split raw scores against the rows the model was trained on (path-dependent TreeSHAP, Lundberg et al. 2020).

    Args:
        text: LightGBM's native text of a model that predicts one figure.
        matrix: The rows, shape (rows, columns), NaN where unknown.
        threads: How many threads; by default two from 50,000 rows on each.

    Returns:
        What `pred_contrib` of LightGBM returns, up to rounding.

    Raises:
        NotCovered: If neither the kernel nor LightGBM can split the model.
    """
    forest = _cut_forest(text)
    if forest.uncovered:
        return _by_lightgbm(text, matrix, forest.uncovered)
    return _run(forest, matrix, None, threads)


def split_to_background(text: str, matrix: Floats, background: Floats, threads: int | None = None) -> Split:
    """Split raw scores against given rows (interventional SHAP, Lundberg et al. 2020, averaged over the background).

    Args:
        text: LightGBM's native text of a model that predicts one figure.
        matrix: The rows, shape (rows, columns), NaN where unknown.
        background: The rows to compare with, at least one, with the same columns.
        threads: How many threads; by default two from 50,000 rows on each.

    Raises:
        NotCovered: If the kernel does not cover the model, or the background is empty.
    """
    forest = _cut_forest(text)
    if forest.uncovered or forest.deepest > _WIDEST:
        raise NotCovered(forest.uncovered or f"a leaf has more than {_WIDEST} distinct features")
    if not len(background):
        raise NotCovered("there are no rows to compare with")
    return _run(forest, matrix, background, threads)


@dataclass(frozen=True, eq=False)
class _CutForest:
    columns: int
    trees: tuple[CutTree, ...]
    uncovered: str
    deepest: int


@lru_cache(maxsize=4)
def _cut_forest(text: str) -> _CutForest:
    forest = read_forest(text)
    trees = tuple(cut(tree) for tree in forest.trees)
    depths = [int(np.diff(tree.deep.part_start).max(initial=0)) for tree in trees]
    return _CutForest(forest.columns, trees, forest.uncovered, max(depths, default=0))


@dataclass(frozen=True, eq=False)
class _Filled:
    """A tree with its tables; `seen` holds, per deep leaf, the background's distinct patterns and their shares."""

    tree: CutTree
    tables: Floats
    base: float
    seen: tuple[tuple[NDArray[np.uint64], Floats], ...] | None

    def add(self, block: Floats, sums: Floats) -> None:
        cells, deep = self.tree.cells, self.tree.deep
        ways = decide(self.tree.tree, block)
        add_tables(cells, self.tables, ways, sums)
        for leaf, (cell, value) in enumerate(zip(deep.cell, deep.value, strict=True)):
            share = deep.share[deep.part_start[leaf] : deep.part_start[leaf + 1]]
            if self.seen is None:
                add_deep(cells, (int(cell), float(value)), share, _points(len(share)), ways, sums)
                continue
            own, place = np.unique(wide_patterns(cells, cell, ways), return_inverse=True)
            effects = deep_effects(own, *self.seen[leaf], len(share), _wide_weights())
            features = cells.feature[cells.feature_start[cell] : cells.feature_start[cell + 1]]
            sums[features] += value * effects[:, place]


@cache
def _points(depth: int) -> Floats:
    return quadrature(depth)


@lru_cache(maxsize=1)
def _wide_weights() -> Floats:
    return shapley_weights(_WIDEST)


def _run(forest: _CutForest, matrix: Floats, background: Floats | None, threads: int | None) -> Split:
    _check_width(forest, matrix)
    blocks = list(_blocks(matrix))
    sums = [np.zeros(block.shape) for block in blocks]
    seen = None if background is None else list(_blocks(background))
    workers = threads or min(MOST_THREADS, max(1, len(matrix) // _ROWS_PER_THREAD))
    base = 0.0
    with ThreadPoolExecutor(workers) as pool:
        spread = pool.map if workers > 1 else map
        for batch in _batches(forest.trees):
            filled = list(spread(partial(_fill, seen), batch))
            base = sum((tree.base for tree in filled), base)
            list(spread(partial(_add_all, filled), blocks, sums))
    parts = np.concatenate([part.T for part in sums]) if sums else np.zeros((0, matrix.shape[1]))
    return Split(base, parts)


def _add_all(trees: Sequence[_Filled], block: Floats, sums: Floats) -> None:
    for tree in trees:
        tree.add(block, sums)


def _check_width(forest: _CutForest, matrix: Floats) -> None:
    if matrix.ndim != 2 or matrix.shape[1] != forest.columns:
        raise ValueError(f"the model reads {forest.columns} columns, the matrix has the shape {matrix.shape}")


def _blocks(matrix: Floats) -> Iterator[Floats]:
    """Transposed blocks of rows; as in LightGBM, what is next to nothing is zero."""
    for start in range(0, len(matrix), BLOCK_ROWS):
        block = np.ascontiguousarray(matrix[start : start + BLOCK_ROWS].T, dtype=np.float64)
        yield np.where(np.abs(block) <= ZERO, 0.0, block)


def _batches(trees: Sequence[CutTree]) -> Iterator[list[CutTree]]:
    """Trees whose tables are held in memory together."""
    batch: list[CutTree] = []
    values = 0
    for tree in trees:
        size = int(tree.cells.table_start[-1])
        if batch and values + size > _TABLE_VALUES_AT_ONCE:
            yield batch
            batch, values = [], 0
        batch.append(tree)
        values += size
    if batch:
        yield batch


def _fill(seen: Sequence[Floats] | None, tree: CutTree) -> _Filled:
    deep = tree.deep
    if seen is None:
        tables, base = fill_tables(tree.cells, tree.leaves, np.zeros(0), WEIGHTS, BITS_SET)
        reached = np.multiply.reduceat(deep.share, deep.part_start[:-1]) if len(deep.cell) else np.zeros(0)
        return _Filled(tree, tables, base + float(deep.value @ reached), None)
    ways = [decide(tree.tree, block) for block in seen]
    rows = sum(way.shape[1] for way in ways)
    tables, base = fill_tables(tree.cells, tree.leaves, _seen_patterns(tree, ways) / rows, WEIGHTS, BITS_SET)
    patterns = tuple(_seen_deep(tree, cell, ways, rows) for cell in deep.cell)
    for leaf, (own, share) in enumerate(patterns):
        depth = int(deep.part_start[leaf + 1] - deep.part_start[leaf])
        base += float(deep.value[leaf] * share[own == np.uint64((1 << depth) - 1)].sum())
    return _Filled(tree, tables, base, patterns)


def _seen_patterns(tree: CutTree, ways: Sequence[NDArray[np.uint16]]) -> Floats:
    bits = np.diff(tree.cells.bit_start)
    covered = (np.diff(tree.cells.table_start) > 0) | (bits == 0)
    counts = np.zeros(int((1 << bits[covered].astype(np.int64)).sum()))
    for way in ways:
        count_patterns(tree.cells, way, counts)
    return counts


def _seen_deep(
    tree: CutTree, cell: int, ways: Sequence[NDArray[np.uint16]], rows: int
) -> tuple[NDArray[np.uint64], Floats]:
    found = np.concatenate([wide_patterns(tree.cells, cell, way) for way in ways])
    own, counts = np.unique(found, return_counts=True)
    return own, counts / rows


def _by_lightgbm(text: str, matrix: Floats, reason: str) -> Split:
    import lightgbm

    try:
        parts = np.asarray(lightgbm.Booster(model_str=text).predict(matrix, pred_contrib=True, num_threads=1))
    except lightgbm.basic.LightGBMError as error:
        raise NotCovered(f"{reason}: {error}") from error
    if parts.shape != (len(matrix), matrix.shape[1] + 1):
        raise NotCovered(reason)
    return Split(float(parts[0, -1]) if len(parts) else 0.0, parts[:, :-1])
