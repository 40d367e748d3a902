"""The commands that write pages: explain --html, letter, pack; where they write, what they say, what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.pages.written_review import pages_workspace, write_pages_review
from tierwise.cli.main import app

PARTNER = "P000001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pages_review(pages_workspace(tmp_path / "workspace"), 12)
    return tmp_path / "workspace"


def _run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--workspace", str(folder)])


@pytest.mark.parametrize(("command", "kind"), [(("explain", "--html"), "pages"), (("letter",), "letters")])
def test_a_page_is_written_where_it_says(folder: Path, command: tuple[str, ...], kind: str) -> None:
    seen = _run(folder, *command, PARTNER)
    place = folder / "output" / kind / "2026-09-30" / f"{PARTNER}.html"
    assert (seen.exit_code, seen.output) == (0, f"written: {place}\n")
    assert place.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("command", [("explain", "--html"), ("letter",)])
def test_a_page_goes_to_the_file_that_is_named_or_to_stdout(
    folder: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    place = tmp_path / "below" / "page.html"
    assert _run(folder, *command, PARTNER, str(place)).exit_code == 0
    assert _run(folder, *command, PARTNER, "-").output == place.read_text("utf-8")


def test_a_file_without_html_and_a_folder_for_a_file_are_refused(folder: Path, tmp_path: Path) -> None:
    assert _run(folder, "explain", PARTNER, "page.html").exit_code == 2
    seen = _run(folder, "letter", PARTNER, str(tmp_path))
    assert seen.exit_code == 2
    assert "this is a folder" in seen.output


def test_machines_get_the_letter_as_values(folder: Path) -> None:
    letter = json.loads(_run(folder, "letter", PARTNER, "--json").output)
    assert letter["partner_id"] == PARTNER
    assert letter["subject"]


def test_the_pack_is_written_in_the_output_folder_and_told(folder: Path) -> None:
    seen = _run(folder, "pack", "--pages", "3", "--json")
    answer = json.loads(seen.output[seen.output.index("{") :])
    place = folder / "output" / "pack" / "2026-09-30"
    assert (answer["folder"], answer["partners"], answer["pages"], answer["lists"]) == (str(place), 12, 3, 0)
    assert sorted(path.name for path in place.iterdir()) == [
        "_PAGES.json",
        "digest.md",
        "index.html",
        "partners",
        "review.xlsx",
    ]
    assert "review pack of 12 partners" in _run(folder, "pack").output


def test_the_pack_goes_where_it_is_told_but_over_nothing_else(folder: Path, tmp_path: Path) -> None:
    assert _run(folder, "pack", "--to", str(tmp_path / "pack")).exit_code == 0
    seen = _run(folder, "pack", "--to", str(folder))
    assert seen.exit_code == 2
    assert "in the way" in seen.output
    assert (folder / "tierwise.yaml").is_file()


def test_explaining_loads_neither_the_table_library_nor_the_engine(folder: Path) -> None:
    code = (
        "import sys; from tierwise.cli.main import app; sys.argv[1:] = "
        f"['explain', '{PARTNER}', '-w', {str(folder)!r}, '--html', '-']\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "heavy = ('pandas', 'duckdb', 'openpyxl', 'matplotlib', 'sklearn', 'lightgbm', 'mlflow')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.startswith("<!doctype html>")
    assert seen.stderr.strip() == "[]"
