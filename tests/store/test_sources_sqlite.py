"""SQLite tables from real database files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.sources_example import read, workspace_of
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store.sources_sql import quoted

CREATE = "CREATE TABLE deals (id TEXT, partner, day DATE, price REAL)"


def database(folder: Path, *statements: str, rows: list[tuple[object, ...]] | None = None) -> None:
    with closing(sqlite3.connect(folder / "crm.db")) as connection, connection:
        for statement in statements or (CREATE,):
            connection.execute(statement)
        connection.executemany("INSERT INTO deals VALUES (?, ?, ?, ?)", rows or [])


def deals(folder: Path, table: str = "deals", columns: object = None) -> list[tuple[object, ...]]:
    source = {"sqlite": "crm.db", "table": table}
    return read(workspace_of(folder, source, columns) if columns else workspace_of(folder, source))


def test_every_value_is_text_in_the_order_of_the_columns(tmp_path):
    database(tmp_path, rows=[("b", 7, "2026-01-05", 0.1), ("a", "é", None, 1e300), ("c", 2**62, "", 3.0)])

    assert deals(tmp_path) == [
        (1, None, "a", "é", "", "1.0e+300"),
        (2, None, "b", "7", "2026-01-05", "0.1"),
        (3, None, "c", "4611686018427387904", "", "3.0"),
    ]


def test_the_order_of_rows_in_the_file_does_not_matter(tmp_path):
    rows = [(str(n), "P1", None, n / 3) for n in range(50)]
    (tmp_path / "other").mkdir()
    database(tmp_path, rows=rows)
    database(tmp_path / "other", rows=rows[::-1])

    assert deals(tmp_path) == deals(tmp_path / "other")


def test_a_float_is_written_with_all_the_digits_that_money_needs(tmp_path):
    database(tmp_path, rows=[("1", "P1", None, 12345678901.2345)])

    assert float(str(deals(tmp_path)[0][5])) == 12345678901.2345


def test_a_column_that_is_null_for_long_keeps_its_later_texts(tmp_path):
    database(
        tmp_path, rows=[(f"{n:05d}", None, None, None) for n in range(3000)] + [("99999", "P1", "2026-01-05", 1.5)]
    )

    assert deals(tmp_path)[-1] == (3001, None, "99999", "P1", "2026-01-05", "1.5")


def test_names_are_quoted_whatever_they_hold(tmp_path):
    table, column = 'de"als; DROP TABLE x', 'id"); --'
    database(tmp_path, CREATE, f"CREATE TABLE {quoted(table)} ({quoted(column)}, partner, day, price)",
             f"INSERT INTO {quoted(table)} VALUES ('1', 'P1', NULL, 5)")  # fmt: skip
    columns = {"deal_id": column, "partner_id": "partner", "date": "day", "amount": {"from": "price", "type": "money"}}

    assert deals(tmp_path, table, columns) == [(1, None, "1", "P1", "", "5")]


def test_a_view_and_an_empty_table_are_read(tmp_path):
    database(tmp_path, CREATE, "CREATE VIEW won AS SELECT * FROM deals")

    assert deals(tmp_path, "won") == deals(tmp_path) == deals(tmp_path, "main.deals") == []


@pytest.mark.parametrize(
    ("table", "message"),
    [("deal", "there is no table 'deal'; did you mean 'deals'"), ("deals", "the column 'price' is missing")],
)
def test_a_missing_table_or_column_is_named(tmp_path, table, message):
    database(tmp_path, "CREATE TABLE deals (id, partner, day, cost)")
    with pytest.raises(InvalidInput, match=message):
        deals(tmp_path, table)


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    database(tmp_path, rows=[("1", b"\xff\xfe", None, None)])
    with pytest.raises(InvalidInput, match="not UTF-8"):
        deals(tmp_path)


def test_the_database_is_opened_for_reading_only(tmp_path):
    database(tmp_path, rows=[("1", "P1", None, 5.0)])
    before = (tmp_path / "crm.db").read_bytes()
    deals(tmp_path)

    assert (tmp_path / "crm.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["crm.db"]


def test_a_file_that_is_no_database_is_refused_and_a_broken_one_is_a_failure_outside(tmp_path):
    (tmp_path / "crm.db").write_bytes(b"id,partner\n")
    with pytest.raises(InvalidInput, match="this is not a SQLite database"):
        deals(tmp_path)
    (tmp_path / "crm.db").write_bytes(b"SQLite format 3\0" + b"\0" * 4000)
    with pytest.raises(OutsideFailure, match="the database answered"):
        deals(tmp_path)
