"""A workspace on disk with a handful of partners and deals, written by the test that needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tierwise.config.load import Workspace, load_workspace
from tierwise.engine import Engine
from tierwise.jobs.accept import accepted_tables
from tierwise.jobs.progress import Steps, silent

TODAY = date(2026, 12, 31)
AS_OF = date(2026, 9, 30)

REVENUE = {
    "title": "Won revenue, last 4 quarters", "unit": "USD", "from": "deals", "value": "sum(amount)",
    "where": "status = 'won'", "window": "4 quarters", "missing": 0, "direction": "up", "family": "sales",
    "owner": "channel-finance",
}  # fmt: skip
DEALS_WON = REVENUE | {"title": "Deals won, last 4 quarters", "unit": "deals", "value": "count(*)"}
CERTIFIED = {
    "title": "People certified", "unit": "people", "from": "certifications", "value": "count(distinct person)",
    "window": "lifetime", "missing": 0, "direction": "up", "actionable": True, "family": "skills",
    "owner": "enablement",
}  # fmt: skip
METRICS: dict[str, dict[str, Any]] = {"revenue_4q": REVENUE, "deals_4q": DEALS_WON, "certified": CERTIFIED}
POLICY: dict[str, Any] = {
    "policy": "standard", "effective_from": date(2020, 1, 1), "owner": "programs", "reason": "the first",
    "tiers": [
        {"name": "entry"},
        {"name": "growth", "when": "certified >= 2"},
        {"name": "strategic", "when": "certified >= 6"},
    ],
    "movement": {"promote": {"at": "any_date", "band": 0.0}, "demote": {"at": "any_date", "band": 0.0}},
}  # fmt: skip
TABLES: dict[str, dict[str, Any]] = {
    "partners": {
        "kind": "partners", "source": {"csv": "partners.csv"},
        "columns": {"partner_id": None, "joined_on": None, "left_on": None, "region": {"static": True}},
    },
    "deals": {
        "kind": "events", "source": {"csv": "deals.csv"}, "key": ["deal_id"], "money": "amount",
        "columns": {
            "deal_id": None, "partner_id": None, "date": None, "known_on": None, "status": None,
            "amount": {"type": "money"},
        },
    },
    "certifications": {
        "kind": "events", "source": {"csv": "certifications.csv"},
        "columns": {"partner_id": None, "date": None, "person": None},
    },
}  # fmt: skip
TIER_HISTORY = {
    "kind": "tier_history", "source": {"csv": "tier_history.csv"},
    "columns": {"partner_id": None, "valid_from": None, "tier": None},
}  # fmt: skip

Rows = Sequence[Mapping[str, object]]


def deal(partner_id: str, day: str, amount: object = 100, **values: object) -> dict[str, object]:
    """A won deal that is known on its day, but for the values given."""
    return {"partner_id": partner_id, "date": day, "known_on": day, "status": "won", "amount": amount, **values}


def write_workspace(
    folder: Path,
    tables: Mapping[str, Rows],
    metrics: Mapping[str, object] = METRICS,
    policy: Mapping[str, object] = POLICY,
    **settings: object,
) -> Workspace:
    """Write a workspace and its CSV files; tables without rows are written with their header alone."""
    declared = deepcopy(TABLES) | ({"tier_history": TIER_HISTORY} if "tier_history" in tables else {})
    potential = {"metric": "revenue_4q", "horizon": "4 quarters", **settings.pop("potential", {})}  # type: ignore[dict-item]
    document = {"tierwise": 1, "name": "Tiny", "tables": declared, "potential": potential, **settings}
    for name, content in {"tierwise": document, "metrics": {"metrics": metrics}, "policies/first": policy}.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(deepcopy(content), sort_keys=False), "utf-8")
    (folder / "data").mkdir(exist_ok=True)
    for name, table in declared.items():
        rows = pd.DataFrame(list(tables.get(name, ())), columns=list(table["columns"]))
        if name == "deals":
            rows["deal_id"] = [f"D{number}" for number in range(len(rows))]
        rows.to_csv(folder / "data" / table["source"]["csv"], index=False)
    return load_workspace(folder)


@contextmanager
def accepted(workspace: Workspace) -> Iterator[Engine]:
    """The engine with the workspace's accepted tables; a test whose rows are turned away is wrong."""
    with accepted_tables(workspace, TODAY, Steps(silent, 2)) as (engine, _):
        assert engine.rows("SELECT * FROM quarantine") == []
        yield engine
