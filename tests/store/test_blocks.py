"""A review that is written in blocks of partners is the review that is written at once, with one block in memory."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.store.blocks_example import PARTNERS, blocks_of, tables, whole
from tests.store.review_example import AS_OF, recommendations
from tierwise.errors import InvalidInput
from tierwise.store import Block, Review, lock_output, read_table, verify_review, write_blocks, write_review
from tierwise.store import writer as writer_module
from tierwise.store.partner_rows import partner_ids_of
from tierwise.tables.output_schemas import OutputTableError

ALL = ("parquet", "csv", "excel")


def written(output: Path, made: Review, count: int) -> Path:
    with lock_output(output, made.run_id) as lock:
        return write_blocks(lock, made, blocks_of(made, count))


def written_at_once(output: Path, made: Review) -> Path:
    with lock_output(output, made.run_id) as lock:
        return write_review(lock, made)


def contents(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern))}


@pytest.mark.parametrize("count", [1, 2, 3, PARTNERS, PARTNERS + 3])
def test_blocks_read_as_the_whole_review(tmp_path: Path, count: int) -> None:
    made = whole()
    written_at_once(tmp_path / "whole", made)
    written(tmp_path / "blocks", made, count)
    verify_review(tmp_path / "blocks", AS_OF)
    for name in made.tables:
        pd.testing.assert_frame_equal(
            read_table(tmp_path / "blocks", AS_OF, name, verify=True), read_table(tmp_path / "whole", AS_OF, name)
        )
    assert partner_ids_of(tmp_path / "blocks", AS_OF) == made.tables["recommendations"]["partner_id"].tolist()
    assert sorted(path.name for path in (tmp_path / "blocks").iterdir()) == [".lock", "2026-09-30"]


@pytest.mark.parametrize("rows_per_file", [None, 7])
def test_one_block_has_the_bytes_of_the_whole_review(tmp_path: Path, rows_per_file: int | None) -> None:
    made = whole(formats=ALL, rows_per_file=rows_per_file, documents={"review.md": "# Review\n"})
    at_once = contents(written_at_once(tmp_path / "whole", made))
    assert contents(written(tmp_path / "blocks", made, 1)) == at_once


def test_each_block_is_further_parts_of_its_tables(tmp_path: Path) -> None:
    place = written(tmp_path, whole(), 3)
    parts = [
        f"{name}-0000{number}.parquet" for name in ("metrics", "reasons", "recommendations") for number in (1, 2, 3)
    ]
    assert sorted(contents(place, "*.parquet")) == sorted([*parts, "quarantine.parquet", "roadmap.parquet"])
    rows = [pyarrow.parquet.read_metadata(place / f"reasons-0000{number}.parquet").num_rows for number in (1, 2, 3)]
    assert rows == [18, 16, 16]
    told = json.loads((place / "_SUCCESS.json").read_text("utf-8"))["tables"]
    assert told["reasons"] == {"parts": [f"reasons-0000{number}.parquet" for number in (1, 2, 3)], "rows": 50}
    assert told["quarantine"] == {"file": "quarantine.parquet", "rows": 2}
    assert told["roadmap"] == {"file": "roadmap.parquet", "rows": 0}


def test_parts_cut_by_rows_are_numbered_on_through_the_blocks(tmp_path: Path) -> None:
    place = written(tmp_path, whole(rows_per_file=7), 2)
    names = sorted(contents(place, "recommendations*"))
    assert names == [f"recommendations-0000{number}.parquet" for number in (1, 2, 3, 4)]
    assert [pyarrow.parquet.read_metadata(place / name).num_rows for name in names] == [7, 6, 7, 5]


def test_a_table_whose_first_block_is_empty_is_read_too(tmp_path: Path) -> None:
    made = whole()
    late = {**made.tables, "reasons": made.tables["reasons"].iloc[-2:]}
    place = written(tmp_path, whole(tables=late), 3)
    assert sorted(contents(place, "reasons*")) == ["reasons-00001.parquet", "reasons-00002.parquet"]
    assert read_table(tmp_path, AS_OF, "reasons")["rank"].tolist() == [1, 2]


@pytest.mark.parametrize("count", [2, 5])
def test_csv_and_excel_are_one_file_with_the_bytes_of_the_whole_table(tmp_path: Path, count: int) -> None:
    made = whole(formats=ALL)
    at_once = written_at_once(tmp_path / "whole", made)
    place = written(tmp_path / "blocks", made, count)
    for pattern, files in (("*.csv", len(made.tables)), ("*.xlsx", len(made.tables))):
        assert len(contents(place, pattern)) == files
        assert contents(place, pattern) == contents(at_once, pattern)


def test_the_same_blocks_give_the_same_bytes(tmp_path: Path) -> None:
    made = whole(formats=ALL)
    first = contents(written(tmp_path, made, 3))
    assert contents(written(tmp_path, made, 3)) == first
    assert contents(written(tmp_path / "elsewhere", made, 3)) == first


def test_one_block_is_in_memory(tmp_path: Path) -> None:
    alive: list[weakref.ref[pd.DataFrame]] = []
    left: list[int] = []

    def watched(block: Block) -> Block:
        def make() -> Mapping[str, pd.DataFrame]:
            gc.collect()
            left.append(sum(one() is not None for one in alive))
            made = block()
            alive.extend(weakref.ref(frame) for frame in made.values())
            return made

        return make

    made = whole()
    arrow = pa.total_allocated_bytes()
    with lock_output(tmp_path) as lock:
        write_blocks(lock, made, [watched(block) for block in blocks_of(made, 5)])
    gc.collect()
    assert left == [0, 1, 1, 1, 1]  # the example itself holds its quarantine, which the first block hands on
    assert pa.total_allocated_bytes() <= arrow + 1_000_000


def without(table: str) -> dict[str, pd.DataFrame]:
    return {name: frame for name, frame in tables(3).items() if name != table}


FAULTS = {
    "other tables": (without("reasons"), "block 2 has the tables"),
    "the rows of the first": (tables(3), "begins block 2 with"),
    "earlier rows": ({**tables(3), "quarantine": tables(3)["quarantine"].iloc[:1]}, "begins block 2 with"),
    "another column": (
        {name: frame.assign(deals=1.0) if name == "metrics" else frame.iloc[:0] for name, frame in tables(3).items()},
        "metrics has other columns in block 2",
    ),
    "a column less": (
        {name: frame.drop(columns="code", errors="ignore").iloc[:0] for name, frame in tables(3).items()},
        "reasons lacks code",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_block_that_does_not_go_on_is_a_fault(tmp_path: Path, case: str) -> None:
    second, said = FAULTS[case]
    written_at_once(tmp_path, whole("run-0"))
    made = whole()
    with lock_output(tmp_path) as lock, pytest.raises(OutputTableError, match=said):
        write_blocks(lock, made, [lambda: made.tables, lambda: second])
    assert verify_review(tmp_path, AS_OF).run_id == "run-0"


def test_a_review_needs_a_block(tmp_path: Path) -> None:
    with lock_output(tmp_path) as lock, pytest.raises(ValueError, match="at least one block"):
        write_blocks(lock, whole(), [])


def test_a_sheet_too_long_is_refused_at_the_block_that_passes_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks before are kept, so that the run without Excel goes on behind them."""
    monkeypatch.setattr(writer_module, "EXCEL_MAX_ROWS", 40)
    made, calls = whole(formats=ALL), []
    with lock_output(tmp_path) as lock, pytest.raises(InvalidInput, match="reasons: more than the 40 rows"):
        write_blocks(lock, made, blocks_of(made, 5, calls.append))
    assert calls == [1, 2, 3, 4, 5]
    again = whole(formats=("parquet", "csv"))
    with lock_output(tmp_path) as lock:
        write_blocks(lock, again, blocks_of(again, 5, calls.append))
    assert calls == [1, 2, 3, 4, 5, 5]
    assert len(read_table(tmp_path, AS_OF, "recommendations")) == len(recommendations(PARTNERS))
