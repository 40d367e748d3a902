"""Turning places on a ladder into tier names and back, fast for millions of partners."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tierwise.config.policy import EXIT

NO_TIER = -1


def tier_names(places: npt.NDArray[np.integer], names: Sequence[str]) -> pd.Series[str]:
    """The name at each place; missing below the first place and above the last."""
    inside = (places >= 0) & (places < len(names))
    codes = pa.array(np.where(inside, places, 0).astype(np.int32), mask=~inside)
    texts = pa.DictionaryArray.from_arrays(codes, pa.array(list(names), pa.string())).cast(pa.string())
    named: pd.Series[str] = texts.to_pandas().astype("str")
    return named


def tier_places(tiers: pd.Series[str], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """The place of each tier name; -1 for a missing one, for `exit`, and for a name that the ladder does not have."""
    found = pc.index_in(arrow_text(tiers), value_set=pa.array(list(names), pa.large_string()))
    return np.asarray(found.fill_null(NO_TIER), dtype=np.int64)


def arrow_text(texts: pd.Series[str]) -> pa.Array:
    """A text column as one Arrow array, missing where it is missing."""
    array = pa.array(texts, from_pandas=True)
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return whole.cast(pa.large_string())


def equals(texts: pd.Series[str], word: str) -> npt.NDArray[np.bool_]:
    """Which texts are a word; a missing one is not."""
    return np.asarray(pc.equal(arrow_text(texts), word).fill_null(False), dtype=bool)


def is_exit(tiers: pd.Series[str]) -> npt.NDArray[np.bool_]:
    """Which tiers say that the partner left the program."""
    return equals(tiers, EXIT)
