"""docs/output-tables.md describes every column of every output table, and no other."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from tierwise.tables.output_schemas import DAY, NUMBER, OUTPUT_TABLES, TEXT, WHOLE, YES_NO

KINDS: dict[pa.DataType, str] = {TEXT: "text", NUMBER: "number", WHOLE: "whole number", YES_NO: "yes/no", DAY: "date"}
ROW = re.compile(r"^\| (?P<names>`[^|]*`) \| (?P<kinds>[^|]*) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def sections(repository) -> dict[str, str]:
    page = (repository / "docs" / "output-tables.md").read_text("utf-8")
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented(section: str) -> dict[str, str]:
    found = {}
    for row in ROW.finditer(section):
        names = re.findall(r"`([^`]*)`", row["names"])
        kinds = row["kinds"].split(", ") if ", " in row["kinds"] else [row["kinds"]] * len(names)
        found.update(zip(names, kinds, strict=True))
    return found


@pytest.mark.parametrize("name", OUTPUT_TABLES)
def test_every_column_is_described_with_its_type(sections, name):
    wanted = {column: KINDS[kind] for column, kind in OUTPUT_TABLES[name].columns.items()}
    common = documented(sections["Columns of every table"])
    assert {**common, **documented(sections[name])} == wanted


@pytest.mark.parametrize("name", OUTPUT_TABLES)
def test_the_key_is_told(sections, name):
    key = ", ".join(f"`{column}`" for column in OUTPUT_TABLES[name].key)
    assert f"Key: {key}." in sections[name]


def test_no_other_table_is_described(sections):
    assert [name for name in sections if name.islower()] == list(OUTPUT_TABLES)
