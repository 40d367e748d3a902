"""A table cut into several Parquet files reads as one, is found out when a part changes, and is replaced whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.store.review_example import AS_OF, recommendations, review
from tierwise.errors import OutsideFailure
from tierwise.store import lock_output, read_review, read_table, verify_review, write_review
from tierwise.store.partner_rows import partner_ids_of, read_records
from tierwise.tables.output_schemas import sort_rows

PARTNERS, ROWS = 25, 10


def written(folder: Path, rows_per_file: int | None) -> Path:
    table = sort_rows("recommendations", recommendations(PARTNERS))
    with lock_output(folder, "run-1") as lock:
        return write_review(lock, replace(review(), tables={"recommendations": table}, rows_per_file=rows_per_file))


def test_parts_read_as_the_table(tmp_path: Path) -> None:
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    written(whole, None)
    place = written(parted, ROWS)
    names = [f"recommendations-0000{number}.parquet" for number in (1, 2, 3)]
    assert sorted(path.name for path in place.glob("*.parquet")) == names
    assert [len(pd.read_parquet(place / name)) for name in names] == [10, 10, 5]
    pd.testing.assert_frame_equal(
        read_table(parted, AS_OF, "recommendations", verify=True), read_table(whole, AS_OF, "recommendations")
    )
    assert partner_ids_of(parted, AS_OF) == partner_ids_of(whole, AS_OF)
    last = partner_ids_of(whole, AS_OF)[-1]
    own = read_records(parted, read_review(parted, AS_OF), "recommendations", [last])
    assert own == read_records(whole, read_review(whole, AS_OF), "recommendations", [last])
    assert len(own) == 1


def test_the_manifest_lists_the_parts_with_their_hashes(tmp_path: Path) -> None:
    body = json.loads((written(tmp_path, ROWS) / "_SUCCESS.json").read_text(encoding="utf-8"))
    told = body["tables"]["recommendations"]
    assert told["rows"] == PARTNERS
    assert set(told["parts"]) == set(body["files"])


def test_a_table_that_fits_has_one_file_of_its_name(tmp_path: Path) -> None:
    place = written(tmp_path, PARTNERS)
    assert [path.name for path in place.glob("*.parquet")] == ["recommendations.parquet"]


def test_a_changed_part_is_found_out(tmp_path: Path) -> None:
    place = written(tmp_path, ROWS)
    part = place / "recommendations-00002.parquet"
    pd.read_parquet(part).iloc[::-1].to_parquet(part, index=False)
    with pytest.raises(OutsideFailure, match="damaged"):
        read_table(tmp_path, AS_OF, "recommendations", verify=True)
    part.unlink()
    with pytest.raises(OutsideFailure, match="recommendations-00002"):
        verify_review(tmp_path, AS_OF)


def test_parts_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    place = written(tmp_path, None)
    assert [path.name for path in place.glob("*.parquet")] == ["recommendations.parquet"]
