"""Potential of metric rows: value, interval, source, headroom."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.potential.headroom import headroom
from tierwise.potential.intervals import widen
from tierwise.potential.model import PotentialModel, Source
from tierwise.potential.snapshots import check_columns
from tierwise.tables.varied import Rows, chosen_rows

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
    result = pd.DataFrame({"partner_id": rows["partner_id"]})
    result[["potential", "potential_low", "potential_high"]] = _amounts(model, rows)
    result["potential_source"] = model.sources(rows)
    result["headroom"] = headroom(rows, model.persistence(rows), model.features.comparable_by, model.headroom)
    return result[list(COLUMNS)]


def predict_amounts(model: PotentialModel, rows: Rows) -> Floats:
    """Return the amounts of `predict` alone, shape (n, 3): potential, low, high; for asking many times what would be.

    Raises:
        InvalidInput: If a column that the model needs is missing.
    """
    check_columns(rows, model.features, labelled=False)
    return _amounts(model, rows)


def predict_centre(model: PotentialModel, rows: Rows) -> Floats:
    """Return the column `potential` of `predict` alone, shape (n,): for asking many times what would be.

    Raises:
        InvalidInput: If a column that the model needs is missing.
    """
    check_columns(rows, model.features, labelled=False)
    centre = np.full(len(rows), np.nan)
    for source, inside in model.by_source(rows):
        if inside.any():
            centre[inside] = _centre(model, chosen_rows(rows, inside), source)
    return centre


def predict_median(model: PotentialModel, rows: pd.DataFrame) -> Floats:
    """Return the separate median model's prediction, or persistence where there is none, shape (n,)."""
    if model.quantiles is None:
        return model.persistence(rows)
    return model.scale.back(model.quantiles.median.raw(rows))


def _amounts(model: PotentialModel, rows: Rows) -> Floats:
    amounts = np.full((len(rows), 3), np.nan)
    for source, inside in model.by_source(rows):
        if inside.any():
            centre, low, high = _by_source(model, chosen_rows(rows, inside), source)
            amounts[inside] = np.column_stack([centre, low, high])
    return amounts


def _by_source(model: PotentialModel, rows: Rows, source: Source) -> tuple[Floats, Floats, Floats]:
    centre = _centre(model, rows, source)
    logged = model.scale.log(centre)
    bounds = (logged, logged)
    if source == "model" and model.quantiles is not None:
        bounds = model.quantiles.bounds(rows)
    return (centre, *widen(model.bands, source, centre, bounds, model.scale))


def _centre(model: PotentialModel, rows: Rows, source: Source) -> Floats:
    if source == "cold_start":
        return model.cold_start.predict(rows)
    if source == "model" and model.blend is not None:
        return model.blend.predict(rows)
    return model.persistence(rows)
