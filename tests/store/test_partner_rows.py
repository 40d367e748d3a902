"""One partner's rows: exactly those of the whole table, whatever the id holds, and no guess from a damaged file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.store.review_example import AS_OF, reasons, recommendations, review
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store import lock_output, read_table, write_review
from tierwise.store.partner_rows import read_partner
from tierwise.tables.output_schemas import output_table, sort_rows

ODD_IDS = ("P'1", 'P"2', "Zoë 7", "株式会社", "a,b;c", "x' OR '1'='1", "%", " 9", "9")


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


@pytest.mark.parametrize("partner_id", ODD_IDS)
def test_a_partner_gets_its_rows_of_the_whole_table(output: Path, partner_id: str) -> None:
    for name in ("recommendations", "reasons"):
        whole = read_table(output, AS_OF, name)
        own = whole[whole["partner_id"] == partner_id].reset_index(drop=True)
        assert len(own) == (1 if name == "recommendations" else 2)
        pd.testing.assert_frame_equal(read_partner(output, AS_OF, name, partner_id), own, check_dtype=False)
    assert read_partner(output, AS_OF, "reasons", partner_id)["code"].tolist() == ["code1", "code2"]


@pytest.mark.parametrize("partner_id", ["", "P", "p'1", "nobody"])
def test_an_id_that_is_not_there_has_no_rows(output: Path, partner_id: str) -> None:
    assert read_partner(output, AS_OF, "recommendations", partner_id).empty


def test_a_table_that_the_review_lacks_has_no_rows_but_its_columns(output: Path) -> None:
    found = read_partner(output, AS_OF, "roadmap", "9")
    assert found.empty
    assert list(found.columns) == list(output_table("roadmap").columns)


def test_a_review_that_is_not_there_is_named(output: Path) -> None:
    with pytest.raises(InvalidInput, match="no review as of 2026-06-30; found 2026-09-30"):
        read_partner(output, date(2026, 6, 30), "reasons", "9")


@pytest.mark.parametrize("damage", ["cut", "text", "missing"])
def test_a_damaged_file_is_a_failure_that_says_what_to_do(output: Path, damage: str) -> None:
    path = output / AS_OF.isoformat() / "reasons.parquet"
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not a table at all")
    with pytest.raises(OutsideFailure, match=r"reasons\.parquet is damaged") as caught:
        read_partner(output, AS_OF, "reasons", "9")
    assert "tierwise score --as-of 2026-09-30" in str(caught.value)
    assert len(read_partner(output, AS_OF, "recommendations", "9")) == 1
