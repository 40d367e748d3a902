"""Apache Spark as the engine: the same queries over the accepted tables, on any Spark master.

The tables are checked by the embedded engine and handed over as Parquet files in a folder that all of Spark's machines
can read; what the queries give comes back as Arrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pandas as pd
import pyarrow as pa
import sqlglot
from sqlglot import exp

from tierwise.config.workspace import EngineSettings
from tierwise.engine.connection import EmbeddedEngine, quoted
from tierwise.engine.scratch import Scratch
from tierwise.engine.seam import RowStep, to_frame
from tierwise.engine.spark_rows import ROWS_PER_FILE, mapped, write_parts
from tierwise.engine.spark_session import open_session
from tierwise.engine.spark_sql import to_spark
from tierwise.errors import Fault, InvalidInput, OutsideFailure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SMALL_ROWS = 20_000
_FAULTS_OF_DATA = (
    "ArithmeticException", "NumberFormatException", "DateTimeException", "AnalysisException", "ParseException",
    "IllegalArgumentException",
)  # fmt: skip


class SparkEngine:
    """A Spark session over the accepted tables of an embedded engine.

    Use it as a context manager. Queries come in DuckDB's SQL and are compiled to Spark's. A table of the embedded
    engine is handed over when a query first asks for it; tables made here are not seen there.
    """

    def __init__(self, accepted: EmbeddedEngine, settings: EngineSettings | None = None) -> None:
        settings = settings or EngineSettings()
        self._accepted = accepted
        self._scratch = Scratch("spark", settings.spark.scratch)
        self._made: dict[str, _Made] = {}
        self._queries = self._folders = 0
        try:
            self.session, self._is_own = open_session(settings, self._scratch.path)
        except BaseException:
            self._scratch.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop what was made, stop Spark if it was started here, and remove the files handed over."""
        try:
            for name in list(self._made):
                self._drop(name)
            if self._is_own:
                self.session.stop()
        finally:
            self._scratch.close()

    def run(self, sql: str, parameters: Sequence[object] | None = None) -> None:
        """Run a statement; the only one there is drops a table."""
        _refuse_parameters(parameters)
        tree = sqlglot.parse_one(sql, read="duckdb")
        table = tree.find(exp.Table)
        if not isinstance(tree, exp.Drop) or table is None:
            raise NotImplementedError(f"Spark runs queries and drops tables; it has no {tree.key}")
        self._drop(table.name)

    def frame(self, sql: str, parameters: Sequence[object] | None = None) -> pd.DataFrame:
        """Run a query and return a pandas frame: text is `str`, dates are `datetime64[us]`, decimals objects."""
        return to_frame(self.arrow(sql, parameters))

    def arrow(self, sql: str, parameters: Sequence[object] | None = None) -> pa.Table:
        """Run a query and return its rows as an Arrow table.

        Raises:
            InvalidInput: If the query does not suit the data.
            OutsideFailure: If Spark fails.
        """
        _refuse_parameters(parameters)
        with self._query(sql) as found:
            return found.toArrow()

    def rows(self, sql: str, parameters: Sequence[object] | None = None) -> list[tuple[object, ...]]:
        """Run a query with a small result and return its rows."""
        _refuse_parameters(parameters)
        with self._query(sql) as found:
            return [tuple(row) for row in found.collect()]

    def add_table(self, name: str, rows: pd.DataFrame | pa.Table | pa.RecordBatchReader) -> None:
        """Hand rows over to Spark, replacing a table of that name."""
        self._drop(name)
        table = pa.Table.from_pandas(rows, preserve_index=False) if isinstance(rows, pd.DataFrame) else rows
        self._hand_over(name, table if isinstance(table, pa.RecordBatchReader) else table.to_reader(ROWS_PER_FILE))

    def show(self, name: str, rows: pa.Table) -> None:
        """Hand an Arrow table over: Spark's machines cannot read it where it lies."""
        self.add_table(name, rows)

    def create_table(self, name: str, query: str, parameters: Sequence[object] | None = None) -> None:
        """Name a query, whose rows are computed when they are first asked for.

        A table that is used once becomes part of the query that uses it, which Spark then plans as a whole. If it is
        used again, or the query uses several such tables, its rows are kept on Spark's machines, which make lost ones
        again from the sources: a query made of many tables would hold the rows of all of their steps at once.
        """
        _refuse_parameters(parameters)
        with _spark_errors():
            rows, steps = self._compiled(query)
            self._drop(name)
            self._view(name, rows, steps)

    def mapped(self, rows: pa.Table, step: RowStep) -> pa.Table:
        """Apply a step to rows on Spark's machines, to which it is sent once; one row for each, in their order.

        Fewer rows than `SMALL_ROWS` stay here: sending them would take longer than the step.
        """
        if rows.num_rows < SMALL_ROWS:
            return step(rows)
        with _spark_errors():
            return mapped(self.session, rows, step, self._new_folder())

    def columns(self, name: str) -> Mapping[str, str]:
        """Return the columns of a table and their SQL types as DuckDB names them, in order."""
        made = self._made.get(name.lower())
        if made is None:
            return self._accepted.columns(name)
        return {field.name: _duckdb_type(field.dataType.simpleString()) for field in made.rows.schema.fields}

    def has_table(self, name: str) -> bool:
        """Tell whether a table of that name exists here or in the embedded engine."""
        return name.lower() in self._made or self._accepted.has_table(name)

    @contextmanager
    def _query(self, sql: str) -> Iterator[DataFrame]:
        """A query ready to run; the steps that it computes once are kept until it has run."""
        with _spark_errors():
            rows, steps = self._compiled(sql)
            try:
                yield rows
            finally:
                self._forget(steps)

    def _compiled(self, sql: str) -> tuple[DataFrame, Mapping[str, DataFrame]]:
        """A query's rows to be, and the views of its steps that are computed once."""
        self._queries += 1
        used: set[_Made] = set()
        compiled = to_spark(sql, lambda name: self._types_of(name, used), f"step_{self._queries}")
        _keep(used)
        steps: dict[str, DataFrame] = {}
        try:
            for name, query in compiled.kept:
                steps[name] = self.session.sql(query).persist()
                steps[name].createOrReplaceTempView(name)
            return self.session.sql(compiled.sql), steps
        except BaseException:
            self._forget(steps)
            raise

    def _forget(self, views: Mapping[str, DataFrame]) -> None:
        for name, rows in views.items():
            rows.unpersist()
            self.session.catalog.dropTempView(name)

    def _types_of(self, name: str, used: set[_Made]) -> Mapping[str, str]:
        """The types of a stored table that a query uses, which is handed over if it is not yet."""
        if name.lower() not in self._made:
            self._hand_over(name, self._accepted.batches(f"SELECT * FROM {quoted(name)}", ROWS_PER_FILE))
        made = self._made[name.lower()]
        made.uses += 1
        used.add(made)
        return self.columns(name)

    def _hand_over(self, name: str, batches: pa.RecordBatchReader) -> None:
        folder = self._new_folder()
        write_parts(batches, folder)
        with _spark_errors():
            self._view(name, self.session.read.parquet(str(folder)))

    def _new_folder(self) -> Path:
        self._folders += 1
        folder = self._scratch.path / f"table-{self._folders}"
        folder.mkdir()
        return folder

    def _view(self, name: str, rows: DataFrame, steps: Mapping[str, DataFrame] | None = None) -> None:
        rows.createOrReplaceTempView(name)
        self._made[name.lower()] = _Made(rows, steps)

    def _drop(self, name: str) -> None:
        made = self._made.pop(name.lower(), None)
        if made is not None:
            self._forget({name: made.rows, **(made.steps or {})})


@dataclass(eq=False)
class _Made:
    """A table that Spark knows.

    Attributes:
        rows: What gives its rows.
        steps: For the result of a query, the views of its steps that are computed once; None for files.
        uses: How often queries have named it.
    """

    rows: DataFrame
    steps: Mapping[str, DataFrame] | None = None
    uses: int = 0


def _keep(used: Iterable[_Made]) -> None:
    """Keep the rows of the results of queries that a query is to use, but for a single one in its first use."""
    results = [made for made in used if made.steps is not None]
    new = [made for made in results if made.uses == 1]
    for made in results:
        if not made.rows.is_cached and (made.uses > 1 or len(new) > 1):
            made.rows.persist()


def _duckdb_type(spark: str) -> str:
    names = {"string": "VARCHAR", "int": "INTEGER", "timestamp_ntz": "TIMESTAMP"}
    return names.get(spark, spark.upper())


def _refuse_parameters(parameters: Sequence[object] | None) -> None:
    if parameters:
        raise NotImplementedError("queries for Spark carry no parameters")


@contextmanager
def _spark_errors() -> Iterator[None]:
    """Turn Spark's errors into those a user meets: what does not suit the data, or what failed outside."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        fault = Fault(_first_line(error), "engine")
        if any(name in f"{type(error).__name__} {error}" for name in _FAULTS_OF_DATA):
            raise InvalidInput(fault) from error
        todo = "look at Spark's own logs, then run the command again"
        raise OutsideFailure(Fault(fault.what, fault.where, todo=todo)) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
