"""Rows on their way to Spark and back: Parquet files to read, and steps over Arrow batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet

from tierwise.engine.seam import RowStep
from tierwise.engine.spark_session import quiet

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS_PER_FILE = 500_000
ROWS_PER_STEP = 25_000
_PLACE = "_place_"


def write_parts(batches: pa.RecordBatchReader, folder: Path) -> None:
    """Write one file per batch, so that Spark's machines share the reading; one without rows where there are none."""
    schema = pa.schema([field.with_type(_plain(field.type)) for field in batches.schema])
    number = 0
    for number, batch in enumerate(batches, start=1):
        part = pa.Table.from_batches([batch]).cast(schema)
        pyarrow.parquet.write_table(part, folder / f"part-{number:05d}.parquet", compression="zstd")
    if not number:
        pyarrow.parquet.write_table(schema.empty_table(), folder / "part-00000.parquet")


def mapped(session: SparkSession, rows: pa.Table, step: RowStep, folder: Path) -> pa.Table:
    """Apply a step to rows on Spark's machines.

    Args:
        session: The session.
        rows: At least one row.
        step: Gives one row for each row; broadcast, so that each machine takes it once.
        folder: An empty folder that all machines see, for the rows.

    Returns:
        What the step gives, in the order of the rows.
    """
    schema = _plain_schema(step(rows.slice(0, 1)).schema)
    numbered = rows.append_column(_PLACE, pa.array(range(rows.num_rows), pa.int64()))
    write_parts(numbered.to_reader(ROWS_PER_STEP), folder)
    shared = session.sparkContext.broadcast(step)
    try:
        read = session.read.parquet(str(folder)).repartition(-(-rows.num_rows // ROWS_PER_STEP))
        with quiet():
            found = read.mapInArrow(_over_batches(shared, schema), _with_place(schema)).toArrow()
    finally:
        shared.destroy()
    return found.sort_by(_PLACE).drop_columns([_PLACE])


def _over_batches(shared: Any, schema: pa.Schema) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that runs on Spark's machines: the step over each batch, the rows' places kept beside."""

    def over(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                rows = pa.Table.from_batches([batch])
                done = shared.value(rows.drop_columns([_PLACE])).select(schema.names).cast(schema)
                yield from done.append_column(_PLACE, rows.column(_PLACE)).combine_chunks().to_batches()

    return over


def _with_place(schema: pa.Schema) -> Any:
    """The schema of the result in Spark's terms."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema.append(pa.field(_PLACE, pa.int64())))


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, _plain(field.type)) for field in schema])


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type as Spark reads it: no large texts, no nulls without a type, times to the microsecond."""
    if pa.types.is_large_string(kind) or pa.types.is_null(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return pa.timestamp("us") if pa.types.is_timestamp(kind) else kind
