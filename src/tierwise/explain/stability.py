"""How far explanations can be trusted: whether retrains give the same reasons, and whether the parts tell effects.

Three checks, all on the current rows: agreement of the strongest features between the model and models trained again on
drawn partners; correlation of every contribution with what masking its feature does to the prediction; and a control
trained on shuffled labels, which must find nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COLUMNS = ("check", "value", "expected", "meaning")
TOP = 3
CHECKS = {
    "top_family_agreement": (
        "at least 0.7",
        "share of partners and retrains whose strongest family is the same as the model's",
    ),
    "top_three_agreement": (
        "at least 0.6",
        "mean overlap of the three strongest features of a partner between the model and a retrain",
    ),
    "masked_effect_correlation": (
        "at least 0.8",
        "correlation of contributions with the change of the log prediction when the feature is set to the channel's"
        " median",
    ),
    "shuffled_labels_accepted": (
        "0",
        "share of trainings on shuffled labels that the gate accepts",
    ),
    "shuffled_effect_size": (
        "at most 0.5",
        "size of the contributions learned from shuffled labels, as a share of the model's",
    ),
}


def wide_parts(parts: pd.DataFrame, by: str, partners: pd.Series) -> pd.DataFrame:
    """Sum contributions to one column per feature or family and one row per partner, 0 where there is none.

    Args:
        parts: `partner_id, feature, family, contribution`.
        by: `feature` or `family`.
        partners: The partners, in the order of the rows wanted.
    """
    wide = parts.pivot_table(index="partner_id", columns=by, values="contribution", aggfunc="sum")
    return wide.reindex(partners).fillna(0.0)


def strongest_agreement(own: pd.DataFrame, others: Sequence[pd.DataFrame]) -> float:
    """The share of partners and other models whose strongest column is the same; NaN without any other model."""
    if not others or own.empty:
        return float("nan")
    strongest = own.abs().idxmax(axis=1)
    return float(np.mean([(other.abs().idxmax(axis=1) == strongest).mean() for other in others]))


def top_overlap(own: pd.DataFrame, others: Sequence[pd.DataFrame], top: int = TOP) -> float:
    """The mean share of a partner's strongest columns that another model has among its strongest as well."""
    if not others or own.empty:
        return float("nan")
    shares = [_overlap(own, other, min(top, own.shape[1])) for other in others]
    return float(np.mean(shares))


def _overlap(own: pd.DataFrame, other: pd.DataFrame, top: int) -> float:
    columns = sorted({*own.columns, *other.columns})
    sets = [_among_strongest(frame.reindex(columns=columns, fill_value=0.0).to_numpy(), top) for frame in (own, other)]
    return float((sets[0] & sets[1]).sum(axis=1).mean() / top)


def _among_strongest(values: Floats, top: int) -> NDArray[np.bool_]:
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :top]
    among = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(among, order, True, axis=1)
    return among


def masked_correlation(parts: Floats, effects: Floats) -> float:
    """Correlate contributions with masked effects over all partners and features; NaN where either never varies.

    Args:
        parts: Contributions, shape (n, features).
        effects: Prediction less prediction with the feature masked, the same shape.
    """
    if parts.size < 2 or np.ptp(parts) == 0 or np.ptp(effects) == 0:
        return float("nan")
    return float(np.corrcoef(parts.ravel(), effects.ravel())[0, 1])


def report(values: dict[str, float]) -> pd.DataFrame:
    """Lay out the checks, one row each; a value that could not be measured is missing."""
    rows = [(check, values.get(check, float("nan")), *told) for check, told in CHECKS.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))
