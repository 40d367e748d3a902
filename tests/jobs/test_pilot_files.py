"""Pilots' files: what a user sees when one is wrong, with file, line, key, value and the nearest known name."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.pilot_channel import PILOT, write_pilot
from tierwise.config.load import load_workspace
from tierwise.config.pilot_file import PilotFile
from tierwise.errors import InvalidInput
from tierwise.jobs.pilot_files import open_pilot, pilot_slugs
from tierwise.jobs.pilot_record import pilot_record
from tierwise.store.pilot_freeze import canonical, changes_between, settings_sha256, undoes_the_draw

ARMS, OUTCOMES = PILOT["arms"], PILOT["outcomes"]
BUDGET = ARMS["budget"]


@pytest.fixture
def folder(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo workspace without its data; messages show short paths."""
    shutil.copytree(repository / "pipelines" / "demo", tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    return Path("demo")


def faults_of(folder: Path, **changed: Any) -> str:
    write_pilot(folder, "tested", **changed)
    with pytest.raises(InvalidInput) as caught:
        open_pilot(load_workspace(folder), "tested")
    return str(caught.value)


def arm(**changed: Any) -> dict[str, Any]:
    return {"control": ARMS["control"], "budget": {**BUDGET, **changed}}


def outcome(**changed: Any) -> dict[str, Any]:
    return {**OUTCOMES, "revenue_in_pilot": {**OUTCOMES["revenue_in_pilot"], **changed}}


CASES = {
    "unknown key": ({"hypothesys": "x"}, ["unknown key 'hypothesys'; did you mean 'hypothesis'?"]),
    "missing key": ({"owner": None}, ["the required key 'owner' is missing"]),
    "no date": ({"starts": "soon"}, ["found 'soon'; expected a date"]),
    "no duration": ({"lasts": "a while"}, ["'a while' is not a length of time"]),
    "one arm": ({"arms": {"control": ARMS["control"]}}, ["(arms)"]),
    "control gets something": (
        {"arms": dict(reversed(ARMS.items()))},
        ["'budget' is the first arm and so the control, but it gets 'mdf_budget'", "found none"],
    ),
    "arm of no kind": ({"arms": arm(mdf_budget=None)}, ["policy_change, incentive, mdf_budget, service_level"]),
    "arm of two kinds": (
        {"arms": arm(incentive={"pays": "for deals", "rate": 0.1})},
        ["found incentive, mdf_budget"],
    ),
    "incentive without a size": (
        {"arms": arm(mdf_budget=None, incentive={"pays": "for deals"})},
        ["an incentive has either 'rate' or 'amount'"],
    ),
    "unknown parameter": (
        {"arms": arm(mdf_budget=None, policy_change={"parameters": {"growth_revenu": 1}})},
        ["standard@2026-07-01 has no parameter 'growth_revenu'; did you mean 'growth_revenue'?"],
    ),
    "unknown policy": (
        {"arms": arm(mdf_budget=None, policy_change={"policy": "standart", "parameters": {"growth_revenue": 1}})},
        ["no policy 'standart' is in force on 2026-07-01; did you mean 'standard'?"],
    ),
    "policy of no day": (
        {"starts": date(2020, 1, 1), "arms": arm(mdf_budget=None, policy_change={"parameters": {"growth_revenue": 1}})},
        ["no policy is in force on 2020-01-01"],
    ),
    "unknown metric": ({"outcomes": outcome(metric="revnue_4q")}, ["'revnue_4q' is no metric", "'revenue_4q'?"]),
    "another window": (
        {"outcomes": {"revenue_4q": {"role": "primary", "minimum_effect": 0.1}}},
        ["tells of 4 quarters, but the pilot counts 1 quarter", "revenue_in_pilot: {metric: revenue_4q}"],
    ),
    "an earlier window": ({"outcomes": outcome(metric="revenue_prev_4q")}, ["looks back to an earlier window"]),
    "an earlier window inside": (
        {"outcomes": outcome(metric="growth_4q", direction="up")},
        ["looks back to an earlier window through 'revenue_prev_4q'"],
    ),
    "no primary": ({"outcomes": outcome(role="exploratory")}, ["no outcome is primary"]),
    "no minimum effect": ({"outcomes": outcome(minimum_effect=None)}, ["a primary outcome needs 'minimum_effect'"]),
    "no direction": (
        {"outcomes": {**OUTCOMES, "cases_in_pilot": {"metric": "cases_4q"}}},
        ["whether more of 'cases_4q' is better is not said"],
    ),
    "a taken name": ({"outcomes": {**OUTCOMES, "margin": {"metric": "deals_won_4q"}}}, ["stands for the amounts"]),
    "unknown stratum": ({"strata": ["regin"]}, ["'regin' is no attribute of partners; did you mean 'region'?"]),
    "a stratum twice": ({"strata": ["region", "region"]}, ["'region' stands twice"]),
    "unknown unit": ({"unit": "distributor"}, ["'distributor' is no column of partners", "'distributor_id'?"]),
    "unknown covariate": ({"covariates": ["logins"]}, ["'logins' is no metric and no attribute"]),
    "a look after the end": ({"looks": ["2 quarters"]}, ["the look after 2 quarters is not between"]),
    "a look twice": ({"looks": ["30 days", "30 days"]}, ["the look after 30 days stands twice"]),
    "an unknown name in the rule": (
        {"population": {"where": "revnue_4q > 0"}},
        ["unknown name 'revnue_4q'; did you mean 'revenue_4q'?"],
    ),
    "a sub-query in the rule": (
        {"population": {"where": "region in (select region from partners)"}},
        ["sub-queries are not allowed"],
    ),
    "a function in the rule": ({"population": {"where": "read_csv('x') > 0"}}, ["read_csv() is not allowed"]),
    "a statement in the rule": ({"population": {"where": "1; drop table deals"}}, ["population.where"]),
    "unknown consent": ({"population": {"opt_out": "opted"}}, ["'opted' is no column of partners"]),
    "unknown revenue": (
        {"money": {"revenue": "revenue", "margin": 0.3}},
        ["'revenue' is no outcome of the pilot"],
    ),
    "a margin above one": ({"money": {"revenue": "revenue_in_pilot", "margin": 3}}, ["found 3", "at most 1"]),
    "no cost": ({"arms": arm(cost_per_partner=None)}, ["the cost of the arm 'budget' is not said"]),
    "a least return without money": ({"money": None}, ["a least return needs 'money'"]),
    "unknown table": ({"received": {"table": "claims", "arm": "arm"}}, ["'claims' is no table of events"]),
    "unknown column": (
        {"received": {"table": "mdf_claims", "arm": "activty"}},
        ["has no column 'activty'; did you mean 'activity'?"],
    ),
    "an arm that is none": (
        {"received": {"table": "mdf_claims", "arm": "activity", "otherwise": "nothing"}},
        ["'nothing' is no arm; known are 'budget', 'control'"],
    ),
    "an infinite share": ({"arms": arm(share=float("inf"))}, ["found '.inf'; expected a number"]),
    "a negative share": ({"arms": arm(share=-1)}, ["found -1; expected more than 0"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_message_says_what_is_wrong_and_where(case: str, folder: Path) -> None:
    changed, said = CASES[case]
    told = faults_of(folder, **changed)
    assert all(words in told for words in said), told
    assert "demo/pilots/tested.yaml:" in told


def test_all_faults_are_told_at_once(folder: Path) -> None:
    told = faults_of(folder, strata=["regin"], covariates=["logins"], unit="distributor", looks=["2 years"])
    assert [line.count("tested.yaml:") for line in told.splitlines()] == [1, 1, 1, 1]


@pytest.mark.parametrize("slug", ["../tierwise", "../../etc/passwd", "a/b", "", "UPPER", "mdf-2026q4"])
def test_a_name_that_is_no_pilot_reads_no_file(slug: str, folder: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no pilot"):
        open_pilot(load_workspace(folder), slug)


def test_a_file_that_cannot_be_named_is_told(folder: Path) -> None:
    write_pilot(folder, "My Pilot")
    with pytest.raises(InvalidInput, match="is no name of a pilot"):
        open_pilot(load_workspace(folder), "My Pilot")


def test_a_workspace_without_pilots_says_so(folder: Path) -> None:
    shutil.rmtree(folder / "pilots")
    assert pilot_slugs(load_workspace(folder)) == ()
    with pytest.raises(InvalidInput, match="there is no pilot yet"):
        open_pilot(load_workspace(folder), "any")


def test_the_pilot_of_the_demo_is_in_order(folder: Path) -> None:
    workspace = load_workspace(folder)
    pilot = open_pilot(workspace, "mdf-2026q3")
    record = pilot_record(workspace, pilot)
    assert (pilot.starts, pilot.ends, pilot.eve) == (date(2026, 7, 1), date(2026, 9, 30), date(2026, 6, 30))
    assert [arm.kind for arm in record.arms] == ["control", "mdf_budget", "policy_change"]
    assert [one.role for one in record.outcomes][:2] == ["primary", "guardrail"]
    assert sum(arm.share for arm in record.arms) == pytest.approx(1)
    assert set(pilot.metrics) >= {"revenue_4q", "open_pipeline", "opportunities_ever", "average_opportunity_4q"}


def test_the_hash_depends_on_what_is_said_and_on_which_arm_is_the_control() -> None:
    body = canonical(PilotFile.model_validate(PILOT))
    other = canonical(PilotFile.model_validate({**PILOT, "title": "Another"}))
    turned = {**body, "arms": dict(reversed(body["arms"].items()))}
    mixed = dict(reversed(body.items()))
    assert settings_sha256(body) == settings_sha256(mixed)
    assert len({settings_sha256(one) for one in (body, other, turned)}) == 3


def test_changes_are_told_field_by_field() -> None:
    before = canonical(PilotFile.model_validate(PILOT))
    after = canonical(PilotFile.model_validate({**PILOT, "lasts": "2 months", "arms": arm(cost_per_partner=1)}))
    found = changes_between(before, after, ({"m": {"window": "1 month"}}, {"m": {"window": "2 months"}}))
    assert [(one.field, one.before, one.after) for one in found] == [
        ("lasts", "1 quarter", "2 months"),
        ("arms.budget.cost_per_partner", 2500.0, 1.0),
        ("metrics.yaml: m.window", "1 month", "2 months"),
    ]
    assert not any(undoes_the_draw(one) for one in found)


def test_a_setting_that_is_newer_than_the_record_is_no_change() -> None:
    before = canonical(PilotFile.model_validate(PILOT))
    older = {name: value for name, value in before.items() if name not in ("spills_over", "by_archetype")}
    assert changes_between(older, before, ({}, {})) == ()
