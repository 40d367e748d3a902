"""Tracks and units of a partner on its pages: in words, the deciding unit first, with what is nearest to being met."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.jobs.tiny_workspace import METRICS, POLICY, write_workspace
from tierwise.config.load import Workspace
from tierwise.jobs.explain_ladders import ladders_of
from tierwise.jobs.wording import wording_of
from tierwise.reports.ladders import MOST_SHOWN, Ladders

TRACKS = {
    "skills": {"title": "Cloud skills", "tiers": [{"name": "none"}, {"name": "skilled", "when": "certified >= 3"}]},
    "far_reach": {"tiers": [{"name": "none"}, {"name": "broad", "when": "revenue_4q >= 10"}]},
}
TRACK = {
    "track": "skills", "current_tier": "none", "recommended_tier": "skilled", "action": "promote", "next_tier": None,
    "approval_role": "partner-ops", "effective_on": "2026-09-30", "notice_on": None, "grace_until": None,
}  # fmt: skip
UNIT = {"unit": "US", "eligible_tier": "growth", "next_tier": "strategic", "decides": True}
CRITERION = {
    "unit": "US", "tier": "strategic", "criterion": "1", "expression": "certified >= 6", "metric": "certified",
    "operator": ">=", "threshold": 6.0, "value": 4.0, "met": "false", "gap": 2.0, "route": "", "cheapest": True,
}  # fmt: skip
REVENUE = {
    **CRITERION, "criterion": "2", "expression": "revenue_4q >= 1000", "metric": "revenue_4q", "threshold": 1000.0,
    "value": 900.0, "gap": 100.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return write_workspace(
        tmp_path_factory.mktemp("ladders"), {}, deepcopy(METRICS), {**deepcopy(POLICY), "tracks": TRACKS}
    )


def _ladders(workspace: Workspace, **rows: list[dict[str, Any]]) -> Ladders:
    policy = workspace.policies[0]
    known = {"tracks": [], "units": [], "unit_criteria": [], **rows}
    return ladders_of(known, workspace, policy, wording_of(workspace, policy))


def test_a_policy_without_tracks_and_units_has_no_ladders(workspace: Workspace) -> None:
    assert _ladders(workspace) == Ladders()
    assert Ladders().lines == 0


def test_tracks_come_in_the_order_of_the_policy_with_titles_moves_and_dates(workspace: Workspace) -> None:
    kept = {**TRACK, "track": "far_reach", "recommended_tier": "none", "next_tier": "broad", "action": "hold"}
    found = _ladders(workspace, tracks=[{**kept, "approval_role": None, "effective_on": None}, TRACK]).tracks
    assert [(track.title, track.move, track.next_tier) for track in found] == [
        ("Cloud skills", "none → skilled", ""),
        ("far reach", "none", "broad"),
    ]
    assert [(track.approval_role, track.dates) for track in found] == [("partner-ops", "from 2026-09-30"), ("", "")]


def test_a_track_that_the_policy_has_no_more_is_still_shown(workspace: Workspace) -> None:
    (track,) = _ladders(workspace, tracks=[{**TRACK, "track": "old_one", "current_tier": None}]).tracks
    assert (track.title, track.move) == ("old one", "skilled")


def test_the_deciding_unit_comes_first_then_the_highest(workspace: Workspace) -> None:
    others = [
        {**UNIT, "unit": name, "eligible_tier": tier, "decides": False}
        for name, tier in (("AT", None), ("CH", "entry"), ("DE", "strategic"), ("BE", "entry"))
    ]
    found = _ladders(workspace, units=[*others, UNIT]).units
    assert [unit.unit for unit in found] == ["US", "DE", "BE", "CH", "AT"]
    assert [unit.decides for unit in found] == [True, False, False, False, False]
    assert found[-1].tier == ""


def test_what_is_nearest_to_being_met_for_the_units_next_tier_is_told(workspace: Workspace) -> None:
    elsewhere = {**REVENUE, "unit": "DE", "value": 999.0, "gap": 1.0}
    met = {**CRITERION, "criterion": "3", "met": "true", "gap": 0.0}
    (unit,) = _ladders(workspace, units=[UNIT], unit_criteria=[CRITERION, REVENUE, met, elsewhere]).units
    assert unit.gap == "Won revenue, last 4 quarters: USD 900, asked ≥ USD 1,000 (and 1 more)"


def test_a_route_that_is_not_the_cheapest_comes_last_and_a_condition_is_said_in_words(workspace: Workspace) -> None:
    condition = {**CRITERION, "operator": "is", "expression": "region = 'EMEA'", "metric": "region", "threshold": None}
    far = {**REVENUE, "route": "any.1", "cheapest": False}
    (unit,) = _ladders(workspace, units=[UNIT], unit_criteria=[far, condition]).units
    assert unit.gap == "Region is EMEA: does not hold (and 1 more)"


def test_nothing_missing_is_nothing_said(workspace: Workspace) -> None:
    (unit,) = _ladders(workspace, units=[{**UNIT, "next_tier": None}], unit_criteria=[CRITERION]).units
    assert unit.gap == ""


def test_only_so_many_lines_are_counted_as_are_shown(workspace: Workspace) -> None:
    many = _ladders(workspace, units=[{**UNIT, "unit": f"U{number}"} for number in range(40)])
    assert many.lines == 2 * MOST_SHOWN + 4
