"""Intervals: by t, Fieller's for a ratio, and confidence sequences for looks before the end."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from tierwise.pilots.results import Estimate


def by_t(estimate: float, standard_error: float, degrees: float, alpha: float) -> Estimate:
    """The t interval and two-sided p-value of an estimate."""
    reach = float(stats.t.ppf(1 - alpha / 2, degrees)) * standard_error
    p = float(2 * stats.t.sf(abs(estimate) / standard_error, degrees)) if standard_error > 0 else None
    return Estimate(estimate, standard_error, estimate - reach, estimate + reach, p, degrees)


def fieller(above: float, below: float, covariance: np.ndarray, critical: float) -> Estimate:
    """Fieller's interval of the ratio of two estimates.

    Args:
        above: The numerator's estimate.
        below: The denominator's estimate.
        covariance: Of (above, below), shape (2, 2).
        critical: The quantile of t or normal for the level.

    Returns:
        The ratio with its interval. Both ends are None where the denominator cannot be told from zero: the set of
        ratios that the data allow has no end then. The p-value is not given: it is the numerator's.

    Source: Fieller, "Some problems in interval estimation", JRSS B 16 (1954).
    """
    if below == 0:
        return Estimate(math.nan, None, None, None, None)
    ratio = above / below
    top, both, bottom = float(covariance[0][0]), float(covariance[0][1]), float(covariance[1][1])
    square = critical**2
    curve = below**2 - square * bottom
    middle = above * below - square * both
    inside = middle**2 - curve * (above**2 - square * top)
    spread = math.sqrt(max(top - 2 * ratio * both + ratio**2 * bottom, 0.0)) / abs(below)
    if curve <= 0:
        return Estimate(ratio, spread, None, None, None)
    # The ratio itself is always within, so below zero is rounding: an arm in which nobody bought is at -100 % exactly.
    reach = math.sqrt(max(inside, 0.0))
    return Estimate(ratio, spread, (middle - reach) / curve, (middle + reach) / curve, None)


def mixing_information(planned: float, alpha: float) -> float:
    """The mixture's weight that makes a confidence sequence narrowest at the planned information.

    Source: Howard, Ramdas, McAuliffe & Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences",
    Annals of Statistics 49 (2021), section 3.5.
    """
    return planned / (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1)


def at_look(estimate: float, standard_error: float, share: float, alpha: float) -> Estimate:
    """One look of a confidence sequence: valid at every look at once, however often and whenever one looks.

    The normal mixture on the information scale (information is 1 / standard error squared), the asymptotic confidence
    sequence that equals the mixture sequential probability ratio test. Estimates at later looks must be at least as
    correlated with earlier ones as sums of independent parts are; figures that add up over time per partner are.

    Args:
        estimate: The estimate at the look.
        standard_error: Its standard error.
        share: The share of the planned information that is in, above 0 and at most 1.
        alpha: The error rate over all looks together.

    Source: Robbins (1970); Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and
    asymptotic confidence sequences", Annals of Statistics 52 (2024).
    """
    if standard_error <= 0:
        return Estimate(estimate, standard_error, estimate, estimate, None)
    information = standard_error**-2
    mixing = mixing_information(information / share, alpha)
    total = information + mixing
    reach = math.sqrt(total * math.log(total / (mixing * alpha**2))) / information
    exponent = -((estimate * information) ** 2) / (2 * total)
    p = min(1.0, math.sqrt(total / mixing) * math.exp(exponent))
    return Estimate(estimate, standard_error, estimate - reach, estimate + reach, p)


def critical_value(degrees: float, alpha: float, share: float | None) -> float:
    """How many standard errors an interval reaches: by t, or at a look by the confidence sequence.

    Args:
        degrees: Degrees of freedom; not used at a look.
        alpha: The error rate.
        share: The share of the planned information that is in, at a look; None where a pilot is read once.
    """
    if share is None:
        return float(stats.t.ppf(1 - alpha / 2, degrees))
    # The reach in standard errors depends on the share alone, so the one of an error of 1 is that of every error.
    return float(at_look(0.0, 1.0, share, alpha).high or 0.0)
