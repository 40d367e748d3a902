"""The slope of an outcome on a randomised dose: class size, rebate rate, days of training.

The error follows what was drawn: where whole classes or distributors got one dose, the naive error that treats their
members as independent is far too small, and is shown beside as a warning.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tierwise.config.pilot import AnalysisSettings, OutcomeSettings
from tierwise.errors import Fault, InvalidInput
from tierwise.pilots.intervals import by_t
from tierwise.pilots.regression import Design, fit, independent_columns
from tierwise.pilots.results import Counts, Result
from tierwise.pilots.units import ARM, Units, by_partner, column_faults, covariate_columns, frame_faults, recode

_LEAST_UNITS = 3


def dose_slope(frame: pd.DataFrame, dose: str, settings: AnalysisSettings) -> Result:
    """Estimate by how much the outcome moves per unit of a randomised dose.

    Args:
        frame: One row per partner with `partner_id` and the columns that the settings name.
        dose: The numeric column of the dose.
        settings: Its only outcome is read; `cluster`, `covariates`, `strata` and `alpha` hold; `control` names what a
            dose of zero is called.

    Returns:
        One row, with CR2 by cluster where clusters were drawn. Diagnostics: `naive_standard_error` as if every
        partner had been drawn, `design_effect` the square of the ratio.

    Raises:
        InvalidInput: With every fault of the frame; also where there is more than one outcome.
    """
    [name, *others] = settings.outcomes
    if others:
        raise InvalidInput(Fault(f"a slope has one outcome, found {1 + len(others)}", "outcomes"))
    if dose == name:
        raise InvalidInput(Fault("the dose is the outcome itself", dose))
    named = settings.model_copy(update={"outcomes": {name: settings.outcomes[name], dose: OutcomeSettings()}})
    absent = list(column_faults(frame, (name, dose)))
    if absent:
        raise InvalidInput(absent)
    read = frame.assign(**{ARM: np.where(np.arange(len(frame)) % 2, "dose", settings.control)})
    faults = list(frame_faults(read, named.model_copy(update={"cluster": None})))
    faults += column_faults(frame, [settings.cluster] if settings.cluster else [])
    if faults:
        raise InvalidInput(faults)
    rows = read.dropna(subset=[name, dose, *([settings.cluster] if settings.cluster else [])])
    return _slope(by_partner(rows), name, dose, settings, len(frame) - len(rows))


def _slope(rows: pd.DataFrame, name: str, dose: str, settings: AnalysisSettings, missing: int) -> Result:
    clusters = recode(rows[settings.cluster].astype(str).to_numpy(dtype=object)) if settings.cluster else None
    row = Result(
        metric=name,
        role=settings.outcomes[name].role,
        arm=dose,
        control=settings.control,
        method="least squares, " + ("CR2 by cluster" if settings.cluster else "HC2") + ", Bell-McCaffrey degrees",
        estimand=f"change of mean {name} per unit of {dose}, as drawn",
        grade="randomised",
        assumptions=("random_assignment", "no_interference", *(("independent_clusters",) if settings.cluster else ())),
        counts=Counts(
            arm=len(rows), missing_arm=missing, clusters=None if clusters is None else len(np.unique(clusters))
        ),
        level=1 - settings.alpha,
    )
    doses, outcome = rows[dose].to_numpy(dtype=float), rows[name].to_numpy(dtype=float)
    if len(rows) < _LEAST_UNITS:
        return row.without_value("too_few_units")
    if np.ptp(doses) == 0 or np.ptp(outcome) == 0:
        return row.without_value("no_variation")
    if clusters is not None and clusters.max() < 2:
        return row.without_value("too_few_clusters")
    return _fitted(row, _design(rows, doses, clusters, settings), outcome, clusters, settings.alpha)


def _design(rows: pd.DataFrame, doses: np.ndarray, clusters: np.ndarray | None, settings: AnalysisSettings) -> Design:
    nobody = np.zeros(len(rows), dtype=np.int64)
    covariates = covariate_columns(Units(rows, (), nobody, clusters, nobody.astype(bool)), settings)
    plain = np.column_stack([np.ones(len(rows)), doses])
    columns = np.column_stack([plain, independent_columns(covariates - covariates.mean(axis=0), plain)])
    return Design(columns, 1, "none")


def _fitted(row: Result, design: Design, outcome: np.ndarray, clusters: np.ndarray | None, alpha: float) -> Result:
    fitted, naive = fit(design, outcome, clusters), fit(design, outcome)
    error, naive_error = (float(np.sqrt(found.covariance[1, 1])) for found in (fitted, naive))
    if not np.isfinite([error, fitted.degrees[1]]).all():
        return row.without_value("estimator_failed")
    value = by_t(float(fitted.coefficients[1]), error, float(fitted.degrees[1]), alpha)
    figures = {"naive_standard_error": naive_error}
    if naive_error > 0:
        figures["design_effect"] = (error / naive_error) ** 2
    return replace(row, value=value, diagnostics=figures if clusters is not None else {})
