"""Headroom: what the top tenth of comparable partners attain, minus what the partner has now.

The reference is the finite-sample (conformal) quantile, the ceil((n + 1) q)-th smallest current value of the group;
groups that are too small for it fall back to a wider one. It compares with others today and is no forecast.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import HeadroomSpec
from tierwise.potential.intervals import conformal_quantile

Floats = NDArray[np.float64]
TABLE_COLUMNS = ("depth", "group", "partners", "reference")
_SEPARATOR = " | "


def headroom_table(
    rows: pd.DataFrame, current: Floats, comparable_by: tuple[str, ...], spec: HeadroomSpec
) -> pd.DataFrame:
    """Measure the reference of every comparable group that is large enough.

    Args:
        rows: The latest review's rows.
        current: The target as of the date, shape (n,).
        comparable_by: Attributes, the most telling first; the last is dropped first when a group is too small.
        spec: The quantile and the least group size.

    Returns:
        Columns `TABLE_COLUMNS`; depth 0 is all partners together and is there unless there are no rows.
    """
    found = []
    for depth in range(len(comparable_by) + 1):
        keys = _group_keys(rows, comparable_by[:depth])
        for group, values in pd.Series(current).groupby(keys):
            if depth == 0 or len(values) >= spec.partners:
                reference = conformal_quantile(np.asarray(values, dtype=np.float64), spec.quantile)
                found.append((depth, str(group), len(values), reference))
    return pd.DataFrame(found, columns=list(TABLE_COLUMNS))


def headroom(rows: pd.DataFrame, current: Floats, comparable_by: tuple[str, ...], table: pd.DataFrame) -> Floats:
    """Return the headroom of each row, never below 0; NaN where no reference is known."""
    reference = np.full(len(rows), np.nan)
    for depth in range(len(comparable_by) + 1):
        level = table[table["depth"] == depth].set_index("group")["reference"]
        found = _group_keys(rows, comparable_by[:depth]).map(level).to_numpy(dtype=np.float64, na_value=np.nan)
        reference = np.where(np.isnan(found), reference, found)
    return np.clip(reference - current, 0, None)


def _group_keys(rows: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    keys = pd.Series("all", index=range(len(rows)), dtype="object")
    for name in names:
        keys = keys + _SEPARATOR + rows[name].astype("object").fillna("unknown").astype(str).to_numpy()
    return keys
