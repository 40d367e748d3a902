"""Rows of a table, any number of times, with some of their columns changed: for asking many times what would be.

A frame of such rows copies every column for every question, though most questions look at a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class VariedRows:
    """Rows that are made of a table column by column, and only when a column is asked for.

    It understands the little of a frame that asking again needs, and means the same by it: `columns`, `len`, one column
    or several by name, `assign`, and rows chosen by a mask.
    """

    def __init__(
        self, table: pd.DataFrame, at: NDArray[np.int64], changed: Mapping[str, NDArray[np.generic]] | None = None
    ) -> None:
        """Make nothing yet.

        Args:
            table: The table, shape (n, columns).
            at: The rows of the table, shape (m,).
            changed: By column, of the table or new, what stands there instead, shape (m,) each.
        """
        self._table = table
        self._at = at
        self._changed = dict(changed or {})
        self._made: dict[str, pd.Series] = {}

    def __len__(self) -> int:
        return len(self._at)

    @property
    def columns(self) -> pd.Index:
        """The names of the table's columns, then of new ones."""
        new = [name for name in self._changed if name not in self._table.columns]
        return self._table.columns.append(pd.Index(new)) if new else self._table.columns

    @overload
    def __getitem__(self, name: str) -> pd.Series: ...

    @overload
    def __getitem__(self, name: list[str]) -> pd.DataFrame: ...

    def __getitem__(self, name: str | list[str]) -> pd.Series | pd.DataFrame:
        if not isinstance(name, str):
            return pd.DataFrame({one: self[one] for one in name}, index=pd.RangeIndex(len(self)))
        if name not in self._made:
            self._made[name] = self._column(name)
        return self._made[name]

    def assign(self, **changed: NDArray[np.generic]) -> VariedRows:
        """The same rows with columns changed or added; what was made stays made."""
        varied = VariedRows(self._table, self._at, {**self._changed, **changed})
        varied._made = {name: column for name, column in self._made.items() if name not in changed}
        return varied

    def of(self, chosen: NDArray[np.bool_]) -> VariedRows:
        """Those of the rows that a mask chooses."""
        return VariedRows(
            self._table, self._at[chosen], {name: values[chosen] for name, values in self._changed.items()}
        )

    def frame(self) -> pd.DataFrame:
        """All columns of the rows."""
        return self[[str(name) for name in self.columns]]

    def _column(self, name: str) -> pd.Series:
        if name in self._changed:
            return pd.Series(self._changed[name])
        values = self._table[name].array
        if isinstance(values.dtype, np.dtype):  # without what pandas looks at first
            return pd.Series(values.to_numpy()[self._at])
        return pd.Series(values.take(self._at))


Rows = pd.DataFrame | VariedRows


def chosen_rows(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    """The rows that a mask chooses, numbered from 0; the same object where it chooses all."""
    if chosen.all():
        return rows
    return rows.of(chosen) if isinstance(rows, VariedRows) else rows[chosen].reset_index(drop=True)
