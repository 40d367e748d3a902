"""SQLite and PostgreSQL tables as text, through their ADBC drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pyarrow as pa

from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput, OutsideFailure
from tierwise.store.sources_batches import readable_batch, require_columns

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

_MESSAGE_CHARACTERS = 300
# Text forms must not depend on the server's or the user's settings.
_POSTGRESQL_SESSION = (
    "SET datestyle = 'ISO, YMD'",
    "SET timezone = 'UTC'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET TRANSACTION READ ONLY",
)


@dataclass(frozen=True)
class _Dialect:
    """How one database lists its tables and writes a column as text."""

    name: str
    as_text: Callable[[str], str]
    tables: str


def read_sqlite(path: Path, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read the named columns of a SQLite table as text.

    Raises:
        InvalidInput: If the file is no database, or the table or a column is missing.
        OutsideFailure: If the database cannot be read to its end.
    """
    import adbc_driver_sqlite.dbapi as sqlite

    if path.read_bytes()[:16] not in (b"SQLite format 3\0", b""):
        raise InvalidInput(Fault("this is not a SQLite database", str(path)))
    address = f"{path.resolve().as_uri()}?mode=ro"
    yield from _read(lambda: sqlite.connect(address), _SQLITE, f"{path} [{table}]", table, columns)


def read_postgresql(address: str, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read the named columns of a PostgreSQL table as text; messages never show the address's password.

    Args:
        address: The connection address, a URI.
        table: The table, perhaps with its schema (`sales.deals`).
        columns: The names of the columns, each once.

    Raises:
        InvalidInput: If the table or a column is missing.
        OutsideFailure: If the server cannot be reached or fails.
    """
    import adbc_driver_postgresql.dbapi as postgresql

    where = f"{shown_address(address)} [{table}]"
    try:
        yield from _read(lambda: postgresql.connect(address), _POSTGRESQL, where, table, columns)
    except OutsideFailure as error:
        faults = [Fault(without_secrets(fault.what, address), fault.where, todo=fault.todo) for fault in error.faults]
        raise OutsideFailure(faults) from None


def shown_address(address: str) -> str:
    """A database address as messages may show it: host, port and database, never user or password."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "postgresql"
    return f"postgresql://{host or ''}{f':{port}' if port else ''}{parts.path}" if parts.scheme else "postgresql"


def quoted(identifier: str) -> str:
    """An identifier as SQL, whatever characters it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def table_sql(table: str) -> str:
    """A table's name as SQL, with its schema where it has one: `crm.deals` is the table `deals` of `crm`."""
    schema, dot, name = table.partition(".")
    return f"{quoted(schema)}.{quoted(name)}" if dot else quoted(table)


def _read(
    connect: Callable[[], Connection], dialect: _Dialect, where: str, table: str, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    from adbc_driver_manager import Error

    try:
        with closing(connect()) as connection, closing(connection.cursor()) as cursor:
            if dialect is _POSTGRESQL:
                for statement in _POSTGRESQL_SESSION:
                    cursor.execute(statement)
            found = _columns_of(cursor, dialect, table, where)
            require_columns(columns, found, where)
            cursor.execute(_select(dialect, table, columns))
            yield from _number(cursor.fetch_record_batch(), len(columns))
    except (Error, pa.ArrowException, OSError) as error:  # Arrow's kinds where the server fails between batches
        raise OutsideFailure(Fault(_plain_message(error), where, todo="check the address and the rights")) from None


def _columns_of(cursor: Cursor, dialect: _Dialect, table: str, where: str) -> list[str]:
    """The table's columns in order; a table that is not there is the settings' fault, not the database's."""
    cursor.execute(dialect.tables)
    known = [f"{schema}.{name}" for schema, name in cursor.fetchall()]
    plain = [name.partition(".")[2] for name in known]
    if table not in known and table not in plain:
        raise InvalidInput(Fault(f"there is no table {table!r}; {hint(table, [*known, *plain])}", where))
    cursor.execute(f"SELECT * FROM {table_sql(table)} LIMIT 0")
    return [str(column[0]) for column in cursor.description or ()]


def _select(dialect: _Dialect, table: str, columns: Sequence[str]) -> str:
    """Every column as text, in an order that does not depend on how the database keeps the rows."""
    texts = ", ".join(f"{dialect.as_text(quoted(name))} AS s{index}" for index, name in enumerate(columns))
    order = ", ".join(str(index) for index in range(1, len(columns) + 1))
    return f"SELECT {texts} FROM {table_sql(table)} ORDER BY {order}"


def _number(batches: Iterable[pa.RecordBatch], columns: int) -> Iterator[pa.RecordBatch]:
    counted = 0
    for batch in batches:
        rows = np.arange(counted + 1, counted + batch.num_rows + 1, dtype=np.int64)
        counted += batch.num_rows
        yield readable_batch(rows, batch.columns[:columns])


def _plain_message(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"the database answered: {(' '.join(lines) or type(error).__name__)[:_MESSAGE_CHARACTERS]}"


def without_secrets(message: str, address: str) -> str:
    """Take the address and its password out of a driver's message, however the driver wrote them."""
    secrets = [address]
    try:
        parts = urlsplit(address)
        given = [parts.password or "", *parse_qs(parts.query).get("password", [])]
        secrets += [form for secret in given for form in (secret, unquote(secret))]
    except ValueError:
        pass
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        message = message.replace(secret, "***")
    return message


# A null first batch would give the column no type, so SQLite's nulls become empty text, which means the same.
_SQLITE = _Dialect(
    "sqlite",
    lambda column: f"coalesce(CAST({column} AS TEXT), '')",
    "SELECT 'main', name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name",
)
_POSTGRESQL = _Dialect(
    "postgresql",
    lambda column: f'CAST({column} AS TEXT) COLLATE "C"',
    "SELECT CAST(n.nspname AS TEXT), CAST(c.relname AS TEXT)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1, 2",
)
