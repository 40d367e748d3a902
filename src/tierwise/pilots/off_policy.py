"""Alternative thresholds judged on logged decisions: only where each could have gone the other way.

Augmented inverse propensity weighting with recorded propensities. Tiers given by a fixed rule have no overlap: the
log never shows what the alternative would have done for those whom it treats otherwise, and the estimate is refused.

Source: Dudík, Erhan, Langford & Li, "Doubly robust policy evaluation and optimization", Statistical Science 29 (2014).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from tierwise.config.pilot import OffPolicySettings
from tierwise.errors import Fault, InvalidInput
from tierwise.pilots.intervals import by_t
from tierwise.pilots.regression import independent_columns
from tierwise.pilots.results import Counts, Result
from tierwise.pilots.units import KEY, by_partner, column_faults, number_faults

Floats = NDArray[np.float64]
# A mean of weighted outcomes that rests on fewer partners than this says nothing.
_LEAST_EFFECTIVE = 30


def off_policy(frame: pd.DataFrame, settings: OffPolicySettings) -> Result:
    """Estimate by how much the outcome would differ under an alternative rule.

    Args:
        frame: One row per decision with `partner_id`, the columns of the settings, and propensities in (0, 1].
        settings: What was done with what chance, and what the alternative would have done.

    Returns:
        One row: the mean outcome under the alternative less the mean outcome as it was. Diagnostics:
        `overlap_share`, the share of decisions that could have gone the alternative's way; `effective_units` behind
        the weighted mean; `changed_share`, how many decisions the alternative changes. Without overlap the reason code
        is `no_overlap`.

    Raises:
        InvalidInput: With every fault of the frame.
    """
    rows = _checked(frame, settings)
    same = (rows[settings.action].astype(str) == rows[settings.alternative].astype(str)).to_numpy()
    chance = rows[settings.alternative_propensity].to_numpy(dtype=float)
    could = chance >= settings.least_propensity
    outcome = rows[settings.outcome].to_numpy(dtype=float)
    known = np.isfinite(outcome)
    weights = np.where(same & could, 1 / np.where(could, chance, 1.0), 0.0)[known]
    effective = float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0
    row = Result(
        metric=settings.outcome,
        role="primary",
        arm=settings.alternative,
        control=settings.action,
        method="augmented inverse propensity weighting",
        estimand="mean outcome under the alternative less the mean outcome as it was",
        grade="randomised",
        assumptions=("known_propensity", "overlap", "no_interference"),
        counts=Counts(arm=len(rows), control=len(rows), missing_arm=int((~known).sum())),
        level=1 - settings.alpha,
        diagnostics={
            "overlap_share": float(could.sum() / max(len(rows), 1)),
            "effective_units": effective,
            "changed_share": float((~same).sum() / max(len(rows), 1)),
        },
    )
    if not len(rows):
        return replace(row, diagnostics={}).without_value("too_few_units")
    if not could.all():
        return row.without_value("no_overlap")
    if effective < _LEAST_EFFECTIVE:
        return row.without_value("too_few_units")
    predicted = _predicted(rows[known], settings, same[known], outcome[known])
    parts = predicted + weights * (outcome[known] - predicted) - outcome[known]
    error = float(parts.std(ddof=1) / np.sqrt(len(parts)))
    return replace(row, value=by_t(float(parts.mean()), error, effective - 1, settings.alpha))


def _predicted(rows: pd.DataFrame, settings: OffPolicySettings, same: NDArray[np.bool_], outcome: Floats) -> Floats:
    """The outcome that those who got what the alternative gives would lead us to expect of every decision."""
    values = rows[list(settings.covariates)].to_numpy(dtype=float)
    constant = np.ones((len(rows), 1))
    known = ~np.isnan(values)
    means = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    columns = independent_columns(np.where(known, values, means) - means, constant)
    columns = np.column_stack([constant, columns])
    if same.sum() < 5 * columns.shape[1]:
        columns = constant
    return np.asarray(OLS(outcome[same], columns[same]).fit().predict(columns))


def _checked(frame: pd.DataFrame, settings: OffPolicySettings) -> pd.DataFrame:
    chances = (settings.propensity, settings.alternative_propensity)
    names = (KEY, settings.outcome, settings.action, settings.alternative, *chances, *settings.covariates)
    faults = list(column_faults(frame, names))
    if faults:
        raise InvalidInput(faults)
    for name, least in zip(chances, (np.nextafter(0, 1), 0.0), strict=True):
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
        bad = ~((values >= least) & (values <= 1))
        if bad.any():
            examples = tuple(frame.loc[bad, KEY].astype(str).sort_values()[:3])
            faults.append(Fault(f"{int(bad.sum())} chances are not between 0 and 1", name, examples))
    for name in (KEY, settings.action, settings.alternative):
        if frame[name].isna().any():
            faults.append(Fault(f"{int(frame[name].isna().sum())} values are missing", name))
    for name in (settings.outcome, *settings.covariates):
        faults += number_faults(frame, name)
    if frame[KEY].duplicated().any():
        faults.append(
            Fault("a partner stands twice", KEY, tuple(frame.loc[frame[KEY].duplicated(), KEY].astype(str)[:3]))
        )
    same = frame[settings.action].astype(str) == frame[settings.alternative].astype(str)
    if not faults:
        gaps = (frame[chances[0]].astype(float) - frame[chances[1]].astype(float)).abs()
        if (same & (gaps > 1e-9)).any():
            examples = tuple(frame.loc[same & (gaps > 1e-9), KEY].astype(str)[:3])
            faults.append(Fault("the two chances differ although the actions are the same", chances[1], examples))
    if faults:
        raise InvalidInput(faults)
    return by_partner(frame)
