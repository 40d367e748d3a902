"""Power by simulated pilots on the real history.

Arms are drawn as the pilot will draw them, the outcome of the treated is raised by the effect, and the pilot is read
as `analyse` will: tails, zeros, covariates, blocks and clusters are those of the channel, not of a formula.

The columns of a regression do not depend on the effect, and a proportional effect makes the outcome linear in it: so
every drawn pilot is fitted once, its estimate being a line in the effect and its variance a parabola. Power at any
effect, and the smallest one detected, cost nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from tierwise.config.pilot import PowerSettings
from tierwise.pilots.assignment import blocks_of, draw_arms, stratum_names, whole_shares
from tierwise.pilots.effects import LEAST_UNITS
from tierwise.pilots.regression import choose_design, raised_fit
from tierwise.pilots.spread import history_covariates
from tierwise.pilots.units import KEY, fine_blocks, recode

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
LARGEST_EFFECT = 5.0
_BISECTIONS = 30
_ENOUGH = 1e-4


@dataclass(frozen=True)
class Simulation:
    """Drawn pilots on the history, each as the line and the parabola of its first arm's reading in the effect.

    Attributes:
        estimates: Per pilot the estimate without an effect, and what it gains per unit of effect, shape (n, 2).
        variances: Per pilot the variance of the first, the covariance, the variance of the second, shape (n, 3).
        degrees: Degrees of freedom, shape (n,).
        units: Units in every pilot, shape (n,).
        alpha: The error rate.
    """

    estimates: Floats
    variances: Floats
    degrees: Floats
    units: Codes
    alpha: float

    def share_detected(self, effect: float) -> float:
        """The share of drawn pilots in which the first arm's effect is shown."""
        estimate = self.estimates @ [1.0, effect]
        variance = self.variances @ [1.0, 2 * effect, effect**2]
        # No variance: an arm got too few units for any reading, and shows nothing.
        some = variance > 0
        ratio = np.abs(estimate[some]) / np.sqrt(variance[some])
        p = 2 * np.asarray(stats.t.sf(ratio, self.degrees[some]))
        return float(np.count_nonzero(p <= self.alpha) / len(estimate))


@dataclass(frozen=True)
class _Channel:
    """The history as numbers: what a drawn pilot is put together from."""

    outcome: Floats
    columns: Floats
    codes: Codes
    strata: Codes
    match: Floats


def simulate(rows: pd.DataFrame, settings: PowerSettings, *, adjusted: bool) -> Simulation:
    """Draw pilots on the history: its own partners in new arms, or where more take part, partners drawn again.

    Args:
        rows: The history, sorted.
        settings: The pilot.
        adjusted: Whether covariates are used.
    """
    rng = np.random.default_rng(settings.seed)
    channel = _Channel(
        outcome=rows[settings.outcome].to_numpy(dtype=float),
        columns=history_covariates(rows, settings) if adjusted else np.empty((len(rows), 0)),
        codes=recode(rows[settings.cluster or KEY].astype(str).to_numpy(dtype=object)),
        strata=recode(stratum_names(rows, settings.strata)),
        match=rows[list(settings.match_on)].to_numpy(dtype=float),
    )
    found = [_one_pilot(channel, settings, rng) for _ in range(settings.simulations)]
    estimates, variances, degrees, units = (np.array(part) for part in zip(*found, strict=True))
    return Simulation(estimates, variances, degrees, units, settings.alpha)


def _one_pilot(
    channel: _Channel, settings: PowerSettings, rng: np.random.Generator
) -> tuple[Floats, Floats, float, int]:
    """Draw one pilot, and read its first arm as a line and a parabola in the effect."""
    parts = whole_shares(settings.arms)
    first, members, drawn = _drawn(channel, settings, len(parts), rng)
    match = _match(channel, members, drawn, by_cluster=settings.cluster is not None)
    blocks = blocks_of(recode(channel.strata[first]), match, sum(parts))
    arm = draw_arms(blocks, parts, rng)
    if np.bincount(arm[drawn], minlength=len(parts)).min() < LEAST_UNITS:
        return np.zeros(2), np.zeros(3), 1.0, len(members)
    outcome, columns = channel.outcome[members], channel.columns[members]
    clusters = drawn if settings.cluster else None
    design = choose_design(arm[drawn], len(parts) - 1, columns, clusters)
    matched = fine_blocks(blocks, len(blocks)) if settings.match_on else None
    groups = clusters if matched is None else matched[drawn]
    gain = np.where(arm[drawn] > 0, outcome, 0.0)
    return *raised_fit(design, outcome, gain, groups), len(members)


def _drawn(
    channel: _Channel, settings: PowerSettings, parts: int, rng: np.random.Generator
) -> tuple[Codes, Codes, Codes]:
    """Who takes part: a member of each drawn unit, all members, and the drawn unit of each member."""
    groups = int(channel.codes.max()) + 1
    many = max(parts, round(groups * (settings.units or len(channel.codes)) / len(channel.codes)))
    chosen = rng.permutation(groups)[:many] if many <= groups else rng.integers(0, groups, many)
    order = np.argsort(channel.codes, kind="stable")
    sizes = np.bincount(channel.codes)
    starts, lengths = (np.cumsum(sizes) - sizes)[chosen], sizes[chosen]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return order[starts], order[np.repeat(starts, lengths) + within], np.repeat(np.arange(many), lengths)


def _match(channel: _Channel, members: Codes, drawn: Codes, *, by_cluster: bool) -> Floats:
    """The figures to match on of each drawn unit; of a cluster their means, and its size."""
    sizes = np.bincount(drawn).astype(float)
    means = [np.bincount(drawn, values[members]) / sizes for values in channel.match.T]
    if by_cluster and means:
        means.append(sizes)
    return np.column_stack(means) if means else np.empty((len(sizes), 0))


def detectable_by_simulation(simulation: Simulation, power: float) -> float | None:
    """The smallest relative effect detected with the power, on the same draws; None above 500 %."""
    low, high = 0.0, 0.05
    while simulation.share_detected(high) < power:
        low, high = high, 2 * high
        if high > LARGEST_EFFECT:
            return None
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if simulation.share_detected(middle) >= power else (middle, high)
        if high - low < _ENOUGH * high:
            break
    return high
