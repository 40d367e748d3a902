"""Generated pages: written when they differ, and a page out of date is told with its lines."""

from __future__ import annotations

from pathlib import Path

from tools.docs import PAGES, Page, differences, write

PAGE = Page("docs/reference.md", lambda: "# Reference\n\nnew\n")


def test_missing_page_is_out_of_date(tmp_path: Path) -> None:
    assert "+# Reference" in differences([PAGE], tmp_path)


def test_written_page_is_in_sync(tmp_path: Path) -> None:
    write([PAGE], tmp_path)
    assert differences([PAGE], tmp_path) == []
    assert (tmp_path / PAGE.path).read_text() == "# Reference\n\nnew\n"


def test_changed_line_is_named(tmp_path: Path) -> None:
    write([PAGE], tmp_path)
    (tmp_path / PAGE.path).write_text("# Reference\n\nold\n")
    assert {"-old", "+new"} <= set(differences([PAGE], tmp_path))


def test_pages_of_this_project_are_in_sync() -> None:
    assert differences(PAGES) == []
