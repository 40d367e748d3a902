"""The one shape in which every kind of source hands over its rows: batches of text columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput

ROW = "_row"
FAULT = "_fault"


def batch_schema(columns: int) -> pa.Schema:
    """The schema of a batch: `_row` (1-based), `_fault` (why a row cannot be read, else null) and `s0`, `s1`, ... ."""
    texts = [pa.field(f"s{index}", pa.string()) for index in range(columns)]
    return pa.schema([pa.field(ROW, pa.int64()), pa.field(FAULT, pa.string()), *texts])


def readable_batch(rows: npt.NDArray[np.int64], texts: Sequence[pa.Array]) -> pa.RecordBatch:
    """Make a batch of rows that could be read.

    Args:
        rows: Each row's 1-based number in its file.
        texts: One array of text per column.

    Raises:
        InvalidInput: If bytes are not UTF-8, which the engine could not hold.
    """
    nothing = pa.nulls(len(rows), pa.string())
    arrays = [pa.array(rows, pa.int64()), nothing, *[text.cast(pa.string()) for text in texts]]
    batch = pa.RecordBatch.from_arrays(arrays, schema=batch_schema(len(texts)))
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        what = f"a text in rows {rows[0]:,} to {rows[-1]:,} is not UTF-8"
        raise InvalidInput(Fault(what, todo="convert the source to UTF-8")) from None
    return batch


def unreadable_batch(faults: Sequence[tuple[int, str]], columns: int) -> pa.RecordBatch:
    """Make a batch of rows that could not be read: their numbers and why; all their columns are null."""
    rows = pa.array([row for row, _ in faults], pa.int64())
    reasons = pa.array([reason for _, reason in faults], pa.string())
    texts = [pa.nulls(len(faults), pa.string())] * columns
    return pa.RecordBatch.from_arrays([rows, reasons, *texts], schema=batch_schema(columns))


def number_on(batches: Iterable[pa.RecordBatch], before: int) -> Iterator[pa.RecordBatch]:
    """Count a file's rows on from the rows of the files before it."""
    for batch in batches:
        rows = pc.add(batch.column(ROW), before)
        yield pa.RecordBatch.from_arrays([rows, *batch.columns[1:]], schema=batch.schema)


def require_columns(wanted: Sequence[str], found: Sequence[str], where: str) -> None:
    """Refuse a source that lacks a mapped column or has it twice.

    Raises:
        InvalidInput: With every such column, the columns found, and the nearest name.
    """
    faults = [_missing(name, found, where) for name in wanted if name not in found]
    faults += [
        Fault(f"the column {name!r} stands {found.count(name)} times in the header", where, todo="rename one of them")
        for name in wanted
        if list(found).count(name) > 1
    ]
    if faults:
        raise InvalidInput(faults)


def _missing(name: str, found: Sequence[str], where: str) -> Fault:
    header = ", ".join(repr(column) for column in found[:30]) + (", ..." if len(found) > 30 else "")
    nearest = hint(name, found)
    suffix = f"; {nearest}" if nearest.startswith("did you mean") else ""
    todo = f"the columns found are {header}; correct 'from' of the column in tierwise.yaml" if found else ""
    return Fault(f"the column {name!r} is missing{suffix}", where, todo=todo)
