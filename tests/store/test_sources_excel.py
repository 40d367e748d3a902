"""Excel workbooks: what the cells show, from files that openpyxl writes."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.store.sources_example import read, workspace_of
from tierwise.errors import InvalidInput
from tierwise.store.sources_excel import cell_text

HEADER = ("id", "partner", "day", "price")


def workbook(folder: Path, *sheets: tuple[str, list[tuple[object, ...]]]) -> None:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / "deals.xlsx")


def deals(folder: Path, **source: object) -> list[tuple[object, ...]]:
    return read(workspace_of(folder, {"excel": "deals.xlsx", **source}))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (3, "3"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (2.0**53, "9007199254740992"),
        (1e300, "1e+300"),
        (True, "true"),
        (False, "false"),
        (None, None),
        ("007", "007"),
        ("", ""),
        (datetime(2026, 1, 5), "2026-01-05"),
        (datetime(2026, 1, 5, 9, 30), "2026-01-05 09:30:00"),
        (date(2026, 1, 5), "2026-01-05"),
        (time(9, 30), "09:30:00"),
    ],
)
def test_a_cell_is_written_without_artefacts(value, text):
    assert cell_text(value) == text


def test_the_first_sheet_is_read_with_its_dates_and_numbers(tmp_path):
    workbook(
        tmp_path,
        ("Deals", [HEADER, (1, "P1", datetime(2026, 1, 5), 12.5), (2, None, "2026-01-06", 7)]),
        ("Notes", [("x",)]),
    )

    assert deals(tmp_path) == [(1, None, "1", "P1", "2026-01-05", "12.5"), (2, None, "2", None, "2026-01-06", "7")]


def test_a_sheet_is_chosen_by_name(tmp_path):
    workbook(tmp_path, ("Notes", [("x",)]), ("Deals", [HEADER, (1, "P1", None, None)]))

    assert len(deals(tmp_path, sheet="Deals")) == 1
    with pytest.raises(InvalidInput, match="there is no sheet 'deals'; did you mean 'Deals'"):
        deals(tmp_path, sheet="deals")


def test_blank_rows_are_no_rows_and_a_value_beyond_the_header_makes_a_row_unreadable(tmp_path):
    rows = [(), HEADER, (1, "P1"), (None, None), (2, "P1", None, None, "stray"), (3, "P1", None, None, None), (), ()]
    workbook(tmp_path, ("Deals", rows))

    found = deals(tmp_path)
    assert [(row[0], row[2]) for row in found] == [(1, "1"), (2, None), (3, "3")]
    assert found[1][1] == "the row has the value 'stray' beyond the last of the header's 4 columns"


def test_more_rows_than_one_batch(tmp_path):
    workbook(tmp_path, ("Deals", [HEADER, *((n, "P1", None, None) for n in range(1, 10_006))]))

    assert [row[0] for row in deals(tmp_path)] == list(range(1, 10_006))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "the sheet is empty: it has not even a header row"),
        ([("id", "partner", "day", "prise")], "did you mean 'prise'"),
        ([(*HEADER, "id")], "the column 'id' stands 2 times in the header"),
    ],
)
def test_a_header_at_fault_is_refused_with_the_sheet(tmp_path, rows, message):
    workbook(tmp_path, ("Deals", rows))
    with pytest.raises(InvalidInput, match=message) as caught:
        deals(tmp_path)
    assert caught.value.faults[0].where.endswith("deals.xlsx [Deals]")


@pytest.mark.parametrize("content", [b"", b"id,partner\n", b"PK\x03\x04broken"])
def test_a_file_that_is_no_workbook_is_refused(tmp_path, content):
    (tmp_path / "deals.xlsx").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"not a readable \.xlsx workbook"):
        deals(tmp_path)
