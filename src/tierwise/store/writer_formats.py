"""Tables as files: Parquet, CSV and Excel, with bytes that depend on the table alone.

In CSV and Excel a text that a spreadsheet would run as a formula is written with an apostrophe before it; numbers, and
texts that are nothing but a number, stay as they are. Parquet always holds the texts unchanged.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

Format = Literal["parquet", "csv", "excel"]
SUFFIXES: Mapping[str, str] = MappingProxyType({"parquet": ".parquet", "csv": ".csv", "excel": ".xlsx"})
EXCEL_MAX_ROWS = 1_048_575

# After the characters that start a formula, the full-width forms that some spreadsheets take for them.
_FORMULA = r"^ *[=+\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_END_OF_ROWS = b"</sheetData>"
_ROWS_PER_GROUP = 122_880


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write Parquet with fixed settings, so that equal tables make equal files.

    Numbers with a fraction are seldom twice the same; looking for repetitions would take twice the time and make
    larger files.
    """
    repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    pyarrow.parquet.write_table(
        table,
        path,
        version="2.6",
        compression="zstd",
        compression_level=3,
        row_group_size=_ROWS_PER_GROUP,
        use_dictionary=repeated,
    )


def write_csv(table: pa.Table, path: Path) -> None:
    """Write CSV: UTF-8, LF, texts in quotes, missing values empty, formulas made harmless."""
    write_csv_pieces([table], path)


def write_csv_pieces(pieces: Iterable[pa.Table], path: Path) -> None:
    """Write a table that comes in pieces, at least one, as one CSV file; the bytes are those of the whole table."""
    harmless = map(without_formulas, pieces)
    first = next(harmless)
    with pyarrow.csv.CSVWriter(path, first.schema) as writer:
        for piece in chain((first,), harmless):
            writer.write_table(piece)


def write_excel(table: pa.Table, path: Path) -> None:
    """Write one sheet: header row frozen, formulas made harmless, no clock time in the file."""
    write_excel_pieces([table], path)


def write_excel_pieces(pieces: Iterable[pa.Table], path: Path) -> None:
    """Write a table that comes in pieces, at least one, as one sheet; the bytes are those of the whole table."""
    from openpyxl import Workbook

    harmless = map(without_formulas, pieces)
    first = next(harmless)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(path.stem[:31])
    sheet.freeze_panes = "A2"
    sheet.append(first.column_names)
    for piece in chain((first,), harmless):
        for row in _excel_rows(piece):
            sheet.append(row)
    raw = path.with_name(f"{path.name}.raw")
    book.save(raw)
    without_times(raw, path)
    raw.unlink()


WRITERS: Mapping[str, Callable[[pa.Table, Path], None]] = MappingProxyType(
    {"parquet": write_parquet, "csv": write_csv, "excel": write_excel}
)
PIECE_WRITERS: Mapping[str, Callable[[Iterable[pa.Table], Path], None]] = MappingProxyType(
    {"csv": write_csv_pieces, "excel": write_excel_pieces}
)


def without_formulas(table: pa.Table) -> pa.Table:
    """Put an apostrophe before every text, also of the header, that a spreadsheet would run as a formula."""
    columns = [_harmless(column) if pa.types.is_string(column.type) else column for column in table.columns]
    names = _harmless(pa.chunked_array([pa.array(table.column_names, pa.string())]))
    return pa.table(columns, names=names.to_pylist())


def _harmless(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    formula = pc.and_(pc.match_substring_regex(texts, _FORMULA), pc.invert(pc.match_substring_regex(texts, _NUMBER)))
    return pc.if_else(formula, pc.binary_join_element_wise("'", texts, ""), texts)


def _excel_rows(table: pa.Table) -> Iterator[list[object]]:
    for batch in table.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield [cell_text(value) for value in row]


def cell_text(value: object) -> object:
    """Replace the characters that a workbook cannot hold in a text; any other value stays."""
    return _NOT_IN_XML.sub("\ufffd", value) if isinstance(value, str) else value


def without_times(raw: Path, path: Path, rows: Mapping[str, Iterable[bytes]] = MappingProxyType({})) -> None:
    """Copy a zip file member by member without the times that openpyxl and zipfile put into it.

    Args:
        raw: A workbook.
        path: The copy.
        rows: By member, further rows of that sheet, as XML.
    """
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", content)
            info = zipfile.ZipInfo(name, _ZIP_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            head, end, tail = content.partition(_END_OF_ROWS) if name in rows else (content, b"", b"")
            with target.open(info, "w") as member:
                for part in chain((head,), rows.get(name, ()), (end + tail,)):
                    member.write(part)
