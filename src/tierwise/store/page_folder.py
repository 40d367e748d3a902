"""A folder of pages: whole or not at all, and never over something that is not ours."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tierwise.errors import Fault, InvalidInput
from tierwise.store.workbook import Sheet, write_workbook
from tierwise.store.writer_disk import disk_faults, put_in_place

MARKER = "_PAGES.json"


@dataclass(frozen=True)
class PageFolder:
    """A folder that is being filled; only `page_folder` makes one."""

    folder: Path
    names: list[str] = field(default_factory=list)

    def text(self, name: str, text: str) -> None:
        """Write a text file; what UTF-8 cannot hold becomes a question mark."""
        path = self.file(name)
        path.write_bytes(text.encode("utf-8", "replace"))

    def workbook(self, name: str, sheets: Sequence[Sheet]) -> None:
        """Write an Excel workbook."""
        write_workbook(sheets, self.file(name))

    def file(self, name: str) -> Path:
        """Name a file that is about to be written, such as one too long to be held as one text."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        self.names.append(name)
        return path


@contextmanager
def page_folder(place: Path) -> Iterator[PageFolder]:
    """Fill a folder beside its place; when all is written it takes the place of the earlier one in one step.

    Raises:
        InvalidInput: If a file, or a folder with other things in it, is in the way.
        OutsideFailure: If the disk does not allow it; an earlier folder is then unchanged.
    """
    _refuse_foreign(place)
    with disk_faults("write the pages", place):
        fresh = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        try:
            pages = PageFolder(fresh)
            yield pages
            (fresh / MARKER).write_text(json.dumps({"files": sorted(pages.names)}, indent=1) + "\n", "utf-8")
            put_in_place(fresh, place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _refuse_foreign(place: Path) -> None:
    if place.is_dir() and ((place / MARKER).is_file() or not any(place.iterdir())):
        return
    if place.exists():
        what = "this is in the way of the pages and is no folder of pages that Tierwise wrote"
        raise InvalidInput(Fault(what, str(place), todo="move it away, or name another folder"))
