"""The engine's connection: types in and out, no network or files once locked, errors that say whose fault they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from tierwise.config.workspace import EngineSettings
from tierwise.engine import Engine, open_engine, quoted
from tierwise.errors import InvalidInput, OutsideFailure


@pytest.fixture
def engine():
    with open_engine() as engine:
        yield engine


def test_frames_come_back_with_contracted_types(engine: Engine) -> None:
    frame = engine.frame("SELECT 'x' AS name, DATE '2026-06-30' AS day, 1.5::DOUBLE AS value, NULL::DATE AS none")
    assert frame.dtypes.astype(str).to_dict() == {
        "name": "str", "day": "datetime64[us]", "value": "float64", "none": "datetime64[us]",
    }  # fmt: skip


def test_tables_go_in_and_out(engine: Engine) -> None:
    engine.add_table("a", pd.DataFrame({"partner_id": ["x", None], "n": [1, 2]}))
    engine.add_table("b", pa.table({"n": pa.array([1, None], pa.int64())}))
    engine.create_table("c", "SELECT n FROM a UNION ALL SELECT n FROM b")
    assert engine.columns("a") == {"partner_id": "VARCHAR", "n": "BIGINT"}
    assert engine.rows("SELECT count(*), sum(n) FROM c") == [(4, 4)]
    assert engine.has_table("c")
    assert not engine.has_table("d")
    assert engine.arrow("SELECT n FROM c WHERE n > ?", [1]).to_pydict() == {"n": [2]}


def test_adding_a_table_replaces_and_copies(engine: Engine) -> None:
    frame = pd.DataFrame({"n": [1]})
    engine.add_table("a", frame)
    frame.loc[0, "n"] = 9
    assert engine.rows("SELECT n FROM a") == [(1,)]
    engine.add_table("a", frame)
    assert engine.rows("SELECT n FROM a") == [(9,)]


def test_shown_rows_are_read_where_they_lie(engine: Engine) -> None:
    engine.show("shown", pa.table({"n": [1, 2, None], "name": ["a", "é", None]}))
    engine.run("CREATE TEMP VIEW doubled AS SELECT n * 2 AS n, name FROM shown")
    assert engine.rows("SELECT * FROM doubled") == [(2, "a"), (4, "é"), (None, None)]
    engine.show("shown", pa.table({"name": ["b"], "n": [5]}))
    assert engine.rows("SELECT n, name FROM doubled") == [(10, "b")]
    assert engine.has_table("shown")


def test_rows_are_shown_by_a_locked_engine(engine: Engine) -> None:
    engine.lock()
    engine.show("shown", pa.table({"n": [7]}))
    assert engine.rows("SELECT n FROM shown") == [(7,)]


def test_local_variables_are_not_tables(engine: Engine) -> None:
    secret = pd.DataFrame({"n": [1]})
    assert len(secret) == 1
    with pytest.raises(InvalidInput, match="secret"):
        engine.rows("SELECT * FROM secret")


def test_a_locked_engine_reaches_nothing_outside(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("n\n1\n")
    assert engine.rows(f"SELECT n FROM '{file}'") == [(1,)]
    engine.create_table("a", "SELECT 1 AS n")
    engine.lock()
    for statement in (
        f"SELECT * FROM '{file}'",
        f"COPY a TO '{tmp_path / 'b.csv'}'",
        f"ATTACH '{tmp_path / 'c.db'}'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET threads = 1",
        "SELECT * FROM glob('/*')",
    ):
        with pytest.raises(InvalidInput):
            engine.run(statement)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    engine.create_table("b", "SELECT n + 1 AS n FROM a")
    assert engine.rows("SELECT n FROM b") == [(2,)]


def test_no_extension_is_fetched(engine: Engine) -> None:
    assert engine.rows(
        "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%_known_extensions' ORDER BY name"
    ) == [("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false")]


def test_settings_are_applied() -> None:
    with open_engine(EngineSettings(threads=1, memory_limit="300MB")) as engine:
        assert engine.rows("SELECT current_setting('threads'), current_setting('TimeZone')") == [(1, "UTC")]


def test_running_out_of_memory_is_an_outside_failure() -> None:
    with open_engine(EngineSettings(threads=1, memory_limit="30MB")) as engine, pytest.raises(OutsideFailure) as caught:
        engine.rows("SELECT list(i) FROM range(30000000) AS t(i)")
    assert caught.value.exit_code == 3
    assert "raise engine.memory_limit" in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "size"),
    [("300MB", 300_000_000), ("4GB", 4_000_000_000), ("1.5 GiB", 3 * 2**29), ("2TiB", 2 * 2**40), ("64KB", 64_000)],
)
def test_a_memory_limit_has_a_size_in_bytes(limit: str, size: int) -> None:
    assert EngineSettings(memory_limit=limit).memory_bytes == size


def test_tables_kept_on_disk_are_tables_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_engine() as engine:
        engine.create_table("before", "SELECT 1 AS a")
        engine.keep_on_disk()
        engine.create_table("kept", "SELECT range AS a FROM range(100000)")
        engine.lock()
        engine.run("ALTER TABLE kept RENAME TO accepted")
        engine.run("DELETE FROM accepted WHERE a < 10")
        assert engine.rows("SELECT count(*), min(a) FROM accepted") == [(99_990, 10)]
        assert engine.rows("SELECT a FROM memory.before") == [(1,)]
        assert (engine.has_table("accepted"), engine.columns("accepted")) == (True, {"a": "BIGINT"})
        assert any(tmp_path.rglob("tables.duckdb"))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_second_connection_sees_the_tables_and_outlives_nothing(on_disk: bool) -> None:
    with open_engine() as engine:
        if on_disk:
            engine.keep_on_disk()
        engine.create_table("kept", "SELECT range AS a FROM range(10)")
        with engine.beside() as reader, ThreadPoolExecutor(1) as pool:
            counted = pool.submit(reader.rows, "SELECT sum(a), current_setting('TimeZone') FROM kept")
            engine.create_table("other", "SELECT 1 AS a")
            assert counted.result() == [(45, "UTC")]
        assert engine.rows("SELECT * FROM other") == [(1,)]
        with pytest.raises(InvalidInput, match="closed"):
            reader.rows("SELECT 1")


def test_a_missing_file_is_an_outside_failure(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(OutsideFailure, match="check the path"):
        engine.rows(f"SELECT * FROM read_csv('{tmp_path / 'absent.csv'}')")


def test_a_number_that_does_not_fit_is_the_inputs_fault(engine: Engine) -> None:
    with pytest.raises(InvalidInput) as caught:
        engine.rows("SELECT CAST(99999 AS DECIMAL(4,2))")
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.faults[0].what


def test_what_was_spilled_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_engine(EngineSettings(threads=1, memory_limit="60MB")) as engine:
        engine.create_table("a", "SELECT hash(i) AS h FROM range(8000000) AS t(i) ORDER BY h")
        assert any(tmp_path.glob("*/spill/*"))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", 'a"b', "select", "ä", "a;b"])
def test_any_name_can_be_quoted(engine: Engine, name: str) -> None:
    engine.create_table(name, f"SELECT 1 AS {quoted(name)}")
    assert list(engine.columns(name)) == [name]


def test_only_the_engine_needs_duckdb() -> None:
    assert duckdb.__version__.startswith("2.")
