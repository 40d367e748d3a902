"""Primary outcomes by arm in equal periods before and after the start: the trend before, and how an effect comes."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from tierwise import pilots
from tierwise.config.pilot import AnalysisSettings, OutcomeSettings
from tierwise.jobs.pilot_files import OpenPilot
from tierwise.jobs.pilot_metrics import KEY, Stretch, count_over
from tierwise.jobs.pilot_population import CLUSTER
from tierwise.jobs.pilot_reading import Reading
from tierwise.jobs.pilot_snapshot import Channel
from tierwise.pilots import Result

MOST_PERIODS = 13
_PERIOD_DAYS = (7, 14, 28, 91, 364)
_COLUMNS = (
    "outcome", "arm", "period", "from", "until", "units", "mean", "control_units", "control_mean", "difference",
    "low", "high",
)  # fmt: skip


def over_time(
    channel: Channel, pilot: OpenPilot, units: pd.DataFrame, reading: Reading, first_event: date | None
) -> pd.DataFrame:
    """Compare the arms period by period: `period` 1, 2, ... after the start, 0, -1, ... before.

    Periods are as long as keeps them at most thirteen; what is left over at the end is not shown. As many are shown
    before the start as after, if the data go back that far. Ratios are not shown.
    """
    names = [name for name in pilot.settings.named("primary") if pilot.settings.outcomes[name].per is None]
    periods = _periods(pilot, reading, first_event)
    frames = [_period(channel, pilot, units, names, stretch, number) for number, stretch in periods.items()]
    rows = [row for frame in frames for row in frame] if names else []
    found = pd.DataFrame(rows, columns=list(_COLUMNS))
    found = found.astype({"from": "datetime64[us]", "until": "datetime64[us]"})
    return found.sort_values(["outcome", "arm", "period"], ignore_index=True)


def _periods(pilot: OpenPilot, reading: Reading, first_event: date | None) -> dict[int, Stretch]:
    elapsed = (reading.until - pilot.starts).days + 1
    days = next((days for days in _PERIOD_DAYS if elapsed <= days * (MOST_PERIODS + 1)), _PERIOD_DAYS[-1])
    found = {}
    for number in range(1 - elapsed // days, elapsed // days + 1):
        until = pilot.eve + number * timedelta(days=days)
        begins = until - timedelta(days=days - 1)
        if first_event is not None and begins >= first_event:
            found[number] = Stretch(days, until, max(until, reading.as_of if number > 0 else pilot.eve))
    return found


def _period(
    channel: Channel, pilot: OpenPilot, units: pd.DataFrame, names: list[str], stretch: Stretch, number: int
) -> list[tuple[object, ...]]:
    metrics = {name: pilot.settings.metric_of(name) for name in names}
    counted = count_over(channel.engine, channel.workspace, metrics.values(), stretch)
    values = pd.DataFrame({KEY: counted[KEY], **{name: counted[metric] for name, metric in metrics.items()}})
    rows = units[[KEY, "arm", CLUSTER]].merge(values, on=KEY, how="left", validate="one_to_one")
    missing = {name: pilot.settings.outcomes[name].missing for name in names}
    settings = AnalysisSettings(
        control=pilot.settings.control,
        shares={name: arm.share for name, arm in pilot.settings.arms.items()},
        outcomes={name: OutcomeSettings(missing=value) for name, value in missing.items()},
        cluster=CLUSTER if pilot.settings.cluster else None,
        permutations=1,
    )
    begins = stretch.until - timedelta(days=stretch.days - 1)
    return [_row(result, number, begins, stretch.until) for result in pilots.analyse(rows, settings).results]


def _row(result: Result, number: int, begins: date, until: date) -> tuple[object, ...]:
    value, control = result.value, result.control_value
    mean = None if value is None or control is None else control + value.estimate
    counts = result.counts
    return (
        result.metric, result.arm, number, begins, until, counts.arm - counts.missing_arm, mean,
        counts.control - counts.missing_control, control,
        *((value.estimate, value.low, value.high) if value else (None, None, None)),
    )  # fmt: skip
