"""Rows put into a database table by key: what is there is updated, what is not is added; all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.sources_sql import quoted, shown_address, table_sql, without_secrets
from tierwise.store.writer_sql import without_nul

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

_INCOMING = "tierwise_incoming"


@dataclass(frozen=True)
class _Dialect:
    connect: Callable[[str], Connection]
    types: Mapping[str, str]
    temporary: str


@dataclass(frozen=True)
class Upsert:
    """Where rows go.

    Attributes:
        address: A PostgreSQL address, or `sqlite:` and the path of a file.
        table: The table, perhaps with its schema; made, with the key as its primary key, if it is absent.
        key: The column that identifies a row; it must be unique in a table that is there.
    """

    address: str
    table: str
    key: str


def upsert(target: Upsert, rows: pa.Table) -> int:
    """Write rows by their key in one transaction.

    Args:
        target: Where to.
        rows: The rows; their columns are the table's, every key once.

    Returns:
        The number of rows written.

    Raises:
        OutsideFailure: If the database cannot be reached or refuses; it is then unchanged.
    """
    from adbc_driver_manager import Error

    dialect = _dialect(target.address)
    try:
        with closing(dialect.connect(target.address)) as connection:
            with closing(connection.cursor()) as cursor:
                _write(cursor, dialect, target, rows)
            connection.commit()
    except Error as error:
        message = without_secrets(" ".join(str(error).split()), target.address)
        todo = "the table is unchanged; see to the address, the rights, and that the key's column is unique"
        where = f"{_shown(target.address)} [{target.table}]"
        raise OutsideFailure(Fault(f"the rows could not be written: {message[:400]}", where, todo=todo)) from None
    return int(rows.num_rows)


def _write(cursor: Cursor, dialect: _Dialect, target: Upsert, rows: pa.Table) -> None:
    place, incoming = table_sql(target.table), f"{dialect.temporary}.{_INCOMING}"
    columns = ", ".join(
        f"{quoted(field.name)} {dialect.types[str(field.type)]}{' PRIMARY KEY' if field.name == target.key else ''}"
        for field in rows.schema
    )
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {place} ({columns})")
    cursor.execute(f"DROP TABLE IF EXISTS {incoming}")
    cursor.adbc_ingest(_INCOMING, without_nul(rows), mode="create", temporary=True)
    cursor.execute(_statement(place, incoming, target.key, rows.column_names))
    cursor.execute(f"DROP TABLE {incoming}")


def _statement(place: str, incoming: str, key: str, names: list[str]) -> str:
    """The upsert that PostgreSQL and SQLite share; `WHERE true` lets SQLite tell ON CONFLICT from a join's ON."""
    listed = ", ".join(map(quoted, names))
    changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names if name != key)
    return (
        f"INSERT INTO {place} ({listed}) SELECT {listed} FROM {incoming} WHERE true"
        f" ON CONFLICT ({quoted(key)}) DO UPDATE SET {changes}"
    )


def _dialect(address: str) -> _Dialect:
    return _SQLITE if address.startswith("sqlite:") else _POSTGRESQL


def _shown(address: str) -> str:
    return address if address.startswith("sqlite:") else shown_address(address)


def _connect_sqlite(address: str) -> Connection:
    import adbc_driver_sqlite.dbapi as sqlite

    connection: Connection = sqlite.connect(Path(address.removeprefix("sqlite:")).resolve().as_uri())
    return connection


def _connect_postgresql(address: str) -> Connection:
    import adbc_driver_postgresql.dbapi as postgresql

    connection: Connection = postgresql.connect(address)
    return connection


_SQLITE = _Dialect(
    _connect_sqlite,
    MappingProxyType(
        {"string": "TEXT", "double": "REAL", "int64": "INTEGER", "bool": "INTEGER", "date32[day]": "TEXT"}
    ),
    "temp",
)
_POSTGRESQL = _Dialect(
    _connect_postgresql,
    MappingProxyType(
        {
            "string": "text",
            "double": "double precision",
            "int64": "bigint",
            "bool": "boolean",
            "date32[day]": "date",
        }
    ),
    "pg_temp",
)
