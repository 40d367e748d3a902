"""A fingerprint of the data that was visible on a day: equal data, equal fingerprint, whatever the order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import md5

from tierwise.config.load import Workspace
from tierwise.config.workspace import TableSettings
from tierwise.engine import Engine, quoted
from tierwise.tables.reading import column_type

_HEX_DIGITS = 15  # of a row's MD5: the largest number of digits that a signed 64-bit integer holds


def fingerprint(engine: Engine, workspace: Workspace, as_of: date) -> str:
    """Fingerprint the accepted rows that were visible on a day.

    Each row is written as text, column by column in alphabetical order (`<length>:<text>`, `-` for null), and hashed
    with MD5; the first 15 hex digits of its rows' hashes are summed as integers. Any SQL engine can reproduce it, and
    the sum does not depend on the order of rows. Rows dated or known after the day take no part, and a partner's
    `left_on` counts only once it has come.

    Args:
        engine: Holds the accepted tables.
        workspace: The settings.
        as_of: The day.

    Returns:
        32 hex digits.
    """
    parts = [f"{name}:{rows}:{total}" for name, rows, total in _table_sums(engine, workspace, as_of)]
    return md5("\n".join(parts).encode(), usedforsecurity=False).hexdigest()


def _table_sums(engine: Engine, workspace: Workspace, as_of: date) -> Iterator[tuple[str, int, int]]:
    for name, table in sorted(workspace.settings.tables.items()):
        row_hash = f"CAST('0x' || substr(md5({_row_text(table, as_of)}), 1, {_HEX_DIGITS}) AS BIGINT)"
        hash_sum = f"coalesce(sum({row_hash}), 0)"
        visible = _visible(table, as_of)
        rows, total = engine.rows(f"SELECT count(*), {hash_sum} FROM {quoted(name)} WHERE {visible}")[0]
        yield name, int(str(rows)), int(str(total))


def _row_text(table: TableSettings, as_of: date) -> str:
    """SQL of a row's text; one `concat` of all its parts, for each `||` would copy what stands before it."""
    columns = sorted(table.columns)
    parts = [part for name in columns for part in _column_parts(name, table, as_of)]
    return f"concat('{','.join(columns)}|', {', '.join(parts)})"


def _column_parts(name: str, table: TableSettings, as_of: date) -> tuple[str, ...]:
    """SQL of a column's length with what marks its end, and of its text, which `concat` leaves out where it is null."""
    kind, column = column_type(name, table.columns[name]), quoted(name)
    if name == "left_on":
        column = f"CASE WHEN {column} <= DATE '{as_of}' THEN {column} END"
    if kind == "boolean":
        return (f"CASE {column} WHEN true THEN '4:true' WHEN false THEN '5:false' ELSE '-' END",)
    text = column if kind == "text" else f"CAST({column} AS VARCHAR)"
    length = f"coalesce(length({text}) || ':', '-')"
    if kind == "date":  # without writing it: ten characters, but for the years before Christ
        length = f"CASE WHEN {column} >= DATE '0001-01-01' THEN '10:' ELSE {length} END"
    return length, text


def _visible(table: TableSettings, as_of: date) -> str:
    optional = [name for name in ("joined_on", "known_on") if name in table.columns]
    needed = [name for name in ("date", "valid_from") if name in table.columns]
    conditions = [f"({name} IS NULL OR {name} <= DATE '{as_of}')" for name in optional]
    conditions += [f"{name} <= DATE '{as_of}'" for name in needed]
    return " AND ".join(conditions) or "true"
