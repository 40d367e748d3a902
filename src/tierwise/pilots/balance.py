"""How alike the arms are before the start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.pilots.units import ARM

Floats = NDArray[np.float64]


def balance_table(rows: pd.DataFrame, columns: Sequence[str], arms: Sequence[str]) -> pd.DataFrame:
    """Compare every arm with the control.

    Args:
        rows: One row per unit with `arm` and the columns.
        columns: Numeric columns known before the start.
        arms: The arms, the control first.

    Returns:
        `column, arm, units, mean, control_mean, standardised_difference, variance_ratio`, one row per column and arm
        but the control. A standardised difference (gap of the means by the pooled standard deviation) above 0.1 is
        worth a look. NaN where a column does not vary.
    """
    found = []
    control = rows[rows[ARM].astype(str) == arms[0]]
    for column in columns:
        theirs = control[column].to_numpy(dtype=float)
        for arm in arms[1:]:
            ours = rows.loc[rows[ARM].astype(str) == arm, column].to_numpy(dtype=float)
            spread = np.sqrt((_variance(ours) + _variance(theirs)) / 2)
            found.append(
                {
                    "column": column,
                    "arm": arm,
                    "units": len(ours),
                    "mean": float(np.mean(ours)),
                    "control_mean": float(np.mean(theirs)),
                    "standardised_difference": _ratio(float(np.mean(ours) - np.mean(theirs)), float(spread)),
                    "variance_ratio": _ratio(_variance(ours), _variance(theirs)),
                }
            )
    names = ["column", "arm", "units", "mean", "control_mean", "standardised_difference", "variance_ratio"]
    return pd.DataFrame(found, columns=names)


def _variance(values: Floats) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else float("nan")


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else float("nan")


def imbalance(columns: Floats, arm: NDArray[np.int64], arms: int) -> float:
    """The largest Mahalanobis distance between an arm's means and the control's.

    Args:
        columns: Shape (n, c).
        arm: 0 for the control, shape (n,).
        arms: How many arms.
    """
    centred = columns - columns.mean(axis=0)
    inverse = np.linalg.pinv(np.atleast_2d(centred.T @ centred) / max(len(columns) - 1, 1))
    counts = np.bincount(arm, minlength=arms)
    if counts.min() == 0:
        return float("inf")
    means = np.array([centred[arm == place].mean(axis=0) for place in range(arms)])
    gaps = means[1:] - means[0]
    scale = counts[1:] * counts[0] / (counts[1:] + counts[0])
    return float(np.max(scale * np.einsum("ac,cd,ad->a", gaps, inverse, gaps)))
