"""Exact contributions of every feature to a partner's potential, on the log scale.

For the model they are the mean of the GLM's terms and the trees' path-dependent SHAP values; for persistence the
target metric alone; for newcomers the effect of each attribute. In every case
`base + sum of contributions = log(potential)`, where amounts below the model's floor count as the floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.potential.model import PotentialModel
from tierwise.potential.predict import predict
from tierwise.potential.snapshots import check_columns

Floats = NDArray[np.float64]
COLUMNS = ("partner_id", "feature", "family", "value", "text", "base", "contribution")
ADDITIVITY_LIMIT = 1e-9


@dataclass(frozen=True)
class _Parts:
    base: Floats
    effects: Mapping[str, Floats]


def contributions(model: PotentialModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Split each partner's log potential into features.

    Args:
        model: A trained model.
        rows: Metric rows, one per partner.

    Returns:
        Columns `COLUMNS`, sorted by partner and feature: `value` of a metric (missing for attributes), `text` of an
        attribute (missing for metrics), the base value of the partner, the contribution to the natural logarithm.

    Raises:
        InvalidInput: If a column that the model needs is missing.
        ArithmeticError: If the parts do not add up to the prediction within `ADDITIVITY_LIMIT`.
    """
    check_columns(rows, model.features, labelled=False)
    rows = rows.reset_index(drop=True)
    sources = model.sources(rows)
    blocks = []
    for source in sorted(sources.unique()):
        inside = rows[(sources == source).to_numpy()].reset_index(drop=True)
        parts = _parts_of(model, inside, source)
        _check_additivity(model, inside, parts)
        blocks.append(_long(model, inside, parts))
    if not blocks:
        return pd.DataFrame(columns=list(COLUMNS))
    joined = pd.concat(blocks, ignore_index=True)
    return joined.sort_values(["partner_id", "feature"], kind="stable", ignore_index=True)


def _parts_of(model: PotentialModel, rows: pd.DataFrame, source: str) -> _Parts:
    if source == "cold_start":
        return _Parts(np.full(len(rows), model.cold_start.base), model.cold_start.parts(rows))
    if source == "model" and model.blend is not None:
        return _Parts(*model.blend.parts(rows))
    logged = np.log(np.maximum(model.persistence(rows), model.floor))
    return _Parts(np.full(len(rows), model.base), {model.features.target: logged - model.base})


def additivity_error(model: PotentialModel, rows: pd.DataFrame, long: pd.DataFrame) -> float:
    """Return the largest gap between the parts' sum and the log of the predicted potential."""
    totals = long.groupby("partner_id")["contribution"].sum() + long.groupby("partner_id")["base"].first()
    predicted = predict(model, rows).set_index("partner_id")["potential"]
    return float((totals - _floored_log(model, predicted, rows)).abs().max())


def _floored_log(model: PotentialModel, predicted: pd.Series, rows: pd.DataFrame) -> pd.Series:
    persistent = (model.sources(rows) == "persistence").to_numpy()
    floored = predicted.where(~persistent, predicted.clip(lower=model.floor))
    return pd.Series(np.log(floored.to_numpy()), index=floored.index)


def _check_additivity(model: PotentialModel, rows: pd.DataFrame, parts: _Parts) -> None:
    predicted = predict(model, rows)["potential"]
    expected = _floored_log(model, predicted, rows).to_numpy()
    gap = np.abs(sum(parts.effects.values(), parts.base.copy()) - expected)
    if len(gap) and not gap.max() <= ADDITIVITY_LIMIT:
        raise ArithmeticError(f"contributions miss the prediction by {gap.max():.3g} on the log scale")


def _long(model: PotentialModel, rows: pd.DataFrame, parts: _Parts) -> pd.DataFrame:
    families = model.family_of
    blocks = [
        pd.DataFrame(
            {
                "partner_id": rows["partner_id"],
                "feature": name,
                "family": families.get(name, "other"),
                **_value_and_text(model, rows, name),
                "base": parts.base,
                "contribution": effect,
            }
        )
        for name, effect in parts.effects.items()
    ]
    return pd.concat(blocks, ignore_index=True) if blocks else _base_only(rows, parts)


def _base_only(rows: pd.DataFrame, parts: _Parts) -> pd.DataFrame:
    own = {"feature": "newcomer", "family": "profile", "value": np.nan, "text": None}
    frame = pd.DataFrame({"partner_id": rows["partner_id"], **own, "base": parts.base, "contribution": 0.0})
    return frame.astype({"text": "str"})


def _value_and_text(model: PotentialModel, rows: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    unknown = pd.Series(np.nan, index=rows.index, dtype=np.float64)
    if name in model.features.attributes:
        return {"value": unknown, "text": rows[name].astype("str")}
    value = rows[name].astype(np.float64) if name in rows.columns else unknown
    return {"value": value, "text": pd.Series(None, index=rows.index, dtype="str")}
