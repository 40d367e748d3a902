"""The intention-to-treat effects of a randomised pilot, one row per outcome and arm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tierwise.config.pilot import AnalysisSettings
from tierwise.pilots.intervals import at_look, by_t, fieller
from tierwise.pilots.missing import missing_figures
from tierwise.pilots.regression import Design, Fit, choose_design, fit
from tierwise.pilots.results import Counts, Estimate, Result
from tierwise.pilots.units import Units, covariate_columns, outcome_values

Floats = NDArray[np.float64]
LEAST_UNITS = 2
_ADJUSTED = {"none": "difference in means", "additive": "regression adjustment", "lin": "Lin regression adjustment"}


@dataclass(frozen=True)
class Reading:
    """One outcome of some units: the values that are there, the columns and the fit; no fit with a reason code."""

    units: Units
    values: Floats
    known: NDArray[np.bool_]
    design: Design | None = None
    fitted: Fit | None = None
    reason_code: str | None = None


def read_outcome(units: Units, name: str, settings: AnalysisSettings, covariates: Floats) -> Reading:
    """Fit one outcome.

    Args:
        units: The units.
        name: The outcome.
        settings: How the pilot is read.
        covariates: Of the units, shape (n, c).
    """
    values = outcome_values(units, name, settings.outcomes[name])
    known = np.isfinite(values)
    reason = reason_against(units, values, known, is_ratio=settings.outcomes[name].per is not None)
    if reason:
        return Reading(units, values, known, reason_code=reason)
    some = units.subset(known)
    design = choose_design(some.arm, len(units.arms) - 1, covariates[known], some.clusters)
    fitted = fit(design, values[known], some.groups)
    return Reading(units, values, known, design, fitted, None if fitted.usable else "estimator_failed")


def reason_against(units: Units, values: Floats, known: NDArray[np.bool_], *, is_ratio: bool) -> str | None:
    """Why an outcome cannot be compared, if so."""
    counts = np.bincount(units.arm[known], minlength=len(units.arms))
    if counts.min() < LEAST_UNITS:
        empty_ratio = is_ratio and np.bincount(units.arm, minlength=len(units.arms)).min() >= LEAST_UNITS
        return "ratio_denominator_zero" if empty_ratio else "too_few_units"
    if units.clusters is not None:
        for arm in range(len(units.arms)):
            if len(np.unique(units.clusters[known & (units.arm == arm)])) < LEAST_UNITS:
                return "too_few_clusters"
    return "no_variation" if np.ptp(values[known]) == 0 else None


def effects_of(units: Units, settings: AnalysisSettings, names: tuple[str, ...], scope: str = "all") -> list[Result]:
    """The effect of every arm on some outcomes.

    Args:
        units: The units.
        settings: How the pilot is read.
        names: The outcomes.
        scope: What part of the population the units are.
    """
    covariates = covariate_columns(units, settings)
    rows: list[Result] = []
    for name in names:
        rows.extend(_rows(read_outcome(units, name, settings, covariates), name, settings, scope))
    return rows


def _rows(reading: Reading, name: str, settings: AnalysisSettings, scope: str) -> Iterator[Result]:
    for place, arm in enumerate(reading.units.arms[1:], start=1):
        row = _empty_row(reading, name, settings, place, arm)
        row = replace(row, scope=scope, diagnostics=missing_figures(reading.values, reading.units.arm, place))
        yield (
            row.without_value(reading.reason_code)
            if reading.reason_code
            else _with_estimate(row, reading, settings, place)
        )


def _empty_row(reading: Reading, name: str, settings: AnalysisSettings, place: int, arm: str) -> Result:
    outcome = settings.outcomes[name]
    ratio = f" of {name} per {outcome.per} (ratio of totals)" if outcome.per else f" of mean {name} per partner"
    assumptions = ["random_assignment", "no_interference"]
    if not reading.known.all():
        assumptions.append("missing_at_random_in_arm")
    if settings.cluster:
        assumptions.append("independent_clusters")
    return Result(
        metric=name,
        role=outcome.role,
        arm=arm,
        control=settings.control,
        method=_method(reading, is_ratio=outcome.per is not None, look=settings.look is not None),
        estimand=f"intention to treat: difference{ratio}, all units as drawn",
        grade="randomised",
        assumptions=tuple(assumptions),
        counts=count(reading, place),
        level=1 - settings.alpha,
    )


def _method(reading: Reading, *, is_ratio: bool, look: bool) -> str:
    adjustment = reading.design.adjustment if reading.design else "none"
    parts = [_ADJUSTED[adjustment]]
    if reading.design and reading.design.cap is not None:
        parts.append(f"covariates capped at their {reading.design.cap:.0%} quantile")
    if is_ratio:
        parts.append("delta method")
    by = " by block" if reading.units.blocks is not None else ""
    parts.append(f"{reading.fitted.variance}{by}" if reading.fitted else "not computed")
    parts.append("confidence sequence" if look else "t with Bell-McCaffrey degrees of freedom")
    return ", ".join(parts)


def count(reading: Reading, place: int) -> Counts:
    """Count units, units without a value and units that left, in an arm and in the control."""
    units = reading.units
    arm, control = units.arm == place, units.arm == 0
    clusters = None
    if units.clusters is not None:
        clusters = len(np.unique(units.clusters[(arm | control) & reading.known]))
    return Counts(
        arm=int(arm.sum()),
        control=int(control.sum()),
        missing_arm=int((arm & ~reading.known).sum()),
        missing_control=int((control & ~reading.known).sum()),
        left_arm=int((arm & units.left).sum()),
        left_control=int((control & units.left).sum()),
        clusters=clusters,
    )


def _with_estimate(row: Result, reading: Reading, settings: AnalysisSettings, place: int) -> Result:
    fitted = reading.fitted
    if fitted is None:
        return row.without_value("estimator_failed")
    effect, error = float(fitted.coefficients[place]), float(np.sqrt(fitted.covariance[place, place]))
    value = by_t(effect, error, float(fitted.degrees[place]), settings.alpha)
    if settings.look is not None:
        value = at_look(effect, error, settings.look, settings.alpha)
    control = float(fitted.coefficients[0])
    return replace(row, value=value, relative=_relative(fitted, place, value, settings.alpha), control_value=control)


def _relative(fitted: Fit, place: int, value: Estimate, alpha: float) -> Estimate:
    critical = float(stats.norm.ppf(1 - alpha / 2))
    if value.standard_error and value.high is not None:
        critical = (value.high - value.estimate) / value.standard_error
    covariance = fitted.covariance[np.ix_([place, 0], [place, 0])]
    return fieller(float(fitted.coefficients[place]), float(fitted.coefficients[0]), covariance, critical)
