"""CSV files as text, with nothing lost: what cannot be read is counted or refused, never skipped."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from tierwise.config.workspace import Source
from tierwise.errors import Fault, InvalidInput
from tierwise.store.sources_batches import readable_batch, require_columns, unreadable_batch

LARGEST_ROW_BYTES = 64 * 1024 * 1024
_SHOWN_CHARACTERS = 80
_CODECS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "utf-16": "utf-16"}
_CHUNK_BYTES = 1 << 22


def read_csv(path: Path, source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read the named columns of one CSV file as text.

    A line with too few or too many values is handed over as an unreadable row. Quoting that is broken, so that lines
    would be swallowed into one field, and bytes that are not of the encoding refuse the file.

    Args:
        path: The file.
        source: Delimiter and encoding.
        columns: The header names of the columns, each once.

    Raises:
        InvalidInput: If the file has no header, lacks a column, or cannot be read whole; with file and line.
    """
    require_columns(columns, csv_header(path, source), str(path))
    _check_quoting(path, source)
    invalid: list[tuple[int, str]] = []
    counted = 0
    try:
        for batch in _open(path, source, columns, invalid):
            rows = _row_numbers(counted, batch.num_rows, invalid)
            counted = int(rows[-1]) if len(rows) else counted
            yield readable_batch(rows, [batch.column(name) for name in columns])
    except pa.ArrowInvalid as error:
        raise InvalidInput(_refusal(path, source, str(error))) from None
    if invalid:
        yield unreadable_batch(invalid, len(columns))


def csv_header(path: Path, source: Source) -> list[str]:
    """The column names of a CSV file, as written.

    Raises:
        InvalidInput: If the file is empty or its first line is not of the encoding.
    """
    try:
        with path.open(encoding=_CODECS[source.encoding], newline="") as file:
            for record in csv.reader(file, delimiter=source.delimiter):
                if record:
                    return record
    except UnicodeError:
        raise InvalidInput(_encoding_fault(path, source)) from None
    except csv.Error as error:
        raise InvalidInput(Fault(f"the header cannot be read: {error}", str(path))) from None
    todo = "export the table again, with its header line"
    raise InvalidInput(Fault("the file is empty: it has not even a header line", str(path), todo=todo))


def _open(
    path: Path, source: Source, columns: Sequence[str], invalid: list[tuple[int, str]]
) -> pa.csv.CSVStreamingReader:
    def note(row: pa.csv.InvalidRow) -> str:
        invalid.append((row.number - 1, _misfit(row)))
        return "skip"

    block = min(max(path.stat().st_size + 1, 1024), LARGEST_ROW_BYTES)
    return pa.csv.open_csv(
        path,
        # One thread: only then does the parser number the rows that do not fit.
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=block, encoding=source.encoding.replace("-", "")),
        parse_options=pa.csv.ParseOptions(
            delimiter=source.delimiter, newlines_in_values=True, invalid_row_handler=note
        ),
        convert_options=pa.csv.ConvertOptions(
            include_columns=list(columns),
            column_types={name: pa.string() for name in columns},
            strings_can_be_null=False,
        ),
    )


def _misfit(row: pa.csv.InvalidRow) -> str:
    text = row.text if len(row.text) <= _SHOWN_CHARACTERS else f"{row.text[:_SHOWN_CHARACTERS]}..."
    return f"the line has {row.actual_columns} values, the header {row.expected_columns} columns: {text!r}"


def _row_numbers(counted: int, rows: int, invalid: Sequence[tuple[int, str]]) -> npt.NDArray[np.int64]:
    """The numbers of the next readable rows: those after `counted` that no unreadable row has."""
    if not invalid:
        return np.arange(counted + 1, counted + rows + 1, dtype=np.int64)
    taken = np.array([number for number, _ in invalid if number > counted], dtype=np.int64)
    candidates = np.arange(counted + 1, counted + rows + len(taken) + 1, dtype=np.int64)
    return candidates[~np.isin(candidates, taken)][:rows]


def _check_quoting(path: Path, source: Source) -> None:
    """Refuse broken quoting: a quote left open silently swallows the lines after it.

    Raises:
        InvalidInput: With the line at which the broken record starts.
    """
    if not _has_quotes(path):
        return
    csv.field_size_limit(LARGEST_ROW_BYTES)
    started = 1
    with path.open(encoding=_CODECS[source.encoding], newline="") as file:
        reader = csv.reader(file, delimiter=source.delimiter, strict=True)
        try:
            for _ in reader:
                started = reader.line_num + 1
        except UnicodeError:
            raise InvalidInput(_encoding_fault(path, source)) from None
        except csv.Error as error:
            what = f"the quoting is broken in the record that starts in line {started}: {error}"
            todo = 'close the quote; a quote inside a quoted value is written twice ("")'
            raise InvalidInput(Fault(what, f"{path}:{started}", todo=todo)) from None


def _has_quotes(path: Path) -> bool:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if b'"' in chunk:
                return True
    return False


def _refusal(path: Path, source: Source, message: str) -> Fault:
    if "UTF8" in message or "codec" in message:
        return _encoding_fault(path, source)
    if "straddl" in message:
        return Fault(f"a line is longer than the allowed {LARGEST_ROW_BYTES:,} bytes", str(path))
    return Fault(f"the file cannot be read as CSV: {message}", str(path))


def _encoding_fault(path: Path, source: Source) -> Fault:
    """Say at which line the bytes stop being of the encoding, and which encoding they may be."""
    with path.open("rb") as file:
        start = file.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return Fault(f"the file is UTF-16, not {source.encoding}", f"{path}:1", todo="set 'encoding: utf-16'")
    if source.encoding != "utf-8":
        return Fault(f"the file is not {source.encoding}", str(path), todo="set 'encoding: utf-8'")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                what = f"byte 0x{line[error.start]:02x} is not UTF-8"
                return Fault(what, f"{path}:{number}", todo="set 'encoding: latin-1' if that is what the file is in")
    return Fault("the file is not UTF-8", str(path))
