"""What a column tells of a value beyond another one, by ranks, for many bootstrap samples of partners at once.

Ranks are taken once, on all partners; the samples weigh them. That is exact for the full sample and close enough for
the spread between samples, and costs one matrix product instead of a sort per sample.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
_LEVEL_ROWS = 5
_TINY = 1e-9


def ranks(values: Floats) -> Floats:
    """Return mean ranks centred on 0, unknown values below all known ones, shape (n,)."""
    known = np.where(np.isnan(values), -np.inf, values)
    return np.asarray(rankdata(known) - (len(known) + 1) / 2, dtype=np.float64)


def partial_shares(first: Floats, second: Floats, given: Floats, weights: Floats) -> Floats:
    """Return the squared partial rank correlation of two columns given a third, one per row of weights.

    Args:
        first: A column, shape (n,).
        second: The value it may tell of, shape (n,).
        given: What is known anyway, shape (n,).
        weights: How often each partner counts, shape (b, n).

    Returns:
        Shape (b,): the share of the variance of `second` that `given` leaves and `first` explains; 0 where either
        does not vary.
    """
    a, b, c = (ranks(column) for column in (first, second, given))
    ab, ac, bc = (_correlations(x, y, weights) for x, y in ((a, b), (a, c), (b, c)))
    left = (1 - ac**2) * (1 - bc**2)
    return np.asarray(np.where(left > _TINY, (ab - ac * bc) ** 2 / np.maximum(left, _TINY), 0.0))


def _correlations(first: Floats, second: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1)
    mean_1, mean_2 = weights @ first / total, weights @ second / total
    covariance = weights @ (first * second) / total - mean_1 * mean_2
    variance_1, variance_2 = (
        np.clip(weights @ column**2 / total - mean**2, 0, None) for column, mean in ((first, mean_1), (second, mean_2))
    )
    spread = np.sqrt(variance_1 * variance_2)
    return np.asarray(np.where(spread > _TINY, covariance / np.maximum(spread, _TINY), 0.0))


def level_shares(levels: pd.Series, value: Floats, given: Floats, weights: Floats) -> Floats:
    """Return the share of a value's rank variance, beyond another one's, that lies between levels.

    It is omega squared of a one-way analysis of variance (Hays, 1963), which is 0 on average where the levels say
    nothing, however many there are. Levels of fewer than five partners count as one.

    Args:
        levels: A text column, shape (n,); missing values are a level of their own.
        value: The value that the levels may tell of, shape (n,).
        given: What is known anyway, shape (n,).
        weights: How often each partner counts, shape (b, n).

    Returns:
        One share per row of weights, shape (b,).
    """
    residual = _residual(ranks(value), ranks(given))
    codes, count = _level_codes(levels)
    if count < 2 or len(codes) <= count:
        return np.zeros(len(weights))
    members = np.eye(count)[codes]
    total, people, sums = weights.sum(axis=1), weights @ members, weights @ (members * residual[:, None])
    mean = weights @ residual / total
    whole = weights @ residual**2 - total * mean**2
    between = np.sum(sums**2 / np.maximum(people, _TINY), axis=1) - total * mean**2
    within = (whole - between) / np.maximum(total - count, 1)
    return np.asarray((between - (count - 1) * within) / np.maximum(whole + within, _TINY))


def _residual(value: Floats, given: Floats) -> Floats:
    spread = float(given @ given)
    return value - given * (float(given @ value) / spread) if spread > 0 else value


def _level_codes(levels: pd.Series) -> tuple[NDArray[np.int64], int]:
    found, names = pd.factorize(levels)
    texts, place = np.unique(np.array([*map(str, names), "unknown"], dtype="object"), return_inverse=True)
    codes = place[found]  # a missing value is -1, the last name
    counts = np.bincount(codes, minlength=len(texts))
    seen = counts > 0
    kept, code = np.unique(np.where(counts >= _LEVEL_ROWS, texts, "(rare)")[seen], return_inverse=True)
    places = np.zeros(len(texts), dtype=np.int64)
    places[seen] = code
    return places[codes], len(kept)
