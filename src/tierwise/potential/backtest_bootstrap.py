"""Scores for many bootstrap samples of partners at once.

A sample is a row of weights: how often each partner was drawn. Every function takes weights of shape (b, n) and returns
one score per sample, shape (b,); the first row of weights is by convention the full sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.potential.bounds import bounded_draws
from tierwise.potential.gini import partner_weights, weighted_ginis
from tierwise.potential.leak_statistics import ranks
from tierwise.potential.scores import bootstrap_range

Floats = NDArray[np.float64]
_CELLS_PER_BLOCK = 4_000_000
_TOP_SHARE = 0.1


@dataclass(frozen=True)
class Draws:
    """Bootstrap samples of a back-test's partners, the same for every table, so that figures can be paired."""

    partners: pd.Index
    weights: Floats
    confidence: float

    @classmethod
    def of(cls, partner_ids: pd.Series, draws: int, confidence: float, rng: np.random.Generator) -> Draws:
        """Draw the samples; fewer with very many partners."""
        partners = pd.Index(sorted(partner_ids.astype(str).unique()))
        drawn = partner_weights(np.arange(len(partners)), len(partners), bounded_draws(draws, len(partners)), rng)
        return cls(partners, drawn, confidence)

    def of_rows(self, partner_ids: pd.Series) -> Floats:
        """Return how often each row counts in each sample, shape (b, n)."""
        return np.asarray(self.weights[:, self.partners.get_indexer(pd.Index(partner_ids.astype(str)))])

    def range(self, draws: Floats) -> tuple[float, float]:
        """Return the percentile interval of one figure's draws."""
        return bootstrap_range(draws, self.confidence)


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """Return the mean of a column."""
    return _ratio(weights @ values, weights.sum(axis=1))


def weighted_ratio(numerator: Floats, denominator: Floats, weights: Floats) -> Floats:
    """Return the ratio of two totals; NaN where the lower one is not above 0."""
    return _ratio(weights @ numerator, weights @ denominator)


def weighted_spearman(actual: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Return the rank correlation, with ranks taken once on the full sample; NaN where either does not vary."""
    first, second = ranks(actual), ranks(predicted)
    total = weights.sum(axis=1)
    means = [weights @ column / total for column in (first, second)]
    variances = [weights @ column**2 / total - mean**2 for column, mean in zip((first, second), means, strict=True)]
    covariance = weights @ (first * second) / total - means[0] * means[1]
    return _ratio(covariance, np.sqrt(np.clip(variances[0] * variances[1], 0, None)))


def weighted_capture(actual: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Return the share of actual value in the predicted top tenth; ties at its edge count in proportion."""
    order = np.argsort(-predicted, kind="stable")
    ranked = predicted[order]
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    step = max(1, _CELLS_PER_BLOCK // max(len(actual), 1))
    blocks = [weights[start : start + step][:, order] for start in range(0, len(weights), step)]
    return np.concatenate([_captured(actual[order], starts, block) for block in blocks])


def _captured(actual: Floats, starts: NDArray[np.int64], weights: Floats) -> Floats:
    people = np.add.reduceat(weights, starts, axis=1)
    money = np.add.reduceat(weights * actual, starts, axis=1)
    seen = np.cumsum(people, axis=1)
    wanted = np.maximum(1.0, _TOP_SHARE * seen[:, -1])[:, None]
    inside = np.clip((wanted - (seen - people)) / np.where(people > 0, people, 1), 0, 1)
    return _ratio(np.sum(inside * money, axis=1), money.sum(axis=1))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.asarray(numerator / np.where(denominator > 0, denominator, np.nan))


def _mae(actual: Floats, predicted: Floats, weights: Floats) -> Floats:
    return weighted_mean(np.abs(actual - predicted), weights)


def _total_ratio(actual: Floats, predicted: Floats, weights: Floats) -> Floats:
    return weighted_ratio(predicted, actual, weights)


WEIGHTED: MappingProxyType[str, Callable[[Floats, Floats, Floats], Floats]] = MappingProxyType(
    {
        "gini": weighted_ginis,
        "spearman": weighted_spearman,
        "mae": _mae,
        "total_ratio": _total_ratio,
        "top_decile_capture": weighted_capture,
    }
)
