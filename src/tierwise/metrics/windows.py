"""From a metric's window and an as-of date to the stretch of days that counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tierwise.config import calendar as days
from tierwise.config.catalog import Metric
from tierwise.config.durations import Duration, Window
from tierwise.config.workspace import Calendar

_MONTHS = {"months": 1, "quarters": 3, "calendar_quarters": 3}


@dataclass(frozen=True)
class Stretch:
    """The window, offset and lag of a metric; metrics that share them share one condition in the query."""

    window: Window
    offset: Duration | None = None
    lag: Duration | None = None

    @property
    def label(self) -> str:
        """A name for the condition, such as `_in_4_quarters_offset_4_quarters`."""
        parts = ["_in", str(self.window)]
        parts += ["offset", str(self.offset)] if self.offset else []
        parts += ["lag", str(self.lag)] if self.lag else []
        return "_".join(parts).replace(" ", "_")


@dataclass(frozen=True)
class Span:
    """The days after `after` (no bound if None) up to and including `until`."""

    after: date | None
    until: date


def stretch_of(metric: Metric) -> Stretch:
    """The stretch of an aggregate metric."""
    assert metric.window is not None, "the catalog gives every aggregate a window"
    return Stretch(metric.window, metric.offset, metric.lag)


def span(stretch: Stretch, as_of: date, calendar: Calendar) -> Span:
    """The days that count at an as-of date.

    The window ends on the as-of date less the lag; windows of quarters end with the last quarter closed by then.
    The offset then shifts the whole window back.
    """
    until = days.shift(as_of, stretch.lag, calendar, times=-1) if stretch.lag else as_of
    if stretch.window.kind in ("quarters", "calendar_quarters"):
        year = calendar if stretch.window.kind == "quarters" else days.CALENDAR_YEAR
        until = days.last_closed_quarter_end(until, year)
    if stretch.offset:
        until = days.shift(until, stretch.offset, calendar, times=-1)
    return Span(_start(stretch.window, until), until)


def _start(window: Window, until: date) -> date | None:
    if window.kind in ("lifetime", "as_of"):
        return None
    if window.kind == "days":
        return until - timedelta(days=window.count)
    return days.shift_months(until, -window.count * _MONTHS[window.kind])


@dataclass(frozen=True)
class Cells:
    """The time line cut at every edge of every span, so that each span is a run of whole cells.

    A day's cell is the number of edges before it; a span holds the cells after `edges.index(after)` up to
    `edges.index(until)`.
    """

    edges: tuple[date, ...]

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Cells:
        """Cut the time line at the edges of the spans."""
        edges = {edge for one in spans for edge in (one.after, one.until) if edge is not None}
        return cls(tuple(sorted(edges)))

    def bounds(self, one: Span) -> tuple[int, int]:
        """The cell after which a span begins (-1: no bound), and its last cell."""
        return (-1 if one.after is None else self.edges.index(one.after), self.edges.index(one.until))


def period_number(day: date, per: str, calendar: Calendar) -> int:
    """Number the day's day, month, fiscal quarter or fiscal year; `PERIOD_SQL` gives the same number."""
    if per == "day":
        return day.toordinal() - date(1970, 1, 1).toordinal()
    months = day.year * 12 + day.month - 1 - first_month(calendar)
    return months // {"month": 1, "quarter": 3, "year": 12}[per]


def first_month(calendar: Calendar) -> int:
    """How many months after January the fiscal year starts."""
    january = date(2000, 1, 1)
    return next(month for month in range(12) if _starts_year(days.shift_months(january, month), calendar))


def _starts_year(day: date, calendar: Calendar) -> bool:
    return days.fiscal_year(day, calendar) != days.fiscal_year(day - days.ONE_DAY, calendar)


def periods_of(one: Span, per: str, calendar: Calendar) -> Sequence[int]:
    """The numbers of all periods that a bounded span touches, oldest first."""
    assert one.after is not None, "only a bounded window has a first period"
    first = period_number(one.after + days.ONE_DAY, per, calendar)
    return range(first, period_number(one.until, per, calendar) + 1)
