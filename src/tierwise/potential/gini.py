"""Normalised Gini of a ranking, fair to ties, and its bootstrap over partners.

The Gini of a ranking is twice the area between the concentration curve (cumulative actual value, partners ordered by
descending prediction) and the diagonal; normalised, it is divided by the Gini of the perfect ranking. Partners with
equal predictions share one straight segment of the curve, which is the average over all their orders, so the order of
rows can never help. Source: Frees, Meyers & Cummings, "Summarizing Insurance Scores Using a Gini Index", JASA 106
(2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_CELLS_PER_BLOCK = 4_000_000


def normalized_gini(actual: Floats, predicted: Floats) -> float:
    """Return the normalised Gini: 1 for the perfect ranking, 0 for none; NaN when all actual values are equal.

    Args:
        actual: Values over the horizon, none negative, shape (n,).
        predicted: Scores that rank the partners, shape (n,).
    """
    return float(weighted_ginis(actual, predicted, np.ones((1, len(actual))))[0])


def weighted_ginis(actual: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Return one normalised Gini per row of weights.

    Args:
        actual: Values over the horizon, shape (n,).
        predicted: Scores, shape (n,).
        weights: How often each partner counts, shape (b, n).

    Returns:
        Shape (b,); NaN where a sample has no spread of actual values.
    """
    if len(actual) == 0:
        return np.full(len(weights), np.nan)
    step = max(1, _CELLS_PER_BLOCK // len(actual))
    blocks = [weights[start : start + step] for start in range(0, len(weights), step)]
    parts = [_ratio(_areas(actual, predicted, block), _areas(actual, actual, block)) for block in blocks]
    return np.concatenate(parts)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    safe = np.where(np.abs(denominator) > 1e-12, denominator, np.nan)
    return numerator / safe


def _areas(actual: Floats, score: Floats, weights: Floats) -> Floats:
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    people = weights[:, order]
    money = people * actual[order]
    if len(starts) < len(order):
        people, money = (np.add.reduceat(cells, starts, axis=1) for cells in (people, money))
    total = money.sum(axis=1, keepdims=True)
    shares = money / np.where(total > 0, total, np.nan)
    after = np.cumsum(shares, axis=1)
    counted = people.sum(axis=1, keepdims=True)
    widths = people / np.where(counted > 0, counted, np.nan)
    return np.asarray(np.sum(widths * (2 * after - shares), axis=1) - 1)


def partner_weights(codes: Ints, count: int, draws: int, rng: np.random.Generator) -> Floats:
    """Draw bootstrap samples of partners; every row of a partner counts as often as the partner is drawn.

    Args:
        codes: The partner of each row, 0..count-1, shape (n,).
        count: How many partners.
        draws: How many samples.
        rng: Source of randomness.

    Returns:
        Shape (draws, n).
    """
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    return np.asarray(drawn[:, codes], dtype=np.float64)
