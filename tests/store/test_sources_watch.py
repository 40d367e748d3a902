"""Source files that change while they are read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.sources_example import COLUMNS, read, workspace_of
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.store import sources
from tierwise.store.sources_watch import SourceWatch

DEALS = "id,partner,day,price\n1,P1,2026-01-01,5\n2,P1,2026-01-02,6\n"


def _append(path: Path) -> None:
    path.write_text(path.read_text() + "3,P1,2026-01-03,7\n")


def _rewrite_in_place(path: Path) -> None:
    path.write_text(path.read_text().replace("5\n", "9\n"))
    os.utime(path, ns=(1, 1))


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    shutil.copy2(path, other)
    other.replace(path)


CHANGES: list[Callable[[Path], None]] = [_append, _rewrite_in_place, _replace, Path.unlink]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_is_named(tmp_path: Path, change: Callable[[Path], None]) -> None:
    still, moving = tmp_path / "still.csv", tmp_path / "moving.csv"
    still.write_text(DEALS)
    moving.write_text(DEALS)
    watch = SourceWatch()
    for path in (still, moving, moving):
        watch.look(path)
    watch.refuse_changes()
    change(moving)
    with pytest.raises(OutsideFailure) as caught:
        watch.refuse_changes()
    assert [fault.where for fault in caught.value.faults] == [str(moving)]


def _changing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have the file written anew as soon as its first rows are read."""
    reader: Any = sources.read_csv

    def read_and_write(path: Path, *rest: Any) -> Iterator[Any]:
        for batch in reader(path, *rest):
            yield batch
            path.write_text(text)

    monkeypatch.setattr(sources, "read_csv", read_and_write)


def test_a_run_over_a_changing_source_is_stopped_and_may_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deals.csv").write_text(DEALS)
    workspace = workspace_of(tmp_path, {"csv": "deals.csv"}, COLUMNS)
    with monkeypatch.context() as patch:
        _changing(patch, DEALS + "3,P1,2026-01-03,7\n")
        with pytest.raises(OutsideFailure, match=r"deals\.csv: the file changed while it was read") as caught:
            read(workspace)
    assert caught.value.exit_code == 3
    assert len(read(workspace)) == 3


def test_a_fault_that_the_change_made_is_not_blamed_on_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deals.csv").write_text("id,partner,day\n")
    workspace = workspace_of(tmp_path, {"csv": "deals.csv"}, COLUMNS)
    with pytest.raises(InvalidInput):
        read(workspace)
    reader: Any = sources.read_csv

    def written_meanwhile(path: Path, *rest: Any) -> Iterator[Any]:
        path.write_text(DEALS)
        os.utime(path, ns=(1, 1))
        path.write_text("id,partner,day\n")
        yield from reader(path, *rest)

    monkeypatch.setattr(sources, "read_csv", written_meanwhile)
    with pytest.raises(OutsideFailure, match="changed while it was read"):
        read(workspace)
