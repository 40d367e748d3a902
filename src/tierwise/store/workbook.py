"""A workbook for people: several sheets with titles, formats and coloured cells, the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from tierwise.store.workbook_rows import CellStyles, rows_as_xml
from tierwise.store.writer_formats import EXCEL_MAX_ROWS, cell_text, without_formulas, without_times

Kind = Literal["text", "money", "share", "count"]
FORMATS: Mapping[str, str] = {"money": "#,##0", "share": "0.0%", "count": "#,##0"}


@dataclass(frozen=True)
class Column:
    """One column of a sheet.

    Attributes:
        title: Its header.
        kind: What its cells are, for their format.
        width: Its width in characters.
        colours: Cell colour (RRGGBB) by the cell's text; the text says the same, so colour is never alone.
    """

    title: str
    kind: Kind = "text"
    width: int = 14
    colours: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name, its columns, and its cells row by row."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[object]]


def write_workbook(sheets: Sequence[Sheet], path: Path) -> None:
    """Write sheets with frozen headers, filters, formats and colours; formulas in texts are made harmless.

    A sheet holds at most 1,048,575 rows; those beyond are left out and the last row says so.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    rows = {
        f"xl/worksheets/sheet{number}.xml": _fill(book.create_sheet(sheet.name[:31]), sheet)
        for number, sheet in enumerate(sheets, start=1)
    }
    raw = path.with_name(f"{path.name}.raw")
    book.save(raw)
    without_times(raw, path, rows)
    raw.unlink()


def _fill(target: Any, sheet: Sheet) -> Iterator[bytes]:
    """Set a sheet up with its header; returns the rows that go below it."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    target.freeze_panes = "A2"
    letters = [get_column_letter(place) for place in range(1, len(sheet.columns) + 1)]
    for letter, column in zip(letters, sheet.columns, strict=True):
        target.column_dimensions[letter].width = column.width
    target.auto_filter.ref = f"A1:{letters[-1]}{max(len(sheet.rows), 1) + 1}"
    header = [WriteOnlyCell(target, value=title) for title in _harmless_titles(sheet)]
    for cell in header:
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    target.append(header)
    styles = [_styles(target, column, letter) for column, letter in zip(sheet.columns, letters, strict=True)]
    return rows_as_xml(styles, _harmless_columns(sheet))


def _styles(target: Any, column: Column, letter: str) -> CellStyles:
    """Let the workbook know the styles of a column's cells; they get their numbers by it."""
    plain = _style(target, column, "") if column.kind in FORMATS else 0
    colours = {text: _style(target, column, colour) for text, colour in column.colours.items() if colour}
    return CellStyles(letter, plain, colours)


def _style(target: Any, column: Column, colour: str) -> int:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import PatternFill

    cell = WriteOnlyCell(target)
    if colour:
        cell.fill = PatternFill("solid", start_color=colour)
    if column.kind in FORMATS:
        cell.number_format = FORMATS[column.kind]
    return int(cell.style_id)


def _harmless_titles(sheet: Sheet) -> list[str]:
    titles = [str(cell_text(column.title)) for column in sheet.columns]
    return list(without_formulas(pa.table([pa.nulls(0) for _ in titles], names=titles)).column_names)


def _harmless_columns(sheet: Sheet) -> list[list[object]]:
    """The cells column by column with formulas made harmless; a last row says how many did not fit."""
    fitting = sheet.rows if len(sheet.rows) <= EXCEL_MAX_ROWS else sheet.rows[: EXCEL_MAX_ROWS - 1]
    columns = [[cell_text(value) for value in values] for values in zip(*fitting, strict=True)]
    kinds = [pa.string() if column.kind == "text" else pa.float64() for column in sheet.columns]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=bool(columns))]
    if not arrays:
        return []
    table = without_formulas(pa.table(arrays, names=[f"c{place}" for place in range(len(arrays))]))
    found: list[list[object]] = [column.to_pylist() for column in table.columns]
    if len(fitting) < len(sheet.rows):
        left = f"{len(sheet.rows) - len(fitting):,} more rows are in the review's tables"
        found = [[*values, left if place == 0 else None] for place, values in enumerate(found)]
    return found
