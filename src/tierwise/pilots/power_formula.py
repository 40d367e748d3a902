"""Power and smallest detectable effect by formula, with design effect and variance explained by covariates."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from tierwise.config.pilot import PowerSettings
from tierwise.pilots.spread import Spread


def _standard_sizes(spread: Spread, settings: PowerSettings, *, adjusted: bool) -> tuple[float, float, float]:
    """The deviation that counts, and the effective units of the control and of the smallest other arm."""
    shares = np.array(list(settings.arms.values())) / sum(settings.arms.values())
    inflation = 1 + (spread.cluster_size - 1) * spread.correlation
    left = 1 - spread.explained if adjusted else 1.0
    deviation = spread.deviation * math.sqrt(max(left, 1e-12))
    effective = spread.units / inflation
    return deviation, float(shares[0] * effective), float(shares[1:].min() * effective)


def power_by_formula(effect: float, spread: Spread, settings: PowerSettings, *, adjusted: bool) -> float:
    """The chance to detect a relative effect, by the t-test's formula with design effect and explained variance."""
    deviation, control, arm = _standard_sizes(spread, settings, adjusted=adjusted)
    degrees = _degrees(spread, settings, control + arm)
    shift = effect * spread.mean / (deviation * math.sqrt(1 / control + 1 / arm))
    critical = stats.t.ppf(1 - settings.alpha / 2, degrees)
    return float(stats.nct.sf(critical, degrees, shift) + stats.nct.cdf(-critical, degrees, shift))


def _degrees(spread: Spread, settings: PowerSettings, effective: float) -> float:
    if spread.clusters is None:
        return max(effective - 2, 1)
    shares = np.array(list(settings.arms.values())) / sum(settings.arms.values())
    return float(max((shares[0] + shares[1:].min()) * spread.clusters - 2, 1))


def detectable_by_formula(spread: Spread, settings: PowerSettings, *, adjusted: bool) -> float:
    """The smallest relative effect that is detected with the power asked for, by formula."""
    deviation, control, arm = _standard_sizes(spread, settings, adjusted=adjusted)
    if spread.clusters is None and min(control, arm) >= 2:
        solved = TTestIndPower().solve_power(
            nobs1=control, ratio=arm / control, alpha=settings.alpha, power=settings.power
        )
        return float(np.squeeze(solved)) * deviation / spread.mean
    degrees = _degrees(spread, settings, control + arm)
    reach = stats.t.ppf(1 - settings.alpha / 2, degrees) + stats.t.ppf(settings.power, degrees)
    return float(reach * deviation * math.sqrt(1 / control + 1 / arm) / spread.mean)


def units_needed(spread: Spread, settings: PowerSettings, *, adjusted: bool) -> int:
    """How many units would detect the effect that matters, by formula."""
    now = detectable_by_formula(spread, settings, adjusted=adjusted)
    return math.ceil(spread.units * (now / settings.effect) ** 2)
