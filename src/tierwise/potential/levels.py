"""Levels of text attributes as numbers, without a Python object per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tierwise.tables.chunks import in_chunks

Floats = NDArray[np.float64]


def level_places(column: pd.Series, levels: Sequence[str]) -> Floats:
    """Return the place of each row's level among `levels`, shape (n,); NaN where it is missing or none of them."""
    if isinstance(column.dtype, pd.CategoricalDtype):  # few names to look up, however many rows
        of_categories = level_places(pd.Series(column.cat.categories, dtype="str"), levels)
        return np.asarray(np.append(of_categories, np.nan)[column.cat.codes.to_numpy()])
    texts = in_chunks(column.astype("str"))
    found = pc.index_in(texts, value_set=pa.array(list(levels), type=texts.type))
    return np.asarray(found.to_numpy(), dtype=np.float64)


def level_values(column: pd.Series, values: Mapping[str, float]) -> Floats:
    """Return the value of each row's level, shape (n,); 0 where it is missing or has none."""
    known = np.append(np.fromiter(values.values(), dtype=np.float64, count=len(values)), 0.0)
    places = level_places(column, tuple(values))
    return np.asarray(known[np.where(np.isnan(places), len(values), places).astype(np.int64)])
