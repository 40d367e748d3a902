"""Folders of pages: whole or not at all, never over what is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store.page_folder import MARKER, page_folder
from tierwise.store.workbook import Column, Sheet


def _fill(place: Path, text: str = "hello") -> None:
    with page_folder(place) as folder:
        folder.text("index.html", text)
        folder.text("partners/P1.html", text)
        folder.workbook("review.xlsx", [Sheet("One", (Column("A"),), [("x",)])])


def test_a_folder_is_filled_and_replaced_as_a_whole(tmp_path: Path) -> None:
    place = tmp_path / "pack" / "2026-09-30"
    _fill(place)
    (place / "partners" / "P2.html").write_text("stale")
    _fill(place, "again")
    names = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    assert names == [MARKER, "index.html", "partners/P1.html", "review.xlsx"]
    assert (place / "index.html").read_text("utf-8") == "again"
    assert [path.name for path in place.parent.iterdir()] == ["2026-09-30"]


def test_what_fails_midway_leaves_the_earlier_pages(tmp_path: Path) -> None:
    place = tmp_path / "pack"
    _fill(place)
    with pytest.raises(ZeroDivisionError), page_folder(place) as folder:
        folder.text("index.html", f"half {1 / 0}")
    assert (place / "index.html").read_text("utf-8") == "hello"
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    _fill(tmp_path / "pack")
    assert (tmp_path / "pack" / "index.html").is_file()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_not_ours_is_left_alone(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "pack"
    if kind == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "thesis.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="in the way"):
        _fill(place)
    mine = place if kind == "file" else place / "thesis.txt"
    assert mine.read_text() == "mine"


def test_a_text_that_utf8_cannot_hold_is_written_with_question_marks(tmp_path: Path) -> None:
    with page_folder(tmp_path / "pack") as folder:
        folder.text("index.html", "a\ud800b")
    assert (tmp_path / "pack" / "index.html").read_text("utf-8") == "a?b"


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideFailure):
        _fill(tmp_path / "file" / "below" / "pack")
