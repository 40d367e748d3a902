"""Read the trees of a LightGBM model's native text as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_DEFAULT_LEFT_BIT, _MISSING_SHIFT = 2, 2


class Tree(NamedTuple):
    """One tree; a child below 0 is the leaf `-child - 1`.

    Attributes:
        feature: The column each inner node splits on.
        threshold: Values up to it go left.
        default_left: Whether missing values go left.
        missing: 0: unknown values count as zero; 1: zeros and unknown values are missing; 2: unknown values are.
        left: The left child.
        right: The right child.
        value: The value of each leaf.
        share_left: The share of a node's training rows that went left.
        share_right: The share that went right.
    """

    feature: Ints
    threshold: Floats
    default_left: NDArray[np.bool_]
    missing: NDArray[np.uint8]
    left: Ints
    right: Ints
    value: Floats
    share_left: Floats
    share_right: Floats


@dataclass(frozen=True, eq=False)
class Forest:
    """The trees of a model that predicts one figure.

    Attributes:
        columns: How many matrix columns the model reads.
        trees: The trees that the kernel covers; empty where any is not covered.
        uncovered: Why the kernel does not cover the model; empty where it does.
    """

    columns: int
    trees: tuple[Tree, ...]
    uncovered: str = ""


def read_forest(text: str) -> Forest:
    """Read a model's native text.

    Args:
        text: What `lightgbm.Booster.model_to_string` returns.

    Returns:
        The trees, or why they are not covered: categorical splits, linear leaves, several figures at once, averaged
        trees, or a node that no training row reached.
    """
    head, *blocks = text.split("\nend of trees", maxsplit=1)[0].split("\nTree=")
    settings = _settings(head)
    columns = int(settings["max_feature_idx"]) + 1
    parsed = [_settings(block) for block in blocks]
    reason = _uncovered(settings, parsed)
    if reason:
        return Forest(columns, (), reason)
    return Forest(columns, tuple(_tree(block) for block in parsed))


def _settings(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value if sign else "yes" for name, sign, value in pairs}


def _uncovered(settings: Mapping[str, str], trees: list[dict[str, str]]) -> str:
    if settings.get("num_tree_per_iteration", "1") != "1":
        return "the model predicts several figures at once"
    if "average_output" in settings:
        return "the model averages its trees"
    if any(int(tree.get("num_cat", "0")) for tree in trees):
        return "a tree splits on categories"
    if any(tree.get("is_linear", "0") == "1" for tree in trees):
        return "a leaf holds a linear model"
    if any(_counts(tree, name).min(initial=1) <= 0 for tree in trees for name in ("internal_count", "leaf_count")):
        return "no training row reached a node"
    return ""


def _counts(tree: Mapping[str, str], name: str) -> Floats:
    return np.array(tree.get(name, "").split(), dtype=np.float64)


def _tree(block: Mapping[str, str]) -> Tree:
    lists = {name: text.split() for name, text in block.items()}
    kinds, feature, left, right = (
        np.array(lists.get(name, []), dtype=np.int32)
        for name in ("decision_type", "split_feature", "left_child", "right_child")
    )
    inner, leaves = _counts(block, "internal_count"), _counts(block, "leaf_count")
    return Tree(
        feature=feature,
        threshold=np.array(lists.get("threshold", []), dtype=np.float64),
        default_left=(kinds & _DEFAULT_LEFT_BIT) > 0,
        missing=((kinds >> _MISSING_SHIFT) & 3).astype(np.uint8),
        left=left,
        right=right,
        value=np.array(lists["leaf_value"], dtype=np.float64),
        share_left=_rows_of(left, inner, leaves) / inner,
        share_right=_rows_of(right, inner, leaves) / inner,
    )


def _rows_of(children: Ints, inner: Floats, leaves: Floats) -> Floats:
    counts = [inner[child] if child >= 0 else leaves[-child - 1] for child in children]
    return np.array(counts, dtype=np.float64)
