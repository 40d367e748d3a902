"""Least squares with covariances that hold in small samples: HC2 by unit, CR2 by cluster, Bell-McCaffrey degrees.

Coefficients are statsmodels', HC2 and its degrees are diff-diff's. CR2, CR3 and HC3 are here, because the CR2
of diff-diff takes seconds for some hundred matched pairs; they are tested against both libraries.

Where covariates had to be capped, HC3 and CR3 in their place: the capped partners have the highest leverage and, their
figures being larger than the regression knows, the largest residuals. HC2 is too small exactly there.

Sources: Lin, "Agnostic notes on regression adjustments to experimental data", Annals of Applied Statistics 7 (2013);
Bell & McCaffrey (2002); Imbens & Kolesár, "Robust standard errors in small samples", REStat 98 (2016);
Pustejovsky & Tipton, JBES 36 (2018). HC3: MacKinnon & White, Journal of Econometrics 29 (1985); for Lin's estimator
Lei & Ding, "Regression adjustment in completely randomized experiments with a diverging number of covariates",
Biometrika 108 (2021).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from statsmodels.regression.linear_model import OLS

from tierwise.pilots.libraries import robust_covariance

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# No unit may have more than this leverage; twice as much where many columns give every unit a high one.
_MOST_LEVERAGE = 0.2
_TIMES_MEAN_LEVERAGE = 10
_CAPS = (None, 0.99, 0.95, 0.9)
# Residuals and coefficients below this share of the largest outcome are rounding: a fixed cost per arm has no error,
# and an arm that sold nothing has a mean of zero.
_ROUNDING = 1e-12
_UNITS_PER_COEFFICIENT = 5
_CLUSTERS_PER_COEFFICIENT = 3


@dataclass(frozen=True)
class Design:
    """The columns of one regression: a constant, one column per arm but the control, then covariates.

    Attributes:
        columns: Shape (units, k).
        arms: How many arms besides the control.
        adjustment: `none`, `additive` or `lin`.
        cap: The quantile that covariates are capped at; None where they are as they came.
    """

    columns: Floats
    arms: int
    adjustment: str
    cap: float | None = None


@dataclass(frozen=True)
class Fit:
    """Coefficients, their covariance and degrees of freedom, and the residuals they came from."""

    coefficients: Floats
    covariance: Floats
    degrees: Floats
    residuals: Floats
    variance: str

    @property
    def usable(self) -> bool:
        """Whether every arm has a standard error."""
        return bool(np.isfinite(self.covariance).all())


def choose_design(arm: Codes, arms: int, covariates: Floats, clusters: Codes | None) -> Design:
    """Choose how far to adjust: Lin's interactions where the sample bears them, else additive, else not at all.

    A few very large partners can carry a slope by themselves, and HC2 then promises too much: on revenue with such
    tails one pilot in six without any effect showed one. So where a unit's leverage is high, covariates are capped at
    their 99 %, 95 % or 90 % quantile (a function of figures from before the start, which never biases).

    Args:
        arm: 0 for the control, 1.. for the other arms, shape (n,).
        arms: How many arms there are besides the control.
        covariates: Shape (n, c), finite.
        clusters: Cluster codes, or None where units were drawn.
    """
    dummies = (arm[:, None] == np.arange(1, arms + 1)).astype(float)
    plain = np.column_stack([np.ones(len(arm)), dummies])
    if not covariates.shape[1]:
        return Design(plain, arms, "none")
    for design in _candidates(plain, covariates, lin=clusters is None):
        if _bears(design.columns, clusters):
            return design
    return Design(plain, arms, "none")


def _candidates(plain: Floats, covariates: Floats, *, lin: bool) -> Iterator[Design]:
    """The designs to try, the sharpest first; clusters are too few for interactions."""
    arms = plain.shape[1] - 1
    for cap in _CAPS if lin else ():
        columns = _centred(covariates, cap, plain)
        interactions = [columns * plain[:, [place]] for place in range(1, arms + 1)]
        yield Design(np.column_stack([plain, columns, *interactions]), arms, "lin" if columns.shape[1] else "none", cap)
    for most in (covariates.shape[1], 1):
        for cap in _CAPS:
            columns = _centred(covariates, cap, plain)[:, :most]
            yield Design(np.column_stack([plain, columns]), arms, "additive" if columns.shape[1] else "none", cap)


def _centred(covariates: Floats, cap: float | None, plain: Floats) -> Floats:
    capped = covariates if cap is None else _capped(covariates, cap)
    return independent_columns(capped - capped.mean(axis=0), plain)


def _capped(columns: Floats, cap: float) -> Floats:
    """Cap the columns that are not dummies at a quantile on either side."""
    low, high = np.quantile(columns, [1 - cap, cap], axis=0)
    dummy = ((columns == columns.min(axis=0)) | (columns == columns.max(axis=0))).all(axis=0)
    return np.where(dummy, columns, np.clip(columns, low, high))


def _bears(columns: Floats, clusters: Codes | None) -> bool:
    count = columns.shape[1]
    if clusters is None and len(columns) < _UNITS_PER_COEFFICIENT * count:
        return False
    if clusters is not None and len(np.unique(clusters)) < _CLUSTERS_PER_COEFFICIENT * count:
        return False
    basis, triangle = np.linalg.qr(columns)
    diagonal = np.abs(np.diag(triangle))
    if diagonal.min() <= 1e-9 * diagonal.max():
        return False
    usual = min(2 * _MOST_LEVERAGE, _TIMES_MEAN_LEVERAGE * count / len(columns))
    return bool(np.square(basis).sum(axis=1).max() < max(_MOST_LEVERAGE, usual))


def independent_columns(columns: Floats, given: Floats) -> Floats:
    """Keep the columns, in order and scaled to unit spread, that earlier ones and `given` do not already say."""
    spread = columns.std(axis=0)
    scaled = columns[:, spread > 1e-12] / spread[spread > 1e-12]
    if not scaled.shape[1]:
        return np.asarray(scaled)
    triangle = np.linalg.qr(np.column_stack([given, scaled]), mode="r")
    left = np.abs(np.diag(triangle))[given.shape[1] :] / np.sqrt(len(columns))
    return np.asarray(scaled[:, : len(left)][:, left > 1e-6])


def fit(design: Design, outcome: Floats, clusters: Codes | None = None) -> Fit:
    """Fit by least squares, with HC2 by unit or CR2 by cluster, and Bell-McCaffrey degrees of freedom.

    With capped covariates HC3 or CR3, and the same degrees of freedom.

    Args:
        design: The columns.
        outcome: Shape (n,), finite.
        clusters: Cluster codes, shape (n,), or None.
    """
    fitted = OLS(outcome, design.columns).fit()
    rounding = _ROUNDING * np.abs(outcome).max()
    params, residuals = np.asarray(fitted.params), np.asarray(fitted.resid)
    params = np.where(np.abs(params) <= rounding, 0.0, params)
    if np.abs(residuals).max() <= rounding:
        residuals = np.zeros_like(residuals)
    if clusters is None and design.cap is None:
        covariance, degrees = robust_covariance(design.columns, residuals)
        return Fit(params, covariance, degrees, residuals, "HC2")
    letters, number = "HC" if clusters is None else "CR", 2 if design.cap is None else 3
    return Fit(params, *_robust(design, residuals, clusters), residuals, f"{letters}{number}")


def _robust(design: Design, residuals: Floats, clusters: Codes | None) -> tuple[Floats, Floats]:
    """HC3, CR2 or CR3 with the Bell-McCaffrey degrees of freedom of HC2 or CR2; NaN where there are none.

    The library's CR2 compares every cluster with every other, which takes seconds for a few hundred matched pairs.
    """
    basis, triangle = np.linalg.qr(design.columns)
    weights = np.linalg.solve(triangle, basis.T).T
    scores = weights * _enlarged(basis, residuals[:, None], clusters, _power(design))
    if clusters is not None:
        scores = _totals(scores, clusters)
    degrees = _degrees(basis, weights, clusters)
    covariance = scores.T @ scores
    return np.where(np.isfinite(degrees).all(), covariance, np.nan), degrees


def _power(design: Design) -> float:
    return 0.5 if design.cap is None else 1.0


def raised_fit(design: Design, outcome: Floats, gain: Floats, clusters: Codes | None) -> tuple[Floats, Floats, float]:
    """Read the first arm of `outcome + effect * gain` for every effect at once.

    Args:
        design: The columns.
        outcome: Shape (n,), finite.
        gain: What the outcome gains per unit of effect, shape (n,).
        clusters: Cluster codes, shape (n,), or None.

    Returns:
        The estimate of either outcome (2,); the variance of the first, their covariance, the variance of the second
        (3,), as `fit` would give them; the degrees of freedom.
    """
    both = np.column_stack([outcome, gain])
    basis, triangle = np.linalg.qr(design.columns)
    weights = basis @ np.linalg.solve(triangle.T, np.eye(design.columns.shape[1])[1])
    residuals = both - basis @ (basis.T @ both)
    enlarged = _enlarged(basis, residuals, clusters, _power(design))
    scores = weights[:, None] * enlarged
    if clusters is not None:
        scores = _totals(scores, clusters)
    products = scores.T @ scores
    return weights @ both, products[[0, 0, 1], [0, 1, 1]], float(_degrees(basis, weights[:, None], clusters)[0])


def _degrees(basis: Floats, weights: Floats, clusters: Codes | None) -> Floats:
    """The Bell-McCaffrey degrees of freedom of coefficients that are `weights` times the outcome, shape (m,).

    The matrix whose traces they are made of is a diagonal less a product of few columns, so that no cluster has to be
    compared with every other.

    Args:
        basis: Orthonormal columns, shape (n, k).
        weights: Shape (n, m).
        clusters: Cluster codes, shape (n,), or None.
    """
    parts = _enlarged(basis, weights, clusters, 0.5)
    return np.array([_satterthwaite(basis, part, clusters) for part in parts.T])


def _satterthwaite(basis: Floats, part: Floats, clusters: Codes | None) -> float:
    squares, along = np.square(part)[:, None], basis * part[:, None]
    if clusters is not None:
        squares, along = _totals(squares, clusters), _totals(along, clusters)
    shared = np.square(along).sum(axis=1, keepdims=True)
    trace = squares.sum() - shared.sum()
    twice = np.square(squares).sum() - 2 * (squares * shared).sum() + np.square(along.T @ along).sum()
    return float(trace**2 / twice) if twice > 0 else np.nan


def _enlarged(basis: Floats, residuals: Floats, clusters: Codes | None, power: float) -> Floats:
    """Residuals times (I - H)^(-power) of their unit or cluster: one half for HC2 and CR2, one for HC3 and CR3.

    A unit alone in its arm is met exactly and tells nothing about the error: it stays at zero.

    Args:
        basis: Orthonormal columns, shape (n, k); H = basis @ basis.T.
        residuals: Shape (n, m).
        clusters: Cluster codes, shape (n,), or None.
        power: Of the inverse.
    """
    if clusters is None:
        return residuals * _inverse(1 - np.square(basis).sum(axis=1, keepdims=True), power)
    # (I - H)^(-power) of a cluster differs from I only in the span of its rows of the basis, which has few columns.
    inner = np.stack([_totals(basis * basis[:, [place]], clusters) for place in range(basis.shape[1])], axis=2)
    share, vectors = np.linalg.eigh(inner)
    factor = (_inverse(1 - share, power) - 1) / np.maximum(share, 1e-10)
    turned = factor[:, :, None] * vectors.transpose(0, 2, 1)
    columns = []
    for column in residuals.T:
        within = _totals(basis * column[:, None], clusters)
        added = np.einsum("gij,gjk,gk->gi", vectors, turned, within, optimize=True)
        columns.append(column + (basis * added[clusters]).sum(axis=1))
    return np.column_stack(columns)


def _inverse(left: Floats, power: float) -> Floats:
    return np.where(left > 1e-10, np.maximum(left, 1e-10) ** -power, 0.0)


def _totals(values: Floats, clusters: Codes) -> Floats:
    """The sum of each column by cluster, shape (clusters, columns)."""
    groups = int(clusters.max()) + 1
    return np.column_stack([np.bincount(clusters, column, groups) for column in values.T])


def cross_covariance(design: Design, first: Floats, second: Floats, clusters: Codes | None = None) -> Floats:
    """The covariance between the coefficients of two outcomes on the same columns, shape (k, k).

    By polarisation: the robust covariance is quadratic in the outcome.
    """
    together = fit(design, first + second, clusters).covariance
    apart = fit(design, first - second, clusters).covariance
    return np.asarray((together - apart) / 4)
