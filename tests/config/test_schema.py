"""JSON Schemas: every file that loads validates, every key is described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from tierwise.config.base import Settings, field_docs, summary_doc
from tierwise.config.schema import FILES, json_schema, json_schemas
from tierwise.config.yaml_reader import read_yaml

SCHEMAS = json_schemas()


def objects(schema: dict) -> list[dict]:
    return [part for part in (schema, *schema.get("$defs", {}).values()) if "properties" in part]


def plain(path: Path) -> object:
    """A file as an editor sees it: dates are text."""
    return json.loads(json.dumps(read_yaml(path).data, default=str))


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_a_schema(name: str):
    Draft202012Validator.check_schema(SCHEMAS[name])

    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMAS[name]["description"]


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_described_and_no_other_key_is_allowed(name: str):
    parts = objects(SCHEMAS[name])

    keys = [(f"{part['title']}.{key}", value) for part in parts for key, value in part["properties"].items()]
    undescribed = [key for key, value in keys if not value.get("description")]
    open_ended = [part["title"] for part in parts if part.get("additionalProperties") is not False]

    assert undescribed == []
    assert open_ended == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("workspace", "tierwise.yaml"),
        ("metrics", "metrics.yaml"),
        ("policy", "policies/2026-10-01.yaml"),
        ("benefits", "benefits.yaml"),
    ],
)
def test_the_example_of_the_docs_validates(name: str, file: str, channel: Path):
    errors = [error.message for error in Draft202012Validator(SCHEMAS[name]).iter_errors(plain(channel / file))]

    assert errors == []


def settings_files(repository: Path) -> list[tuple[str, Path]]:
    """Every shipped settings file, with the name of its schema."""
    found = [("model", path) for path in sorted((repository / "models").glob("*.yaml"))]
    for workspace in sorted((repository / "pipelines").glob("*/")):
        found += [(name, workspace / file) for name, (file, _) in FILES.items() if (workspace / file).is_file()]
        found += [("policy", path) for path in sorted((workspace / "policies").glob("*.yaml"))]
        found += [("pilot", path) for path in sorted((workspace / "pilots").glob("*.yaml"))]
    return found


def test_shipped_files_validate(repository: Path):
    files = settings_files(repository)

    errors = [
        f"{path.relative_to(repository)}: {error.json_path} {error.message}"
        for name, path in files
        for error in Draft202012Validator(SCHEMAS[name]).iter_errors(plain(path))
    ]

    assert errors == []
    assert len(files) >= len(FILES)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("metrics", {"metrics": {"a": {"from": "deals", "value": "1", "window": "6 weeks"}}}),
        ("metrics", {"metrics": {"a": {"from": "deals", "vlaue": "1"}}}),
        ("metrics", {"metrics": {"Bad Name": {"formula": "1"}}}),
        ("metrics", {}),
        ("benefits", {"tiers": {"entry": {"unit_cost": -1}}}),
    ],
)
def test_a_schema_refuses_what_the_settings_refuse(name: str, data: dict):
    assert not Draft202012Validator(SCHEMAS[name]).is_valid(data)
    with pytest.raises(ValueError):
        FILES[name][1].model_validate(data)


def test_schemas_are_the_same_every_time():
    assert json.dumps(json_schemas()) == json.dumps(SCHEMAS)


def test_docstrings_are_the_only_source_of_descriptions():
    class Shelf(Settings):
        """A shelf.

        It holds books,
        one beside the other.

        Attributes:
            books: How many; more
                than one line.
            from_: Where it is from.

        Raises:
            ValueError: Never.
        """

        books: int
        from_: str = ""

    assert summary_doc(Shelf) == "A shelf.\n\nIt holds books, one beside the other."
    assert field_docs(Shelf) == {"books": "How many; more than one line.", "from_": "Where it is from."}
    assert json_schema(Shelf)["properties"]["books"]["description"] == "How many; more than one line."


def test_a_model_without_attributes_section_has_no_field_docs():
    class Bare(BaseModel):
        """Bare."""

        size: int

    assert field_docs(Bare) == {}
    assert summary_doc(Bare) == "Bare."
