"""Newcomers: a firmographics-only model.

A ridge Tweedie GLM on one-hot attributes: each group's mean shrunken towards the mean of all newcomers, additive on
the log scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import TweedieRegressor

from tierwise.config.model_spec import ColdStartSpec

Floats = NDArray[np.float64]
_POWER = 1.5


@dataclass(frozen=True)
class ColdStart:
    """Log mean of newcomers plus one effect per known attribute level.

    Attributes:
        base: Log of the expected value where no attribute is known; minus infinity never occurs, see `floor`.
        effects: Per attribute, the effect of each level; levels that are not listed have none.
        trained_on: `newcomers`, `all_partners` where too few newcomers were seen, or `nobody`.
    """

    base: float
    effects: Mapping[str, Mapping[str, float]]
    trained_on: str

    def parts(self, rows: pd.DataFrame) -> dict[str, Floats]:
        """Return each attribute's additive part of the log prediction, shape (n,) each."""
        return {name: _lookup(rows[name], levels) for name, levels in self.effects.items()}

    def log_prediction(self, rows: pd.DataFrame) -> Floats:
        """Return the log prediction, shape (n,)."""
        return np.asarray(sum(self.parts(rows).values(), np.full(len(rows), self.base)))

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Return the expected value over the horizon, shape (n,)."""
        return np.exp(self.log_prediction(rows))


def fit_cold_start(
    newcomers: pd.DataFrame, everyone: pd.DataFrame, attributes: tuple[str, ...], spec: ColdStartSpec, floor: float
) -> ColdStart:
    """Fit on past newcomers, or on all partners where newcomers are too few.

    Args:
        newcomers: Labelled snapshots of partners that were newcomers then.
        everyone: All labelled snapshots.
        attributes: The attributes it may use.
        spec: Hyper-parameters.
        floor: The least amount a logarithm is taken of.
    """
    enough = len(newcomers) >= spec.rows
    rows, trained_on = (newcomers, "newcomers") if enough else (everyone, "all_partners")
    if rows.empty:
        return ColdStart(float(np.log(floor)), {}, "nobody")
    label = rows["label"].to_numpy(dtype=np.float64)
    mean = float(label.mean())
    levels = {name: _frequent(rows[name], spec.levels) for name in attributes}
    keys = [(name, level) for name, known in levels.items() for level in known]
    if mean <= floor or not keys:
        return ColdStart(float(np.log(max(mean, floor))), {}, trained_on)
    design = np.column_stack(
        [(rows[name].astype("object") == level).to_numpy(dtype=np.float64) for name, level in keys]
    )
    model = TweedieRegressor(power=_POWER, alpha=spec.penalty, link="log", solver="newton-cholesky", max_iter=200)
    model.fit(design, label / mean)
    coefficients = dict(zip(keys, model.coef_.tolist(), strict=True))
    effects = {name: {level: coefficients[name, level] for level in known} for name, known in levels.items() if known}
    return ColdStart(float(np.log(mean)) + float(model.intercept_), effects, trained_on)


def _frequent(column: pd.Series, least: int) -> list[str]:
    counts = column.dropna().astype(str).value_counts()
    return sorted(counts[counts >= least].index)


def _lookup(column: pd.Series, effects: Mapping[str, float]) -> Floats:
    return column.astype("object").map(dict(effects)).fillna(0.0).to_numpy(dtype=np.float64)
