"""Reviews in a real PostgreSQL server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from tests.store.blocks_example import blocks_of, whole
from tests.store.postgresql_server import PASSWORD, PostgresqlServer, cannot_run, running_server
from tests.store.review_example import AS_OF, reasons, recommendations, review
from tierwise.errors import OutsideFailure
from tierwise.store import Review, lock_output, read_parts, write_blocks, write_postgresql
from tierwise.store.writer_review import to_arrow
from tierwise.tables.output_schemas import OutputTableError

pytestmark = [pytest.mark.postgresql, pytest.mark.skipif(bool(cannot_run()), reason=cannot_run())]

Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with running_server() as started:
        yield started


@pytest.fixture
def query(server: PostgresqlServer) -> Iterator[Query]:
    """Runs one statement; the schema of the reviews is dropped afterwards."""
    from adbc_driver_postgresql.dbapi import connect

    with connect(server.address, autocommit=True) as connection:

        def run(statement: str) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

        yield run
        run("DROP SCHEMA IF EXISTS tierwise CASCADE")


def test_a_review_fills_a_table_per_output_table(server, query):
    write_postgresql(server.address, "tierwise", review(partners=4))
    rows = query("SELECT as_of, partner_id, potential, potential_low FROM tierwise.recommendations ORDER BY 2")
    potentials = recommendations(4)["potential"]
    assert rows == [(AS_OF, f"P{number:05d}", potentials[number], None) for number in range(4)]
    assert query("SELECT sentence FROM tierwise.reasons LIMIT 1") == [("Zoë's sales grew.",)]


def test_the_review_itself_is_told(server, query):
    write_postgresql(server.address, "tierwise", review("run-7"))
    assert query("SELECT as_of, run_id, versions FROM tierwise.reviews") == [
        (AS_OF, "run-7", '{"model": "3", "policy": "standard@2026-07-01"}')
    ]


def test_types_and_keys_are_those_of_the_output_tables(server, query):
    write_postgresql(server.address, "tierwise", review())
    types = dict(
        query(
            "SELECT CAST(column_name AS text), CAST(data_type AS text) FROM information_schema.columns"
            " WHERE table_schema = 'tierwise' AND table_name = 'recommendations'"
        )
    )
    assert (types["as_of"], types["partner_id"], types["potential"]) == ("date", "text", "double precision")
    keys = query(
        "SELECT CAST(a.attname AS text) FROM pg_index i JOIN pg_attribute a"
        " ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
        " WHERE i.indrelid = 'tierwise.reasons'::regclass AND i.indisprimary ORDER BY 1"
    )
    assert keys == [("as_of",), ("partner_id",), ("rank",)]


def test_a_review_replaces_the_rows_of_its_date_and_no_others(server, query):
    earlier = Review(date(2026, 6, 30), "run-0", {"reasons": reasons(2)})
    write_postgresql(server.address, "tierwise", earlier)
    write_postgresql(server.address, "tierwise", review("run-1", partners=5))
    write_postgresql(server.address, "tierwise", review("run-2", partners=3))
    counted = query("SELECT as_of, run_id, count(*) FROM tierwise.reasons GROUP BY 1, 2 ORDER BY 1")
    assert counted == [(date(2026, 6, 30), "run-0", 2), (AS_OF, "run-2", 3)]


def test_the_same_review_twice_gives_the_same_rows(server, query):
    found = []
    for _ in range(2):
        write_postgresql(server.address, "tierwise", review())
        found.append(query("SELECT * FROM tierwise.recommendations ORDER BY partner_id"))
    assert found[0] == found[1]


def test_a_table_that_the_new_review_lacks_keeps_no_old_rows(server, query):
    write_postgresql(server.address, "tierwise", review("run-1"))
    write_postgresql(server.address, "tierwise", Review(AS_OF, "run-2", {"reasons": reasons(1)}))
    assert query("SELECT count(*) FROM tierwise.recommendations") == [(0,)]


def test_the_scores_of_another_policy_become_further_columns(server, query):
    write_postgresql(server.address, "tierwise", review("run-1"))
    other = recommendations(1).rename(columns={"value": "reach"})
    later = Review(date(2026, 12, 31), "run-2", {"recommendations": other}, score_columns=("reach",))
    write_postgresql(server.address, "tierwise", later)
    rows = query("SELECT value IS NULL, reach IS NULL, count(*) FROM tierwise.recommendations GROUP BY 1, 2 ORDER BY 1")
    assert rows == [(False, True, 3), (True, False, 1)]


def test_texts_arrive_as_they_are(server, query):
    texts = ["=1+1", "Robert'); DROP SCHEMA tierwise; --", "tab\tline\nend", 'quote " \\', "😀"]
    frame = recommendations(len(texts)).assign(archetype=texts)
    write_postgresql(
        server.address, "tierwise", Review(AS_OF, "r", {"recommendations": frame}, score_columns=("value",))
    )
    assert [row[0] for row in query("SELECT archetype FROM tierwise.recommendations ORDER BY partner_id")] == texts


def test_the_character_zero_is_replaced(server, query):
    frame = recommendations(1).assign(archetype="a\0b")
    write_postgresql(
        server.address, "tierwise", Review(AS_OF, "r", {"recommendations": frame}, score_columns=("value",))
    )
    assert query("SELECT archetype FROM tierwise.recommendations") == [("a\ufffdb",)]


def test_a_failure_in_the_middle_leaves_everything_as_it_was(server, query):
    write_postgresql(server.address, "tierwise", review("run-1"))
    query("ALTER TABLE tierwise.recommendations ADD CHECK (run_id <> 'run-2')")
    with pytest.raises(OutsideFailure, match="the database is unchanged"):
        write_postgresql(server.address, "tierwise", review("run-2", partners=5))
    assert query("SELECT DISTINCT run_id FROM tierwise.reasons") == [("run-1",)]
    assert query("SELECT run_id FROM tierwise.reviews") == [("run-1",)]


def test_a_frame_at_fault_is_refused_before_the_server_is_asked():
    broken = Review(AS_OF, "r", {"reasons": reasons().drop(columns="code")})
    with pytest.raises(OutputTableError, match="reasons lacks code"):
        write_postgresql("postgresql://127.0.0.1:1/none", "tierwise", broken)


def test_messages_never_show_the_password(server):
    for address in (server.address_with("wrong"), server.address.replace(f":{server.port}/", ":1/")):
        with pytest.raises(OutsideFailure) as caught:
            write_postgresql(address, "tierwise", review())
        assert PASSWORD not in str(caught.value)
        assert "%2Fp" not in str(caught.value)
        assert "postgresql://127.0.0.1" in str(caught.value)


def test_two_writers_at_once_take_turns(server, query):
    reviews = [review(f"run-{number}", partners=200 + number) for number in range(4)]
    failed: list[Exception] = []

    def write(made: Review) -> None:
        try:
            write_postgresql(server.address, "tierwise", made)
        except OutsideFailure as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(made,)) for made in reviews]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    ((last,),) = query("SELECT run_id FROM tierwise.reviews")
    assert query("SELECT run_id, count(*) FROM tierwise.recommendations GROUP BY 1") == [(last, 200 + int(last[-1]))]


def test_parts_are_streamed_into_one_transaction(server, query, tmp_path):
    made = whole()
    with lock_output(tmp_path) as lock:
        write_blocks(lock, made, blocks_of(made, 4))
        parts = {name: read_parts(tmp_path, AS_OF, name) for name in made.tables}
        write_postgresql(server.address, "tierwise", replace(made, tables={}), parts)
    streamed = {name: query(f"SELECT * FROM tierwise.{name} ORDER BY 3, 4") for name in made.tables}
    assert [len(rows) for rows in streamed.values()] == [25, 2, 50, 25, 0]
    query("DROP SCHEMA tierwise CASCADE")
    write_postgresql(server.address, "tierwise", made)
    assert {name: query(f"SELECT * FROM tierwise.{name} ORDER BY 3, 4") for name in made.tables} == streamed


def test_a_part_that_is_damaged_leaves_the_database_as_it_was(server, query, tmp_path):
    write_postgresql(server.address, "tierwise", review("run-0"))
    made = whole()
    with lock_output(tmp_path) as lock:
        place = write_blocks(lock, made, blocks_of(made, 3))
        (place / "reasons-00003.parquet").write_bytes(b"not a table")
        parts = {name: read_parts(tmp_path, AS_OF, name) for name in made.tables}
        with pytest.raises(OutsideFailure, match=r"reasons\.parquet is damaged"):
            write_postgresql(server.address, "tierwise", made, parts)
    assert query("SELECT DISTINCT run_id FROM tierwise.reasons") == [("run-0",)]
    assert query("SELECT run_id FROM tierwise.reviews") == [("run-0",)]


def test_one_part_is_taken_at_a_time(server, query):
    made = whole()
    asked: list[int] = []

    def parts() -> Iterator[pa.Table]:
        for number in range(3):
            asked.append(number)
            yield pa.concat_tables([table.slice(number * 10, 10)])
            assert query("SELECT count(*) FROM pg_tables WHERE schemaname = 'tierwise'") == [(0,)]

    table = to_arrow(made)["recommendations"]
    write_postgresql(server.address, "tierwise", made, {"recommendations": parts()})
    assert asked == [0, 1, 2]
    assert query("SELECT count(*) FROM tierwise.recommendations") == [(25,)]
