"""What a pilot can detect, said plainly, and what would help (METHODS section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierwise.config.pilot import PowerSettings
from tierwise.errors import Fault, InvalidInput
from tierwise.pilots.power_formula import detectable_by_formula, power_by_formula, units_needed
from tierwise.pilots.power_simulation import LARGEST_EFFECT, detectable_by_simulation, simulate
from tierwise.pilots.spread import Spread, measure
from tierwise.pilots.units import KEY, LARGEST_VALUE, by_partner, column_faults, number_faults


@dataclass(frozen=True)
class Power:
    """What one way of reading the pilot can detect.

    Attributes:
        option: Of what the row speaks, such as `with covariates`.
        units: Units that take part.
        arms: Arms, the control counted.
        power_formula: Chance to detect the effect that matters, by formula.
        power_simulated: The same by simulation; None where nothing was simulated.
        detectable_formula: The smallest effect detected with the power asked for, as a share of the control's value.
        detectable_simulated: The same by simulation; None where none up to 500 % is detected or nothing was simulated.
        false_positives: The share of simulated pilots without any effect that showed one.
        units_needed: Units that would detect the effect that matters, by formula.
    """

    option: str
    units: int
    arms: int
    power_formula: float
    power_simulated: float | None
    detectable_formula: float
    detectable_simulated: float | None
    false_positives: float | None
    units_needed: int


@dataclass(frozen=True)
class Plan:
    """The planner's answer.

    Attributes:
        spread: What the history shows.
        rows: One row per way of reading, the pilot as planned first; then what would change the answer.
        can_detect: Whether the pilot as planned has the power asked for at the effect that matters.
        sentences: The answer in plain words, and what would help.
    """

    spread: Spread
    rows: tuple[Power, ...]
    can_detect: bool
    sentences: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """The rows as a frame."""
        return pd.DataFrame([vars(row) for row in self.rows])


def plan(history: pd.DataFrame, settings: PowerSettings, longer: dict[str, str] | None = None) -> Plan:
    """Say what a pilot can detect on this channel.

    Args:
        history: One row per partner with `partner_id`, the outcome over a past window as long as the pilot's, and
            covariates known before that window.
        settings: The outcome, arms, effect, covariates, clusters.
        longer: Further outcome columns of longer windows, by what people call them (`two quarters`).

    Returns:
        The plan: the pilot as planned first, by formula and simulation.

    Raises:
        InvalidInput: With every fault of the history: a missing column, a missing value, nothing ever sold.
    """
    rows = _checked(history, settings, tuple((longer or {}).values()))
    spread = measure(rows, settings)
    planned = _planned(rows, settings, spread)
    others = [] if planned.power_formula >= settings.power and _enough(planned, settings) else list(
        _alternatives(rows, settings, spread, longer or {})
    )  # fmt: skip
    can = _enough(planned, settings)
    return Plan(spread, (planned, *others), can, tuple(_sentences(planned, others, settings, can=can)))


def _enough(row: Power, settings: PowerSettings) -> bool:
    power = row.power_formula if row.power_simulated is None else row.power_simulated
    return power >= settings.power


def _checked(history: pd.DataFrame, settings: PowerSettings, more: tuple[str, ...]) -> pd.DataFrame:
    cluster = [settings.cluster] if settings.cluster else []
    names = dict.fromkeys((KEY, settings.outcome, *more, *settings.covariates, *settings.strata, *settings.match_on,
                           *cluster))  # fmt: skip
    faults = list(column_faults(history, names))
    if not faults:
        for name in (settings.outcome, *more):
            values = pd.to_numeric(history[name], errors="coerce").to_numpy(dtype=float)
            bad = ~(np.abs(values) <= LARGEST_VALUE)
            if bad.any():
                examples = tuple(sorted(history.loc[bad, KEY].astype(str))[:3])
                faults.append(
                    Fault(f"{int(bad.sum())} values are missing", name, examples, "fill in 0 where none sold")
                )
            elif values.mean() <= 0 or np.ptp(values) == 0:
                faults.append(Fault("the mean must be above zero and values must differ", name))
        unmatched = [name for name in settings.match_on if not _are_numbers(history[name])]
        faults += [Fault("every value to match on must be a number", name) for name in unmatched]
        faults += [Fault("a value is missing", name) for name in cluster if history[name].isna().any()]
        numeric = [name for name in settings.covariates if pd.api.types.is_numeric_dtype(history[name])]
        faults += [fault for name in numeric for fault in number_faults(history, name)]
        if history[KEY].duplicated().any():
            faults.append(Fault("a partner stands twice", KEY))
        if len(history) < 4 * len(settings.arms):
            faults.append(Fault(f"{len(history)} partners are too few to plan from", KEY))
    if faults:
        raise InvalidInput(faults)
    return by_partner(history)


def _are_numbers(values: pd.Series) -> bool:
    return bool(np.isfinite(pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)).all())


def _planned(rows: pd.DataFrame, settings: PowerSettings, spread: Spread) -> Power:
    adjusted = bool(settings.covariates)
    simulation = simulate(rows, settings, adjusted=adjusted)
    return Power(
        option="as planned",
        units=spread.units,
        arms=len(settings.arms),
        power_formula=power_by_formula(settings.effect, spread, settings, adjusted=adjusted),
        power_simulated=simulation.share_detected(settings.effect),
        detectable_formula=detectable_by_formula(spread, settings, adjusted=adjusted),
        detectable_simulated=detectable_by_simulation(simulation, settings.power),
        false_positives=simulation.share_detected(0.0),
        units_needed=units_needed(spread, settings, adjusted=adjusted),
    )


def _by_formula(option: str, rows: pd.DataFrame, settings: PowerSettings, *, adjusted: bool) -> Power:
    spread = measure(rows, settings)
    power = power_by_formula(settings.effect, spread, settings, adjusted=adjusted)
    detectable = detectable_by_formula(spread, settings, adjusted=adjusted)
    needed = units_needed(spread, settings, adjusted=adjusted)
    return Power(option, spread.units, len(settings.arms), power, None, detectable, None, None, needed)


def _alternatives(
    rows: pd.DataFrame, settings: PowerSettings, spread: Spread, longer: dict[str, str]
) -> Iterator[Power]:
    """What would help, by formula: fewer arms, longer windows, partners in place of clusters, more units."""
    adjusted = bool(settings.covariates)
    if adjusted:
        yield _by_formula("without covariates", rows, settings, adjusted=False)
    if len(settings.arms) > 2:
        two = dict(list(settings.arms.items())[:2])
        yield _by_formula("two arms", rows, settings.model_copy(update={"arms": two}), adjusted=adjusted)
    for name, column in longer.items():
        yield _by_formula(f"over {name}", rows, settings.model_copy(update={"outcome": column}), adjusted=adjusted)
    if settings.cluster:
        yield _by_formula(
            "partners drawn one by one", rows, settings.model_copy(update={"cluster": None}), adjusted=adjusted
        )
    twice = settings.model_copy(update={"units": 2 * spread.units})
    yield _by_formula("twice the units", rows, twice, adjusted=adjusted)


def _sentences(planned: Power, others: list[Power], settings: PowerSettings, *, can: bool) -> Iterator[str]:
    power = planned.power_formula if planned.power_simulated is None else planned.power_simulated
    size = f"{planned.units:,} units in {planned.arms} arms"
    if can:
        yield f"Can detect a change of {settings.effect:.1%} with {size}: the chance is {power:.0%}."
        return
    wanted = f"the chance is {power:.0%}, not {settings.power:.0%}"
    yield f"Cannot detect a change of {settings.effect:.1%} with {size}: {wanted}."
    found = planned.detectable_simulated
    if found is None:
        yield f"No change up to {LARGEST_EFFECT:.0%} would be detected."
    else:
        yield f"The smallest change that would be detected is {found:.1%}."
    yield f"About {planned.units_needed:,} units would detect {settings.effect:.1%}."
    for row in others:
        if row.option != "without covariates":
            able = "is enough" if row.power_formula >= settings.power else "is not enough"
            how = row.option.capitalize() if row.option.startswith("over ") else f"With {row.option}"
            yield f"{how} the chance is {row.power_formula:.0%}: that {able}."
