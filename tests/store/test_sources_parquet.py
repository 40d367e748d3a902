"""Parquet files: every type as text that loses nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.sources_example import read, workspace_of
from tierwise.errors import InvalidInput
from tierwise.store.sources_parquet import arrow_text


def texts(values: list[object], kind: pa.DataType) -> list[str | None]:
    return arrow_text(pa.array(values, kind)).to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, -7], pa.int32(), ["1", None, "-7"]),
        ([2**63 - 1], pa.int64(), ["9223372036854775807"]),
        ([2**64 - 1], pa.uint64(), ["18446744073709551615"]),
        ([0.1, 2024.994, 0.1 + 0.2, 1e22], pa.float64(), ["0.1", "2024.994", "0.30000000000000004", "1e+22"]),
        ([0.1], pa.float32(), ["0.1"]),
        ([np.float16(0.5)], pa.float16(), ["0.5"]),
        ([float("nan"), float("inf"), float("-inf")], pa.float64(), ["nan", "inf", "-inf"]),
        ([Decimal("1234.5600"), Decimal("-0.0001"), None], pa.decimal128(18, 4), ["1234.5600", "-0.0001", None]),
        ([Decimal("12345678901234567890123456789.678")], pa.decimal256(50, 3), ["12345678901234567890123456789.678"]),
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([date(2026, 1, 5)], pa.date32(), ["2026-01-05"]),
        ([datetime(2026, 1, 5)], pa.date64(), ["2026-01-05"]),
        ([datetime(2026, 1, 5, 12, 30)], pa.timestamp("s"), ["2026-01-05 12:30:00"]),
        ([datetime(2026, 1, 5, 12, 30, 0, 250000)], pa.timestamp("us"), ["2026-01-05 12:30:00.250000"]),
        ([datetime(2026, 1, 5)], pa.timestamp("ns"), ["2026-01-05 00:00:00"]),
        ([datetime(2026, 1, 5, 22, tzinfo=UTC)], pa.timestamp("ms", "America/New_York"), ["2026-01-05 22:00:00Z"]),
        (["a", None, ""], pa.large_string(), ["a", None, ""]),
        (["a", None], pa.dictionary(pa.int8(), pa.string()), ["a", None]),
        ([None, None], pa.null(), [None, None]),
    ],
    ids=lambda value: str(value) if isinstance(value, pa.DataType) else "",
)  # fmt: skip
def test_every_plain_type_has_an_exact_text(values, kind, expected):
    assert texts(values, kind) == expected


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_float_reads_back_as_the_same_float(value):
    (text,) = texts([value], pa.float64())

    assert float(text) == value
    assert len(text) <= 25


def parquet(folder: Path, **columns: pa.Array) -> None:
    rows = len(next(iter(columns.values())))
    standard = {name: pa.array(["x"] * rows) for name in ("id", "partner", "day", "price")}
    pq.write_table(pa.table({**standard, **columns}), folder / "deals.parquet")


def test_columns_are_read_in_the_order_of_the_workspace(tmp_path):
    parquet(tmp_path, price=pa.array([1.5, None]), id=pa.array([7, 8], pa.uint8()))

    rows = read(workspace_of(tmp_path, {"parquet": "deals.parquet"}))
    assert rows == [(1, None, "7", "x", "x", "1.5"), (2, None, "8", "x", "x", None)]  # a float goes as text


def test_rows_run_on_over_batches_and_files(tmp_path):
    for name, start, count in (("deals-1", 0, 140_000), ("deals-2", 140_000, 3)):
        ids = pa.array(range(start, start + count), pa.int64())
        rest = pa.array(["x"] * count)
        pq.write_table(pa.table({"id": ids, "partner": rest, "day": rest, "price": rest}), tmp_path / f"{name}.parquet")

    query = (
        "SELECT count(*), min(_row), max(_row), count(DISTINCT _row), bool_and(_row = CAST(deal_id AS BIGINT) + 1)"
        " FROM raw_deals"
    )
    assert read(workspace_of(tmp_path, {"parquet": "*.parquet"}), query) == [(140_003, 1, 140_003, 140_003, True)]


def test_old_timestamps_of_96_bits_are_read_also_beyond_the_range_of_nanoseconds(tmp_path):
    days = pa.array([datetime(2018, 6, 30, 12), datetime(1677, 1, 1)], pa.timestamp("us"))
    table = pa.table({"id": ["1", "2"], "partner": ["P", "P"], "day": days, "price": ["1", "2"]})
    pq.write_table(table, tmp_path / "deals.parquet", use_deprecated_int96_timestamps=True)

    rows = read(workspace_of(tmp_path, {"parquet": "deals.parquet"}), "SELECT date FROM raw_deals ORDER BY _row")
    assert rows == [("2018-06-30 12:00:00",), ("1677-01-01 00:00:00",)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[1]], pa.list_(pa.int32())),
        ([{"a": 1}], pa.struct([("a", pa.int8())])),
        ([b"x"], pa.binary()),
        ([5], pa.duration("s")),
    ],
    ids=["list", "struct", "binary", "duration"],
)
def test_a_column_that_is_not_one_plain_value_is_refused(tmp_path, values, kind):
    parquet(tmp_path, price=pa.array(values, kind))
    with pytest.raises(InvalidInput, match="which is not one plain value"):
        read(workspace_of(tmp_path, {"parquet": "deals.parquet"}))


def test_a_nested_column_that_nobody_maps_does_no_harm(tmp_path):
    parquet(tmp_path, tags=pa.array([["a"]]))

    assert read(workspace_of(tmp_path, {"parquet": "deals.parquet"}), "SELECT deal_id FROM raw_deals") == [("x",)]


def test_a_missing_column_is_named_with_the_nearest(tmp_path):
    pq.write_table(pa.table({"id": ["1"], "partner": ["P"], "day": ["x"], "Price": [1.0]}), tmp_path / "deals.parquet")
    with pytest.raises(InvalidInput, match="the column 'price' is missing; did you mean 'Price'"):
        read(workspace_of(tmp_path, {"parquet": "deals.parquet"}))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id,partner\n1,2\n"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path, content):
    (tmp_path / "deals.parquet").write_bytes(content)
    with pytest.raises(InvalidInput, match="this is not a readable Parquet file"):
        read(workspace_of(tmp_path, {"parquet": "deals.parquet"}))


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    parquet(tmp_path, id=pa.array(range(5000)))
    path = tmp_path / "deals.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InvalidInput, match="this is not a readable Parquet file"):
        read(workspace_of(tmp_path, {"parquet": "deals.parquet"}))


def test_text_that_is_not_utf8_is_refused(tmp_path):
    broken = pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff"))
    parquet(tmp_path, partner=broken)
    with pytest.raises(InvalidInput, match="a text in rows 1 to 1 is not UTF-8"):
        read(workspace_of(tmp_path, {"parquet": "deals.parquet"}))
