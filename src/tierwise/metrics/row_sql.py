"""SQL of single rows that the queries of event tables share: days, periods, units, filters."""

from __future__ import annotations

from datetime import date

from tierwise.config.catalog import NO_UNIT
from tierwise.config.workspace import Calendar
from tierwise.engine import quoted
from tierwise.metrics.windows import first_month

_EPOCH = "DATE '1970-01-01'"
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def day_sql(day: date) -> str:
    """A day as a literal."""
    return f"DATE '{day.isoformat()}'"


def unit_sql(column: str) -> str:
    """The unit that a row of `t` names in a column."""
    return f"coalesce(CAST(t.{quoted(column)} AS VARCHAR), '{NO_UNIT}')"


def period_sql(day: str, per: str, calendar: Calendar) -> str:
    """The number of a day's period, as `windows.period_number` gives it; `day` is the SQL of the day."""
    if per == "day":
        return f"CAST(date_diff('day', {_EPOCH}, {day}) AS INTEGER)"
    months = f"(year({day}) * 12 + month({day}) - 1 - {first_month(calendar)})"
    return f"CAST(floor({months} / {_MONTHS[per]}) AS INTEGER)"


def filtered(aggregate: str, condition: str | None) -> str:
    """An aggregate over the rows that meet a condition, if there is one."""
    return aggregate if condition is None else f"{aggregate} FILTER (WHERE {condition})"
