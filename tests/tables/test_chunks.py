"""Columns as Arrow holds them: text of one frame, text put together of several, numbers, categories."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from tierwise.tables.chunks import in_chunks
from tierwise.tables.output_schemas import sort_rows

TOGETHER = pd.concat([pd.Series(["b", None], dtype="str"), pd.Series(["a", "é"], dtype="str")], ignore_index=True)


@pytest.mark.parametrize(
    "column",
    [TOGETHER, pd.Series([1.0, None]), pd.Series(["x", None, "x"], dtype="category"), pd.Series([], dtype="str")],
    ids=["text in chunks", "numbers", "categories", "nothing"],
)
def test_the_values_are_the_columns(column: pd.Series) -> None:
    found = in_chunks(column)
    assert isinstance(found, pa.ChunkedArray)
    assert found.to_pylist() == [None if pd.isna(value) else value for value in column]


def test_text_put_together_keeps_its_chunks() -> None:
    assert isinstance(pa.array(TOGETHER, from_pandas=True), pa.ChunkedArray)
    assert in_chunks(TOGETHER).num_chunks == 2


def test_rows_put_together_are_sorted_as_others_are() -> None:
    parts = [pd.DataFrame({"partner_id": [name], "kept": [name.lower()]}).astype("str") for name in ("B", "A", "C")]
    frame = pd.concat(parts, ignore_index=True)
    assert sort_rows("recommendations", frame)["kept"].tolist() == ["a", "b", "c"]
    risen = pd.concat([parts[1], parts[0], parts[2]], ignore_index=True)
    pd.testing.assert_frame_equal(sort_rows("recommendations", risen), risen)
