"""Fiscal calendar arithmetic on plain dates.

A fiscal quarter is three whole months, so its last day is always the last day of a month. Shifting by months keeps the
day of the month, with two rules: a day that the target month lacks becomes its last day (30 January + 1 month is
28 February), and the last day of a month stays the last day of a month (28 February 2013 - 12 months is
29 February 2012). So review days shift to review days, and the twelve months up to a month's end are whole months.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import get_args

from tierwise.config.durations import Duration
from tierwise.config.workspace import Calendar, Month

CALENDAR_YEAR = Calendar()
ONE_DAY = timedelta(days=1)
MONTHS_PER_QUARTER = 3
_MONTH_NUMBER = {name: number for number, name in enumerate(get_args(Month), start=1)}


def month_end(day: date) -> date:
    """The last day of the day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def shift_months(day: date, months: int) -> date:
    """The day some months later (earlier if negative); a month's last day stays a month's last day."""
    years, month_index = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(years, month_index + 1)[1]
    return date(years, month_index + 1, last if day == month_end(day) else min(day.day, last))


def shift_quarters(day: date, quarters: int) -> date:
    """The day some quarters later (earlier if negative); a quarter's last day stays a quarter's last day."""
    return shift_months(day, MONTHS_PER_QUARTER * quarters)


def shift(day: date, duration: Duration, calendar: Calendar, times: int = 1) -> date:
    """The day some lengths of time later; `times=-1` goes back.

    A review is as long as the calendar's review period.
    """
    count = duration.count * times
    if duration.unit == "day":
        return day + timedelta(days=count)
    return shift_months(day, count * _months_of(duration, calendar))


def quarter_start(day: date, calendar: Calendar = CALENDAR_YEAR) -> date:
    """The first day of the fiscal quarter that the day is in."""
    months_into_quarter = (day.month - _MONTH_NUMBER[calendar.fiscal_year_starts]) % MONTHS_PER_QUARTER
    return shift_months(day.replace(day=1), -months_into_quarter)


def quarter_end(day: date, calendar: Calendar = CALENDAR_YEAR) -> date:
    """The last day of the fiscal quarter that the day is in."""
    return month_end(shift_months(quarter_start(day, calendar), MONTHS_PER_QUARTER - 1))


def last_closed_quarter_end(day: date, calendar: Calendar = CALENDAR_YEAR) -> date:
    """The last day of the latest fiscal quarter that is closed on the day; a quarter's last day closes it."""
    end = quarter_end(day, calendar)
    return end if end == day else quarter_start(day, calendar) - ONE_DAY


def fiscal_year(day: date, calendar: Calendar = CALENDAR_YEAR) -> int:
    """The fiscal year that the day is in, named by the calendar year in which it ends."""
    starts = _MONTH_NUMBER[calendar.fiscal_year_starts]
    return day.year + (1 if 1 < starts <= day.month else 0)


def quarter_label(day: date, calendar: Calendar = CALENDAR_YEAR) -> str:
    """The fiscal quarter that the day is in, such as `FY2026 Q3`."""
    months_into_year = (day.month - _MONTH_NUMBER[calendar.fiscal_year_starts]) % 12
    return f"FY{fiscal_year(day, calendar)} Q{months_into_year // MONTHS_PER_QUARTER + 1}"


def is_review_day(day: date, calendar: Calendar) -> bool:
    """Whether the day is the last day of a review period."""
    return day == last_review_day(day, calendar)


def last_review_day(day: date, calendar: Calendar) -> date:
    """The latest review day on or before the day."""
    if calendar.review == "quarter":
        return last_closed_quarter_end(day, calendar)
    return day if day == month_end(day) else day.replace(day=1) - ONE_DAY


def review_days(first: date, last: date, calendar: Calendar) -> tuple[date, ...]:
    """Every review day from `first` to `last`, both included, oldest first."""
    found = []
    day = last_review_day(last, calendar)
    while day >= first:
        found.append(day)
        day = last_review_day(day - ONE_DAY, calendar)
    return tuple(reversed(found))


def _months_of(duration: Duration, calendar: Calendar) -> int:
    if duration.unit == "review":
        return MONTHS_PER_QUARTER if calendar.review == "quarter" else 1
    return {"month": 1, "quarter": MONTHS_PER_QUARTER, "year": 12}[duration.unit]
