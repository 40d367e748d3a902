"""Newcomers: who they are, and the little that they did so far.

A ridge Tweedie GLM on one-hot attributes, each group's mean shrunken towards the mean of all newcomers, plus, unless
switched off, the target so far and the tenure. Firmographics alone rank newcomers hardly better than chance on real
channels (docs/models.md has the figures), so what a newcomer sold already is not thrown away. Additive on the log
scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import TweedieRegressor

from tierwise.config.model_spec import ColdStartSpec, FeatureSet
from tierwise.potential.bounds import one_thread, thinned
from tierwise.potential.glm import LogTerm, log_term
from tierwise.potential.levels import level_places, level_values
from tierwise.potential.snapshots import current_value
from tierwise.tables.varied import Rows

Floats = NDArray[np.float64]
TENURE = "tenure_days"
REFUSALS = ("too_few_rows", "not_tested", "worse")
_POWER = 1.5


@dataclass(frozen=True)
class ColdStart:
    """Log mean of newcomers plus one effect per known attribute level and per term of their short history.

    Attributes:
        base: Log of the expected value where nothing is known.
        effects: Per attribute, the effect of each level; levels that are not listed have none.
        terms: The target so far and the tenure, as far as they help.
        target: The target metric's name.
        trained_on: `newcomers`, `all_partners` where too few newcomers were seen, or `nobody`.
        refused: Why persistence is used instead: a code of `REFUSALS`; empty where this model is used.
        detail: The figures behind that.
    """

    base: float
    effects: Mapping[str, Mapping[str, float]]
    terms: tuple[LogTerm, ...]
    target: str
    trained_on: str
    refused: str = ""
    detail: str = ""

    @property
    def used(self) -> bool:
        """Whether newcomers are predicted by this model."""
        return self.trained_on != "nobody" and not self.refused

    def parts(self, rows: Rows) -> dict[str, Floats]:
        """Return each feature's additive part of the log prediction, shape (n,) each."""
        history = _history(rows, self.target)
        found = {name: level_values(rows[name], levels) for name, levels in self.effects.items()}
        return {**found, **{term.feature: term.effect(history[term.feature]) for term in self.terms}}

    def log_prediction(self, rows: Rows) -> Floats:
        """Return the log prediction, shape (n,)."""
        return np.asarray(sum(self.parts(rows).values(), np.full(len(rows), self.base)))

    def predict(self, rows: Rows) -> Floats:
        """Return the expected value over the horizon, shape (n,)."""
        return np.exp(self.log_prediction(rows))


def fit_cold_start(
    newcomers: pd.DataFrame, everyone: pd.DataFrame, features: FeatureSet, spec: ColdStartSpec, floor: float
) -> ColdStart:
    """Fit on past newcomers, or on all partners where newcomers are too few.

    Args:
        newcomers: Labelled snapshots of partners that were newcomers then.
        everyone: All labelled snapshots.
        features: The attributes it may use, and the target.
        spec: Hyper-parameters.
        floor: The least amount a logarithm is taken of.
    """
    enough = len(newcomers) >= spec.rows
    rows, trained_on = (newcomers, "newcomers") if enough else (everyone, "all_partners")
    if len(rows) < spec.rows:
        found = f"{len(rows)} labelled snapshots, {spec.rows} are needed" if len(rows) else ""
        refused = "too_few_rows" if len(rows) else ""
        return ColdStart(float(np.log(floor)), {}, (), features.target, "nobody", refused, found)
    rows = thinned(rows)
    mean = float(rows["label"].mean())
    if mean <= floor:
        return ColdStart(float(np.log(floor)), {}, (), features.target, trained_on)
    history = _history(rows, features.target)
    terms = [log_term(name, values) for name, values in history.items()] if spec.history else []
    levels = {name: _frequent(rows[name], spec.levels) for name in features.attributes}
    known = [term for term in terms if term is not None]
    base, effects, fitted = _regress(rows, levels, known, spec)
    if any(term.feature == features.target and term.coefficient < 0 for term in fitted):
        base, effects, fitted = _regress(rows, levels, [t for t in known if t.feature != features.target], spec)
    return ColdStart(float(np.log(mean)) + base, effects, fitted, features.target, trained_on)


def _regress(
    rows: pd.DataFrame, levels: Mapping[str, list[str]], terms: list[LogTerm], spec: ColdStartSpec
) -> tuple[float, dict[str, dict[str, float]], tuple[LogTerm, ...]]:
    """Fit on the label relative to its mean; return base, level effects and terms with their coefficients."""
    label = rows["label"].to_numpy(dtype=np.float64)
    keys = [(name, level) for name, known in levels.items() for level in known]
    if not keys and not terms:
        return 0.0, {}, ()
    columns = [term.standardised(_history_of(rows, term.feature)) for term in terms]
    for name, known in levels.items():
        places = level_places(rows[name], known)
        columns += [(places == place).astype(np.float64) for place in range(len(known))]
    model = TweedieRegressor(power=_POWER, alpha=spec.penalty, link="log", solver="newton-cholesky", max_iter=200)
    with one_thread():
        model.fit(np.column_stack(columns), label / label.mean())
    coefficients = model.coef_.tolist()
    by_level = dict(zip(keys, coefficients[len(terms) :], strict=True))
    effects = {name: {level: by_level[name, level] for level in known} for name, known in levels.items() if known}
    fitted = tuple(replace(t, coefficient=c) for t, c in zip(terms, coefficients[: len(terms)], strict=True))
    return float(model.intercept_), effects, fitted


def _history(rows: Rows, target: str) -> dict[str, Floats]:
    return {target: current_value(rows, target), TENURE: _history_of(rows, TENURE)}


def _history_of(rows: Rows, name: str) -> Floats:
    if name == TENURE:
        return np.asarray(np.clip(rows[TENURE].fillna(0).to_numpy(dtype=np.float64), 0, None))
    return current_value(rows, name)


def _frequent(column: pd.Series, least: int) -> list[str]:
    counts = column.dropna().astype(str).value_counts()
    return sorted(counts[counts >= least].index)
