"""The generated reference: every key of every file once, in words that people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from tierwise.config import (
    benefits,
    catalog,
    model_spec,
    policy,
    policy_movement,
    policy_rules,
    policy_scores,
    workspace,
)
from tierwise.config.base import Settings
from tierwise.config.schema import FILES, json_schema
from tools.workspace_reference import Row, page, rows

ROWS = {name: {row.path: row for row in rows(json_schema(model))} for name, (_, model) in FILES.items()}
MODULES = (benefits, catalog, model_spec, policy, policy_movement, policy_rules, policy_scores, workspace)


def settings_models() -> list[type[BaseModel]]:
    return [
        model
        for module in MODULES
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, Settings) and model.__module__ == module.__name__
    ]


def last_keys() -> set[str]:
    return {re.sub(r"\[\]$", "", path.rsplit(".", 1)[-1]) for found in ROWS.values() for path in found}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (
            "workspace",
            Row("tolerance.rows", "number", "`0.01`", "≥ 0; ≤ 1", "The share of rows."),
        ),
        (
            "workspace",
            Row(
                "tables.<name>.kind",
                "text",
                "required",
                "`partners`, `events`, `history`, `tier_history`",
                "What a row is.",
            ),
        ),
        (
            "metrics",
            Row("metrics.<name>.window", "window", "", "", "The stretch of time before the as-of date."),
        ),
        (
            "benefits",
            Row(
                "tiers.<name>.capacity",
                "number by name",
                "",
                "",
                "What one partner in the tier needs of each scarce resource, such as `manager_hours_per_quarter`.",
            ),
        ),
    ],
)
def test_a_row_says_type_default_bounds_and_meaning(name: str, row: Row):
    assert ROWS[name][row.path] == row


def test_short_forms_are_listed_beside_the_mapping():
    assert ROWS["workspace"]["tables.<name>.columns"].kind == "text or mapping or nothing, by name"
    assert ROWS["policy"]["approvals.promote"].kind == "text or list of text"


def test_a_model_in_several_places_is_listed_once():
    lookup = ROWS["workspace"]["lookups.<name>.source"]

    assert lookup.meaning == "Where the rows come from. Keys as under `tables.<name>.source`."
    assert "lookups.<name>.source.csv" not in ROWS["workspace"]
    assert ROWS["workspace"]["tables.<name>.source.csv"].kind == "text"


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_a_type_and_a_meaning(name: str):
    assert [row.path for row in ROWS[name].values() if not (row.kind and row.meaning)] == []


def test_every_key_of_every_model_is_on_the_page():
    written = {field.alias or key for model in settings_models() for key, field in model.model_fields.items()}
    inner = {"values", "default"}  # of tables by attribute, which hold their values beside `by`

    assert written - last_keys() - inner == set()
    assert len(written) > 150


def test_no_cell_breaks_its_table():
    table_lines = [line for line in page().splitlines() if line.startswith("| `")]

    assert [line for line in table_lines if len(re.findall(r"(?<!\\)\|", line)) != 6] == []
    assert len(table_lines) == sum(len(rows(json_schema(model))) for _, model in FILES.values())


def test_the_example_stands_on_the_page_as_it_is(repository: Path):
    text = page()

    for path in sorted((repository / "docs" / "examples" / "channel").rglob("*.yaml")):
        assert path.read_text(encoding="utf-8").rstrip() in text
