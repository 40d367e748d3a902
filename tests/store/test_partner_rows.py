"""One partner's rows: exactly those of the whole table, whatever the id holds, and no guess from a damaged file."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.store.review_example import AS_OF, reasons, recommendations, review
from tierwise.errors import OutsideFailure
from tierwise.store import lock_output, read_review, read_table, write_review
from tierwise.store.partner_rows import partner_ids_of, read_by_partner, read_records
from tierwise.tables.output_schemas import sort_rows

ODD_IDS = ("P'1", 'P"2', "Zoë 7", "株式会社", "a,b;c", "x' OR '1'='1", "%", " 9", "9")
TABLES = ("recommendations", "reasons")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A review of partners with odd ids, each with two reasons."""
    count = len(ODD_IDS)
    twice = [reasons(count).assign(partner_id=list(ODD_IDS), rank=rank, code=f"code{rank}") for rank in (2, 1)]
    tables = {
        "recommendations": sort_rows("recommendations", recommendations(count).assign(partner_id=list(ODD_IDS))),
        "reasons": sort_rows("reasons", pd.concat(twice, ignore_index=True)),
    }
    with lock_output(tmp_path, "run-1") as lock:
        write_review(lock, replace(review(), tables=tables))
    return tmp_path


def _as_records(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in frame.to_dict("records")
    ]


@pytest.mark.parametrize("partner_id", ODD_IDS)
def test_a_partner_gets_its_rows_of_the_whole_table(output: Path, partner_id: str) -> None:
    for name in TABLES:
        whole = read_table(output, AS_OF, name)
        own = _as_records(whole[whole["partner_id"] == partner_id].assign(as_of=AS_OF))
        assert len(own) == (1 if name == "recommendations" else 2)
        assert read_records(output, read_review(output, AS_OF), name, [partner_id]) == own


def test_many_partners_are_read_at_once_and_kept_apart(output: Path) -> None:
    written = read_review(output, AS_OF)
    found = read_by_partner(output, written, [*TABLES, "roadmap"], ["9", "Zoë 7", "nobody"])
    for partner_id in ("9", "Zoë 7"):
        for name in TABLES:
            assert found[partner_id][name] == read_records(output, written, name, [partner_id])
    assert found["9"]["roadmap"] == []
    assert found["nobody"] == {"recommendations": [], "reasons": [], "roadmap": []}


def test_some_columns_of_everybody(output: Path) -> None:
    rows = read_records(output, read_review(output, AS_OF), "recommendations", columns=["partner_id", "action"])
    assert rows == [{"partner_id": partner, "action": "promote"} for partner in sorted(ODD_IDS)]
    assert partner_ids_of(output, AS_OF) == sorted(ODD_IDS)


@pytest.mark.parametrize("partner_id", ["", "P", "p'1", "nobody"])
def test_an_id_that_is_not_there_has_no_rows(output: Path, partner_id: str) -> None:
    assert read_records(output, read_review(output, AS_OF), "recommendations", [partner_id]) == []


def test_a_value_that_is_not_a_number_is_missing(output: Path) -> None:
    (row,) = read_records(output, read_review(output, AS_OF), "recommendations", ["9"])
    assert row["potential_low"] is None
    assert np.isfinite(row["potential"])


@pytest.mark.parametrize("damage", ["cut", "text", "missing"])
def test_a_damaged_file_is_a_failure_that_says_what_to_do(output: Path, damage: str) -> None:
    path = output / AS_OF.isoformat() / "reasons.parquet"
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not a table at all")
    written = read_review(output, AS_OF)
    with pytest.raises(OutsideFailure, match=r"reasons\.parquet is damaged") as caught:
        read_records(output, written, "reasons", ["9"])
    assert "tierwise score --as-of 2026-09-30" in str(caught.value)
    assert len(read_records(output, written, "recommendations", ["9"])) == 1


def test_reading_one_partner_loads_neither_the_table_library_nor_the_engine() -> None:
    code = (
        "import sys; import tierwise.store.partner_rows, tierwise.store.manifests; "
        "print([name for name in ('pandas', 'duckdb', 'sqlglot', 'numba', 'sklearn') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
