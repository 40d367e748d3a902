"""What missing outcomes can do to an effect: are they more in one arm, and between which bounds is the effect then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]


def missing_figures(values: Floats, arm: NDArray[np.int64], place: int) -> dict[str, float]:
    """Compare missing outcomes between an arm and the control; empty where none is missing.

    Args:
        values: Outcomes, NaN where missing, shape (n,).
        arm: 0 for the control, shape (n,).
        place: The arm.

    Returns:
        `missing_p`: Fisher's exact p of equal shares of missing outcomes; `bound_low`, `bound_high`: Lee's bounds of
        the difference in means among units that would be measured in either arm.

    Source: Lee, "Training, wages, and sample selection", Review of Economic Studies 76 (2009).
    """
    ours, theirs = values[arm == place], values[arm == 0]
    absent = int(np.isnan(ours).sum()), int(np.isnan(theirs).sum())
    if not sum(absent):
        return {}
    table = [[absent[0], len(ours) - absent[0]], [absent[1], len(theirs) - absent[1]]]
    figures = {"missing_p": float(stats.fisher_exact(np.array(table))[1])}
    ours, theirs = np.sort(ours[~np.isnan(ours)]), np.sort(theirs[~np.isnan(theirs)])
    if len(ours) and len(theirs):
        figures.update(_bounds(ours, theirs, len(ours) / sum(table[0]), len(theirs) / sum(table[1])))
    return figures


def _bounds(ours: Floats, theirs: Floats, shown: float, shown_control: float) -> dict[str, float]:
    if shown < shown_control:
        mirrored = _bounds(theirs, ours, shown_control, shown)
        return {"bound_low": -mirrored["bound_high"], "bound_high": -mirrored["bound_low"]}
    trim = round(len(ours) * (1 - shown_control / shown))
    kept = len(ours) - trim
    mean = float(theirs.mean())
    return {"bound_low": float(ours[:kept].mean()) - mean, "bound_high": float(ours[trim:].mean()) - mean}
