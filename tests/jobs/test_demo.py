"""The demo: all of the main job in one go, in a folder of its own and never over somebody's work."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.jobs.tiny_workspace import write_workspace
from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput
from tierwise.jobs.demo import PHASES, demo, extraction_day
from tierwise.jobs.progress import Step
from tierwise.reports.demo import as_text
from tierwise.store import list_reviews, read_table
from tierwise.tracking import Registry

PARTNERS = 60


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="holds no earlier demo"):
        demo(tmp_path, partners=PARTNERS)
    assert _contents(tmp_path) == {"notes.txt": b"mine"}


def test_a_workspace_that_is_no_demo_is_left_as_it_is(tmp_path: Path) -> None:
    write_workspace(tmp_path, {})
    (tmp_path / "output").mkdir()
    before = _contents(tmp_path)
    with pytest.raises(InvalidInput, match="tierwise demo FOLDER"):
        demo(tmp_path, partners=PARTNERS)
    assert _contents(tmp_path) == before
    assert (tmp_path / "output").is_dir()


def test_the_demo_does_the_main_job_and_starts_anew_over_an_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "truth").mkdir(parents=True)
    write_workspace(folder, {})
    stale = folder / "output" / "stale.txt"
    stale.parent.mkdir()
    stale.write_text("of an earlier demo")
    told: list[Step] = []
    found = demo(folder, partners=PARTNERS, seed=5, notify=told.append)
    assert not stale.exists()
    assert [(step.number, step.of) for step in told] == [(number, PHASES) for number in range(1, PHASES + 1)]
    workspace = load_workspace(folder)
    days = [review.as_of for review in list_reviews(workspace.output_folder)]
    assert days == [found.training.as_of, found.review.as_of]
    assert days[-1] <= extraction_day(workspace) < date(2100, 1, 1)
    assert Registry.of(workspace).load_champion().version == 1
    assert found.accepted > 0 < found.quarantined
    stored = read_table(workspace.output_folder, days[-1], "recommendations")
    assert int(found.review.composition["partners"].sum()) == len(stored)
    assert all(path.exists() for path in found.files.values())
    assert f"as of {days[-1]}" in as_text(found)
