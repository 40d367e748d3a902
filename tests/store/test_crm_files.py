"""Files for a CRM's import: what a cell holds, where files are cut, and what comes back."""

from __future__ import annotations

import csv
import io
import math
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.errors import InvalidInput
from tierwise.store.crm_failures import NOT_PROCESSED, FailedRow, read_failures
from tierwise.store.crm_files import FileLimits, write_chunks
from tierwise.store.crm_values import FORMS, cell_writer
from tierwise.store.page_folder import page_folder

WIDE = FileLimits(10**9, 10**9)


def _written(place: Path, rows: list[list[str]], limits: FileLimits) -> list[list[list[str]]]:
    """Write rows and read every file back as a CRM does; each file's rows without its header."""
    with page_folder(place) as folder:
        files = write_chunks(folder, "Account", ["Key__c", "Text__c"], rows, limits)
    read = []
    for file in files:
        content = (place / file.name).read_bytes()
        assert len(content) == file.size <= limits.size
        parsed = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
        assert parsed[0] == ["Key__c", "Text__c"]
        assert len(parsed) - 1 == file.rows <= limits.rows
        read.append(parsed[1:])
    return read


@pytest.mark.parametrize(
    ("value", "salesforce", "odoo"),
    [
        (None, "#N/A", ""),
        (math.nan, "#N/A", ""),
        (True, "true", "True"),
        (False, "false", "False"),
        (date(2026, 2, 28), "2026-02-28", "2026-02-28"),
        (datetime(2024, 2, 29, 23, 59), "2024-02-29", "2024-02-29"),
        (1e-7, "0.0000001", "0.0000001"),
        (1.5e22, "15000000000000000000000", "15000000000000000000000"),
        (412000.0, "412000", "412000"),
        (-0.1, "-0.1", "-0.1"),
        (7, "7", "7"),
        ('Zoë, "the" 東京\nLtd', 'Zoë, "the" 東京\nLtd', 'Zoë, "the" 東京\nLtd'),
        ("cut\0here", "cut�here", "cut�here"),
        ("half \ud800 a character", "half ? a character", "half ? a character"),
    ],
)
def test_a_value_as_each_import_takes_it(value: object, salesforce: str, odoo: str) -> None:
    assert cell_writer(FORMS["salesforce"])(value) == salesforce
    assert cell_writer(FORMS["odoo"])(value) == odoo


def test_lines_end_with_a_line_feed_alone(tmp_path: Path) -> None:
    with page_folder(tmp_path / "out") as folder:
        write_chunks(folder, "Account", ["Key__c"], [["a"], ["b"]], WIDE)
    assert (tmp_path / "out" / "Account-0001.csv").read_bytes() == b"Key__c\na\nb\n"


def test_an_export_without_rows_is_a_file_with_its_header(tmp_path: Path) -> None:
    assert _written(tmp_path / "out", [], WIDE) == [[]]


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30), max_size=25),
    most_bytes=st.integers(200, 600),
    most_rows=st.integers(1, 9),
)
def test_rows_are_cut_below_both_limits_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], most_bytes: int, most_rows: int
) -> None:
    rows = [[f"P{number}", text] for number, text in enumerate(texts)]
    place = tmp_path_factory.mktemp("cut") / "out"
    files = _written(place, rows, FileLimits(most_bytes, most_rows))
    assert [row for file in files for row in file] == rows
    assert all(files) or files == [[]]


def test_a_row_longer_than_a_file_is_refused_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a file may hold 40") as caught:
        _written(tmp_path / "out", [["P1", "x" * 100]], FileLimits(40, 10))
    assert caught.value.faults[0].examples == ("P1",)
    assert not (tmp_path / "out").exists()


# Header and shape of `sf__Error` as in Salesforce's "Bulk API 2.0 Developer Guide", Get Job Failed Record Results.
FAILED = (
    '"sf__Id","sf__Error","Partner_Id__c","Partner_Tier__c"\n'
    '"","INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: gold:Partner_Tier__c --",'
    '"P1","gold"\n'
    '"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","P,2","entry"\n'
)
UNPROCESSED = '"Partner_Id__c","Partner_Tier__c"\n"P9","entry"\n'


def test_failed_and_unprocessed_rows_are_read_with_code_and_message(tmp_path: Path) -> None:
    failed, unprocessed = tmp_path / "failed.csv", tmp_path / "unprocessed.csv"
    failed.write_text(FAILED, "utf-8-sig")
    unprocessed.write_text(UNPROCESSED, "utf-8")
    rows = read_failures([failed, unprocessed], "Partner_Id__c")
    assert [(row.key, row.code) for row in rows] == [
        ("P1", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("P,2", "REQUIRED_FIELD_MISSING"),
        ("P9", NOT_PROCESSED),
    ]
    assert rows[1] == FailedRow("P,2", "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]:Name --")


def test_all_files_that_are_no_such_files_are_named(tmp_path: Path) -> None:
    other, latin = tmp_path / "other.csv", tmp_path / "latin.csv"
    other.write_text("Partner_Id,b\n1,2\n")
    latin.write_bytes(b"Partner_Id__c\n\xe9\n")
    with pytest.raises(InvalidInput) as caught:
        read_failures([other, tmp_path / "none.csv", latin], "Partner_Id__c")
    said = [fault.what for fault in caught.value.faults]
    assert "did you mean 'Partner_Id'?" in said[0]
    assert "No such file" in said[1]
    assert "cannot be read" in said[2]
