"""A profile per archetype: size, revenue share, what sets it apart, rule card, typical partner, stability."""

from __future__ import annotations

from collections.abc import Iterator

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
    """Describe the clusters by a small surrogate tree; `accuracy` is cross-validated over partners.

    Returns:
        Columns `RULE_COLUMNS`; for each cluster its best leaf: the leaf that predicts it with the most members. A
        cluster that no leaf predicts has no row.
    """
    names = sorted(features.names)
    matrix = np.column_stack([_filled(values_of(rows, name)) for name in names]) if names else np.zeros((len(rows), 0))
    if matrix.shape[1] == 0:
        return pd.DataFrame(columns=list(RULE_COLUMNS))
    leaf = max(3, len(rows) // 100)
    tree = DecisionTreeClassifier(max_depth=spec.rule_depth, min_samples_leaf=leaf, random_state=0)
    folds = KFold(min(_FOLDS, len(rows)), shuffle=True, random_state=0)
    accuracy = float(np.mean(cross_val_predict(tree, matrix, labels, cv=folds) == labels))
    tree.fit(matrix, labels)
    titles = {feature.name: feature.title or feature.name for feature in features.metrics}
    found = _best_leaves(tree, matrix, labels, [titles[name] for name in names])
    return pd.DataFrame([(*row, accuracy) for row in found], columns=list(RULE_COLUMNS))


def _filled(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.nan_to_num(values, nan=float(np.median(known)) if len(known) else 0.0)


def _best_leaves(
    tree: DecisionTreeClassifier, matrix: Floats, labels: Ints, titles: list[str]
) -> Iterator[tuple[int, str, int, float, float]]:
    leaf_of = tree.apply(matrix)
    predicted = tree.predict(matrix)
    paths = dict(_paths(tree, titles))
    for place in sorted(set(predicted.tolist())):
        members = {
            leaf: int(np.sum((leaf_of == leaf) & (labels == place))) for leaf in set(leaf_of[predicted == place])
        }
        leaf = min(members, key=lambda leaf: (-members[leaf], leaf))
        size = int(np.sum(leaf_of == leaf))
        yield place, paths[leaf], size, members[leaf] / size, members[leaf] / int(np.sum(labels == place))


def _paths(tree: DecisionTreeClassifier, titles: list[str]) -> Iterator[tuple[int, str]]:
    """Yield each leaf with its conditions in words."""
    inner = tree.tree_
    open_nodes: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    while open_nodes:
        node, path = open_nodes.pop()
        if inner.children_left[node] == inner.children_right[node]:
            yield node, " and ".join(path) or "all partners"
            continue
        title, threshold = titles[inner.feature[node]], f"{inner.threshold[node]:,.6g}"
        open_nodes.append((int(inner.children_left[node]), (*path, f"{title} at most {threshold}")))
        open_nodes.append((int(inner.children_right[node]), (*path, f"{title} above {threshold}")))


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
