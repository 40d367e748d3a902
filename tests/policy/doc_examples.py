"""Runs the examples of docs/policy-language.md: YAML blocks whose first line is `# example: NAME`."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from tests.metrics.small_workspaces import fill, make_workspace
from tests.policy.case_files import PARTNER, inputs_of
from tierwise.config.policy import Policy
from tierwise.config.workspace import Lookup, TableSettings
from tierwise.config.yaml_reader import parse_yaml
from tierwise.engine import Engine
from tierwise.metrics import compute
from tierwise.policy import NO_HISTORY, Placement, as_history, in_force, move, place

PAGE = Path(__file__).parents[2] / "docs" / "policy-language.md"
AS_OF = date(2026, 6, 30)
BASE = {"policy": "example", "effective_from": date(2026, 1, 1), "owner": "docs", "reason": "an example"}
KINDS = {bool: "boolean", int: "decimal", float: "decimal", date: "date", str: "text"}


@dataclass(frozen=True)
class Example:
    """One example: its policies (normally one), metrics and cases."""

    name: str
    policies: tuple[Policy, ...]
    metrics: dict
    units: dict
    cases: list[dict]


def blocks(language: str) -> dict[str, str]:
    """The page's blocks of a language by the name of their example."""
    found = re.findall(rf"```{language}\n# example: (.+?)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return dict(found)


def examples() -> list[Example]:
    return [_example(name, text) for name, text in blocks("yaml").items()]


def _example(name: str, text: str) -> Example:
    content = parse_yaml(text.encode(), name).data
    cases, metrics, units = content.pop("cases"), content.pop("metrics", {}), content.pop("units", {})
    for table in content.pop("tables", {}).values():
        TableSettings.model_validate(table)
    for lookup in content.pop("lookups", {}).values():
        Lookup.model_validate(lookup)
    bodies = content.pop("policies", None) or [content]
    policies = tuple(Policy.model_validate({**BASE, "movement": "none", **body}) for body in bodies)
    return Example(name, policies, metrics, units, cases)


def facts_of(engine: Engine, example: Example, content: dict, as_of: date) -> list[dict]:
    """A case's facts: those given, and the metrics of its rows; one of each unit where the policy places units."""
    facts = dict(content.get("facts", {}))
    rows = content.get("rows")
    if rows is None:
        return [facts]
    tables = {name: _table(name, records, example.metrics) for name, records in rows.items()}
    for metric in example.metrics.values():
        tables.setdefault(metric.get("from", next(iter(rows))), _table("", [], example.metrics))
    partners = {"partners": {"kind": "partners", "columns": {"partner_id": {}}}}
    workspace = make_workspace(example.metrics, {**partners, **tables}, example.units)
    given = {name: [{"partner_id": PARTNER, **row} for row in records] for name, records in rows.items()}
    fill(engine, workspace, {"partners": [{"partner_id": PARTNER}], **given})
    unit = next(iter(example.units), None)
    computed = compute(engine, workspace, [as_of], unit)
    named = [unit] if unit is not None else []
    return [
        facts | {name: row[name] for name in named} | {name: float(row[name]) for name in example.metrics}
        for _, row in computed.iterrows()
    ]


def _table(name: str, records: list[dict], metrics: dict) -> dict:
    kinds = {key: KINDS[type(value)] for row in records for key, value in row.items() if value is not None}
    columns = {key: {"type": kinds.get(key, "date")} for row in records for key in row}
    return {"kind": "events", "columns": {"partner_id": {}, **columns, "date": {}}}


def placed(engine: Engine, example: Example, content: dict, as_of: date) -> Placement:
    """Place the partners of a case."""
    policy = in_force(example.policies, as_of)
    if "partners" in content:
        rows = [{"partner_id": name, **facts} for name, facts in content["partners"].items()]
        return place(engine, policy, pd.DataFrame(rows))
    if "units" in content:
        return place(engine, policy, pd.DataFrame([{"partner_id": PARTNER, **unit} for unit in content["units"]]))
    rows = facts_of(engine, example, content, as_of)
    if "dated_flags" in content:
        flags = pd.DataFrame([{"partner_id": PARTNER, "until": None, **flag} for flag in content["dated_flags"]])
        inputs = inputs_of(policy, rows[0]).drop(columns=list(flags["flag"]))
        return place(engine, policy, inputs, flags, as_of)
    return place(engine, policy, pd.concat([inputs_of(policy, facts, content.get("flags", [])) for facts in rows]))


def played(engine: Engine, example: Example, case: dict) -> list[dict]:
    """Move the partner through the case's reviews."""
    empty = {"partner_id": PARTNER, "eligible_tier": None, "action": None, "rule": None}
    history = pd.DataFrame([empty | case["start"]]) if "start" in case else NO_HISTORY
    rows = []
    for review in case["reviews"]:
        day = review["as_of"]
        moved = move(in_force(example.policies, day), placed(engine, example, review, day), history, day)
        rows.append(moved.iloc[0].to_dict())
        history = pd.concat([history, as_history(moved, day)])
    return rows


def moved_group(engine: Engine, example: Example, case: dict) -> dict[str, dict[str, str]]:
    """Move several partners once and return each one's rule and tier."""
    day = case["as_of"]
    rows = [
        {
            "partner_id": name,
            "as_of": date(2025, 1, 1),
            "tier": tier,
            "eligible_tier": tier,
            "action": "hold",
            "rule": "x",
        }
        for name, tier in case["history"].items()
    ]
    history = pd.DataFrame(rows) if rows else NO_HISTORY
    moved = move(example.policies[0], placed(engine, example, case, day), history, day).set_index("partner_id")
    return {"rules": moved["rule"].to_dict(), "tiers": moved["recommended_tier"].to_dict()}
