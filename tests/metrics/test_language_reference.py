"""The metric-language reference: every example is run, and the listed functions are those of the language."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.metrics.small_workspaces import TABLES, metric_rows
from tierwise.engine import grammar

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metric-language.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)]


def found_value(rows: pd.DataFrame, partner: str, name: str) -> object:
    value = rows.set_index("partner_id").loc[partner, name]
    return None if pd.isna(value) else value


def keyed_by_unit(rows: pd.DataFrame, unit: str | None) -> pd.DataFrame:
    """The rows of units under names such as `acme in DE`."""
    return rows if unit is None else rows.assign(partner_id=rows["partner_id"] + " in " + rows[unit])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example["metrics"])))
def test_every_example_gives_what_it_says(example: dict) -> None:
    tables = {name: example[name] for name in TABLES if name in example}
    unit = next(iter(example.get("units", [])), None)
    given = metric_rows(example["metrics"], tables, example["as_of"], unit, units=example.get("units"))
    rows = keyed_by_unit(given, unit)
    assert set(rows["partner_id"]) == set(example["gives"])
    for partner, values in example["gives"].items():
        found = {name: found_value(rows, partner, name) for name in values}
        assert found == {
            name: pytest.approx(value) if isinstance(value, float) else value for name, value in values.items()
        }


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 8
    assert all(isinstance(example["as_of"], date) for example in EXAMPLES)


@pytest.mark.parametrize(
    ("row", "functions"),
    [
        ("functions", grammar.SCALAR_FUNCTIONS),
        ("aggregates", grammar.AGGREGATE_FUNCTIONS),
        ("ranks, in formulas", grammar.RANK_FUNCTIONS),
    ],
)
def test_the_listed_functions_are_those_of_the_language(row: str, functions: dict) -> None:
    line = next(line for line in TEXT.splitlines() if line.startswith(f"| {row} |"))
    assert set(re.findall(r"`(\w+)`", line)) == set(functions)


@pytest.mark.parametrize(
    "name", sorted(set(grammar.ADVICE) & {"first", "last", "any_value", "string_agg", "list", "mode"})
)
def test_the_refused_functions_are_named(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_the_limits_are_those_of_the_language() -> None:
    assert f"{grammar.MAX_CHARACTERS:,} characters and {grammar.MAX_BRACKETS} brackets" in " ".join(TEXT.split())
