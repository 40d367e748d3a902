"""Settings out of bounds are refused, all at once, with the value and what is allowed."""

from __future__ import annotations

from datetime import date

import pytest

from tierwise.errors import InvalidInput
from tierwise.synthetic import ChannelSettings


def test_defaults_end_on_the_day_of_the_next_review():
    settings = ChannelSettings()
    assert (settings.partners, settings.years) == (600, 5)
    assert settings.ends_on == date(2026, 9, 30)
    assert settings.extracted_on == date(2026, 10, 15)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"partners": 0}, "partners is 0; allowed is 1 to 1000000"),
        ({"partners": 1_000_001}, "partners is 1000001; allowed is 1 to 1000000"),
        ({"years": 1}, "years is 1; allowed is 2 to 20"),
        ({"fault_share": 0.5}, "fault_share is 0.5; allowed is 0 to 0.2"),
        ({"arrival_days": -1}, "arrival_days is -1; allowed is 0 to 366"),
        ({"truth_reviews": 0}, "truth_reviews is 0; allowed is 1 to 80"),
        ({"ends_on": date(2026, 9, 29)}, "ends_on is 2026-09-29, which is not the last day of a calendar quarter"),
        ({"ends_on": date(2026, 10, 31)}, "ends_on is 2026-10-31, which is not the last day of a calendar quarter"),
    ],
)
def test_a_value_out_of_bounds_is_refused(wrong, message):
    with pytest.raises(InvalidInput) as caught:
        ChannelSettings(**wrong)
    assert [fault.what for fault in caught.value.faults] == [message]


def test_all_faults_are_told_at_once():
    with pytest.raises(InvalidInput) as caught:
        ChannelSettings(partners=-5, years=99, ends_on=date(2026, 1, 1))
    assert len(caught.value.faults) == 3
