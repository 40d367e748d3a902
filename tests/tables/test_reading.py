"""What a text means for each type: the values that are read, and the words for those that are not."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables.small_channel import check, deal, small_workspace
from tierwise.engine import Engine
from tierwise.tables.reading import trimmed, typed
from tierwise.tables.rules import text_literal


def read(engine: Engine, text: str, kind: str, rate: str | None = None) -> object:
    return engine.rows(
        f"SELECT {typed('t', kind, rate)} FROM (SELECT {trimmed('raw')} AS t FROM (SELECT ? AS raw))", [text]
    )[0][0]


def message_of(engine: Engine, text: str, kind: str) -> tuple[str, str]:
    columns = {"partner_id": {}, "date": {}, "figure": {"type": kind}}
    tables = {"deals": {"kind": "events", "source": {"csv": "d.csv"}, "columns": columns}}
    check(engine, small_workspace(tables=tables), {"deals": [deal(figure=text)]})
    ((rule, message),) = engine.rows("SELECT rule, message FROM quarantine")
    return str(rule), str(message)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"), ("-0", "0"), ("12", "12"), ("+12.50", "12.5"), (".5", "0.5"), ("5.", "5"), ("-3.25", "-3.25"),
        ("1e3", "1000"), ("1.5E-2", "0.015"), (" 7 ", "7"), ("\t7\r", "7"), ("\u00a07\u00a0", "7"),
        ("99999999999999", "99999999999999"), ("0.30000000000000004", "0.3"), ("2024.994", "2024.994"),
        ("1.00005", "1.0001"), ("-1.00005", "-1.0001"), ("1.00004999", "1"),
    ],
)  # fmt: skip
def test_money_is_read_exactly_and_rounded_half_away_from_zero(engine, text, value):
    assert read(engine, text, "money") == Decimal(value)


@pytest.mark.parametrize(
    "text", ["1,000", "1.000,5", "12,5", "1_000", "0x10", "1 000", "$5", "5 EUR", "abc", "--1", "."]
)
def test_text_that_only_looks_like_a_number_is_not_read(engine, text):
    assert read(engine, text, "money") is None
    assert read(engine, text, "decimal") is None
    assert read(engine, text, "integer") is None


@given(value=st.decimals(min_value=-(10**13), max_value=10**13, places=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_money_with_four_decimals_is_read_to_the_last_digit(engine, value):
    assert read(engine, f"{value:f}", "money") == value


@given(value=st.floats(min_value=-1e9, max_value=1e9, allow_nan=False))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_shortest_text_of_a_float_is_read_within_half_a_unit(engine, value):
    assert abs(read(engine, repr(value), "money") - Decimal(repr(value))) <= Decimal("0.00005")


@pytest.mark.parametrize(
    ("amount", "rate", "value"),
    [("100", "0.92", "92"), ("0.0001", "0.5", "0.0001"), ("-0.0001", "0.5", "-0.0001"), ("33.33", "0.0068", "0.2266")],
)
def test_a_foreign_amount_is_converted_exactly_and_rounded_once(engine, amount, rate, value):
    assert read(engine, amount, "money", f"CAST({rate} AS DECIMAL(16,8))") == Decimal(value)


def test_the_largest_amount_at_the_largest_rate_is_too_large_and_does_not_fail(engine):
    assert read(engine, "99999999999999", "money", "CAST(99999999 AS DECIMAL(16,8))") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2018-06-30", date(2018, 6, 30)), ("2018-06-30 12:00:00", date(2018, 6, 30)),
        ("2018-06-30T23:59:59.999Z", date(2018, 6, 30)), ("2018-06-30 23:30:00-08:00", date(2018, 6, 30)),
        ("2018-06-30 00:00+02", date(2018, 6, 30)), ("20180630", date(2018, 6, 30)), ("2020-02-29", date(2020, 2, 29)),
        ("2017Q3", date(2017, 9, 30)), ("2017-q1", date(2017, 3, 31)), ("2020-02", date(2020, 2, 29)),
    ],
)  # fmt: skip
def test_dates_are_read_as_written_and_a_period_counts_on_its_last_day(engine, text, value):
    assert read(engine, text, "date") == value


@pytest.mark.parametrize(
    "text", ["2018/06/30", "30.06.2018", "06/30/2018", "2018-6-3", "epoch", "infinity", "2018-02-30", "2018-13",
             "20180230", "2018-06-30 25:00", "2018-06-30x", "2018-01-01 (BC)", "2018Q5"],
)  # fmt: skip
def test_other_texts_are_no_dates(engine, text):
    assert read(engine, text, "date") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2018-06-30 12:34:56.5", datetime(2018, 6, 30, 12, 34, 56, 500000)), ("2018-06-30", datetime(2018, 6, 30)),
        ("2018-06-30T12:34Z", datetime(2018, 6, 30, 12, 34)),
        ("2018-06-30 12:34:56,5", datetime(2018, 6, 30, 12, 34, 56, 500000)),
        ("2018-06-30 12:00:00+05:30", datetime(2018, 6, 30, 12)), ("2018-02-30 12:00", None), ("noon", None),
    ],
)  # fmt: skip
def test_timestamps_keep_the_clock_as_written(engine, text, value):
    assert read(engine, text, "timestamp") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("YES", True),
        ("1", True),
        ("t", True),
        ("False", False),
        ("n", False),
        ("0", False),
        ("maybe", None),
    ],
)
def test_booleans_are_read_in_the_usual_spellings(engine, text, value):
    assert read(engine, text, "boolean") is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("3.0", 3),
        ("-7.", -7),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("3.5", None),
    ],
)
def test_whole_numbers_may_carry_an_empty_fraction(engine, text, value):
    assert read(engine, text, "integer") == value


@pytest.mark.parametrize(
    ("text", "kind", "rule", "message"),
    [
        ("nan", "money", "not_finite", "'nan' is not a finite number"),
        ("-Infinity", "decimal", "not_finite", "'-Infinity' is not a finite number"),
        ("1,234.50", "money", "wrong_type", "'1,234.50' has thousands separators; write 1234.5"),
        ("1.234,50", "money", "wrong_type", "'1.234,50' has a decimal comma; write 1234.5"),
        ("12,5", "decimal", "wrong_type", "'12,5' has a decimal comma; write 1234.5"),
        ("$ 5", "money", "wrong_type", "'$ 5' has a currency or unit sign; write the number alone"),
        ("1e20", "money", "wrong_type", "'1e20' is too large or too small for the column's type"),
        ("lots", "money", "wrong_type", "'lots' is not an amount"),
        ("3.5", "integer", "wrong_type", "'3.5' is not a whole number"),
        ("9223372036854775808", "integer", "wrong_type", "'9223372036854775808' is too large for a whole number"),
        ("perhaps", "boolean", "wrong_type", "'perhaps' is not true or false (also yes/no, t/f, y/n, 1/0)"),
        ("2026-02-30", "date", "impossible_date", "'2026-02-30' is no day of the calendar"),
        ("31/12/2025", "date", "wrong_type", "'31/12/2025' may be day/month or month/day; write dates as 2026-10-01"),
        ("45658", "date", "wrong_type",
         "'45658' looks like a day number of a spreadsheet; format the column as a date there"),
        ("1767225600", "date", "wrong_type", "'1767225600' looks like seconds since 1970; write dates as 2026-10-01"),
        ("soon", "date", "wrong_type", "'soon' is not a date; write 2026-10-01"),
        ("soon", "timestamp", "wrong_type", "'soon' is not a point in time; write 2026-10-01 14:30:00"),
    ],
)  # fmt: skip
def test_the_message_says_what_was_found_and_what_to_write(engine, text, kind, rule, message):
    assert message_of(engine, text, kind) == (rule, message)


def test_a_literal_keeps_its_quotes(engine):
    assert engine.rows(f"SELECT {text_literal(chr(39) + 'a' + chr(39))}") == [("'a'",)]
