"""A small channel with a pilot that needs no model: planned, drawn, looked at and read once for all tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tierwise.config.load import Workspace, load_workspace
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.pilot_analyse import AnalyseRequest, analyse
from tierwise.jobs.pilot_assign import AssignRequest, assign
from tierwise.jobs.pilot_design import DesignRequest, design

TODAY, EVE, LOOK, END = date(2026, 10, 15), date(2026, 6, 30), date(2026, 8, 15), date(2026, 9, 30)
SLUG = "budget"
PILOT: dict[str, Any] = {
    "title": "Start budget",
    "hypothesis": "A start budget raises revenue by 20 %.",
    "owner": "channel-programs",
    "starts": date(2026, 7, 1),
    "lasts": "1 quarter",
    "population": {"where": "status = 'active' and revenue_4q > 0"},
    "arms": {
        "control": {"gets": "What they have."},
        "budget": {"gets": "2,500 USD at once.", "cost_per_partner": 2500, "mdf_budget": {"amount": 2500}},
    },
    "strata": ["region"],
    "match_on": ["revenue_4q"],
    "covariates": ["logins_1q"],
    "outcomes": {
        "revenue_in_pilot": {"metric": "revenue_4q", "role": "primary", "minimum_effect": 0.2},
        "left_programme": {"role": "guardrail", "direction": "down", "tolerance": 0.5},
        "deals_in_pilot": {"metric": "deals_won_4q"},
    },
    "looks": ["45 days"],
    "decision": {"least_return": 0},
    "money": {"revenue": "revenue_in_pilot", "margin": 0.3},
    "design": {"simulations": 50},
}


def write_pilot(folder: Path, slug: str = SLUG, **changed: Any) -> Path:
    """Write the pilot's file with some keys changed; a key of `None` is left out."""
    body = {key: value for key, value in {**PILOT, **changed}.items() if value is not None}
    path = folder / "pilots" / f"{slug}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


def make_channel(folder: Path) -> Workspace:
    """Make the channel, without a run of anything; so small that a few planted faults would be over the tolerance."""
    init(InitRequest(folder, "demo", partners=120, years=3))
    for path in (folder / "pilots").glob("*.yaml"):
        path.unlink()
    settings = folder / "tierwise.yaml"
    text = settings.read_text("utf-8").replace("{rows: 0.01, money: 0.01}", "{rows: 1, money: 1}")
    settings.write_text(text, encoding="utf-8")
    write_pilot(folder)
    return load_workspace(folder)


def run_all(workspace: Workspace) -> None:
    """Plan, draw, look and read."""
    design(workspace, DesignRequest(SLUG, TODAY))
    assign(workspace, AssignRequest(SLUG, TODAY, "ann"))
    analyse(workspace, AnalyseRequest(SLUG, TODAY, LOOK))
    analyse(workspace, AnalyseRequest(SLUG, TODAY))
