"""A column of a frame as Arrow holds it."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa


def in_chunks(column: pd.Series) -> pa.ChunkedArray:
    """The values of a column, unknown ones null.

    Text that was put together of several frames lies in several chunks. Arrow then gives those already, and asked for
    a chunk made of them it would go through the values one by one.
    """
    values = pa.array(column, from_pandas=True)
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
