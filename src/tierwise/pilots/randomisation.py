"""The randomisation test: how often a redraw of the arms would give so large a difference.

The statistic is the studentised difference of the means of the drawn units (clusters where clusters were drawn), after
the outcome is freed of what covariates explain; arms are redrawn within strata and pairs. It tests that no unit's
outcome depends on its arm, needs no large sample, and with a studentised statistic holds for unequal variances too.

Source: Wu & Ding, "Randomization tests for weak null hypotheses", JASA 116 (2021).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def free_of_covariates(outcome: Floats, covariates: Floats) -> Floats:
    """The residuals of an outcome on covariates, arms left out."""
    if not covariates.shape[1]:
        return np.asarray(outcome - outcome.mean())
    columns = np.column_stack([np.ones(len(outcome)), covariates])
    return np.asarray(OLS(outcome, columns).fit().resid)


def p_by_redrawing(
    means: Floats, treated: NDArray[np.bool_], blocks: Codes, draws: int, rng: np.random.Generator
) -> float:
    """The two-sided p-value of no effect on any drawn unit.

    Args:
        means: The outcome of each drawn unit, shape (n,).
        treated: Which are in the arm, shape (n,).
        blocks: Arms are redrawn within blocks, shape (n,).
        draws: How many redraws.
        rng: Source of the redraws.
    """
    seen = abs(float(_studentised(means, treated[None, :])[0]))
    redrawn = np.array([_redraw(treated, blocks, rng) for _ in range(draws)])
    larger = np.abs(_studentised(means, redrawn)) >= seen * (1 - 1e-9)
    return float((1 + larger.sum()) / (1 + draws))


def _redraw(treated: NDArray[np.bool_], blocks: Codes, rng: np.random.Generator) -> NDArray[np.bool_]:
    order = np.lexsort((np.arange(len(blocks)), blocks))
    shuffled = np.lexsort((rng.random(len(blocks)), blocks))
    redrawn = np.empty_like(treated)
    redrawn[order] = treated[shuffled]
    return redrawn


def _studentised(means: Floats, treated: NDArray[np.bool_]) -> Floats:
    ours, theirs = treated.sum(axis=1), (~treated).sum(axis=1)
    mean, other = (treated @ means) / ours, (~treated @ means) / theirs
    spread = np.maximum(treated @ means**2 / ours - mean**2, 0) / np.maximum(ours - 1, 1)
    spread = spread + np.maximum(~treated @ means**2 / theirs - other**2, 0) / np.maximum(theirs - 1, 1)
    return np.asarray((mean - other) / np.sqrt(np.maximum(spread, 1e-300)))
