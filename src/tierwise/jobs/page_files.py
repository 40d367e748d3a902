"""Where single pages are kept, and writing them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tierwise.errors import Fault, InvalidInput
from tierwise.reports.pages import file_name
from tierwise.store.writer_disk import replace_file


def page_place(output: Path, kind: str, as_of: date, partner_id: str) -> Path:
    """The file of a partner's page: `<output>/<kind>/<as_of>/<partner>.html`, whatever the id holds."""
    return output / kind / as_of.isoformat() / f"{file_name(partner_id)}.html"


def write_page(path: Path, html: str) -> None:
    """Write a page whole or not at all.

    Raises:
        InvalidInput: If the place is a folder.
        OutsideFailure: If the disk does not allow it.
    """
    if path.is_dir():
        raise InvalidInput(Fault("this is a folder; a page is a file", str(path), todo="name a file in it"))
    replace_file(path, html.encode("utf-8", "replace"))
