"""The space in which partners are compared: zero-inflation-aware power transforms beside weighted one-hot attributes.

A metric with many zeros becomes an indicator (any at all?) and the transformed positive part. Amounts (never below
zero) take a Box-Cox transform, which is Yeo-Johnson of the amount minus one but gives the same picture in any unit of
money; metrics that can be negative take Yeo-Johnson itself, after division by their typical size. Everything is clipped
at a few standard deviations. Sources: Box & Cox, JRSS B 26 (1964); Yeo & Johnson, Biometrika 87 (2000).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from tierwise.config.model_spec import ArchetypeSpec, FeatureSet

Floats = NDArray[np.float64]
_EXPONENT_BOUND = 2.0
_MAX_LEVELS = 20
_LEAST_LEVEL = 0.02


@dataclass(frozen=True)
class MetricAxis:
    """How one metric becomes one or two coordinates.

    Attributes:
        metric: The metric's name.
        split: Whether zeros are told apart by an indicator.
        least: The least positive amount, for which a stray zero stands in; 0 for a metric that can be negative.
        scale: Values are divided by this first.
        exponent: The transform's lambda.
        centre: Mean of the transformed values.
        spread: Their standard deviation.
        known_share: Share of partners above zero; what an unknown value counts as in the indicator.
        weight: How much the metric counts.
    """

    metric: str
    split: bool
    least: float
    scale: float
    exponent: float
    centre: float
    spread: float
    known_share: float
    weight: float = 1.0

    def coordinates(self, values: Floats, clip_sd: float) -> list[Floats]:
        """Return the coordinates, shape (n,) each; unknown values lie at the centre."""
        present = values > 0 if self.split else np.isfinite(values)
        shaped = np.zeros(len(values))
        shaped[present] = self._standardised(values[present], clip_sd)
        if not self.split:
            return [shaped]
        indicator = np.where(np.isnan(values), self.known_share, present.astype(np.float64))
        return [indicator, shaped]

    def _standardised(self, values: Floats, clip_sd: float) -> Floats:
        return np.clip(
            (power(values, self.least, self.scale, self.exponent) - self.centre) / self.spread, -clip_sd, clip_sd
        )


@dataclass(frozen=True)
class Space:
    """All axes; `matrix` puts partners into it.

    Attributes:
        axes: One per metric that varies, by name.
        levels: Attributes with the levels that get a one-hot coordinate.
        clip_sd: Where transformed metrics are clipped.
        attribute_weight: The weight of one-hot coordinates.
    """

    axes: tuple[MetricAxis, ...]
    levels: Mapping[str, tuple[str, ...]]
    clip_sd: float
    attribute_weight: float

    @property
    def groups(self) -> list[list[int]]:
        """The columns of the matrix that describe one metric, or one attribute, together; in order."""
        sizes = [2 if axis.split else 1 for axis in self.axes] + [len(known) for known in self.levels.values()]
        starts = np.cumsum([0, *sizes])
        return [list(range(start, start + size)) for start, size in zip(starts.tolist(), sizes, strict=False)]

    def matrix(self, rows: pd.DataFrame) -> Floats:
        """Return coordinates, shape (n, d)."""
        columns = [
            axis.weight * column
            for axis in self.axes
            for column in axis.coordinates(values_of(rows, axis.metric), self.clip_sd)
        ]
        for name, known in self.levels.items():
            text = rows[name].astype("object")
            columns += [np.asarray(text == level, dtype=np.float64) * self.attribute_weight for level in known]
        return np.column_stack(columns) if columns else np.zeros((len(rows), 0))


def fit_space(rows: pd.DataFrame, weights: Mapping[str, float], features: FeatureSet, spec: ArchetypeSpec) -> Space:
    """Fit one axis per weighted metric that varies, and the one-hot levels; columns in order of their names."""
    found = (fit_axis(name, values_of(rows, name), spec) for name in sorted(weights))
    axes = tuple(replace(axis, weight=weights[axis.metric]) for axis in found if axis is not None)
    levels = {name: _levels(rows[name]) for name in sorted(features.attributes)}
    kept = {name: known for name, known in levels.items() if len(known) >= 2}
    return Space(axes, kept, spec.clip_sd, spec.attribute_weight)


def fit_axis(name: str, values: Floats, spec: ArchetypeSpec) -> MetricAxis | None:
    """Fit one metric's transform; None where it does not vary."""
    known = np.sort(values[np.isfinite(values)])
    if len(known) < 2 or known[0] == known[-1]:
        return None
    zeros = float(np.mean(known == 0))
    split = bool(known[0] >= 0) and zeros >= spec.zero_share
    used = known[known > 0] if split else known
    least = float(known[known > 0][0]) if known[0] >= 0 else 0.0
    scale = float(np.median(np.abs(used[used != 0])))
    exponent = _exponent(used, least, scale)
    shaped = power(used, least, scale, exponent)
    spread = float(shaped.std())
    centre = float(shaped.mean())
    return MetricAxis(name, split, least, scale, exponent, centre, spread if spread > 1e-9 else 1.0, 1 - zeros)


def power(values: Floats, least: float, scale: float, exponent: float) -> Floats:
    """Return the Box-Cox transform of amounts (`least` above 0), or Yeo-Johnson of values that can be negative."""
    if least > 0:
        return np.asarray(special.boxcox(np.maximum(values, least) / scale, exponent))
    return np.asarray(stats.yeojohnson(values / scale, lmbda=exponent))


def _exponent(values: Floats, least: float, scale: float) -> float:
    if values[0] == values[-1]:
        return 1.0
    relative = (np.maximum(values, least) if least > 0 else values) / scale
    likelihood = stats.boxcox_llf if least > 0 else stats.yeojohnson_llf
    grid = np.round(np.linspace(-_EXPONENT_BOUND, _EXPONENT_BOUND, 41), 1)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        scores = np.array([likelihood(exponent, relative) for exponent in grid])
    scores[~np.isfinite(scores)] = -np.inf  # an exponent that makes all values alike has an endless likelihood
    # A tenth is as fine as the data can tell, and a grid cannot be moved by rounding when money changes its unit.
    return float(grid[int(np.argmax(np.round(scores, 6)))])


def _levels(column: pd.Series) -> tuple[str, ...]:
    shares = column.dropna().astype(str).value_counts(normalize=True)
    frequent = sorted(shares[shares >= _LEAST_LEVEL].index)
    return tuple(frequent) if len(frequent) <= _MAX_LEVELS else ()


def values_of(rows: pd.DataFrame, name: str) -> Floats:
    """Return a metric as float64, NaN where unknown or infinite."""
    values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)
