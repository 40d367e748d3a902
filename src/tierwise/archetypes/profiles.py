"""A profile per archetype: size, revenue share, what sets it apart, rule card, typical partner, stability."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from tierwise.archetypes.space import values_of
from tierwise.config.model_spec import ArchetypeSpec, FeatureSet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
RULE_COLUMNS = ("archetype_place", "rule", "partners", "precision", "recall", "accuracy")
CHECK_COLUMNS = ("against", "overlap", "only_this")
_FOLDS = 5
_SIZE_BANDS = 5
_MOSTLY_THE_SAME = 0.5


def size_table(rows: pd.DataFrame, labels: Ints, k: int, target: str) -> pd.DataFrame:
    """Return partners, share and revenue share (share of the target metric) per cluster."""
    value = np.clip(np.nan_to_num(values_of(rows, target)), 0, None) if target in rows.columns else np.zeros(len(rows))
    partners = np.bincount(labels, minlength=k)
    revenue = np.bincount(labels, weights=value, minlength=k)
    total = revenue.sum()
    return pd.DataFrame(
        {
            "archetype_place": np.arange(k),
            "partners": partners,
            "share": partners / len(labels),
            "revenue_share": revenue / total if total > 0 else np.full(k, np.nan),
        }
    )


def typical_partners(away: Floats, labels: Ints, partners: pd.Series) -> list[str]:
    """Return the medoid of each cluster: its member nearest to the centre (the first by id of equally near ones)."""
    found = []
    for place in range(away.shape[1]):
        inside = np.flatnonzero(labels == place)
        nearest = sorted((round(float(away[row, place]), 9), str(partners.iloc[row])) for row in inside)
        found.append(nearest[0][1] if nearest else "")
    return found


def rule_cards(rows: pd.DataFrame, labels: Ints, k: int, features: FeatureSet, spec: ArchetypeSpec) -> pd.DataFrame:
    """Describe each cluster by the best rule of a small tree that tells it from all others.

    Returns:
        Columns `RULE_COLUMNS`, one row per cluster: the leaf whose conditions pick its members out best (by the
        harmonic mean of precision and recall). `accuracy` is that of one surrogate tree of the same depth for all
        clusters together, cross-validated over partners.
    """
    names = sorted(features.names)
    matrix = np.column_stack([_filled(values_of(rows, name)) for name in names]) if names else np.zeros((len(rows), 0))
    if matrix.shape[1] == 0:
        return pd.DataFrame(columns=list(RULE_COLUMNS))
    titles = {feature.name: feature.title or feature.name for feature in features.metrics}
    readable = [titles[name] for name in names]
    accuracy = _surrogate_accuracy(matrix, labels, spec)
    found = [(place, *_best_rule(matrix, labels == place, readable, spec), accuracy) for place in range(k)]
    return pd.DataFrame(found, columns=list(RULE_COLUMNS))


def _surrogate_accuracy(matrix: Floats, labels: Ints, spec: ArchetypeSpec) -> float:
    kept = np.arange(len(matrix))[:: -(-len(matrix) // spec.fit_rows)]
    tree = DecisionTreeClassifier(max_depth=spec.rule_depth, min_samples_leaf=_leaf(len(kept)), random_state=0)
    folds = KFold(min(_FOLDS, len(kept)), shuffle=True, random_state=0)
    return float(np.mean(cross_val_predict(tree, matrix[kept], labels[kept], cv=folds) == labels[kept]))


def _leaf(rows: int) -> int:
    return max(3, rows // 100)


def _filled(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.nan_to_num(values, nan=float(np.median(known)) if len(known) else 0.0)


def _best_rule(matrix: Floats, inside: Bools, titles: list[str], spec: ArchetypeSpec) -> tuple[str, int, float, float]:
    """Return the conditions of the best leaf, how many partners meet them, their precision and recall."""
    tree = DecisionTreeClassifier(
        max_depth=spec.rule_depth, min_samples_leaf=_leaf(len(matrix)), class_weight="balanced", random_state=0
    )
    leaf_of = tree.fit(matrix, inside).apply(matrix)
    leaves, sizes = np.unique(leaf_of, return_counts=True)
    hits = np.array([int(inside[leaf_of == leaf].sum()) for leaf in leaves])
    fit = np.round(2 * hits / (sizes + inside.sum()), 9)
    best = int(np.argmax(fit))
    rule = _conditions(tree, int(leaves[best]), titles)
    return rule, int(sizes[best]), float(hits[best] / sizes[best]), float(hits[best] / max(1, inside.sum()))


def _conditions(tree: DecisionTreeClassifier, leaf: int, titles: list[str]) -> str:
    """Return a leaf's conditions in words, one per metric: above, at most, or between."""
    inner = tree.tree_
    parent = {int(child): (node, upper) for node in range(inner.node_count) for child, upper in _children(inner, node)}
    bounds: dict[str, tuple[float, float]] = {}
    node = leaf
    while node in parent:
        node, upper = parent[node]
        title, threshold = titles[inner.feature[node]], float(inner.threshold[node])
        low, high = bounds.get(title, (-np.inf, np.inf))
        bounds[title] = (max(low, threshold), high) if upper else (low, min(high, threshold))
    return " and ".join(_bound(title, *bounds[title]) for title in sorted(bounds)) or "all partners"


def _children(inner: Any, node: int) -> list[tuple[int, bool]]:
    if inner.children_left[node] == inner.children_right[node]:
        return []
    return [(inner.children_left[node], False), (inner.children_right[node], True)]


def _bound(title: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{title} at most {_figure(high)}"
    if np.isinf(high):
        return f"{title} above {_figure(low)}"
    return f"{title} above {_figure(low)} and at most {_figure(high)}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def only_checks(rows: pd.DataFrame, labels: Ints, features: FeatureSet) -> pd.DataFrame:
    """Check that the archetypes are not just size or another attribute under a new name.

    Returns:
        Columns `CHECK_COLUMNS`: adjusted mutual information with fifths of the target and with each attribute (0 none,
        1 the same partition), and whether it is so high that the archetypes say little else.
    """
    against: list[tuple[str, pd.Series]] = []
    if features.target in rows.columns:
        rank = pd.Series(values_of(rows, features.target)).fillna(0).rank(pct=True)
        against.append(("size", pd.Series(np.ceil(rank * _SIZE_BANDS)).astype(int).astype(str)))
    against += [(name, rows[name].astype("object").fillna("unknown").astype(str)) for name in features.attributes]
    found = [(name, float(adjusted_mutual_info_score(column.to_numpy(), labels))) for name, column in against]
    return pd.DataFrame([(n, v, v >= _MOSTLY_THE_SAME) for n, v in found], columns=list(CHECK_COLUMNS))
