"""Fiscal calendar arithmetic: known dates, and properties over every fiscal year start."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.config import calendar
from tierwise.config.durations import Duration, parse_duration
from tierwise.config.workspace import Calendar, Month

DAY = timedelta(days=1)
days = st.dates(date(1980, 1, 1), date(2100, 12, 31))
calendars = st.builds(
    Calendar, fiscal_year_starts=st.sampled_from(get_args(Month)), review=st.sampled_from(["month", "quarter"])
)
months = st.integers(-600, 600)


def fiscal(month: str, review: str = "quarter") -> Calendar:
    return Calendar.model_validate({"fiscal_year_starts": month, "review": review})


@pytest.mark.parametrize(
    ("month", "day", "start", "end", "closed", "label"),
    [
        ("january", "2026-11-21", "2026-10-01", "2026-12-31", "2026-09-30", "FY2026 Q4"),
        ("january", "2026-12-31", "2026-10-01", "2026-12-31", "2026-12-31", "FY2026 Q4"),
        ("january", "2027-01-01", "2027-01-01", "2027-03-31", "2026-12-31", "FY2027 Q1"),
        ("february", "2026-01-31", "2025-11-01", "2026-01-31", "2026-01-31", "FY2026 Q4"),
        ("february", "2026-02-01", "2026-02-01", "2026-04-30", "2026-01-31", "FY2027 Q1"),
        ("march", "2024-02-29", "2023-12-01", "2024-02-29", "2024-02-29", "FY2024 Q4"),
        ("march", "2024-02-28", "2023-12-01", "2024-02-29", "2023-11-30", "FY2024 Q4"),
        ("july", "2026-06-30", "2026-04-01", "2026-06-30", "2026-06-30", "FY2026 Q4"),
        ("october", "2026-11-21", "2026-10-01", "2026-12-31", "2026-09-30", "FY2027 Q1"),
        ("december", "2026-12-01", "2026-12-01", "2027-02-28", "2026-11-30", "FY2027 Q1"),
    ],
)
def test_quarters_of_known_fiscal_years(month: str, day: str, start: str, end: str, closed: str, label: str):
    chosen, on = fiscal(month), date.fromisoformat(day)

    assert calendar.quarter_start(on, chosen).isoformat() == start
    assert calendar.quarter_end(on, chosen).isoformat() == end
    assert calendar.last_closed_quarter_end(on, chosen).isoformat() == closed
    assert calendar.quarter_label(on, chosen) == label


@pytest.mark.parametrize(
    ("day", "count", "shifted"),
    [
        ("2026-01-30", 1, "2026-02-28"),  # the day that February lacks
        ("2024-01-30", 1, "2024-02-29"),
        ("2024-02-28", 12, "2025-02-28"),  # not the last day of its month, so the day is kept
        ("2024-02-29", 12, "2025-02-28"),  # the last day stays the last day
        ("2013-02-28", -12, "2012-02-29"),
        ("2026-06-30", 1, "2026-07-31"),
        ("2026-06-30", -12, "2025-06-30"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-03-31", 0, "2026-03-31"),
    ],
)
def test_shifting_by_months_around_months_ends(day: str, count: int, shifted: str):
    assert calendar.shift_months(date.fromisoformat(day), count).isoformat() == shifted


@given(days, calendars)
def test_a_day_lies_in_its_quarter_and_quarters_meet_without_gap(day: date, chosen: Calendar):
    start, end = calendar.quarter_start(day, chosen), calendar.quarter_end(day, chosen)

    assert start <= day <= end
    assert start.day == 1
    assert calendar.quarter_start(end + DAY, chosen) == end + DAY
    assert calendar.quarter_end(start - DAY, chosen) == start - DAY
    assert 89 <= (end - start).days + 1 <= 92
    assert calendar.quarter_label(start, chosen) == calendar.quarter_label(end, chosen)
    assert calendar.quarter_label(end + DAY, chosen) != calendar.quarter_label(end, chosen)


@given(days, calendars)
def test_the_last_closed_quarter_ends_on_or_before_the_day_and_less_than_a_quarter_ago(day: date, chosen: Calendar):
    closed = calendar.last_closed_quarter_end(day, chosen)

    assert closed <= day < calendar.shift_quarters(closed, 1)
    assert calendar.last_closed_quarter_end(closed, chosen) == closed


@given(days, calendars)
def test_a_fiscal_year_has_four_quarters_that_begin_in_its_first_month(day: date, chosen: Calendar):
    labels = [calendar.quarter_label(calendar.shift_quarters(day, count), chosen) for count in range(4)]
    first = next(label for label in labels if label.endswith("Q1"))
    start = calendar.quarter_start(calendar.shift_quarters(day, labels.index(first)), chosen)

    assert sorted(label[-2:] for label in labels) == ["Q1", "Q2", "Q3", "Q4"]
    assert start.strftime("%B").lower() == chosen.fiscal_year_starts
    assert calendar.fiscal_year(calendar.shift_quarters(start, 4) - DAY, chosen) == calendar.fiscal_year(start, chosen)


@given(days, months, months)
def test_shifts_of_a_months_end_add_up(day: date, first: int, second: int):
    end = calendar.month_end(day)

    assert calendar.shift_months(calendar.shift_months(end, first), second) == calendar.shift_months(
        end, first + second
    )


@given(days, days, months)
def test_shifting_keeps_the_order_of_days(one: date, other: date, count: int):
    earlier, later = sorted((one, other))

    assert calendar.shift_months(earlier, count) <= calendar.shift_months(later, count)


@given(days, st.integers(-40, 40), calendars)
def test_a_quarters_end_shifts_to_a_quarters_end(day: date, count: int, chosen: Calendar):
    end = calendar.quarter_end(day, chosen)
    shifted = calendar.shift_quarters(end, count)

    assert calendar.quarter_end(shifted, chosen) == shifted


@given(days, calendars)
def test_review_days_are_all_the_days_on_which_a_period_closes(first: date, chosen: Calendar):
    last = first + timedelta(days=800)
    every_day = [first + timedelta(days=offset) for offset in range(801)]

    reviews = calendar.review_days(first, last, chosen)

    assert list(reviews) == [day for day in every_day if calendar.is_review_day(day, chosen)]
    assert len(reviews) in ((8, 9) if chosen.review == "quarter" else (26, 27))
    review = Duration(count=1, unit="review")
    assert [calendar.shift(day, review, chosen) for day in reviews[:-1]] == list(reviews[1:])


def test_no_review_day_lies_in_a_stretch_without_one():
    assert calendar.review_days(date(2026, 1, 1), date(2026, 1, 30), fiscal("january", "month")) == ()
    assert calendar.review_days(date(2026, 5, 1), date(2026, 4, 1), fiscal("january")) == ()


@pytest.mark.parametrize(
    ("text", "review", "later", "earlier"),
    [
        ("90 days", "quarter", "2026-09-28", "2026-04-01"),
        ("2 months", "quarter", "2026-08-31", "2026-04-30"),
        ("2 quarters", "quarter", "2026-12-31", "2025-12-31"),
        ("1 year", "quarter", "2027-06-30", "2025-06-30"),
        ("2 reviews", "quarter", "2026-12-31", "2025-12-31"),
        ("2 reviews", "month", "2026-08-31", "2026-04-30"),
    ],
)
def test_shifting_by_a_length_of_time(text: str, review: str, later: str, earlier: str):
    duration = Duration.model_validate(parse_duration(text))
    chosen, day = fiscal("january", review), date(2026, 6, 30)

    assert calendar.shift(day, duration, chosen).isoformat() == later
    assert calendar.shift(day, duration, chosen, times=-1).isoformat() == earlier
