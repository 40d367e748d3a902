"""Which days a model learns from: quarter ends, or month ends where quarters are few."""

from datetime import date
from pathlib import Path

import pytest

from tierwise.config.load import Workspace, load_workspace
from tierwise.jobs.snapshots import FEW_QUARTERS, label_until, snapshot_days


@pytest.fixture(scope="module")
def demo(repository: Path) -> Workspace:
    return load_workspace(repository / "pipelines" / "demo")


def test_many_completed_quarters_are_learned_from_as_they_are(demo: Workspace):
    days = snapshot_days(demo, date(2026, 9, 30), date(2021, 10, 1))
    assert len(days) == demo.settings.potential.reviews
    assert {(day.month, day.day) for day in days} == {(3, 31), (6, 30), (9, 30), (12, 31)}


def test_month_ends_help_out_where_quarters_are_few(demo: Workspace):
    days = snapshot_days(demo, date(2026, 9, 30), date(2024, 12, 15))
    assert days[0] == date(2024, 12, 31)
    assert days[-1] == date(2025, 9, 30)
    assert len(days) == 10
    assert list(days) == sorted(days)
    assert len(days) <= 3 * FEW_QUARTERS


@pytest.mark.parametrize("as_of", [date(2026, 9, 30), date(2026, 8, 15), date(2026, 3, 1)])
def test_no_label_window_is_open_and_no_day_lies_before_the_first_event(demo: Workspace, as_of: date):
    first = date(2024, 6, 2)
    days = snapshot_days(demo, as_of, first)
    assert days
    assert all(first < day and label_until(demo, day) <= as_of for day in days)


def test_a_source_that_has_only_begun_gives_no_day(demo: Workspace):
    assert snapshot_days(demo, date(2026, 9, 30), date(2026, 9, 1)) == ()
