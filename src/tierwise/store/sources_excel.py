"""Excel workbooks as text: the values that the cells show, without the artefacts of floating point."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput
from tierwise.store.sources_batches import readable_batch, require_columns, unreadable_batch

if TYPE_CHECKING:
    from openpyxl import Workbook

_BATCH_ROWS = 10_000
Cells = tuple[Any, ...]


def read_excel(path: Path, sheet: str | None, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read the named columns of one sheet of an .xlsx file as text.

    The first row is the header. A formula gives its last computed value. Rows without any value are not rows.

    Args:
        path: The workbook.
        sheet: The sheet's name; the first sheet by default.
        columns: The header names of the columns, each once.

    Raises:
        InvalidInput: If the file is no .xlsx workbook, or the sheet or a column is missing.
    """
    with path.open("rb") as file:
        workbook = _open(file, path)
        name = _sheet_name(workbook, sheet, path)
        yield from _read_sheet(workbook[name], f"{path} [{name}]", columns)


def cell_text(value: object) -> str | None:
    """Write a cell's value as text: `3` for 3.0, ISO dates, `true`/`false`; an empty cell is None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _open(file: IO[bytes], path: Path) -> Workbook:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        what = f"this is not a readable .xlsx workbook: {error}"
        raise InvalidInput(Fault(what, str(path), todo="save it as .xlsx")) from None


def _sheet_name(workbook: Workbook, sheet: str | None, path: Path) -> str:
    names = list(workbook.sheetnames)
    if sheet is None:
        return names[0]
    if sheet not in names:
        raise InvalidInput(Fault(f"there is no sheet {sheet!r}; {hint(sheet, names)}", str(path)))
    return sheet


def _read_sheet(sheet: Any, where: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    sheet.reset_dimensions()  # writers other than Excel often store a wrong extent
    rows = ([cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True))
    filled = (row for row in rows if any(row))
    header = [(name or "").strip() for name in next(filled, [])]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise InvalidInput(Fault("the sheet is empty: it has not even a header row", where))
    require_columns(columns, header, where)
    places = [header.index(name) for name in columns]
    counted = 0
    while chunk := list(islice(filled, _BATCH_ROWS)):
        numbered = list(enumerate(chunk, start=counted + 1))
        counted += len(chunk)
        yield from _batches(numbered, len(header), places)


def _batches(numbered: list[tuple[int, list[str | None]]], width: int, places: list[int]) -> Iterator[pa.RecordBatch]:
    fitting = [(number, row) for number, row in numbered if not any(row[width:])]
    misfits = [(number, _misfit(row, width)) for number, row in numbered if any(row[width:])]
    texts = [
        pa.array([row[place] if place < len(row) else None for _, row in fitting], pa.string()) for place in places
    ]
    yield readable_batch(np.array([number for number, _ in fitting], dtype=np.int64), texts)
    if misfits:
        yield unreadable_batch(misfits, len(places))


def _misfit(row: list[str | None], width: int) -> str:
    beyond = next(value for value in row[width:] if value)
    return f"the row has the value {beyond[:80]!r} beyond the last of the header's {width} columns"
