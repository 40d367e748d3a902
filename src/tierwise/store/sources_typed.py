"""Parquet files read by the engine itself, with their types: many times faster than as text, with the same outcome.

Where a file holds something that the engine would read or write differently, nothing is read here; the way over text
(`sources_parquet`) then reads it, and says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tierwise.config.columns import DATE_COLUMNS
from tierwise.config.workspace import TableSettings, WorkspaceSettings
from tierwise.engine import EmbeddedEngine, quoted
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store.sources_mapping import source_columns
from tierwise.tables.rules import text_literal
from tierwise.tables.typed import Found, has_exact_text, typed_query

_PATTERN_MARKS = frozenset("*?[]{}\\")
_NAMES_OF_THE_ENGINE = frozenset({"file_index", "file_row_number", "_row"})
_SQL_TYPES: Mapping[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
}


def read_typed(
    engine: EmbeddedEngine, settings: WorkspaceSettings, name: str, paths: Sequence[Path]
) -> tuple[int, ...] | None:
    """Make `raw_<table>` of Parquet files in the shape of `tables.typed.typed_query`, with `_row`.

    Args:
        engine: Receives the table.
        settings: The workspace's settings.
        name: The table's name.
        paths: Its files, in order.

    Returns:
        The rows of each file; None where the files must be read as text, and nothing was made.
    """
    table = settings.tables[name]
    if any(column.via for column in table.columns.values()):
        return None
    try:
        types, rows = _types_and_rows(paths, source_columns(table))
        source = _numbered(paths, rows)
        _require_types(engine, source, types)
        engine.create_table(f"raw_{name}", _query(settings, table, types, source))
        engine.run("CHECKPOINT")  # compresses the rows to a quarter, so that far larger channels stay in memory
        _require_outcome(engine, name, table, types, sum(rows))
    except (_AsTextError, InvalidInput, OutsideFailure, OSError, pa.ArrowException):
        engine.run(f"DROP TABLE IF EXISTS {quoted(f'raw_{name}')}")
        return None
    return rows


class _AsTextError(Exception):
    """Files hold something that must be read as text."""


def _types_and_rows(paths: Sequence[Path], columns: Sequence[str]) -> tuple[dict[str, str], tuple[int, ...]]:
    """The SQL types of the columns, which all files share, and the rows of each file."""
    found: list[dict[str, str]] = []
    rows = []
    for path in paths:
        if _PATTERN_MARKS & set(str(path)):
            raise _AsTextError
        with pq.ParquetFile(path) as file:
            found.append(_types(file.schema_arrow, columns))
            rows.append(file.metadata.num_rows)
    if any(types != found[0] for types in found):
        raise _AsTextError
    return found[0], tuple(rows)


def _types(schema: pa.Schema, columns: Sequence[str]) -> dict[str, str]:
    names = [name.lower() for name in schema.names]  # in which letters a name is written says nothing to the engine
    is_unclear = any(names.count(name.lower()) != 1 or name not in schema.names for name in columns)
    if is_unclear or _NAMES_OF_THE_ENGINE & set(names):
        raise _AsTextError
    return {name: _sql_type(schema.field(name).type) for name in columns}


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind) and _SQL_TYPES.get(kind.value_type) == "VARCHAR":
        return "VARCHAR"
    sql = f"DECIMAL({kind.precision},{kind.scale})" if pa.types.is_decimal128(kind) else _SQL_TYPES.get(kind, "")
    if not has_exact_text(sql):
        raise _AsTextError
    return sql


def _numbered(paths: Sequence[Path], rows: Sequence[int]) -> str:
    """SQL of the files' rows with `_row`, their number, which runs on over the files."""
    files = f"[{', '.join(text_literal(str(path)) for path in paths)}]"
    before = f"[{', '.join(str(count) for count in accumulate(rows, initial=0))}][CAST(file_index AS BIGINT) + 1]"
    number = f"CAST({before} + file_row_number + 1 AS BIGINT) AS _row"
    return f"(SELECT *, {number} FROM read_parquet({files}, hive_partitioning = false, file_row_number = true))"


def _require_types(engine: EmbeddedEngine, source: str, types: Mapping[str, str]) -> None:
    """Make sure that the engine sees the same types."""
    names = ", ".join(quoted(name) for name in types)
    seen = {str(name): str(kind) for name, kind, *_ in engine.rows(f"DESCRIBE SELECT {names} FROM {source}")}
    if seen != dict(types):
        raise _AsTextError


def _query(settings: WorkspaceSettings, table: TableSettings, types: Mapping[str, str], source: str) -> str:
    found = {
        name: Found(quoted(column.from_ or name), types[column.from_ or name])
        for name, column in table.columns.items()
        if column.value is None
    }
    currencies = {
        name: Found(quoted(column.currency_from), types[column.currency_from])
        for name, column in table.columns.items()
        if column.currency_from is not None
    }
    return typed_query(table.columns, found, currencies, settings.currency, source, beside=["_row"])


def _require_outcome(
    engine: EmbeddedEngine, name: str, table: TableSettings, types: Mapping[str, str], rows: int
) -> None:
    """Make sure that every row was read, and that days are of the years 1 to 9999, which alone have a plain text."""
    plain = ["true", *_plain_days(table, types)]
    numbers = f"count(*) = {rows}, count(*) = 0 OR (min(_row) = 1 AND max(_row) = {rows})"
    found = engine.rows(f"SELECT {numbers}, {', '.join(plain)} FROM {quoted(f'raw_{name}')}")[0]
    if not all(found):
        raise _AsTextError


def _plain_days(table: TableSettings, types: Mapping[str, str]) -> Iterator[str]:
    for name, column in table.columns.items():
        if column.value is None and types[column.from_ or name] == "DATE":
            value = quoted(name)
            if name in DATE_COLUMNS or column.type == "date":
                yield f"coalesce(min({value}) >= DATE '0001-01-01' AND max({value}) <= DATE '9999-12-31', true)"
            elif column.type in (None, "text"):
                yield f"coalesce(min(strlen({value})) = 10 AND max(strlen({value})) = 10, true)"
