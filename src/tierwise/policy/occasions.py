"""Calendars of movement: on which reviews moves are made, when waits end, when a decided move takes effect."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from tierwise.config.calendar import (
    CALENDAR_YEAR,
    ONE_DAY,
    fiscal_year,
    month_end,
    quarter_end,
    shift,
)
from tierwise.config.durations import Duration
from tierwise.config.policy_movement import Effective, Occasion
from tierwise.config.workspace import Calendar

Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]


def is_due(day: date, at: Occasion | tuple[str, ...], calendar: Calendar) -> bool:
    """Whether moves of this kind are made on a day; quarters and years are fiscal unless called calendar ones."""
    if isinstance(at, tuple):
        return any(day.isoformat().endswith(fixed) for fixed in at)
    if at in ("any_date", "never"):
        return at == "any_date"
    if at == "month_end":
        return day == month_end(day)
    used = CALENDAR_YEAR if at.startswith("calendar_") else calendar
    if at.endswith("quarter_end"):
        return day == quarter_end(day, used)
    return fiscal_year(day, used) != fiscal_year(day + ONE_DAY, used)


def has_passed(since: Days, wait: Duration, day: date, calendar: Calendar) -> Mask:
    """For every start whether the wait is over on the day; never for a missing start."""
    over = np.zeros(len(since), dtype=bool)
    for start in np.unique(since[~np.isnat(since)]):
        over |= (since == start) & (shift(start.astype(date), wait, calendar) <= day)
    return over


def effective_day(day: date, effective: Effective, calendar: Calendar) -> date:
    """The day on which a move decided at a review takes effect."""
    ready = shift(day, effective.after, calendar)
    if effective.on == "at_once":
        return ready
    if effective.on == "next_month":
        return month_end(ready) + ONE_DAY
    end = quarter_end(ready, calendar)
    while effective.on == "next_year" and fiscal_year(end, calendar) == fiscal_year(end + ONE_DAY, calendar):
        end = quarter_end(end + ONE_DAY, calendar)
    return end + ONE_DAY
