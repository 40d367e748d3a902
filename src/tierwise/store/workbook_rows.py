"""Rows of a sheet as the XML that a workbook holds, many times faster than cell by cell through openpyxl.

openpyxl makes the workbook, its styles and headers; only the rows below a header come from here, as inline strings and
numbers (ECMA-376, part 1, section 18.3.1: `row`, `c`, `is`, `v`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from xml.sax.saxutils import escape

ROWS_AT_ONCE = 5_000
LONGEST_TEXT = 32_767
"""The most characters that Excel takes in a cell; more are cut off."""


@dataclass(frozen=True)
class CellStyles:
    """The style numbers of one column's cells.

    Attributes:
        letter: The column's letter.
        plain: The style of a cell without a colour; 0 is no style.
        colours: The style by the cell's text, where that has a colour.
    """

    letter: str
    plain: int = 0
    colours: Mapping[str, int] = field(default_factory=dict)

    def cells(self, values: Sequence[object]) -> list[str]:
        """The column's cells but for their beginning, which names the row; empty where a value is missing."""
        return [self._cell(value) for value in values]

    def _cell(self, value: object) -> str:
        if isinstance(value, str) and value:
            style = self.colours.get(value, self.plain)
            text = escape(value[:LONGEST_TEXT])
            return f'{_styled(style)} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
        if isinstance(value, float | int) and isfinite(value):
            return f'{_styled(self.plain)} t="n"><v>{value!r}</v></c>'
        return ""


def _styled(style: int) -> str:
    return f' s="{style}"' if style else ""


def rows_as_xml(columns: Sequence[CellStyles], values: Sequence[Sequence[object]], first: int = 2) -> Iterator[bytes]:
    """The rows of a sheet, some thousands at once.

    Args:
        columns: The style numbers of each column.
        values: The cells column by column: texts, numbers, None; all columns of the same length.
        first: The number of the first row.
    """
    count = len(values[0]) if values else 0
    for start in range(0, count, ROWS_AT_ONCE):
        block = [column.cells(own[start : start + ROWS_AT_ONCE]) for column, own in zip(columns, values, strict=True)]
        yield "".join(
            _row(columns, cells, number) for number, cells in enumerate(zip(*block, strict=True), first + start)
        ).encode("utf-8", "replace")


def _row(columns: Sequence[CellStyles], cells: Sequence[str], number: int) -> str:
    filled = (f'<c r="{column.letter}{number}"{cell}' for column, cell in zip(columns, cells, strict=True) if cell)
    return f'<row r="{number}">{"".join(filled)}</row>'
