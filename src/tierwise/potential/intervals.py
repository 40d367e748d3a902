"""Conformal intervals per size band.

Where the model is used: conformalised quantile regression (Romano, Patterson & Candes, NeurIPS 2019) with quantile
models that have not seen the calibration review. Where persistence or the cold-start model is used: split-conformal
residuals. Both work on the log scale `log1p(value / unit)` and are calibrated per band of predicted size on the last
completed review, so that the small do not pay for the large. Partners predicted to have nothing are a band of their own
(Mondrian: Vovk, Lindsay, Nouretdinov & Gammerman, 2003): nearly all of them stay at nothing, and counted among the
small they would let the intervals of those who do sell hold too seldom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, IntervalSpec, TreeSpec
from tierwise.potential.trees import TreeFit, Trees, TreeTask, columns_of, fit_quantile_trees
from tierwise.tables.varied import Rows

Floats = NDArray[np.float64]
BAND_COLUMNS = ("source", "band", "from_value", "partners", "low_offset", "high_offset")
NOTHING = -1
"""The number of the band of partners predicted to have nothing; size bands count from 0."""
_ABOVE_NOTHING = float(np.finfo(np.float64).tiny)
_UNIT_QUANTILE = 0.1


@dataclass(frozen=True)
class LogScale:
    """The scale on which intervals are widened; `unit` is a small positive amount of the target's unit."""

    unit: float

    def log(self, values: Floats) -> Floats:
        """Return log1p(value / unit)."""
        return np.log1p(np.clip(values, 0, None) / self.unit)

    def back(self, logs: Floats) -> Floats:
        """Return the value of a logarithm, never below 0."""
        return np.clip(np.expm1(logs) * self.unit, 0, None)


def log_scale(label: Floats) -> LogScale:
    """Take a low quantile of the positive labels as unit, so that the currency's unit does not matter."""
    positive = label[label > 0]
    return LogScale(float(np.quantile(positive, _UNIT_QUANTILE)) if len(positive) else 1.0)


@dataclass(frozen=True)
class QuantileModels:
    """LightGBM models of the low, median and high quantile of the log label."""

    low: Trees
    median: Trees
    high: Trees

    def bounds(self, rows: Rows) -> tuple[Floats, Floats]:
        """Return low and high on the log scale, ordered, shape (n,) each."""
        matrix = self.low.columns.by_column(rows).T  # all three were fitted to the same columns
        low, high = self.low.raw_of(matrix), self.high.raw_of(matrix)
        return np.minimum(low, high), np.maximum(low, high)


def fit_quantiles(training: pd.DataFrame, scale: LogScale, features: FeatureSet, spec: QuantileFit) -> QuantileModels:
    """Fit the three quantile models on labelled snapshots (a seeded sample of very many)."""
    rng = np.random.default_rng(spec.seed)
    if len(training) > spec.intervals.rows:
        kept = np.sort(rng.choice(len(training), spec.intervals.rows, replace=False))
        training = training.iloc[kept].reset_index(drop=True)
    response = scale.log(training["label"].to_numpy(dtype=np.float64))
    columns = columns_of(training, features, spec.attributes)
    tail = (1 - spec.intervals.coverage) / 2
    fit = TreeFit(TreeTask("quantile", 0.5), spec.trees, spec.seed)
    low, median, high = fit_quantile_trees(training, response, columns, (tail, 0.5, 1 - tail), fit)
    return QuantileModels(low, median, high)


@dataclass(frozen=True)
class QuantileFit:
    """How the quantile models are fitted."""

    trees: TreeSpec
    intervals: IntervalSpec
    attributes: tuple[str, ...]
    seed: int


def calibrate(
    source: str, centre: Floats, low_high: tuple[Floats, Floats], actual: Floats, spec: IntervalSpec
) -> pd.DataFrame:
    """Measure per size band how far bounds must move to cover as promised.

    Args:
        source: The potential source that the bands are for.
        centre: Predictions on the calibration review, in the target's unit; they define the bands.
        low_high: Bounds before calibration, on the log scale; equal to the log prediction for residual intervals.
        actual: What happened, on the log scale.
        spec: Coverage and band sizes.

    Returns:
        Columns `BAND_COLUMNS`, smallest band first; one row at least unless there is nothing to calibrate on. `band` is
        `NOTHING` for partners predicted to have nothing, where they are apart, else the size band from 0 up.
    """
    edges = band_edges(centre, spec)
    first = NOTHING if _nothing_apart(edges) else 0
    band = np.searchsorted(edges, centre, side="right") - 1
    low, high = low_high
    offsets = _symmetric if np.any(low != high) else _signed
    rows = []
    for place, edge in enumerate(edges):
        inside = band == place
        down, up = offsets(low[inside], high[inside], actual[inside], spec.coverage)
        rows.append((source, first + place, float(edge), int(inside.sum()), down, up))
    return pd.DataFrame(rows, columns=list(BAND_COLUMNS))


def band_edges(centre: Floats, spec: IntervalSpec) -> Floats:
    """Return the lower edges of the bands.

    Those predicted to have nothing come first, if they and the others are enough for a band each; then size bands of
    equal counts, at least `band_rows` each, ties kept together.
    """
    nothing = centre <= 0
    if spec.bands > 1 and min(nothing.sum(), (~nothing).sum()) >= spec.band_rows:
        return np.concatenate(([-np.inf, _ABOVE_NOTHING], _size_edges(centre[~nothing], spec)[1:]))
    return _size_edges(centre, spec)


def _nothing_apart(edges: Floats) -> bool:
    return len(edges) > 1 and bool(edges[1] == _ABOVE_NOTHING)


def _size_edges(centre: Floats, spec: IntervalSpec) -> Floats:
    count = max(1, min(spec.bands, len(centre) // spec.band_rows))
    if len(centre) == 0:
        return np.zeros(0)
    inner = np.unique(np.quantile(centre, np.arange(1, count) / count)) if count > 1 else np.zeros(0)
    edges = np.concatenate(([-np.inf], inner[inner > centre.min()]))
    counts = np.bincount(np.searchsorted(edges, centre, side="right") - 1, minlength=len(edges))
    return edges if (counts >= min(spec.band_rows, len(centre))).all() else edges[:1]


def _symmetric(low: Floats, high: Floats, actual: Floats, coverage: float) -> tuple[float, float]:
    margin = conformal_quantile(np.maximum(low - actual, actual - high), coverage)
    return -margin, margin


def _signed(low: Floats, high: Floats, actual: Floats, coverage: float) -> tuple[float, float]:
    """Give half of what may be missed to the lower side, and to the upper one all that the lower leaves unused.

    The lower side uses one rank more than it missed, and none where the bound is nothing at all for everyone: then it
    cannot be missed. So both sides together promise the coverage, and no more than whole ranks make them.
    """
    if len(actual) == 0:
        return 0.0, 0.0
    below, above = low - actual, actual - high
    down = conformal_quantile(below, (1 + coverage) / 2)
    used = int((below > down).sum()) + 1 if (low > down).any() else 0
    place = min(len(above), used + int(np.ceil((len(above) + 1) * coverage)))
    return -down, float(np.sort(above)[place - 1])


def conformal_quantile(scores: Floats, level: float) -> float:
    """Return the ceil((n + 1) * level)-th smallest score, the largest where n is too small for the level."""
    if len(scores) == 0:
        return 0.0
    place = min(len(scores), int(np.ceil((len(scores) + 1) * level)))
    return float(np.sort(scores)[place - 1])


def widen(
    bands: pd.DataFrame, source: str, centre: Floats, low_high: tuple[Floats, Floats], scale: LogScale
) -> tuple[Floats, Floats]:
    """Return calibrated bounds in the target's unit; they always contain the prediction; NaN without calibration."""
    table = bands[bands["source"] == source]
    if table.empty:
        unknown = np.full(len(centre), np.nan)
        return unknown, unknown.copy()
    place = np.searchsorted(table["from_value"].to_numpy(), centre, side="right") - 1
    low = scale.back(low_high[0] + table["low_offset"].to_numpy()[place])
    high = scale.back(low_high[1] + table["high_offset"].to_numpy()[place])
    return np.minimum(low, centre), np.maximum(high, centre)
