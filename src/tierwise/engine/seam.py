"""What metrics, policies and models ask of an engine; DuckDB and Spark both give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import pandas as pd
import pyarrow as pa

RowStep = Callable[[pa.Table], pa.Table]
"""Gives one row for each row of a table, in their order, without looking at the others. Spark sends it to its machines,
so it must be picklable."""


class Engine(Protocol):
    """Named tables, and queries over them in DuckDB's SQL, whatever computes them."""

    def run(self, sql: str, parameters: Sequence[object] | None = None) -> None:
        """Run a statement."""

    def frame(self, sql: str, parameters: Sequence[object] | None = None) -> pd.DataFrame:
        """Run a query and return a pandas frame: text is `str`, dates are `datetime64[us]`, decimals objects."""

    def arrow(self, sql: str, parameters: Sequence[object] | None = None) -> pa.Table:
        """Run a query and return its rows as an Arrow table."""

    def rows(self, sql: str, parameters: Sequence[object] | None = None) -> list[tuple[object, ...]]:
        """Run a query with a small result and return its rows."""

    def add_table(self, name: str, rows: pd.DataFrame | pa.Table | pa.RecordBatchReader) -> None:
        """Copy rows into the engine, replacing a table of that name."""

    def show(self, name: str, rows: pa.Table) -> None:
        """Make rows known by a name, without copying them where the engine can, in place of what it showed before."""

    def create_table(self, name: str, query: str, parameters: Sequence[object] | None = None) -> None:
        """Store the rows of a query as a table, replacing one of that name."""

    def mapped(self, rows: pa.Table, step: RowStep) -> pa.Table:
        """Apply a step to rows, in batches where there are many; one row for each, in their order."""

    def columns(self, name: str) -> Mapping[str, str]:
        """Return the columns of a table and their SQL types, in order."""

    def has_table(self, name: str) -> bool:
        """Tell whether a table or view of that name exists."""


def to_frame(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as a pandas frame: text is `str`, dates are `datetime64[us]`, decimals objects."""
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    dates = frame.select_dtypes("datetime").columns
    return frame.astype(dict.fromkeys(dates, "datetime64[us]"))
