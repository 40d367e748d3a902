"""Scores of a prediction against what happened; each is a pure function of two arrays (and persistence)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from tierwise.potential.gini import normalized_gini

Floats = NDArray[np.float64]
_TOP_SHARE = 0.1


def spearman(actual: Floats, predicted: Floats) -> float:
    """Return the rank correlation; NaN where either does not vary."""
    if len(actual) < 2 or np.ptp(actual) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(actual), rankdata(predicted))[0, 1])


def mean_absolute_error(actual: Floats, predicted: Floats) -> float:
    """Return the mean absolute error in the target's unit."""
    return float(np.mean(np.abs(actual - predicted))) if len(actual) else float("nan")


def total_ratio(actual: Floats, predicted: Floats) -> float:
    """Return predicted total / actual total: 1 where the level is right."""
    return float(predicted.sum() / actual.sum()) if actual.sum() > 0 else float("nan")


def top_decile_capture(actual: Floats, predicted: Floats) -> float:
    """Return the share of actual value in the predicted top tenth; ties at its edge count in proportion."""
    if len(actual) == 0 or actual.sum() <= 0:
        return float("nan")
    wanted = max(1.0, _TOP_SHARE * len(actual))
    edge = np.sort(predicted)[::-1][int(np.ceil(wanted)) - 1]
    above, at = predicted > edge, predicted == edge
    share_of_edge = (wanted - above.sum()) / at.sum()
    return float((actual[above].sum() + share_of_edge * actual[at].sum()) / actual.sum())


def skill_on_change(actual: Floats, predicted: Floats, persistence: Floats, unit: float) -> float:
    """Return the rank correlation of predicted and actual log change against persistence; NaN for persistence."""

    def change(values: Floats) -> Floats:
        return np.round(np.log1p(values / unit) - np.log1p(persistence / unit), 12)

    return spearman(change(actual), change(predicted))


def deciles(predicted: Floats) -> NDArray[np.int64]:
    """Return the tenth (1 to 10) that each prediction falls into; equal predictions share one, shape (n,)."""
    place = (rankdata(predicted, method="average") - 0.5) / max(len(predicted), 1)
    return np.minimum(np.floor(place * 10).astype(np.int64) + 1, 10)


def calibration(actual: Floats, predicted: Floats) -> pd.DataFrame:
    """Return mean prediction and mean actual value per decile of the prediction, lowest first.

    Returns:
        Columns `decile` (1 to 10), `partners`, `predicted`, `actual`; equal predictions share a decile.
    """
    if len(actual) == 0:
        return pd.DataFrame(columns=["decile", "partners", "predicted", "actual"])
    frame = pd.DataFrame({"decile": deciles(predicted), "predicted": predicted, "actual": actual})
    grouped = frame.groupby("decile", as_index=False).agg(
        partners=("actual", "size"), predicted=("predicted", "mean"), actual=("actual", "mean")
    )
    return grouped[["decile", "partners", "predicted", "actual"]]


def bootstrap_range(draws: Floats, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of bootstrap draws; NaN where too few draws are defined."""
    known = draws[np.isfinite(draws)]
    if len(known) < 2:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


PLAIN_SCORES: dict[str, Callable[[Floats, Floats], float]] = {
    "gini": normalized_gini,
    "spearman": spearman,
    "mae": mean_absolute_error,
    "total_ratio": total_ratio,
    "top_decile_capture": top_decile_capture,
}
