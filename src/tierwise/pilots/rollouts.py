"""Roll-outs that nobody randomised: in steps (Callaway and Sant'Anna), and in one region (synthetic DiD).

Sources: Callaway & Sant'Anna, Journal of Econometrics 225 (2021); Arkhangelsky, Athey, Hirshberg, Imbens & Wager,
American Economic Review 111 (2021). Both estimators are diff-diff's.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from tierwise.config.names import hint
from tierwise.config.pilot import OneRegionSettings, RolloutSettings
from tierwise.errors import Fault, InvalidInput
from tierwise.pilots.intervals import by_t
from tierwise.pilots.libraries import diff_diff
from tierwise.pilots.results import Counts, Estimate, Result
from tierwise.pilots.units import column_faults, number_faults

_STEPPED = {
    "simple": "average over units and periods since their start",
    "event_study": "average over lengths of exposure",
    "group": "average over groups of the same start",
}
# Placebos are drawn at random by the library: so many draws per region miss none but once in a million fits.
_DRAWS_PER_REGION = 20
_LEAST_DRAWS = 200
_BLOCKS = 20
_LEAST_BLOCKS = 5
# Below so many units in a group the error of its effects is not known well enough to test trends before the start.
_LEAST_GROUP = 5
_LEAST_UNITS = 2
_LEAST_BEFORE = 3
_TREATED = "treated_region"


def staggered(panel: pd.DataFrame, settings: RolloutSettings) -> tuple[Result, ...]:
    """Estimate the effect of a roll-out in steps.

    Args:
        panel: One row per unit and period with the columns that the settings name, the same periods for all units.
        settings: The roll-out.

    Returns:
        The overall effect by three averages (`simple`, `event_study`, `group`), then one row per length of exposure
        (`exposure: 0`, ...) and per period before the start (`exposure: -2`, ..., which should be near zero).
        Diagnostics of the first rows: `pre_trend_p`, the p-value of all effects before the start being zero;
        `treated_units`, `comparison_units`. Without a comparison group the reason code is `no_comparison_group`.

    Raises:
        InvalidInput: With every fault of the panel.
    """
    rows = _panel(panel, settings)
    never, treated = _groups(rows, settings)
    empty = _stepped_row(settings, "simple", Counts(arm=len(treated), control=len(never)))
    starts = rows.loc[rows[settings.first_treated] != 0, settings.first_treated]
    first = rows[settings.period].min()
    enough = len(never) > 0 or (settings.compare_with == "not_yet_treated" and starts.nunique() > 1)
    if not enough or not len(treated):
        return (empty.without_value("no_comparison_group"),)
    if starts.min() <= first + settings.anticipation:
        return (empty.without_value("no_pre_periods"),)
    if np.ptp(rows[settings.outcome].to_numpy(dtype=float)) == 0:
        return (empty.without_value("no_variation"),)
    if min(len(treated), rows[settings.unit].nunique() - len(treated)) < _LEAST_UNITS and len(never):
        return (empty.without_value("too_few_units"),)
    return tuple(_stepped_rows(_fit(rows, settings), settings, rows, empty))


def _panel(panel: pd.DataFrame, settings: RolloutSettings) -> pd.DataFrame:
    names = (settings.unit, settings.period, settings.outcome, settings.first_treated)
    _check_panel(panel, names, settings.unit, settings.period)
    faults = list(number_faults(panel, settings.first_treated)) if panel[settings.first_treated].notna().any() else []
    if faults:
        raise InvalidInput(faults)
    rows = panel[list(names)].sort_values([settings.unit, settings.period], kind="stable", ignore_index=True)
    rows[settings.first_treated] = rows[settings.first_treated].fillna(0).astype(float)
    rows[settings.outcome] = rows[settings.outcome].astype(float)
    starts = rows.groupby(settings.unit)[settings.first_treated].nunique()
    moving = tuple(starts.index[starts > 1].astype(str))
    if moving:
        what = f"{len(moving)} units have more than one first treated period"
        raise InvalidInput(Fault(what, settings.first_treated, moving[:3]))
    return rows


def _check_panel(panel: pd.DataFrame, names: tuple[str, ...], unit: str, period: str) -> None:
    faults = list(column_faults(panel, names))
    if faults:
        raise InvalidInput(faults)
    for name in names[:3]:
        if panel[name].isna().any():
            faults.append(Fault(f"{int(panel[name].isna().sum())} values are missing", name))
    twice = panel.duplicated([unit, period])
    if twice.any():
        faults.append(Fault("a unit has two rows in one period", unit, tuple(panel.loc[twice, unit].astype(str)[:3])))
    counts = panel.groupby(unit)[period].nunique()
    short = counts.index[counts < panel[period].nunique()]
    if len(short):
        what = f"{len(short)} units lack a period; all units need the same periods"
        faults.append(Fault(what, period, tuple(short.astype(str)[:3]), "fill in zeros where nothing was sold"))
    for name in (period, names[2]):
        faults += number_faults(panel, name)
    if faults:
        raise InvalidInput(faults)


def _groups(rows: pd.DataFrame, settings: RolloutSettings) -> tuple[NDArray[Any], NDArray[Any]]:
    last = rows[settings.period].max()
    starts = rows.groupby(settings.unit, sort=True)[settings.first_treated].first()
    never = (starts == 0) | (starts > last)
    return starts.index[never].to_numpy(), starts.index[~never].to_numpy()


def _stepped_row(settings: RolloutSettings, average: str, counts: Counts) -> Result:
    return Result(
        metric=settings.outcome,
        role="primary",
        arm="treated",
        control=settings.compare_with,
        method=f"Callaway and Sant'Anna, {average}",
        estimand=f"effect on the treated: {_STEPPED[average]}",
        grade="difference_in_differences",
        assumptions=("parallel_trends", "no_anticipation", "no_interference"),
        counts=counts,
        level=1 - settings.alpha,
    )


def _stepped_rows(fitted: Any, settings: RolloutSettings, rows: pd.DataFrame, like: Result) -> Iterator[Result]:
    study = fitted.aggregate("event_study")
    shown = study.to_dataframe()
    sizes = rows.drop_duplicates(settings.unit).groupby(settings.first_treated).size()
    degrees = float(max(sizes.sum() - len(sizes), 1))
    smallest = int(sizes[sizes.index != 0].min())
    figures = {"treated_units": float(like.counts.arm), "comparison_units": float(like.counts.control)}
    figures["smallest_group"] = float(smallest)
    if smallest >= _LEAST_GROUP:
        others = like.counts.control or int(sizes.sum()) - smallest
        pre_trend = _pre_trend_p(study, settings.anticipation, smallest + others)
        figures |= {} if pre_trend is None else {"pre_trend_p": pre_trend}
    simple = fitted.aggregate("simple").to_dataframe().iloc[0]
    values = {
        "simple": _published(simple, degrees, settings.alpha),
        "event_study": _over_exposures(study, degrees, settings.alpha),
        "group": _over_groups(fitted, settings, rows),
    }
    for average, value in values.items():
        yield replace(_stepped_row(settings, average, like.counts), value=value, diagnostics=figures)
    for place in np.flatnonzero(~shown["is_reference"].to_numpy(dtype=bool)):
        exposure = float(shown["event_time"].iloc[place])
        says = "before the start, near zero if trends are parallel" if exposure < 0 else "at this length of exposure"
        row = _stepped_row(settings, "event_study", like.counts)
        value = _published(shown.iloc[place], degrees, settings.alpha)
        estimand = f"effect on the treated {says}"
        yield replace(row, scope=f"exposure: {exposure:g}", role="exploratory", value=value, estimand=estimand)


def _published(row: pd.Series, degrees: float, alpha: float) -> Estimate | None:
    effect, error = float(row["att"]), float(row["se"])
    if not np.isfinite(effect):
        return None
    if not np.isfinite(error):
        return Estimate(effect, None, None, None, None)
    return by_t(effect, error, degrees, alpha)


def _over_exposures(study: Any, degrees: float, alpha: float) -> Estimate:
    times, effects = np.asarray(study.event_time, dtype=float), np.asarray(study.att, dtype=float)
    after = [place for place, time in enumerate(times) if time >= 0 and np.isfinite(effects[place])]
    covariance = _covariance(study, times[after])
    weights = np.full(len(after), 1 / len(after))
    error = float(np.sqrt(weights @ covariance @ weights))
    return by_t(float(effects[after].mean()), error, degrees, alpha)


def _covariance(study: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
    known = [float(time) for time in study.vcov_index]
    places = [known.index(float(time)) for time in times]
    return np.asarray(np.asarray(study.vcov)[np.ix_(places, places)])


def _pre_trend_p(study: Any, anticipation: int, units: int) -> float | None:
    """The p-value of all effects before the start being zero, by Hotelling's test.

    The covariance is itself an estimate, from so many units as the smallest group and its comparison have: the
    chi-square test that does not allow for it cries wolf in one of ten roll-outs with fifteen units a group.
    """
    times, effects = np.asarray(study.event_time, dtype=float), np.asarray(study.att, dtype=float)
    known = [float(time) for time in study.vcov_index]
    before = [place for place, time in enumerate(times) if time < -anticipation and float(time) in known]
    count = len(before)
    if not 0 < count < units:
        return None
    covariance = _covariance(study, times[before])
    if not np.isfinite(covariance).all() or np.linalg.matrix_rank(covariance) < count:
        return None
    distance = float(effects[before] @ np.linalg.solve(covariance, effects[before]))
    return float(stats.f.sf(distance * (units - count) / (count * (units - 1)), count, units - count))


def _over_groups(fitted: Any, settings: RolloutSettings, rows: pd.DataFrame) -> Estimate:
    """The average over groups by their size; its error by the delete-a-block jackknife over units."""
    estimate = _group_average(fitted, settings, rows)
    units = rows.drop_duplicates(settings.unit).sort_values([settings.first_treated, settings.unit], kind="stable")
    block = dict(zip(units[settings.unit], np.arange(len(units)) % _BLOCKS, strict=True))
    blocks = rows[settings.unit].map(block)
    left_out = []
    for number in range(_BLOCKS):
        kept = rows[blocks != number]
        if len(kept) == len(rows) or kept[settings.first_treated].nunique() < 2:
            continue
        left_out.append(_group_average(_fit(kept, settings), settings, kept))
    if len(left_out) < _LEAST_BLOCKS:
        return Estimate(estimate, None, None, None, None)
    spread, count = np.array(left_out) - np.mean(left_out), len(left_out)
    return by_t(estimate, float(np.sqrt((count - 1) / count * (spread**2).sum())), count - 1.0, settings.alpha)


def _group_average(fitted: Any, settings: RolloutSettings, rows: pd.DataFrame) -> float:
    effects = fitted.aggregate("group").to_dataframe()
    sizes = rows.drop_duplicates(settings.unit).groupby(settings.first_treated).size()
    weights = sizes.reindex(effects["label"].astype(float)).to_numpy(dtype=float)
    return float(np.average(effects["att"].to_numpy(dtype=float), weights=weights))


def _fit(rows: pd.DataFrame, settings: RolloutSettings) -> Any:
    estimator = diff_diff().CallawaySantAnna(
        control_group=settings.compare_with, anticipation=settings.anticipation, alpha=settings.alpha
    )
    with warnings.catch_warnings():
        # Small groups are counted in the row; the library says so once per group.
        warnings.simplefilter("ignore", UserWarning)
        return estimator.fit(rows, settings.outcome, settings.unit, settings.period, settings.first_treated)


def one_region(panel: pd.DataFrame, settings: OneRegionSettings) -> Result:
    """Estimate the effect on one treated region, or a few, by synthetic difference in differences.

    Args:
        panel: One row per region and period with the columns that the settings name, all regions in all periods.
        settings: Which regions were treated, from when.

    Returns:
        One row. The p-value is the rank of the effect among placebos: each comparison region in turn is taken for the
        treated one; with C regions it is never below 1 / (C + 1). Diagnostics: `placebo_regions`, `least_p`,
        `pre_fit_rmse` (how far the synthetic region was off before the start), `pre_fit_p` (the share of comparison
        regions that are fitted as badly: small is a warning), `pre_period_placebo` (the effect that
        the same weights find in the second half of the time before the start, near zero where they fit).

    Raises:
        InvalidInput: With every fault of the panel; unknown treated regions.
    """
    _check_panel(panel, (settings.region, settings.period, settings.outcome), settings.region, settings.period)
    names = panel[settings.region].astype(str)
    unknown = [name for name in settings.treated if name not in set(names)]
    if unknown:
        raise InvalidInput(
            [Fault(f"there is no region {name!r}", settings.region, todo=hint(name, set(names))) for name in unknown]
        )
    rows = panel.assign(**{settings.outcome: panel[settings.outcome].astype(float)})
    rows[settings.region], rows[_TREATED] = names, names.isin(settings.treated).astype(int)
    rows = rows.sort_values([settings.region, settings.period], kind="stable", ignore_index=True)
    regions = rows.drop_duplicates(settings.region)[_TREATED]
    counts = Counts(arm=int(regions.sum()), control=int((regions == 0).sum()))
    row = Result(
        metric=settings.outcome,
        role="primary",
        arm=", ".join(settings.treated),
        control="synthetic region",
        method="synthetic difference in differences, placebo inference",
        estimand="effect on the treated region, average over the periods since the start",
        grade="difference_in_differences",
        assumptions=("synthetic_match", "no_anticipation", "no_interference"),
        counts=counts,
        level=1 - settings.alpha,
    )
    before = rows.loc[rows[settings.period] < settings.starts, settings.period].nunique()
    if before < _LEAST_BEFORE or before == rows[settings.period].nunique():
        return row.without_value("no_pre_periods")
    if counts.control < max(2, counts.arm + 1):
        return row.without_value("no_comparison_group")
    if np.ptp(rows[settings.outcome].to_numpy(dtype=float)) == 0:
        return row.without_value("no_variation")
    return _synthetic(row, rows, settings)


def _synthetic(row: Result, rows: pd.DataFrame, settings: OneRegionSettings) -> Result:
    fitted = _synthetic_fit(rows, settings, settings.starts)
    placebos = np.unique(np.round(np.asarray(fitted.variance_effects, dtype=float), 10))
    effect, error = float(fitted.att), float(fitted.se)
    p = float((1 + (np.abs(placebos) >= abs(effect)).sum()) / (1 + len(placebos)))
    reach = float(stats.norm.ppf(1 - settings.alpha / 2)) * error
    figures = {"placebo_regions": float(len(placebos)), "least_p": 1 / (1 + len(placebos))}
    figures |= {"pre_fit_rmse": float(fitted.pre_treatment_fit)} | _earlier(rows, settings)
    if fitted.pre_fit_placebo_pvalue is not None:
        figures["pre_fit_p"] = float(fitted.pre_fit_placebo_pvalue)
    value = Estimate(effect, error, effect - reach, effect + reach, p)
    return replace(row, value=value, diagnostics=figures)


def _earlier(rows: pd.DataFrame, settings: OneRegionSettings) -> dict[str, float]:
    past = rows[rows[settings.period] < settings.starts]
    periods = np.sort(past[settings.period].unique())
    if len(periods) < 2 * _LEAST_BEFORE:
        return {}
    return {"pre_period_placebo": float(_synthetic_fit(past, settings, int(periods[len(periods) // 2])).att)}


def _synthetic_fit(rows: pd.DataFrame, settings: OneRegionSettings, starts: int) -> Any:
    after = sorted(int(period) for period in rows.loc[rows[settings.period] >= starts, settings.period].unique())
    draws = max(_LEAST_DRAWS, _DRAWS_PER_REGION * int(rows[settings.region].nunique()))
    estimator = diff_diff().SyntheticDiD(
        variance_method="placebo", n_bootstrap=draws, seed=settings.seed, alpha=settings.alpha
    )
    with warnings.catch_warnings():
        # A poor fit before the start is a figure of the row (`pre_fit_p`), not a line on somebody's terminal.
        warnings.simplefilter("ignore", UserWarning)
        return estimator.fit(rows, settings.outcome, _TREATED, settings.region, settings.period, post_periods=after)
