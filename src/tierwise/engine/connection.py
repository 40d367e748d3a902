"""The embedded engine: one in-memory DuckDB connection that spills to disk and never touches the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from types import TracebackType
from typing import Self

import duckdb
import pandas as pd
import pyarrow as pa

from tierwise.config.workspace import EngineSettings
from tierwise.engine.scratch import Scratch
from tierwise.engine.seam import RowStep, to_frame
from tierwise.errors import Fault, InvalidInput, OutsideFailure

_OUTSIDE: dict[type[Exception], str] = {
    duckdb.OutOfMemoryException: "the engine ran out of memory; raise engine.memory_limit or free space for spilling",
    duckdb.IOException: "a file cannot be read or written; check the path, its permissions and the free disk space",
    duckdb.InterruptException: "the query was interrupted; run the command again",
    duckdb.FatalException: "the engine stopped; run the command again",
    duckdb.InternalException: "the engine failed; run the command again and report this if it recurs",
}
_ON_DISK = "on_disk"


class EmbeddedEngine:
    """A DuckDB connection with Tierwise's settings.

    Use it as a context manager. Until `lock` is called it may read files (the sources); afterwards SQL can reach
    nothing but its own tables, and no setting can be changed.
    """

    def __init__(self, settings: EngineSettings | None = None) -> None:
        settings = settings or EngineSettings()
        self._scratch = Scratch("spill")
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": settings.threads,
                "memory_limit": settings.memory_limit,
                "temp_directory": str(self._scratch.path / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "preserve_insertion_order": True,
                "python_enable_replacements": False,
            },
        )
        self._connection.execute("SET TimeZone = 'UTC'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and remove what it spilled."""
        self._connection.close()
        self._scratch.close()

    def lock(self) -> None:
        """Switch off file access and freeze the settings, once the sources are loaded."""
        self.run("SET enable_external_access = false")
        self.run("SET lock_configuration = true")

    def keep_on_disk(self) -> None:
        """Make all further tables in a file beside what is spilled, where they are compressed.

        In memory they are not: large ones would be spilled and read back again and again.
        """
        self.run(f"ATTACH '{str(self._scratch.path / 'tables.duckdb').replace(chr(39), chr(39) * 2)}' AS {_ON_DISK}")
        self.run(f"USE {_ON_DISK}")

    @contextmanager
    def beside(self) -> Iterator[EmbeddedEngine]:
        """A second connection to the same tables, for questions asked in another thread meanwhile."""
        second = copy(self)
        second._connection = self._connection.cursor()
        try:
            second.run("SET TimeZone = 'UTC'")
            second.run(f"USE {self.rows('SELECT current_database()')[0][0]}")
            yield second
        finally:
            second._connection.close()

    def run(self, sql: str, parameters: Sequence[object] | None = None) -> None:
        """Run a statement.

        Raises:
            OutsideFailure: If memory, disk or a file fails.
            InvalidInput: If the statement does not suit the data (a number that does not fit, a type that differs).
        """
        with _engine_errors():
            self._connection.execute(sql, parameters)

    def frame(self, sql: str, parameters: Sequence[object] | None = None) -> pd.DataFrame:
        """Run a query and return a pandas frame: text is `str`, dates are `datetime64[us]`, decimals objects."""
        return to_frame(self.arrow(sql, parameters))

    def arrow(self, sql: str, parameters: Sequence[object] | None = None) -> pa.Table:
        """Run a query and return its rows as an Arrow table."""
        with _engine_errors():
            relation = self._connection.sql(sql, params=list(parameters or ()))
            return relation.to_arrow_table()

    def batches(self, sql: str, rows: int) -> pa.RecordBatchReader:
        """Run a query and stream its rows as Arrow batches of about so many rows."""
        with _engine_errors():
            return self._connection.sql(sql).to_arrow_reader(rows)

    def rows(self, sql: str, parameters: Sequence[object] | None = None) -> list[tuple[object, ...]]:
        """Run a query with a small result and return its rows."""
        with _engine_errors():
            return self._connection.execute(sql, parameters).fetchall()

    def add_table(self, name: str, rows: pd.DataFrame | pa.Table | pa.RecordBatchReader) -> None:
        """Copy a frame, an Arrow table or a stream of Arrow batches into the engine, replacing a table of that name."""
        table = pa.Table.from_pandas(rows, preserve_index=False) if isinstance(rows, pd.DataFrame) else rows
        self._connection.register("incoming_rows", table)
        try:
            self.create_table(name, "SELECT * FROM incoming_rows")
        finally:
            self._connection.unregister("incoming_rows")

    def show(self, name: str, rows: pa.Table) -> None:
        """Let queries read an Arrow table where it lies, in place of what the name showed before."""
        self._connection.register(name, rows)

    def create_table(self, name: str, query: str, parameters: Sequence[object] | None = None) -> None:
        """Store the rows of a query as a table, replacing one of that name."""
        self.run(f"CREATE OR REPLACE TABLE {quoted(name)} AS {query}", parameters)

    def mapped(self, rows: pa.Table, step: RowStep) -> pa.Table:
        """Apply a step to rows; one row for each, in their order."""
        return step(rows)

    def columns(self, name: str) -> Mapping[str, str]:
        """Return the columns of a table and their SQL types, in order."""
        return {str(row[0]): str(row[1]) for row in self.rows(f"DESCRIBE {quoted(name)}")}

    def has_table(self, name: str) -> bool:
        """Tell whether a table or view of that name exists."""
        return bool(self.rows("SELECT 1 FROM information_schema.tables WHERE table_name = ?", [name]))


def open_engine(settings: EngineSettings | None = None) -> EmbeddedEngine:
    """Open an embedded engine with the limits of the workspace."""
    return EmbeddedEngine(settings)


def quoted(name: str) -> str:
    """Quote a table or column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Turn DuckDB's errors into those a user meets: what failed outside, or what does not suit the data."""
    try:
        yield
    except tuple(_OUTSIDE) as error:
        todo = next(text for kind, text in _OUTSIDE.items() if isinstance(error, kind))
        raise OutsideFailure(Fault(_first_line(error), "engine", todo=todo)) from error
    except duckdb.Error as error:
        raise InvalidInput(Fault(_first_line(error), "engine")) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
