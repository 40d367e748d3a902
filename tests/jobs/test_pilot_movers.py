"""Whom an arm's thresholds could touch, what a design is simulated with, and what partners really got."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.jobs.pilot_channel import PILOT, SLUG, TODAY, make_channel, write_pilot
from tierwise import pilots
from tierwise.config.load import Workspace, load_workspace
from tierwise.config.pilot import PowerSettings
from tierwise.config.pilot_file import PolicyChange
from tierwise.engine import Engine, open_engine
from tierwise.jobs.pilot_design import DesignRequest, design
from tierwise.jobs.pilot_files import OpenPilot, open_pilot
from tierwise.jobs.pilot_movers import changed_policy, mover_notes, tier_steps
from tierwise.jobs.pilot_reading import Reading, analysis_settings, pilot_rows
from tierwise.jobs.pilot_snapshot import Channel
from tierwise.metrics.checking import make_empty_tables

EVE, END = date(2026, 6, 30), date(2026, 9, 30)
POLICY: dict[str, Any] = {
    "policy": "plain",
    "effective_from": date(2026, 1, 1),
    "owner": "channel-programs",
    "reason": "a ladder by revenue alone",
    "parameters": {"growth_revenue": {"by": "region", "EMEA": 100, "AMER": 200, "default": 150}, "top_revenue": 1000},
    "tiers": [
        {"name": "entry"},
        {"name": "growth", "when": "revenue_4q >= growth_revenue"},
        {"name": "top", "when": "revenue_4q >= top_revenue"},
    ],
}
REVENUE = {"A": 90, "B": 90, "C": 120, "D": 500, "E": 700}
ARMS: dict[str, Any] = {
    "control": {"gets": "What they have."},
    "lower": {"gets": "Lower thresholds.", "title": "Lower threshold", "cost_per_partner": 1,
              "policy_change": {"parameters": {"growth_revenue": {"EMEA": 80}, "top_revenue": 600}}},
}  # fmt: skip
CLAIMS = (
    ("A", "2026-07-05", "2026-07-05", "control"),
    ("A", "2026-08-05", "2026-08-05", "lower"),
    ("B", "2026-06-30", "2026-06-30", "lower"),
    ("C", "2026-10-01", "2026-10-01", "lower"),
    ("D", "2026-09-01", "2026-11-01", "lower"),
    ("E", "2026-07-01", "2026-07-01", "control"),
)


@pytest.fixture
def folder(repository: Path, tmp_path: Path) -> Path:
    """The demo's tables with a policy that needs no model, and a pilot of its thresholds."""
    made = tmp_path / "demo"
    shutil.copytree(repository / "pipelines" / "demo", made)
    for path in (made / "benefits.yaml", *(made / "policies").glob("*.yaml"), *(made / "pilots").glob("*.yaml")):
        path.unlink()
    (made / "policies" / "plain.yaml").write_text(yaml.safe_dump(POLICY, sort_keys=False), encoding="utf-8")
    write_pilot(made, "thresholds", arms=ARMS, looks=None,
                received={"table": "mdf_claims", "arm": "activity", "otherwise": "control"})  # fmt: skip
    return made


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    return load_workspace(folder)


@pytest.fixture
def engine(workspace: Workspace) -> Iterator[Engine]:
    with open_engine() as made:
        make_empty_tables(made, workspace)
        for number, (key, amount) in enumerate(REVENUE.items()):
            region = "AMER" if key == "B" else "EMEA"
            made.run(f"INSERT INTO partners (partner_id, region, joined_on) VALUES ('{key}', '{region}', '2024-01-01')")
            made.run(
                "INSERT INTO deals (deal_id, partner_id, date, known_on, status, amount)"
                f" VALUES ('D{number}', '{key}', DATE '2026-03-01', DATE '2026-03-01', 'won', {amount})"
            )
        for number, claim in enumerate(CLAIMS):
            made.run(
                "INSERT INTO mdf_claims (claim_id, partner_id, date, known_on, activity) VALUES (?, ?, ?, ?, ?)",
                [f"M{number}", *claim],
            )
        yield made


@pytest.fixture
def channel(engine: Engine, workspace: Workspace, tmp_path: Path) -> Channel:
    return Channel(engine, workspace, tmp_path / "output")


@pytest.fixture
def pilot(workspace: Workspace) -> OpenPilot:
    return open_pilot(workspace, "thresholds")


def test_an_arm_changes_the_values_it_names_and_no_others(workspace: Workspace) -> None:
    before = workspace.policies[0]
    after = changed_policy(
        before, PolicyChange(parameters={"growth_revenue": {"EMEA": 80, "default": 1}, "top_revenue": 2})
    )
    assert {key: float(value) for key, value in after.parameters["growth_revenue"].values.items()} == {
        "EMEA": 80, "AMER": 200,
    }  # fmt: skip
    assert (after.parameters["growth_revenue"].by, after.parameters["growth_revenue"].default) == ("region", 1)
    assert after.parameters["top_revenue"].default == 2
    assert float(before.parameters["growth_revenue"].values["EMEA"]) == 100


def test_the_steps_are_those_of_the_two_policies(channel: Channel, pilot: OpenPilot) -> None:
    policy = channel.workspace.policies[0]
    change = pilot.settings.arms["lower"].policy_change
    assert change is not None
    steps = tier_steps(channel, policy, changed_policy(policy, change), EVE)
    assert steps.to_dict() == {"A": 1, "B": 0, "C": 0, "D": 0, "E": 1}
    back = tier_steps(channel, changed_policy(policy, change), policy, EVE)
    assert back.to_dict() == (-steps).to_dict()


def test_only_those_that_move_can_differ_and_the_draw_says_how_many(channel: Channel, pilot: OpenPilot) -> None:
    partners = pd.DataFrame({"partner_id": list(REVENUE), "arm": ["lower", "control", "lower", "lower", "control"]})
    [planned] = mover_notes(channel, pilot, partners.drop(columns="arm"), EVE)
    assert "of 5 partners, its thresholds would place 2 higher and 0 lower. Only these 2 (40%)" in planned
    [drawn] = mover_notes(channel, pilot, partners, EVE)
    assert drawn.startswith("Lower threshold: of the 3 partners drawn into it, its thresholds would place 1 higher")
    [nobody] = mover_notes(channel, pilot, partners[partners["partner_id"] == "B"], EVE)
    assert "would move none of the 0 partners" in nobody


def test_arms_without_other_thresholds_move_nobody(channel: Channel, folder: Path) -> None:
    write_pilot(folder, "plain", arms=PILOT["arms"], looks=None)
    found = open_pilot(load_workspace(folder), "plain")
    assert list(mover_notes(channel, found, pd.DataFrame({"partner_id": ["A"]}), EVE)) == []


def test_what_partners_got_is_the_last_thing_given_in_the_pilot_as_far_as_it_was_known(
    channel: Channel, pilot: OpenPilot
) -> None:
    """A got both, the last counts; B's was before, C's after, D's not known by then: they count as `otherwise`."""
    units = pd.DataFrame({"partner_id": list(REVENUE), "arm": ["lower", "control", "lower", "lower", "control"]})
    units = units.assign(region="EMEA", block="b", cluster=units["partner_id"], before_revenue_in_pilot=1.0,
                         before_logins_1q=0.0)  # fmt: skip
    rows = pilot_rows(channel, pilot, units, Reading(END, END, final=True, look=None))
    got = dict(zip(rows["partner_id"], rows["received"], strict=True))
    assert got == {"A": "lower", "B": "control", "C": "control", "D": "control", "E": "control"}
    settings = analysis_settings(channel.workspace, pilot, Reading(END, END, final=True, look=None))
    found = {one.arm: one for one in pilots.analyse(rows.assign(revenue_in_pilot=range(5)), settings).compliance}
    assert (found["lower"].received, found["lower"].share) == ({"control": 2, "lower": 1}, pytest.approx(1 / 3))
    assert (found["control"].received, found["control"].share) == ({"control": 2}, 1.0)


def test_without_a_word_for_the_rest_what_they_got_is_unknown(channel: Channel, folder: Path) -> None:
    write_pilot(folder, "thresholds", arms=ARMS, looks=None, received={"table": "mdf_claims", "arm": "activity"})
    found = open_pilot(load_workspace(folder), "thresholds")
    units = pd.DataFrame({"partner_id": ["A", "B"], "arm": ["lower", "control"], "before_revenue_in_pilot": 1.0})
    later = date(2026, 11, 2)
    rows = pilot_rows(channel, found, units.assign(before_logins_1q=0.0), Reading(later, END, final=True, look=None))
    assert rows["received"].tolist()[0] == "lower"
    assert rows["received"].isna().tolist() == [False, True]


def test_a_design_is_simulated_with_the_strata_and_matches_that_it_will_be_drawn_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[pd.DataFrame, PowerSettings]] = []
    plan = pilots.plan

    def listening(history: pd.DataFrame, settings: PowerSettings, *more: dict[str, str]) -> pilots.Plan:
        asked.append((history, settings))
        return plan(history, settings, *more)

    monkeypatch.setattr(pilots, "plan", listening)
    monkeypatch.setattr("tierwise.jobs.pilot_design.track_design", lambda *_: None)
    made = make_channel(tmp_path / "workspace")
    write_pilot(made.folder, SLUG, match_on=["potential", "revenue_4q", "logins_1q"], strata=["region", "tier"])
    monkeypatch.setattr("tierwise.jobs.pilot_design.champion_for_design", lambda *_: (None, ()))
    record = design(load_workspace(made.folder), DesignRequest(SLUG, TODAY)).record
    history, settings = asked[0]
    assert (settings.strata, settings.match_on) == (("region", "tier"), ("match_revenue_4q", "match_logins_1q"))
    assert history[["region", "tier", "match_revenue_4q", "match_logins_1q"]].notna().all(axis=None)
    assert (history["match_revenue_4q"] > 0).all()
    assert history["match_logins_1q"].tolist() == history["before_logins_1q"].tolist()
    assert any(note.startswith("The simulated pilots are not matched on potential") for note in record.notes)
