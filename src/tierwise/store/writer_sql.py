"""A review's tables in a PostgreSQL schema: all of them in one transaction, or none.

Each output table has a table of its name; a review's rows replace those of the same as-of date. The table `reviews` has
one row per as-of date, which tells the run and what it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.sources_sql import quoted, shown_address, without_secrets
from tierwise.store.writer_review import Review, to_arrow
from tierwise.tables.output_schemas import DAY, NUMBER, OUTPUT_TABLES, TEXT, WHOLE, YES_NO, output_table

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

REVIEWS = "reviews"
_TYPES: Mapping[pa.DataType, str] = {
    TEXT: "text",
    NUMBER: "double precision",
    WHOLE: "bigint",
    YES_NO: "boolean",
    DAY: "date",
}
_INCOMING = "tierwise_incoming"
_ROWS_AT_ONCE = 100_000
_REVIEW_FIELDS = pa.schema(
    [pa.field(name, kind, False) for name, kind in {"as_of": DAY, "run_id": TEXT, "versions": TEXT}.items()]
)


def write_postgresql(
    address: str, schema: str, review: Review, tables: Mapping[str, Iterable[pa.Table]] | None = None
) -> None:
    """Write a review into a database schema; tables and columns that are absent are made.

    Args:
        address: The connection address, a URI.
        schema: The database schema.
        review: The tables and what they were made from.
        tables: By name the parts of each table as they are stored, see `read_parts`; the review's own tables are then
            not looked at. One part at a time is in memory, and all of them are in one transaction.

    Raises:
        OutputTableError: If a frame does not keep its schema; nothing is written.
        OutsideFailure: If the server cannot be reached or refuses; the database is then unchanged.
    """
    import adbc_driver_postgresql.dbapi as postgresql
    from adbc_driver_manager import Error

    given = {name: [table] for name, table in to_arrow(review).items()} if tables is None else tables
    all_tables = {**given, REVIEWS: [_reviews_row(review)]}
    try:
        with closing(postgresql.connect(address)) as connection:
            with closing(connection.cursor()) as cursor:
                _write_all(cursor, schema, review, all_tables)
            connection.commit()
    except Error as error:
        message = without_secrets(" ".join(str(error).split()), address)
        raise OutsideFailure(
            Fault(
                f"the tables could not be written: {message[:400]}",
                where=f"{shown_address(address)} [{schema}]",
                todo="the database is unchanged; see to the address, the rights and the space, "
                "then run the same command again",
            )
        ) from None


def _write_all(cursor: Cursor, schema: str, review: Review, tables: Mapping[str, Iterable[pa.Table]]) -> None:
    day = review.as_of.isoformat()
    cursor.execute("SET LOCAL lock_timeout = '60s'")
    cursor.execute(f"SELECT pg_advisory_xact_lock(hashtext('tierwise {schema}'))")
    cursor.fetchall()
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    for place in _existing(cursor, schema):
        cursor.execute(f"DELETE FROM {place} WHERE as_of = DATE '{day}'")
    for name, parts in tables.items():
        _write_table(cursor, f"{quoted(schema)}.{quoted(name)}", _key(name), parts)


def _write_table(cursor: Cursor, place: str, key: Iterable[str], parts: Iterable[pa.Table]) -> None:
    """Insert part after part through one temporary table, since each further one would hold locks to the end."""
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{_INCOMING}")
    is_made = False
    for part in parts:
        if is_made:
            cursor.execute(f"TRUNCATE pg_temp.{_INCOMING}")
        else:
            _make_room(cursor, place, part.schema, key)
        _insert(cursor, place, part, "append" if is_made else "create")
        is_made = True


def _existing(cursor: Cursor, schema: str) -> list[str]:
    """The tables of earlier reviews, also those that this review has no rows for."""
    names = ", ".join(f"'{name}'" for name in (*OUTPUT_TABLES, REVIEWS))
    cursor.execute(
        "SELECT CAST(tablename AS text) FROM pg_tables"
        f" WHERE schemaname = '{schema}' AND tablename IN ({names}) ORDER BY 1"
    )
    return [f"{quoted(schema)}.{quoted(name)}" for (name,) in cursor.fetchall()]


def _make_room(cursor: Cursor, place: str, schema: pa.Schema, key: Iterable[str]) -> None:
    """Create the table if it is absent, and add the columns that it lacks, such as a new policy's scores."""
    columns = ", ".join(
        f"{quoted(field.name)} {_TYPES[field.type]}{'' if field.nullable else ' NOT NULL'}" for field in schema
    )
    primary = ", ".join(quoted(name) for name in key)
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {place} ({columns}, PRIMARY KEY ({primary}))")
    for field in schema:
        if field.nullable:
            cursor.execute(f"ALTER TABLE {place} ADD COLUMN IF NOT EXISTS {quoted(field.name)} {_TYPES[field.type]}")


def _insert(cursor: Cursor, place: str, table: pa.Table, mode: Literal["create", "append"]) -> None:
    pieces = (without_nul(table.slice(start, _ROWS_AT_ONCE)) for start in range(0, table.num_rows, _ROWS_AT_ONCE))
    batches = (batch for piece in pieces for batch in piece.to_batches())
    incoming = pa.RecordBatchReader.from_batches(without_nul(table.slice(0, 0)).schema, batches)
    cursor.adbc_ingest(_INCOMING, incoming, mode=mode, temporary=True)
    names = ", ".join(quoted(name) for name in table.column_names)
    cursor.execute(f"INSERT INTO {place} ({names}) SELECT {names} FROM pg_temp.{_INCOMING}")


def without_nul(table: pa.Table) -> pa.Table:
    """PostgreSQL's text cannot hold the character zero."""
    columns = [
        pc.replace_substring(column, "\0", "\ufffd") if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def _key(name: str) -> tuple[str, ...]:
    return ("as_of",) if name == REVIEWS else ("as_of", *output_table(name).key)


def _reviews_row(review: Review) -> pa.Table:
    versions = json.dumps(dict(sorted(review.versions.items())), ensure_ascii=False)
    return pa.table([[review.as_of], [review.run_id], [versions]], schema=_REVIEW_FIELDS)
