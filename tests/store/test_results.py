from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.store.blocks_example import blocks_of, whole
from tests.store.review_example import AS_OF, reasons, recommendations
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store import (
    Review,
    list_reviews,
    lock_output,
    read_parts,
    read_review,
    read_table,
    results,
    tier_history,
    verify_review,
    write_blocks,
    write_review,
)
from tierwise.tables.output_schemas import OutputTableError

DATES = (date(2026, 3, 31), date(2026, 6, 30), AS_OF)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Three reviews, in which one partner climbs."""
    with lock_output(tmp_path) as lock:
        for number, (as_of, tier) in enumerate(zip(DATES, ("entry", "growth", "strategic"), strict=True)):
            frame = recommendations(2).assign(recommended_tier=tier, eligible_tier="strategic")
            tables = {"recommendations": frame, "reasons": reasons(2)}
            write_review(lock, Review(as_of, f"run-{number}", tables, {"model": "1"}, ("value",)))
    return tmp_path


def test_reviews_are_listed_by_date(output):
    found = list_reviews(output)
    assert [(one.as_of, one.run_id) for one in found] == list(zip(DATES, ("run-0", "run-1", "run-2"), strict=True))
    assert found[0].rows == {"reasons": 2, "recommendations": 2}


def test_what_is_no_complete_review_is_not_listed(output):
    (output / "2026-12-31").mkdir()
    (output / "notes").mkdir()
    (output / ".2027-03-31.run-9.tmp").mkdir()
    (output / "2026-01-01").write_text("a file")
    assert [one.as_of for one in list_reviews(output)] == list(DATES)


def test_no_output_folder_has_no_reviews(tmp_path):
    assert list_reviews(tmp_path / "nowhere") == ()
    assert len(tier_history(tmp_path / "nowhere", AS_OF)) == 0


def test_a_table_comes_back_as_it_was_written(output):
    found = read_table(output, AS_OF, "reasons", verify=True)
    pd.testing.assert_frame_equal(found.drop(columns=["run_id", "as_of"]), reasons(2))
    assert str(found["as_of"].dtype) == "datetime64[us]"


def test_history_is_of_earlier_reviews_only(output):
    history = tier_history(output, before=AS_OF)
    assert list(history.columns)[:6] == ["partner_id", "as_of", "tier", "eligible_tier", "action", "rule"]
    assert history["tier"].tolist() == ["entry", "growth", "entry", "growth"]
    assert history["partner_id"].tolist() == ["P00000", "P00000", "P00001", "P00001"]
    assert history["as_of"].is_monotonic_increasing is False
    assert len(tier_history(output, before=date(2027, 1, 1))) == 6


def test_an_empty_history_has_the_columns_and_types_of_a_full_one(output):
    empty, full = tier_history(output, before=DATES[0]), tier_history(output, before=AS_OF)
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_a_missing_review_is_told_with_those_that_are_there(output):
    with pytest.raises(InvalidInput, match="no review as of 2025-12-31; found 2026-03-31, 2026-06-30, 2026-09-30"):
        read_review(output, date(2025, 12, 31))


def test_a_table_that_the_review_lacks_is_told(output):
    with pytest.raises(InvalidInput, match="has no table roadmap"):
        read_table(output, AS_OF, "roadmap")


@pytest.mark.parametrize("name", ["moves", "../2026-03-31/reasons", ""])
def test_only_output_tables_are_read(output, name):
    with pytest.raises(OutputTableError, match="is no output table"):
        read_table(output, AS_OF, name)


def test_a_damaged_file_is_told_with_what_to_do(output):
    (output / "2026-09-30" / "reasons.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(OutsideFailure, match=r"(?s)reasons\.parquet is damaged: .*tierwise score --as-of 2026-09-30"):
        read_table(output, AS_OF, "reasons")


def test_a_file_that_is_gone_is_told(output):
    (output / "2026-09-30" / "reasons.parquet").unlink()
    with pytest.raises(OutsideFailure, match=r"reasons\.parquet is damaged"):
        read_table(output, AS_OF, "reasons")
    with pytest.raises(OutsideFailure, match=r"reasons\.parquet: missing or changed"):
        verify_review(output, AS_OF)


def test_a_file_of_another_review_is_noticed(output):
    other = recommendations(1).to_parquet()
    (output / "2026-09-30" / "recommendations.parquet").write_bytes(other)
    with pytest.raises(OutsideFailure, match="1 rows, the manifest says 2"):
        read_table(output, AS_OF, "recommendations")


def test_a_file_with_as_many_rows_but_other_values_is_noticed_on_request(output):
    earlier = (output / "2026-06-30" / "reasons.parquet").read_bytes()
    (output / "2026-09-30" / "reasons.parquet").write_bytes(earlier)
    assert len(read_table(output, AS_OF, "reasons")) == 2
    with pytest.raises(OutsideFailure, match="its hash is not the manifest's"):
        read_table(output, AS_OF, "reasons", verify=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("tables"),
        lambda manifest: manifest.update(format=2),
        lambda manifest: manifest.update(as_of="someday"),
        lambda manifest: manifest.update(tables=[]),
    ],
)
def test_a_manifest_that_cannot_be_read_is_told(output, change):
    path = output / "2026-09-30" / "_SUCCESS.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(OutsideFailure, match=r"_SUCCESS\.json: the manifest cannot be read"):
        read_review(output, AS_OF)


@pytest.fixture
def in_blocks(tmp_path: Path) -> Path:
    """A review of 25 partners in four blocks."""
    made = whole()
    with lock_output(tmp_path) as lock:
        write_blocks(lock, made, blocks_of(made, 4))
    return tmp_path


RANGES = [("P00003", "P00010"), ("P00000", "P00024"), ("", "\U0010ffff"), ("P00007", "P00007"), ("P00010", "P00003")]


@pytest.mark.parametrize(("first", "last"), [*RANGES, ("P00003x", "P00004"), ("Q", "Z"), ("", "A")])
@pytest.mark.parametrize("name", ["recommendations", "reasons", "metrics", "roadmap"])
def test_some_partners_rows_are_those_of_the_whole_table(in_blocks, name, first, last):
    table = read_table(in_blocks, AS_OF, name)
    wanted = table[(table["partner_id"] >= first) & (table["partner_id"] <= last)].reset_index(drop=True)
    pd.testing.assert_frame_equal(read_table(in_blocks, AS_OF, name, partners=(first, last)), wanted)


def test_only_the_files_that_hold_the_partners_are_read(in_blocks):
    """A file that cannot be decoded is not missed as long as its own partners are not asked for."""
    path = in_blocks / "2026-09-30" / "reasons-00004.parquet"
    content = bytearray(path.read_bytes())
    content[4:40] = bytes(36)
    path.write_bytes(content)
    assert len(read_table(in_blocks, AS_OF, "reasons", partners=("P00000", "P00006"))) == 14
    with pytest.raises(OutsideFailure, match=r"reasons\.parquet is damaged"):
        read_table(in_blocks, AS_OF, "reasons", partners=("P00000", "P00024"))


def test_partners_of_a_table_that_is_not_by_partner_are_not_asked_for(in_blocks):
    with pytest.raises(ValueError, match="quarantine is not by partner"):
        read_table(in_blocks, AS_OF, "quarantine", partners=("P00000", "P00001"))


def test_a_review_that_is_replaced_while_partners_are_read_is_read_again(in_blocks, monkeypatch):
    """The second file would be of another run."""
    real, left = results.rows_between, [1]

    def replace_once(file: Any, first: str, last: str) -> Iterator[Any]:
        if left and left.pop():
            with lock_output(in_blocks) as lock:
                later = whole("run-2")
                write_blocks(lock, later, blocks_of(later, 4))
        return real(file, first, last)

    monkeypatch.setattr(results, "rows_between", replace_once)
    found = read_table(in_blocks, AS_OF, "recommendations", partners=("P00000", "P00024"))
    assert set(found["run_id"]) == {"run-2"}
    assert len(found) == 25


@pytest.mark.parametrize("name", ["recommendations", "quarantine", "roadmap"])
def test_parts_come_one_after_another(in_blocks, name):
    parts = list(read_parts(in_blocks, AS_OF, name))
    assert len(parts) == (4 if name == "recommendations" else 1)
    pd.testing.assert_frame_equal(
        pa.concat_tables(parts).to_pandas(date_as_object=False).drop(columns="as_of"),
        read_table(in_blocks, AS_OF, name).drop(columns="as_of"),
        check_dtype=False,
    )


def test_parts_of_what_is_not_there_or_damaged_are_told(in_blocks):
    with pytest.raises(OutputTableError, match="is no output table"):
        next(read_parts(in_blocks, AS_OF, "moves"))
    with pytest.raises(InvalidInput, match="has no table tracks"):
        next(read_parts(in_blocks, AS_OF, "tracks"))
    place = in_blocks / "2026-09-30"
    (place / "reasons-00001.parquet").write_bytes((place / "reasons-00002.parquet").read_bytes())
    with pytest.raises(OutsideFailure, match="48 rows, the manifest says 50"):
        list(read_parts(in_blocks, AS_OF, "reasons"))
    (place / "reasons-00002.parquet").unlink()
    with pytest.raises(OutsideFailure, match=r"reasons\.parquet is damaged"):
        list(read_parts(in_blocks, AS_OF, "reasons"))
