"""Rows put into a table by key, in SQLite and in a real PostgreSQL server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.store.postgresql_server import PostgresqlServer, cannot_run, running_server
from tierwise.errors import OutsideFailure
from tierwise.store.upsert import Upsert, upsert

COLUMNS = ("partner_id", "tier", "potential", "effective_on")


def _rows(*rows: tuple[str, str | None, float | None, date | None]) -> pa.Table:
    types = pa.string(), pa.string(), pa.float64(), pa.date32()
    return pa.table([pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)],
                    names=list(COLUMNS))  # fmt: skip


FIRST = _rows(("P1", "entry", 1.5, None), ("P2", "growth", None, date(2026, 10, 1)))
SECOND = _rows(("P2", "strategic", 2.5, None), ("P'3\0", "entry", None, None))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with running_server() as started:
        yield started


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """An address, and a function that reads rows from it."""
    if request.param == "sqlite":
        place = tmp_path / "crm.sqlite"

        def read(statement: str) -> list[tuple[Any, ...]]:
            with closing(sqlite3.connect(place)) as connection:
                return list(connection.execute(statement))

        return f"sqlite:{place}", read
    if cannot_run():
        pytest.skip(cannot_run())
    from adbc_driver_postgresql.dbapi import connect

    address = request.getfixturevalue("server").address

    def query(statement: str) -> list[tuple[Any, ...]]:
        with connect(address, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    query("DROP TABLE IF EXISTS partner_tiers")
    return address, query


def test_rows_are_added_updated_and_left_alone(database) -> None:
    address, read = database
    target = Upsert(address, "partner_tiers", "partner_id")
    assert upsert(target, FIRST) == 2
    assert upsert(target, SECOND) == 2
    rows = read("SELECT partner_id, tier, potential FROM partner_tiers ORDER BY partner_id")
    held = [("P'3\ufffd", "entry", None), ("P1", "entry", 1.5), ("P2", "strategic", 2.5)]
    assert sorted(rows) == sorted(held)


def test_a_table_of_the_users_keeps_its_other_columns(database) -> None:
    address, read = database
    read("CREATE TABLE partner_tiers (partner_id VARCHAR(40) UNIQUE, tier VARCHAR(40), potential FLOAT,"
         " effective_on DATE, note VARCHAR(40))") if not address.startswith("sqlite") else _make(address)  # fmt: skip
    _fill(address, read, "INSERT INTO partner_tiers (partner_id, note) VALUES ('P1', 'mine')")
    upsert(Upsert(address, "partner_tiers", "partner_id"), FIRST)
    rows = read("SELECT partner_id, tier, note FROM partner_tiers ORDER BY partner_id")
    assert rows == [("P1", "entry", "mine"), ("P2", "growth", None)]


def _make(address: str) -> None:
    with closing(sqlite3.connect(address.removeprefix("sqlite:"))) as connection:
        connection.execute("CREATE TABLE partner_tiers (partner_id TEXT UNIQUE, tier, potential, effective_on, note)")


def _fill(address: str, read: Any, statement: str) -> None:
    if not address.startswith("sqlite:"):
        read(statement)
        return
    with closing(sqlite3.connect(address.removeprefix("sqlite:"))) as connection:
        connection.execute(statement)
        connection.commit()


def test_what_the_database_refuses_leaves_the_table_unchanged(database) -> None:
    address, read = database
    target = Upsert(address, "partner_tiers", "partner_id")
    upsert(target, FIRST)
    with pytest.raises(OutsideFailure, match="the table is unchanged"):
        upsert(target, SECOND.rename_columns(["partner_id", "tier", "potential", "no_such_column"]))
    rows = read("SELECT partner_id, tier FROM partner_tiers ORDER BY partner_id")
    assert rows == [("P1", "entry"), ("P2", "growth")]


def test_a_key_that_is_not_unique_in_the_table_is_told(tmp_path: Path) -> None:
    place = tmp_path / "crm.sqlite"
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("CREATE TABLE partner_tiers (partner_id, tier, potential, effective_on)")
    with pytest.raises(OutsideFailure, match="ON CONFLICT") as caught:
        upsert(Upsert(f"sqlite:{place}", "partner_tiers", "partner_id"), FIRST)
    assert "key's column is unique" in str(caught.value)


def test_a_password_is_never_shown() -> None:
    address = "postgresql://operator:s3cret@127.0.0.1:1/crm"
    with pytest.raises(OutsideFailure) as caught:
        upsert(Upsert(address, "partner_tiers", "partner_id"), FIRST)
    assert "s3cret" not in str(caught.value)
