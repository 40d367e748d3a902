"""Potential of metric rows: value, interval, source, headroom."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.potential.headroom import headroom
from tierwise.potential.intervals import widen
from tierwise.potential.model import PotentialModel
from tierwise.potential.snapshots import check_columns

Floats = NDArray[np.float64]
COLUMNS = ("partner_id", "potential", "potential_low", "potential_high", "potential_source", "headroom")


def predict(model: PotentialModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Predict the target over the horizon for metric rows of one as-of date.

    Args:
        model: A trained model.
        rows: Metric rows, one per partner, in any order.

    Returns:
        Columns `COLUMNS`, one row per input row and in its order; amounts in the target's unit. Bounds are missing
        where no review has completed; headroom is missing where no comparable partners were seen.

    Raises:
        InvalidInput: If a column that the model needs is missing.
    """
    check_columns(rows, model.features, labelled=False)
    rows = rows.reset_index(drop=True)
    sources = model.sources(rows)
    result = pd.DataFrame({"partner_id": rows["partner_id"]})
    result[["potential", "potential_low", "potential_high"]] = _amounts(model, rows, sources)
    result["potential_source"] = sources
    result["headroom"] = headroom(rows, model.persistence(rows), model.features.comparable_by, model.headroom)
    return result[list(COLUMNS)]


def predict_amounts(model: PotentialModel, rows: pd.DataFrame) -> Floats:
    """Return the amounts of `predict` alone, shape (n, 3): potential, low, high; for asking many times what would be.

    Raises:
        InvalidInput: If a column that the model needs is missing.
    """
    check_columns(rows, model.features, labelled=False)
    rows = rows.reset_index(drop=True)
    return _amounts(model, rows, model.sources(rows))


def predict_centre(model: PotentialModel, rows: pd.DataFrame) -> Floats:
    """Return the column `potential` of `predict` alone, shape (n,): for asking many times what would be.

    Raises:
        InvalidInput: If a column that the model needs is missing.
    """
    check_columns(rows, model.features, labelled=False)
    rows = rows.reset_index(drop=True)
    sources = model.sources(rows)
    centre = np.full(len(rows), np.nan)
    for source in sorted(sources.unique()):
        inside = (sources == source).to_numpy()
        centre[inside] = _centre(model, rows[inside].reset_index(drop=True), source)
    return centre


def predict_median(model: PotentialModel, rows: pd.DataFrame) -> Floats:
    """Return the separate median model's prediction, or persistence where there is none, shape (n,)."""
    if model.quantiles is None:
        return model.persistence(rows)
    return model.scale.back(model.quantiles.median.raw(rows))


def _amounts(model: PotentialModel, rows: pd.DataFrame, sources: pd.Series) -> Floats:
    amounts = np.full((len(rows), 3), np.nan)
    for source in sorted(sources.unique()):
        inside = (sources == source).to_numpy()
        centre, low, high = _by_source(model, rows[inside].reset_index(drop=True), source)
        amounts[inside] = np.column_stack([centre, low, high])
    return amounts


def _by_source(model: PotentialModel, rows: pd.DataFrame, source: str) -> tuple[Floats, Floats, Floats]:
    centre = _centre(model, rows, source)
    logged = model.scale.log(centre)
    bounds = (logged, logged)
    if source == "model" and model.quantiles is not None:
        bounds = model.quantiles.bounds(rows)
    return (centre, *widen(model.bands, source, centre, bounds, model.scale))


def _centre(model: PotentialModel, rows: pd.DataFrame, source: str) -> Floats:
    if source == "cold_start":
        return model.cold_start.predict(rows)
    if source == "model" and model.blend is not None:
        return model.blend.predict(rows)
    return model.persistence(rows)
