"""Comparisons that nobody randomised and no threshold made: associations and descriptions, never effects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.pilot import AnalysisSettings
from tierwise.errors import InvalidInput
from tierwise.pilots.intervals import by_t
from tierwise.pilots.regression import Design, fit, independent_columns
from tierwise.pilots.results import Counts, Result
from tierwise.pilots.units import (
    KEY,
    Units,
    column_faults,
    covariate_columns,
    number_faults,
    outcome_values,
    read_units,
)

Floats = NDArray[np.float64]
_LEAST = 2


def compare_observed(frame: pd.DataFrame, settings: AnalysisSettings) -> tuple[Result, ...]:
    """Compare groups that formed by themselves: the naive difference, and with covariates the adjusted one.

    Both are graded `observational`, and `Result.effect` refuses them. The adjusted row predicts from the comparison
    group what the treated would have had (regression imputation, the average over the treated).

    Args:
        frame: One row per partner with `partner_id`, `arm` (the group) and the columns that the settings name.
        settings: How the groups are compared.

    Returns:
        Per outcome and group one row, or two with covariates. Diagnostics: `largest_standardised_difference` of the
        covariates between the groups (above 0.25 regression alone does not repair it), `outside_range` the share
        of treated units with a covariate outside the comparison group's range.

    Raises:
        InvalidInput: With every fault of the frame.
    """
    units = read_units(frame, settings)
    return tuple(row for name in settings.outcomes for row in _rows(units, name, settings))


def _rows(units: Units, name: str, settings: AnalysisSettings) -> Iterator[Result]:
    covariates = covariate_columns(units, settings)
    values = outcome_values(units, name, settings.outcomes[name])
    for place, arm in enumerate(units.arms[1:], start=1):
        keep = np.isfinite(values) & np.isin(units.arm, (0, place))
        treated = (units.arm[keep] == place).astype(float)
        row = Result(
            metric=name,
            role=settings.outcomes[name].role,
            arm=arm,
            control=settings.control,
            method="difference in means, HC2",
            estimand=f"difference of mean {name} between groups that formed by themselves",
            grade="observational",
            assumptions=("no_unmeasured_confounding", "overlap", "no_interference"),
            counts=_counts(units, values, place),
            level=1 - settings.alpha,
            diagnostics=_imbalance(covariates[keep], treated),
        )
        clusters = None if units.clusters is None else units.subset(keep).clusters
        reason = _reason(values[keep], treated, clusters)
        if reason:
            yield row.without_value(reason)
            continue
        plain = np.column_stack([np.ones(len(treated)), treated])
        yield _estimated(row, plain, values[keep], clusters, settings.alpha)
        if covariates.shape[1]:
            adjusted = replace(
                row,
                method="regression imputation over the treated, HC2",
                estimand=f"difference of mean {name} for the treated, if covariates explain who was treated",
            )
            yield _estimated(adjusted, _imputing(plain, covariates[keep]), values[keep], clusters, settings.alpha)


def _reason(values: Floats, treated: Floats, clusters: NDArray[np.int64] | None) -> str | None:
    """Why two groups cannot be compared, if so."""
    if min(treated.sum(), (1 - treated).sum()) < _LEAST:
        return "too_few_units"
    if clusters is not None and min(len(np.unique(clusters[treated == group])) for group in (0, 1)) < _LEAST:
        return "too_few_clusters"
    return "no_variation" if np.ptp(values) == 0 else None


def _counts(units: Units, values: Floats, place: int) -> Counts:
    arm, control, absent = units.arm == place, units.arm == 0, np.isnan(values)
    found = (arm, control, arm & absent, control & absent, arm & units.left, control & units.left)
    return Counts(*(int(part.sum()) for part in found))


def _imputing(plain: Floats, covariates: Floats) -> Floats:
    treated = plain[:, 1] == 1
    kept = independent_columns(covariates - covariates[treated].mean(axis=0), plain)
    spread = independent_columns(kept * plain[:, [1]], np.column_stack([plain, kept]))
    return np.column_stack([plain, kept, spread])


def _estimated(
    row: Result, columns: Floats, values: Floats, clusters: NDArray[np.int64] | None, alpha: float
) -> Result:
    fitted = fit(Design(columns, 1, "none"), values, clusters)
    error = float(np.sqrt(fitted.covariance[1, 1]))
    if not np.isfinite([error, fitted.degrees[1]]).all():
        return row.without_value("estimator_failed")
    return replace(row, value=by_t(float(fitted.coefficients[1]), error, float(fitted.degrees[1]), alpha))


def _imbalance(covariates: Floats, treated: Floats) -> dict[str, float]:
    ours, theirs = covariates[treated == 1], covariates[treated == 0]
    if not covariates.shape[1] or min(len(ours), len(theirs)) < 2:
        return {}
    spread = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / 2)
    gaps = np.abs(ours.mean(axis=0) - theirs.mean(axis=0))
    apart = np.divide(gaps, spread, out=np.zeros_like(gaps), where=spread > 0)
    outside = ((ours < theirs.min(axis=0)) | (ours > theirs.max(axis=0))).any(axis=1)
    return {"largest_standardised_difference": float(apart.max()), "outside_range": float(outside.mean())}


def before_after(frame: pd.DataFrame, before: str, after: str, alpha: float = 0.05) -> Result:
    """Describe the change of the same partners from before to after; whatever else changed is in it.

    Args:
        frame: One row per partner with `partner_id` and the two columns.
        before: The column of the outcome before.
        after: The column of the outcome after.
        alpha: The error rate.

    Returns:
        One row graded `descriptive`; `Result.effect` refuses it. Partners without one of the values are counted.

    Raises:
        InvalidInput: If a column is missing or not numeric, or a value is infinite.
    """
    names = (KEY, before, after)
    faults = list(column_faults(frame, names))
    absent = {fault.where for fault in faults}
    faults += [fault for name in (before, after) if name not in absent for fault in number_faults(frame, name)]
    if faults:
        raise InvalidInput(faults)
    change = (frame[after].astype(float) - frame[before].astype(float)).to_numpy()
    known = change[np.isfinite(change)]
    row = Result(
        metric=after,
        role="exploratory",
        arm="after",
        control="before",
        method="mean change of the same partners, t",
        estimand=f"mean change from {before} to {after}, whatever caused it",
        grade="descriptive",
        assumptions=("nothing_else_changed",),
        counts=Counts(arm=len(change), control=len(change), missing_arm=len(change) - len(known)),
        level=1 - alpha,
    )
    if len(known) < 2:
        return row.without_value("too_few_units")
    error = float(known.std(ddof=1) / np.sqrt(len(known)))
    return replace(row, value=by_t(float(known.mean()), error, len(known) - 1, alpha))
