"""The shape of an output table: its columns, types, key, and what must never be null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd
import pyarrow as pa

TEXT, NUMBER, WHOLE, YES_NO, DAY = pa.string(), pa.float64(), pa.int64(), pa.bool_(), pa.date32()


class OutputTableError(ValueError):
    """An output table does not keep its schema; a fault in the program."""


@dataclass(frozen=True)
class OutputTable:
    """The shape of one output table.

    Attributes:
        name: The table's name, which is its file's name.
        columns: Type by column, in the order of the file; the key columns come first.
        key: The columns that identify a row and by which rows are sorted, within one review.
        required: Columns that are never null; the key is always.
        scores_before: The column before which the policy's score columns stand, if the table has any.
        is_open: Whether further columns may follow the declared ones, named and typed as the frame has them.
        manager_only: Whether it names other partners, so that no page or letter for a partner may read it.
    """

    name: str
    columns: Mapping[str, pa.DataType]
    key: tuple[str, ...]
    required: tuple[str, ...] = ()
    scores_before: str | None = None
    is_open: bool = False
    manager_only: bool = False
    never_null: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        object.__setattr__(self, "never_null", frozenset(("run_id", "as_of", *self.key, *self.required)))

    def schema_of(self, frame: pd.DataFrame, scores: Sequence[str] = ()) -> pa.Schema:
        """Return the Arrow schema, for an open table with the further columns of a frame: numbers, days, flags, texts.

        Raises:
            OutputTableError: As `schema` does.
        """
        schema = self.schema(scores)
        if not self.is_open:
            return schema
        further = [name for name in frame.columns if name not in self.columns]
        return pa.schema([*schema, *(pa.field(name, _kind(frame[name])) for name in further)])

    def schema(self, scores: Sequence[str] = ()) -> pa.Schema:
        """Return the Arrow schema.

        Args:
            scores: Names of the policy's score columns, in its order.

        Raises:
            OutputTableError: If the table takes no scores, or a score has the name of another column.
        """
        columns = dict(self.columns)
        if scores:
            columns = self._with_scores(scores)
        return pa.schema([pa.field(name, kind, nullable=name not in self.never_null) for name, kind in columns.items()])

    def _with_scores(self, scores: Sequence[str]) -> dict[str, pa.DataType]:
        if self.scores_before is None:
            raise OutputTableError(f"{self.name} takes no score columns, found {', '.join(scores)}")
        taken = sorted(set(scores) & set(self.columns))
        if taken or len(set(scores)) < len(scores):
            raise OutputTableError(f"{self.name}: score names {', '.join(taken or scores)} are taken or given twice")
        columns: dict[str, pa.DataType] = {}
        for name, kind in self.columns.items():
            if name == self.scores_before:
                columns.update(dict.fromkeys(scores, NUMBER))
            columns[name] = kind
        return columns


def _kind(column: pd.Series) -> pa.DataType:
    if pd.api.types.is_bool_dtype(column):
        return YES_NO
    if pd.api.types.is_numeric_dtype(column):
        return NUMBER
    return DAY if pd.api.types.is_datetime64_any_dtype(column) else TEXT


REVIEW_COLUMNS: Mapping[str, pa.DataType] = MappingProxyType({"run_id": TEXT, "as_of": DAY})
