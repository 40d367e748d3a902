"""Which metrics describe how a partner works, and how much each counts.

Two things drown archetypes when every metric counts the same: many metrics that restate how much a partner sells, and
metrics that vary alone. So metrics that mostly rank partners by the target are left to potential and tiers, and the
others are weighted by sqrt(shared / repeated): `shared` is the part of a metric that the others can tell (its squared
multiple rank correlation), `repeated` the number of metrics that say the same (its sum of squared correlations).
On ten seeds of the synthetic channel this takes the mean ARI from .2 to .6 (docs/models.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.space import values_of
from tierwise.config.model_spec import ArchetypeSpec, FeatureSet

Floats = NDArray[np.float64]
_RIDGE = 0.05
_LEAST_SHARED = 0.05
_LEAST_METRICS = 8
_LEAST_PAIRS = 3
_DECIMALS = 6


def behaviour_metrics(rows: pd.DataFrame, features: FeatureSet, spec: ArchetypeSpec) -> tuple[str, ...]:
    """Leave out metrics whose rank correlation with the target is at least the limit.

    Returns:
        Names in order; all of them where the target is not among the rows or too few would be left.
    """
    names = tuple(sorted(features.names))
    if features.target not in rows.columns or spec.target_limit >= 1:
        return names
    target = pd.Series(values_of(rows, features.target)).rank()
    alike = {name: _rank_correlation(pd.Series(values_of(rows, name)).rank(), target) for name in names}
    kept = tuple(name for name in names if abs(alike[name]) < spec.target_limit)
    return kept if len(kept) >= _LEAST_METRICS else names


def metric_weights(rows: pd.DataFrame, names: Sequence[str]) -> dict[str, float]:
    """Return a weight per metric that varies; their mean square is 1."""
    if not names:
        return {}
    ranks = pd.DataFrame({name: values_of(rows, name) for name in names}).rank()
    between = ranks.corr().fillna(0).to_numpy(dtype=np.float64).copy()
    np.fill_diagonal(between, 1.0)
    shared = np.maximum(1 - 1 / np.diag(np.linalg.inv(between + _RIDGE * np.eye(len(names)))), _LEAST_SHARED)
    raw = np.sqrt(shared / (between**2).sum(axis=1))
    weights = np.round(raw / np.sqrt(np.mean(raw**2)), _DECIMALS)
    return dict(zip(names, weights.tolist(), strict=True))


def _rank_correlation(first: pd.Series, second: pd.Series) -> float:
    both = first.notna() & second.notna()
    if both.sum() < _LEAST_PAIRS or first[both].nunique() < 2 or second[both].nunique() < 2:
        return 0.0
    return float(np.corrcoef(first[both], second[both])[0, 1])
