"""How much an outcome varies in the history: what any answer about power rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from tierwise.config.pilot import AnalysisSettings, OutcomeSettings, PowerSettings
from tierwise.pilots.regression import independent_columns
from tierwise.pilots.units import Units, covariate_columns, recode

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Spread:
    """How much the outcome varies in the history.

    Attributes:
        mean: Mean outcome per unit.
        deviation: Its standard deviation.
        explained: The share of its variance that covariates explain; 0 without.
        correlation: The correlation of partners of one cluster; 0 without clusters.
        cluster_size: Mean partners per cluster, weighted so that unequal clusters count; 1 without.
        units: Units that take part.
        clusters: Clusters that take part, or None.
    """

    mean: float
    deviation: float
    explained: float
    correlation: float
    cluster_size: float
    units: int
    clusters: int | None


def measure(rows: pd.DataFrame, settings: PowerSettings) -> Spread:
    """Measure how the outcome varies, what covariates explain of it, and how alike partners of a cluster are."""
    outcome = rows[settings.outcome].to_numpy(dtype=float)
    columns = history_covariates(rows, settings)
    explained = 0.0
    if columns.shape[1]:
        constant = np.ones((len(outcome), 1))
        columns = independent_columns(columns - columns.mean(axis=0), constant)
        fitted = OLS(outcome, np.column_stack([constant, columns])).fit()
        explained = float(max(0.0, fitted.rsquared_adj))
    units = settings.units or len(rows)
    correlation, size, clusters = 0.0, 1.0, None
    if settings.cluster:
        codes = recode(rows[settings.cluster].astype(str).to_numpy(dtype=object))
        sizes = np.bincount(codes)
        size = float((sizes**2).sum() / sizes.sum())
        correlation = intracluster_correlation(outcome, codes)
        clusters = max(2, round(len(sizes) * units / len(rows)))
    return Spread(float(outcome.mean()), float(outcome.std(ddof=1)), explained, correlation, size, units, clusters)


def intracluster_correlation(outcome: Floats, clusters: Codes) -> float:
    """The intracluster correlation by analysis of variance, not below zero (Donner 1986)."""
    sizes = np.bincount(clusters).astype(float)
    count, groups = len(outcome), len(sizes)
    if groups < 2 or count <= groups:
        return 0.0
    means = np.bincount(clusters, outcome) / sizes
    between = float((sizes * (means - outcome.mean()) ** 2).sum() / (groups - 1))
    within = float(((outcome - means[clusters]) ** 2).sum() / (count - groups))
    usual = (count - (sizes**2).sum() / count) / (groups - 1)
    total = between + (usual - 1) * within
    return float(max(0.0, (between - within) / total)) if total > 0 else 0.0


def history_covariates(rows: pd.DataFrame, settings: PowerSettings) -> Floats:
    """The covariates of a history as numbers, shape (n, c)."""
    read = AnalysisSettings(
        control="control", outcomes={settings.outcome: OutcomeSettings()}, covariates=settings.covariates
    )
    nobody = np.zeros(len(rows), dtype=np.int64)
    return covariate_columns(Units(rows, (), nobody, None, nobody.astype(bool)), read)
