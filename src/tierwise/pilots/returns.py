"""What an incentive cost and brought: incremental revenue and margin, return and payback, each with an interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.names import hint
from tierwise.config.pilot import AnalysisSettings, MoneySettings, OutcomeSettings
from tierwise.errors import Fault, InvalidInput
from tierwise.pilots.effects import Reading, effects_of, read_outcome
from tierwise.pilots.gates import sample_ratio
from tierwise.pilots.intervals import critical_value, fieller
from tierwise.pilots.regression import cross_covariance
from tierwise.pilots.results import Estimate, Result
from tierwise.pilots.units import ARM, KEY, Units, column_faults, covariate_columns, number_faults, read_units

Floats = NDArray[np.float64]
REVENUE, MARGIN, COST, RETURN, PAYBACK = "revenue", "margin", "cost", "return_on_cost", "payback_months"
# Fewer partners than this in an arm are not shown outside: their totals would tell about single partners.
LEAST_PUBLISHED = 10


@dataclass(frozen=True)
class Joint:
    """Margin and cost of one arm against the control, per unit, with their covariance."""

    margin: float
    cost: float
    covariance: Floats
    critical: float


def returns(frame: pd.DataFrame, settings: AnalysisSettings, money: MoneySettings) -> tuple[Result, ...]:
    """Estimate cost, incremental revenue and margin, return on cost and payback of each arm.

    Args:
        frame: As for `analyse`, with the columns of money. A partner that left has no revenue, margin or cost where
            the column says so; nothing is filled in here.
        settings: How the pilot is read; its outcomes are not used. With a `look`, every interval is one of a confidence
            sequence, those of the ratios too: Fieller's holds at a look with the sequence's reach in place of t's.
        money: What is paid and earned.

    Returns:
        Per arm the rows `revenue`, `margin`, `cost` (per partner as drawn), `return_on_cost` = margin / cost - 1, and
        `payback_months` = months of the window * cost / margin. Where the margin or the cost cannot be told from zero,
        the ratio has no interval, with the reason code `denominator_not_distinguishable`.

    Raises:
        InvalidInput: With every fault of the frame; an arm without a cost.
    """
    amounts = _with_amounts(frame, settings, money)
    named = {REVENUE: OutcomeSettings(), MARGIN: OutcomeSettings(), COST: OutcomeSettings()}
    read = settings.model_copy(update={"outcomes": named})
    units = read_units(amounts, read)
    rows = list(effects_of(units, read, (REVENUE, MARGIN, COST)))
    covariates = covariate_columns(units, read)
    both = units.subset(np.isfinite(units.rows[[MARGIN, COST]].to_numpy(dtype=float)).all(axis=1))
    kept = covariates[np.isfinite(units.rows[[MARGIN, COST]].to_numpy(dtype=float)).all(axis=1)]
    readings = tuple(read_outcome(both, name, read, kept) for name in (MARGIN, COST))
    for place in range(1, len(units.arms)):
        like = next(row for row in rows if row.arm == units.arms[place])
        rows += _ratios(like, _joint(readings, both, place, read), readings[0].reason_code, money)
    if not sample_ratio(units, read).passed:
        rows = [row.without_value("sample_ratio_mismatch") for row in rows]
    return tuple(_fixed_cost(row) for row in sorted(rows, key=lambda row: units.arms.index(row.arm)))


def _with_amounts(frame: pd.DataFrame, settings: AnalysisSettings, money: MoneySettings) -> pd.DataFrame:
    columns = [name for name in (money.revenue, money.margin, money.cost) if isinstance(name, str)]
    absent = list(column_faults(frame, (*columns, ARM)))
    if absent:
        raise InvalidInput(absent)
    faults = [
        *_cost_faults(frame, money),
        *(fault for name in columns for fault in number_faults(frame, name)),
        *_taken(settings),
    ]
    if faults:
        raise InvalidInput(faults)
    margin = frame[money.margin] if isinstance(money.margin, str) else money.margin * frame[money.revenue]
    if isinstance(money.cost, str):
        cost = frame[money.cost]
    else:
        arms = sorted(set(frame[ARM].astype(str)) - set(money.cost) - {settings.control})
        if arms:
            raise InvalidInput(
                [Fault(f"the arm {arm!r} has no cost", "cost", todo=hint(arm, money.cost)) for arm in arms]
            )
        cost = frame[ARM].astype(str).map({settings.control: 0.0, **money.cost}).astype(float)
    return frame.assign(**{REVENUE: frame[money.revenue], MARGIN: margin, COST: cost})


def _cost_faults(frame: pd.DataFrame, money: MoneySettings) -> Iterator[Fault]:
    if not isinstance(money.cost, str) or not pd.api.types.is_numeric_dtype(frame[money.cost]):
        return
    below = frame[money.cost].to_numpy(dtype=float, na_value=np.nan) < 0
    if below.any():
        examples = tuple(sorted(frame.loc[below, KEY].astype(str))[:3]) if KEY in frame else ()
        what = f"{int(below.sum())} costs are below zero"
        yield Fault(what, money.cost, examples, "state what was paid as a positive amount")


def _taken(settings: AnalysisSettings) -> Iterator[Fault]:
    """A covariate called `revenue` would become the revenue of the pilot itself, and explain all of its effect."""
    for name in (*settings.covariates, *settings.strata, settings.pair, settings.cluster):
        if name in (REVENUE, MARGIN, COST):
            yield Fault(f"the name {name!r} stands for the amounts of the pilot", name, todo="rename that column")


def _fixed_cost(row: Result) -> Result:
    """A cost that is the same for every unit of an arm has no error, and no test."""
    if row.metric == COST and row.value and not row.value.standard_error:
        return replace(row, value=replace(row.value, p=None, degrees=None), relative=None)
    return row


def _ratios(like: Result, joint: Joint | None, reason_code: str | None, money: MoneySettings) -> list[Result]:
    names = {
        RETURN: "margin earned per unit of cost, less one, all units as drawn",
        PAYBACK: "months until the margin earned equals the cost, at the pace of the window",
    }
    rows = [
        replace(like, metric=name, role="exploratory", estimand=says, method=f"{like.method}, Fieller",
                value=None, relative=None, control_value=None, diagnostics={}, reason_code=None)
        for name, says in names.items()
    ]  # fmt: skip
    if joint is None:
        return [row.without_value(reason_code or "denominator_not_distinguishable") for row in rows]
    back = fieller(joint.margin, joint.cost, joint.covariance, joint.critical)
    pay = fieller(joint.cost, joint.margin, joint.covariance[::-1, ::-1], joint.critical)
    return [_row(rows[0], back, 1.0, -1.0), _row(rows[1], pay, money.window_months, 0.0)]


def _joint(readings: Sequence[Reading], units: Units, place: int, settings: AnalysisSettings) -> Joint | None:
    margin, cost = readings
    if margin.fitted is None or margin.design is None:
        return None
    paid = cost.values
    if cost.fitted is None and cost.reason_code == "no_variation":
        return None
    shared = cross_covariance(margin.design, margin.values, paid, units.groups)
    covariance = np.empty((2, 2))
    own = cross_covariance(margin.design, paid, paid, units.groups)
    covariance[0, 0], covariance[1, 1] = margin.fitted.covariance[place, place], own[place, place]
    covariance[0, 1] = covariance[1, 0] = shared[place, place]
    coefficients = np.linalg.lstsq(margin.design.columns, paid, rcond=None)[0]
    critical = critical_value(float(margin.fitted.degrees[place]), settings.alpha, settings.look)
    return Joint(float(margin.fitted.coefficients[place]), float(coefficients[place]), covariance, critical)


def _row(row: Result, ratio: Estimate, times: float, plus: float) -> Result:
    if not np.isfinite(ratio.estimate):
        return row.without_value("denominator_not_distinguishable")
    ends = [None if end is None else end * times + plus for end in (ratio.low, ratio.high)]
    error = None if ratio.standard_error is None else ratio.standard_error * times
    value = Estimate(ratio.estimate * times + plus, error, ends[0], ends[1], None)
    return replace(row, value=value, reason_code="denominator_not_distinguishable" if ends[0] is None else None)


def published_summary(results: Sequence[Result], arm: str, money: MoneySettings) -> str:
    """What may be told outside: rounded to two digits, no partner named, nothing where an arm is small.

    Args:
        results: The rows of `returns`.
        arm: Of which arm.
        money: The settings of `returns`.
    """
    rows = {row.metric: row for row in results if row.arm == arm}
    counts = rows[MARGIN].counts
    if min(counts.arm, counts.control) < LEAST_PUBLISHED:
        return f"Fewer than {LEAST_PUBLISHED} partners took part; no figure is published."
    margin, back = rows[MARGIN].value, rows[RETURN].value
    if margin is None:
        return "No figure is published: the pilot gave no valid comparison."
    text = (
        f"In a randomised pilot with {_round(counts.arm + counts.control)} partners, the incentive changed margin per "
        f"partner by {_round(margin.estimate)} {money.currency} "
        f"({_percent(rows[MARGIN].level)} interval {_round(margin.low)} to {_round(margin.high)})."
    )
    if back is None or back.low is None:
        return f"{text} Its return cannot be told: the interval has no end."
    return f"{text} Return on cost: {back.estimate:.0%} (interval {back.low:.0%} to {back.high:.0%})."


def _round(number: float | None) -> str:
    return "unknown" if number is None or not np.isfinite(number) else f"{float(f'{number:.2g}'):,.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
