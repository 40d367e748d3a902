"""PostgreSQL tables from a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.postgresql_server import PASSWORD, PostgresqlServer, cannot_run, running_server
from tests.store.sources_example import COLUMNS, read, read_all, workspace_of
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store.sources_sql import shown_address

pytestmark = [pytest.mark.postgresql, pytest.mark.skipif(bool(cannot_run()), reason=cannot_run())]

SETUP = """
CREATE SCHEMA sales;
CREATE TABLE sales.deals (id int, partner text, day date, price numeric(18,4));
INSERT INTO sales.deals VALUES (2, 'Ünïcode', '2026-01-06', 12345678901234.5678), (1, NULL, '2026-01-05', 'NaN');
CREATE TABLE kinds
  (id bigint, partner varchar(5), day timestamptz, price float8, flag boolean, at timestamp, tags text[]);
INSERT INTO kinds VALUES
  (9007199254740993, 'P1', '2026-01-05 23:30:00-05', 0.1::float8 + 0.2::float8, true, '2026-01-05 09:30:00.25',
   '{a,b}');
CREATE TABLE "we""ird; --" ("i""d" text, partner text, day text, price text);
INSERT INTO "we""ird; --" VALUES ('1', 'P1', '2026-01-05', '5');
CREATE VIEW deal_view AS SELECT * FROM sales.deals;
CREATE TABLE many AS
  SELECT g AS id, 'P' || g AS partner, date '2026-01-01' AS day, g / 7.0 AS price FROM generate_series(1, 20000) g;
CREATE TABLE hidden (id int, partner text, day date, price int);
CREATE ROLE outsider LOGIN PASSWORD 'other';
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    """A server with the tables of the setup."""
    from adbc_driver_postgresql.dbapi import connect

    with running_server() as started:
        with connect(started.address) as connection, connection.cursor() as cursor:
            for statement in filter(str.strip, SETUP.split(";\n")):
                cursor.execute(statement)
            connection.commit()
        yield started


@pytest.fixture
def channel(server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> PostgresqlServer:
    """The server, its address in the environment as users have it."""
    monkeypatch.setenv("CRM", server.address)
    return server


def source(table: str) -> dict[str, str]:
    return {"postgresql": "${CRM}", "table": table}


def test_every_value_is_exact_text_whatever_the_servers_date_style(channel, tmp_path):
    record, rows = read_all(workspace_of(tmp_path, source("sales.deals")), "SELECT * FROM raw_deals ORDER BY _row")

    assert rows == [
        (1, None, "1", None, "2026-01-05", "NaN"),
        (2, None, "2", "Ünïcode", "2026-01-06", "12345678901234.5678"),
    ]
    assert record.reads[0].place == f"postgresql://127.0.0.1:{channel.port}/postgres [sales.deals]"


@pytest.mark.usefixtures("channel")
def test_other_types_are_text_too(tmp_path):
    columns = {**COLUMNS, "flag": "flag", "at": "at", "tags": "tags"}

    assert read(workspace_of(tmp_path, source("kinds"), columns)) == [
        (1, None, "9007199254740993", "P1", "2026-01-06 04:30:00+00", "0.30000000000000004", "true",
         "2026-01-05 09:30:00.25", "{a,b}")
    ]  # fmt: skip


@pytest.mark.usefixtures("channel")
def test_names_are_quoted_and_views_are_read(tmp_path):
    columns = {**COLUMNS, "deal_id": 'i"d'}

    assert read(workspace_of(tmp_path, source('we"ird; --'), columns)) == [(1, None, "1", "P1", "2026-01-05", "5")]
    assert len(read(workspace_of(tmp_path, source("deal_view")))) == 2


@pytest.mark.usefixtures("channel")
def test_many_rows_come_in_an_order_of_their_own(tmp_path):
    ranked = "SELECT _row, row_number() OVER (ORDER BY deal_id) AS rank FROM raw_deals"
    query = f"SELECT count(*), bool_and(_row = rank) FROM ({ranked})"

    assert read(workspace_of(tmp_path, source("many")), query) == [(20_000, True)]


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("sales.deal", "there is no table 'sales.deal'; did you mean 'sales.deals'"),
        ("hidden", "the column 'prise' is missing"),
    ],
)
def test_a_missing_table_or_column_is_named(tmp_path, table, message):
    with pytest.raises(InvalidInput, match=message):
        read(workspace_of(tmp_path, source(table), {**COLUMNS, "amount": {"from": "prise", "type": "money"}}))


def failure(folder: Path, monkeypatch: pytest.MonkeyPatch, address: str, table: str = "sales.deals") -> str:
    monkeypatch.setenv("CRM", address)
    with pytest.raises(OutsideFailure) as caught:
        read(workspace_of(folder, source(table)))
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_a_wrong_password_is_refused_without_showing_any(server, tmp_path, monkeypatch):
    message = failure(tmp_path, monkeypatch, server.address_with("wr0ng%2Fword"))

    assert "password authentication failed" in message
    assert "wr0ng" not in message
    assert "to do:" in message


def test_a_server_that_does_not_answer_is_named_without_the_password(server, tmp_path, monkeypatch):
    message = failure(tmp_path, monkeypatch, server.address.replace(str(server.port), "1"))

    assert "postgresql://127.0.0.1:1/postgres" in message
    assert PASSWORD not in message
    assert "s3cret" not in message


def test_a_table_without_the_right_to_read_is_a_failure_outside(server, tmp_path, monkeypatch):
    message = failure(tmp_path, monkeypatch, server.address_with("other").replace("channel:", "outsider:"), "hidden")

    assert "permission denied" in message


@pytest.mark.parametrize(
    "address", ["postgresql://user:s3cret@[broken", "host=127.0.0.1 port=1 password=s3cret", "nonsense s3cret"]
)
def test_an_address_that_is_none_shows_no_password(tmp_path, monkeypatch, address):
    assert "s3cret" not in failure(tmp_path, monkeypatch, address)


def test_the_session_cannot_write(channel, tmp_path):
    """A view with side effects is the only way to write through a SELECT; the session is read-only all the same."""
    from adbc_driver_postgresql.dbapi import connect

    with connect(channel.address) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE IF NOT EXISTS counter")
        cursor.execute(
            "CREATE OR REPLACE VIEW writer AS"
            " SELECT nextval('counter') AS id, 'P' AS partner, date '2026-01-01' AS day, 1 AS price"
        )
        connection.commit()
    with pytest.raises(OutsideFailure, match="read-only transaction"):
        read(workspace_of(tmp_path, source("writer")))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://user:secret@db.example:5432/crm?sslmode=require", "postgresql://db.example:5432/crm"),
        ("postgresql:///crm", "postgresql:///crm"),
        ("host=db password=secret", "postgresql"),
        ("postgresql://u:p@[::1/crm", "postgresql"),
    ],
)
def test_an_address_is_shown_without_user_and_password(address, shown):
    assert shown_address(address) == shown
