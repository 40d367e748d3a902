"""Monotone LightGBM: the Tweedie mean and the quantiles of the log label.

Deterministic: one specification, one seed and the same rows give the same bytes. The native text is what is kept;
predictions always come from the text, so a stored model cannot differ from the one just trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, TreeSpec
from tierwise.potential.bounds import varies
from tierwise.potential.levels import level_places
from tierwise.tables.varied import Rows

Floats = NDArray[np.float64]
_MONOTONE = {"up": 1, "down": -1, "none": 0}
_MAX_LEVELS = 60
_SMALL_DATA_SHARE = 20
_ROWS_PER_THREAD = 50_000
_ROWS_FOR_SCORER = 500
_BINS = {"min_data_in_bin": 3, "feature_pre_filter": False, "verbose": -1}
_PARTNERS_PER_LEVEL = 20


@dataclass(frozen=True)
class Columns:
    """How metric rows become the matrix of the trees.

    Attributes:
        metrics: Metric columns, in order.
        levels: Attribute columns with their known levels; the code of a level is its place in the list.
    """

    metrics: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The matrix columns, in order."""
        return (*self.metrics, *self.levels)

    def matrix(self, rows: Rows) -> Floats:
        """Return the float64 matrix, shape (n, columns); NaN where unknown."""
        return np.ascontiguousarray(self.by_column(rows).T)

    def by_column(self, rows: Rows) -> Floats:
        """Return the same with a column after the other, shape (columns, n)."""
        found = np.empty((len(self.names), len(rows)))
        for place, name in enumerate(self.metrics):
            found[place] = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        numbers = found[: len(self.metrics)]
        numbers[~np.isfinite(numbers)] = np.nan
        for place, (name, known) in enumerate(self.levels.items(), start=len(self.metrics)):
            found[place] = _codes(rows[name], known)
        return found


def columns_of(rows: pd.DataFrame, features: FeatureSet, attributes: tuple[str, ...]) -> Columns:
    """Choose the matrix columns: all metrics that vary, and attributes with few enough levels to mean something.

    An attribute with nearly as many levels as partners is a name; the trees would learn partners by heart.
    """
    metrics = tuple(name for name in features.names if varies(rows[name], unknown_counts=True))
    most = min(_MAX_LEVELS, rows["partner_id"].nunique() // _PARTNERS_PER_LEVEL)
    levels = {name: tuple(sorted(rows[name].dropna().astype(str).unique())) for name in attributes}
    return Columns(metrics, {name: known for name, known in levels.items() if 2 <= len(known) <= most})


def _codes(column: pd.Series, known: tuple[str, ...]) -> Floats:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return level_places(column, known)
    # Rows asked about over and over: few names to look up.
    return _places(known, tuple(column.cat.categories))[column.cat.codes.to_numpy()]


@lru_cache(maxsize=64)
def _places(known: tuple[str, ...], names: tuple[str, ...]) -> Floats:
    """The place of each name among the known ones, NaN where it is none of them, and last that of no name at all."""
    found = pd.Index(list(known)).get_indexer(pd.Index(list(names), dtype="object"))
    return np.append(np.where(found < 0, np.nan, found), np.nan)


@dataclass(frozen=True)
class Trees:
    """A fitted booster in LightGBM's native text, with its columns."""

    text: str
    columns: Columns

    def raw(self, rows: Rows) -> Floats:
        """Return raw scores (log of the relative mean, or the quantile), shape (n,)."""
        return self.raw_of(self.columns.by_column(rows).T)

    def raw_of(self, matrix: Floats) -> Floats:
        """The same for rows that are a matrix of `columns` already."""
        if len(matrix) >= _ROWS_FOR_SCORER:
            from tierwise.forest.scoring import scorer_of  # compiled, so only where it pays

            scorer = scorer_of(self.text)
            if scorer is not None:
                return scorer.raw(matrix)
        scores = _booster(self.text).predict(matrix, raw_score=True, num_threads=threads_for(len(matrix)))
        return np.asarray(scores, dtype=np.float64)


def threads_for(rows: int) -> int:
    """Return how many threads help: on few rows threads wait for one another longer than they work.

    It depends on the data alone, because sums, and so trees, depend on it.
    """
    return 1 if rows < _ROWS_PER_THREAD else 2


def raw_parts(text: str, matrix: Floats, background: Floats | None = None) -> tuple[float, Floats]:
    """Split raw scores by LightGBM itself, against its training rows (path-dependent SHAP).

    Args:
        text: LightGBM's native text.
        matrix: The rows, shape (n, columns).
        background: None; LightGBM knows no other baseline.

    Returns:
        The base, and each column's additive part of each row's raw score, shape (n, columns).

    Raises:
        ValueError: If a background is given.
    """
    if background is not None:
        raise ValueError("LightGBM splits against its training rows only")
    parts = _booster(text).predict(matrix, pred_contrib=True, num_threads=threads_for(len(matrix)))
    parts = np.asarray(parts, dtype=np.float64)
    return (float(parts[0, -1]) if len(parts) else 0.0), parts[:, :-1]


@lru_cache(maxsize=64)
def _booster(text: str) -> lgb.Booster:
    return lgb.Booster(model_str=text)


@dataclass(frozen=True)
class TreeTask:
    """What the trees are fitted to: the Tweedie mean, or a quantile."""

    objective: str
    alpha: float | None = None


MEAN = TreeTask("tweedie")


def fit_trees(rows: pd.DataFrame, response: Floats, columns: Columns, features: FeatureSet, fit: TreeFit) -> Trees:
    """Fit a monotone booster.

    Args:
        rows: Training snapshots.
        response: What is predicted, shape (n,): the relative label for a mean, its logarithm for a quantile.
        columns: The matrix columns.
        features: Directions of the metrics.
        fit: Task, hyper-parameters and seed.
    """
    directions = {feature.name: _MONOTONE[feature.direction] for feature in features.metrics}
    constraints = [directions.get(name, 0) for name in columns.names]
    return _boost(_dataset(rows, response, columns), columns, fit.parameters(len(rows), constraints), fit.spec)


def fit_quantile_trees(
    rows: pd.DataFrame, response: Floats, columns: Columns, quantiles: Sequence[float], fit: TreeFit
) -> list[Trees]:
    """Fit one booster per quantile; all share the histograms of the rows.

    LightGBM takes monotone constraints for a mean, not for a quantile.
    """
    data = _dataset(rows, response, columns)
    tasks = (replace(fit, task=TreeTask("quantile", quantile)) for quantile in quantiles)
    return [_boost(data, columns, task.parameters(len(rows), []), fit.spec) for task in tasks]


def _dataset(rows: pd.DataFrame, response: Floats, columns: Columns) -> lgb.Dataset:
    names = list(columns.names)
    return lgb.Dataset(columns.matrix(rows), label=response, feature_name=names, params=_BINS, free_raw_data=True)


def _boost(data: lgb.Dataset, columns: Columns, parameters: dict[str, Any], spec: TreeSpec) -> Trees:
    booster = lgb.train(parameters, data, num_boost_round=spec.trees)
    return Trees(booster.model_to_string(), columns)


@dataclass(frozen=True)
class TreeFit:
    """A task with its hyper-parameters and seed."""

    task: TreeTask
    spec: TreeSpec
    seed: int

    def parameters(self, rows: int, constraints: list[int]) -> dict[str, Any]:
        """Return LightGBM's parameters; leaves of small data need fewer rows, but never fewer than five."""
        spec = self.spec
        shared = {
            "objective": self.task.objective, "learning_rate": spec.learning_rate, "num_leaves": spec.leaves,
            "max_depth": spec.depth, "min_data_in_leaf": max(5, min(spec.leaf_rows, rows // _SMALL_DATA_SHARE)),
            "feature_fraction": spec.feature_fraction, "lambda_l2": spec.ridge,
            **({"monotone_constraints": constraints} if any(constraints) else {}),
            "deterministic": True, "force_row_wise": True, "num_threads": min(spec.threads, threads_for(rows)),
            "seed": self.seed, **_BINS,
        }  # fmt: skip
        own = {"tweedie_variance_power": spec.power} if self.task.alpha is None else {"alpha": self.task.alpha}
        return {**shared, **own}
