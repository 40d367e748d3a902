"""Lengths of time and windows as people write them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from tierwise.config.durations import DurationText, WindowText

duration = TypeAdapter(DurationText)
window = TypeAdapter(WindowText)


@pytest.mark.parametrize("text", ["90 days", "1 day", "12 months", "4 quarters", "1 year", "2 reviews", "0 quarters"])
def test_a_length_of_time_is_written_as_it_was_read(text: str):
    assert str(duration.validate_python(text)) == text


@pytest.mark.parametrize(
    "text", ["90 days", "1 month", "4 quarters", "4 calendar quarters", "1 calendar quarter", "lifetime", "as of"]
)
def test_a_window_is_written_as_it_was_read(text: str):
    assert str(window.validate_python(text)) == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("4 Quarters", "4 quarters"),
        (" 4  fiscal quarters ", "4 quarters"),
        ("As  Of", "as of"),
        ("012 months", "12 months"),
    ],
)
def test_case_and_spaces_do_not_count(text: str, meant: str):
    assert str(window.validate_python(text)) == meant


def test_settings_survive_a_round_trip():
    assert duration.validate_python(duration.validate_python("2 years").model_dump()) == duration.validate_python(
        "2 years"
    )
    assert window.validate_python(window.validate_python("as of").model_dump()) == window.validate_python("as of")


@pytest.mark.parametrize(
    "value", ["", "days", "-1 days", "1.5 years", "4", 4, None, True, ["1 day"], "1 day\n2", "٣ days"]
)
def test_other_values_are_no_length_of_time(value: object):
    with pytest.raises(ValidationError, match="is not a length of time; write for example '90 days'"):
        duration.validate_python(value)


@pytest.mark.parametrize("value", ["", "0 days", "1 year", "4 weeks", "quarters", 90, None, "asof", "lifetime 2"])
def test_other_values_are_no_window(value: object):
    with pytest.raises(ValidationError, match="is not a window; write 'N days'"):
        window.validate_python(value)


@pytest.mark.parametrize(("longest", "too_long"), [("36500 days", "36501 days"), ("100 years", "101 years")])
def test_nothing_is_longer_than_a_century(longest: str, too_long: str):
    assert str(duration.validate_python(longest)) == longest
    with pytest.raises(ValidationError, match="longer than the allowed 100 years"):
        duration.validate_python(too_long)
