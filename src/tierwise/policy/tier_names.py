"""Turning places on a ladder into tier names and back, fast for millions of partners."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

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
    codes = pd.Categorical(tiers, categories=list(names)).codes
    return codes.astype(np.int64)


def is_exit(tiers: pd.Series[str]) -> npt.NDArray[np.bool_]:
    """Which tiers say that the partner left the program."""
    return tiers.eq(EXIT).fillna(False).to_numpy(dtype=bool)
