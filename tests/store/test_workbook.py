"""Workbooks for people: nothing in them runs, colours say what the words say, and the same rows give the same bytes."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tierwise.store.workbook import Column, Sheet, write_workbook

COLUMNS = (
    Column("Name", width=30),
    Column("Action", colours={"▲ Promote": "CFE8D5"}),
    Column("Value", "money"),
    Column("Share", "share"),
)
ROWS = [("Linden", "▲ Promote", 1_234.5, 0.25), ("Oak", "Hold", None, 0.5)]
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1+1")


def _write(path: Path, rows: list[tuple[object, ...]], columns: tuple[Column, ...] = COLUMNS) -> openpyxl.Workbook:
    write_workbook([Sheet("Partners", columns, rows), Sheet("Empty", columns, [])], path)
    return openpyxl.load_workbook(path)


def test_cells_have_their_formats_and_colours(tmp_path: Path) -> None:
    sheet = _write(tmp_path / "book.xlsx", ROWS)["Partners"]
    assert [cell.value for cell in sheet[1]] == ["Name", "Action", "Value", "Share"]
    assert [cell.value for cell in sheet[2]] == ["Linden", "▲ Promote", 1_234.5, 0.25]
    assert sheet["B2"].fill.start_color.rgb.endswith("CFE8D5")
    assert sheet["B3"].fill.fill_type is None
    assert (sheet["C2"].number_format, sheet["D2"].number_format) == ("#,##0", "0.0%")
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:D3")
    assert sheet["A1"].font.bold


def test_a_sheet_without_rows_keeps_its_header(tmp_path: Path) -> None:
    sheet = _write(tmp_path / "book.xlsx", ROWS)["Empty"]
    assert sheet.max_row == 1


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_reads_as_a_formula_is_made_harmless(tmp_path: Path, text: str) -> None:
    columns = (Column(text, width=20, colours={text: "FFFFFF"}), *COLUMNS[1:])
    sheet = _write(tmp_path / "book.xlsx", [(text, "Hold", 1.0, 0.1)], columns)["Partners"]
    cell = sheet["A2"]
    assert cell.data_type == "s"
    assert cell.value == f"'{text}"
    assert sheet["A1"].data_type == "s"


def test_characters_that_a_workbook_cannot_hold_are_replaced(tmp_path: Path) -> None:
    sheet = _write(tmp_path / "book.xlsx", [("a\x00b\x1f", "Hold", 1.0, 0.1)])["Partners"]
    assert sheet["A2"].value == "a\ufffdb\ufffd"


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        _write(tmp_path / f"{name}.xlsx", ROWS)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "other.xlsx").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.xlsx", "other.xlsx"]


def test_rows_that_do_not_fit_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierwise.store.workbook.EXCEL_MAX_ROWS", 3)
    sheet = _write(tmp_path / "book.xlsx", ROWS * 4)["Partners"]
    assert sheet.max_row == 4
    assert sheet["A4"].value == "6 more rows are in the review's tables"


def test_texts_of_any_kind_come_back_as_they_were(tmp_path: Path) -> None:
    texts = ["<b> & \"quoted\" 'x'", "  spaces kept  ", "two\nlines", "ä€😀", "x" * 40_000, ""]
    rows = [(text, "Hold", 1.0, None) for text in texts]
    found = [row[0].value for row in _write(tmp_path / "book.xlsx", rows)["Partners"].iter_rows(min_row=2)]
    assert found == [*texts[:4], "x" * 32_767, None]


def test_figures_that_are_none_are_left_empty(tmp_path: Path) -> None:
    rows = [("Linden", "Hold", value, None) for value in (float("nan"), float("inf"), 0.1 + 0.2, -5)]
    sheet = _write(tmp_path / "book.xlsx", rows)["Partners"]
    assert [row[2].value for row in sheet.iter_rows(min_row=2)] == [None, None, 0.1 + 0.2, -5]


def test_more_rows_than_are_made_at_once_are_all_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierwise.store.workbook_rows.ROWS_AT_ONCE", 3)
    rows = [(f"P{number}", "▲ Promote", float(number), 0.5) for number in range(8)]
    sheet = _write(tmp_path / "book.xlsx", rows)["Partners"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [list(row) for row in rows]
    assert sheet["B9"].fill.start_color.rgb.endswith("CFE8D5")
