"""Parquet files as text, without losing precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from tierwise.errors import Fault, InvalidInput, OutsideFailure
from tierwise.store.sources_batches import readable_batch, require_columns

_BATCH_ROWS = 131_072
_EXPORT_AGAIN = "see whether the export ended well, export the file again, then run the same command again"


def read_parquet(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read the named columns of one Parquet file as text.

    Floats are written with the fewest digits that read back as the same number, decimals exactly, dates and
    timestamps as ISO 8601.

    Raises:
        InvalidInput: If the file is not Parquet, lacks a column, or a column holds lists, structures or raw bytes.
        OutsideFailure: If the file cannot be read to its end.
    """
    file = _open(path)
    require_columns(columns, file.schema_arrow.names, str(path))
    _require_plain(file.schema_arrow, columns, path)
    counted = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(columns), use_threads=False):
            rows = np.arange(counted + 1, counted + batch.num_rows + 1, dtype=np.int64)
            counted += batch.num_rows
            yield readable_batch(rows, [arrow_text(batch.column(name)) for name in columns])
    except (pa.ArrowException, OSError) as error:
        what = f"the file cannot be read to its end: {_first_line(error)}"
        raise OutsideFailure(Fault(what, str(path), todo=_EXPORT_AGAIN)) from None
    finally:
        file.close()


def arrow_text(values: pa.Array) -> pa.Array:
    """Write typed values as text: shortest exact floats, exact decimals, ISO dates; null stays null."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return arrow_text(values.dictionary_decode())
    if pa.types.is_decimal(kind):
        return pa.array([None if value is None else f"{value:f}" for value in values.to_pylist()], pa.string())
    if pa.types.is_float16(kind):
        values = values.cast(pa.float32())
    if pa.types.is_timestamp(kind):
        return _timestamp_text(values)
    return values.cast(pa.string())


def _timestamp_text(values: pa.Array) -> pa.Array:
    """ISO text without an empty fraction, so that midnight reads as a time and not as precision."""
    zoned = values.type.tz is not None
    plain = values.cast(pa.timestamp(values.type.unit, "UTC")).cast(pa.timestamp(values.type.unit)) if zoned else values
    text = pc.replace_substring_regex(plain.cast(pa.string()), r"\.0+$", "")
    return pc.binary_join_element_wise(text, "Z", "") if zoned else text


def _open(path: Path) -> pa.parquet.ParquetFile:
    try:
        return pa.parquet.ParquetFile(path, coerce_int96_timestamp_unit="us")
    except pa.ArrowInvalid as error:
        what = f"this is not a readable Parquet file: {_first_line(error)}"
        raise InvalidInput(Fault(what, str(path), todo=_EXPORT_AGAIN)) from None
    except OSError as error:
        raise OutsideFailure(Fault(f"the file cannot be read: {_first_line(error)}", str(path))) from None


def _require_plain(schema: pa.Schema, columns: Sequence[str], path: Path) -> None:
    faults = [
        Fault(f"the column {name!r} is of type {schema.field(name).type}, which is not one plain value", str(path))
        for name in columns
        if not _is_plain(schema.field(name).type)
    ]
    if faults:
        raise InvalidInput(faults)


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return not (pa.types.is_nested(kind) or binary or pa.types.is_duration(kind))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
