"""Power by simulated pilots on the real history.

Arms are drawn as the pilot will draw them, the outcome of the treated is raised by the effect, and the pilot is read
as `analyse` will: tails, zeros, covariates and clusters are those of the channel, not of a formula.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from tierwise.config.pilot import PowerSettings
from tierwise.pilots.assignment import whole_shares
from tierwise.pilots.regression import choose_design, fit
from tierwise.pilots.spread import history_covariates
from tierwise.pilots.units import KEY, recode

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
LARGEST_EFFECT = 5.0
_BISECTIONS = 12


@dataclass(frozen=True)
class Simulation:
    """Drawn pilots on the history: the arms of each and what they would have shown without an effect.

    Attributes:
        rows: Per pilot the outcomes, covariates, cluster codes and arms of its units.
        arms: How many arms.
        alpha: The error rate.
    """

    rows: tuple[tuple[Floats, Floats, Codes | None, Codes], ...]
    arms: int
    alpha: float

    def share_detected(self, effect: float) -> float:
        """The share of drawn pilots in which the first arm's effect is shown."""
        return float(np.mean([self._detects(*row, effect) for row in self.rows]))

    def _detects(self, outcome: Floats, columns: Floats, clusters: Codes | None, arm: Codes, effect: float) -> bool:
        raised = np.where(arm > 0, outcome * (1 + effect), outcome)
        fitted = fit(choose_design(arm, self.arms - 1, columns, clusters), raised, clusters)
        error = math.sqrt(fitted.covariance[1, 1])
        if not error > 0:
            return False
        return bool(2 * stats.t.sf(abs(fitted.coefficients[1]) / error, fitted.degrees[1]) <= self.alpha)


def simulate(rows: pd.DataFrame, settings: PowerSettings, *, adjusted: bool) -> Simulation:
    """Draw pilots on the history: its own partners in new arms, or where more take part, partners drawn again.

    Args:
        rows: The history, sorted.
        settings: The pilot.
        adjusted: Whether covariates are used.
    """
    rng = np.random.default_rng(settings.seed)
    outcome = rows[settings.outcome].to_numpy(dtype=float)
    columns = history_covariates(rows, settings) if adjusted else np.empty((len(rows), 0))
    names = rows[settings.cluster or KEY].astype(str).to_numpy(dtype=object)
    codes = recode(names)
    parts = whole_shares(settings.arms)
    wanted = settings.units or len(rows)
    drawn = tuple(
        _one_draw(outcome, columns, codes, (parts, wanted, settings.cluster is not None), rng)
        for _ in range(settings.simulations)
    )
    return Simulation(drawn, len(settings.arms), settings.alpha)


def _one_draw(
    outcome: Floats, columns: Floats, codes: Codes, how: tuple[tuple[int, ...], int, bool], rng: np.random.Generator
) -> tuple[Floats, Floats, Codes | None, Codes]:
    parts, wanted, by_cluster = how
    groups = int(codes.max()) + 1
    many = max(len(parts), round(groups * wanted / len(codes)))
    chosen = rng.permutation(groups)[:many] if many <= groups else rng.integers(0, groups, many)
    pattern = np.resize(np.repeat(np.arange(len(parts)), parts), many)
    arm_of = rng.permutation(pattern)
    if not by_cluster:
        return outcome[chosen], columns[chosen], None, arm_of
    members = [np.flatnonzero(codes == group) for group in chosen]
    places = np.concatenate(members)
    cluster = np.repeat(np.arange(many), [len(group) for group in members])
    return outcome[places], columns[places], cluster, arm_of[cluster]


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
        if high - low < 0.005 * high:
            break
    return high
