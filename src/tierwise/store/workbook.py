"""A workbook for people: several sheets with titles, formats and coloured cells, the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

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
    for sheet in sheets:
        _fill(book.create_sheet(sheet.name[:31]), sheet)
    raw = path.with_name(f"{path.name}.raw")
    book.save(raw)
    without_times(raw, path)
    raw.unlink()


def _fill(target: Any, sheet: Sheet) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    target.freeze_panes = "A2"
    for place, column in enumerate(sheet.columns, start=1):
        target.column_dimensions[get_column_letter(place)].width = column.width
    last = get_column_letter(len(sheet.columns))
    target.auto_filter.ref = f"A1:{last}{max(len(sheet.rows), 1) + 1}"
    header = [WriteOnlyCell(target, value=title) for title in _harmless_titles(sheet)]
    for cell in header:
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    target.append(header)
    styled = _Styled(target, sheet.columns)
    for row in _harmless_rows(sheet):
        target.append(styled.row(row))


class _Styled:
    """Turns values into cells. A cell of each column and colour is made once and filled again: styles are dear."""

    def __init__(self, target: Any, columns: Sequence[Column]) -> None:
        self._target, self._columns = target, columns
        self._cells: dict[tuple[int, str], Any] = {}

    def row(self, values: Sequence[object]) -> list[object]:
        return [self._cell(place, value) for place, value in enumerate(values)]

    def _cell(self, place: int, value: object) -> object:
        column = self._columns[place]
        colour = column.colours.get(value, "") if isinstance(value, str) else ""
        if not colour and (column.kind == "text" or value is None):
            return value
        cell = self._cells.get((place, colour))
        if cell is None:
            cell = self._cells[place, colour] = self._made(column, colour)
        cell.value = value
        return cell

    def _made(self, column: Column, colour: str) -> Any:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import PatternFill

        cell = WriteOnlyCell(self._target)
        if colour:
            cell.fill = PatternFill("solid", start_color=colour)
        if column.kind in FORMATS:
            cell.number_format = FORMATS[column.kind]
        return cell


def _harmless_titles(sheet: Sheet) -> list[str]:
    titles = [str(cell_text(column.title)) for column in sheet.columns]
    return list(without_formulas(pa.table([pa.nulls(0) for _ in titles], names=titles)).column_names)


def _harmless_rows(sheet: Sheet) -> Iterator[list[object]]:
    """The rows with formulas made harmless, and a last one that says how many did not fit."""
    fitting = sheet.rows if len(sheet.rows) <= EXCEL_MAX_ROWS else sheet.rows[: EXCEL_MAX_ROWS - 1]
    columns = [[cell_text(value) for value in values] for values in zip(*fitting, strict=True)]
    kinds = [pa.string() if column.kind == "text" else pa.float64() for column in sheet.columns]
    if columns:
        arrays = [pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
        table = without_formulas(pa.table(arrays, names=[f"c{place}" for place in range(len(arrays))]))
        yield from ([*row] for row in zip(*(column.to_pylist() for column in table.columns), strict=True))
    if len(fitting) < len(sheet.rows):
        left = f"{len(sheet.rows) - len(fitting):,} more rows are in the review's tables"
        yield [left, *[None] * (len(sheet.columns) - 1)]
