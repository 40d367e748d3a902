"""A Tweedie GLM on log metrics, made monotone by dropping coefficients of the wrong sign.

The log scale is `sign(x) * log1p(|x| / scale)` with the scale taken from the training rows, so that the unit of money
does not matter. Additive by construction: log prediction = base + one term per metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import TweedieRegressor

from tierwise.config.model_spec import Feature, GlmSpec
from tierwise.potential.bounds import one_thread
from tierwise.tables.varied import Rows

Floats = NDArray[np.float64]
_SIGNS = {"up": 1.0, "down": -1.0, "none": 0.0}
_SCALE_QUANTILE = 0.1
_RANKED_ROWS = 100_000


@dataclass(frozen=True)
class LogTerm:
    """One metric of the GLM: how it is transformed, and its coefficient.

    Attributes:
        feature: The metric.
        scale: Values are divided by this before the logarithm.
        low: Least transformed value seen in training; lower ones count as this.
        high: Greatest transformed value seen in training.
        centre: Mean of the transformed training values; unknown values count as this.
        spread: Their standard deviation.
        coefficient: The effect of one standard deviation on the log scale.
        unknown_effect: The effect of the value being unknown.
    """

    feature: str
    scale: float
    low: float
    high: float
    centre: float
    spread: float
    coefficient: float = 0.0
    unknown_effect: float = 0.0

    def standardised(self, values: Floats) -> Floats:
        """Return the transformed values, mean 0 and variance 1 in training, 0 where unknown."""
        logged = np.sign(values) * np.log1p(np.abs(values) / self.scale)
        return np.asarray(np.nan_to_num((np.clip(logged, self.low, self.high) - self.centre) / self.spread, nan=0.0))

    def effect(self, values: Floats) -> Floats:
        """Return the metric's additive part of the log prediction."""
        return self.coefficient * self.standardised(values) + self.unknown_effect * np.isnan(values)


@dataclass(frozen=True)
class Glm:
    """A fitted GLM: log prediction (relative to the label scale) = base + sum of term effects."""

    base: float
    terms: tuple[LogTerm, ...]

    def effects(self, rows: Rows) -> dict[str, Floats]:
        """Return each metric's additive part, shape (n,) each."""
        return {term.feature: term.effect(_values(rows, term.feature)) for term in self.terms}

    def log_prediction(self, rows: Rows) -> Floats:
        """Return the log prediction relative to the label scale, shape (n,)."""
        return np.asarray(sum(self.effects(rows).values(), np.full(len(rows), self.base)))


def fit_glm(rows: pd.DataFrame, relative_label: Floats, metrics: Sequence[Feature], spec: GlmSpec) -> Glm:
    """Fit the GLM; a metric whose coefficient contradicts its direction is dropped and the rest refitted.

    Args:
        rows: Training snapshots.
        relative_label: Labels divided by their mean, shape (n,).
        metrics: The metrics it may use.
        spec: Hyper-parameters.
    """
    terms = select_terms(rows, relative_label, metrics, spec)
    signs = {feature.name: _SIGNS[feature.direction] for feature in metrics}
    while True:
        base, fitted = _regress(rows, relative_label, terms, spec)
        wrong = [term for term in fitted if term.coefficient * signs[term.feature] < 0]
        if not wrong:
            return Glm(base, fitted)
        worst = max(wrong, key=lambda term: abs(term.coefficient)).feature
        terms = [term for term in terms if term.feature != worst]


def select_terms(
    rows: pd.DataFrame, relative_label: Floats, metrics: Sequence[Feature], spec: GlmSpec
) -> list[LogTerm]:
    """Choose metrics by rank correlation with the label, leaving out near copies of those chosen before."""
    candidates = {f.name: term for f in metrics if (term := log_term(f.name, _values(rows, f.name))) is not None}
    step = -(-len(rows) // _RANKED_ROWS)  # every so many rows: ranks of a million tell no more, and are dear
    ranks = pd.DataFrame({name: _values(rows, name)[::step] for name in candidates}).rank()
    strength = ranks.corrwith(pd.Series(relative_label[::step]).rank()).abs().fillna(0)
    order = sorted(candidates, key=lambda name: (-round(strength[name], 9), name))
    between = ranks.corr().abs().fillna(0)
    chosen: list[str] = []
    for name in order:
        if len(chosen) < spec.features and not (between.loc[chosen, name] > spec.redundancy).any():
            chosen.append(name)
    return [candidates[name] for name in chosen]


def log_term(name: str, values: Floats) -> LogTerm | None:
    """Measure how a metric is put on the log scale; None where it does not vary."""
    known = values[np.isfinite(values)]
    sizes = np.abs(known[known != 0])
    if len(sizes) == 0:
        return None
    scale = float(np.quantile(sizes, _SCALE_QUANTILE))
    logged = np.sign(known) * np.log1p(np.abs(known) / scale)
    if logged.std() < 1e-9:
        return None
    return LogTerm(name, scale, float(logged.min()), float(logged.max()), float(logged.mean()), float(logged.std()))


def _regress(
    rows: pd.DataFrame, relative_label: Floats, terms: Sequence[LogTerm], spec: GlmSpec
) -> tuple[float, tuple[LogTerm, ...]]:
    if not terms:
        return 0.0, ()
    values = [_values(rows, term.feature) for term in terms]
    columns = [term.standardised(value) for term, value in zip(terms, values, strict=True)]
    columns += [np.isnan(value).astype(np.float64) for value in values]
    model = TweedieRegressor(power=spec.power, alpha=spec.penalty, link="log", solver="newton-cholesky", max_iter=200)
    with one_thread():
        model.fit(np.column_stack(columns), relative_label)
    coefficients = model.coef_.tolist()
    known, unknown = coefficients[: len(terms)], coefficients[len(terms) :]
    effects = zip(terms, known, unknown, strict=True)
    fitted = (replace(term, coefficient=effect, unknown_effect=gap) for term, effect, gap in effects)
    return float(model.intercept_), tuple(fitted)


def _values(rows: Rows, name: str) -> Floats:
    values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)
