"""The options that several commands share, and what is read from the environment."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tierwise.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from tierwise.config.load import Workspace


def parse_day(text: str) -> date:
    """Read a day such as 2026-09-30.

    Raises:
        typer.BadParameter: If the text is not an ISO date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as 2026-09-30") from None


WorkspaceFolder = Annotated[Path, typer.Option("--workspace", "-w", help="The workspace's folder.")]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", envvar="TIERWISE_DATA", help="Where the source files lie, if not in the workspace."),
]
AsOf = Annotated[date, typer.Option("--as-of", parser=parse_day, metavar="DAY", help="The as-of date, as 2026-09-30.")]
MaybeAsOf = Annotated[
    date | None,
    typer.Option("--as-of", parser=parse_day, metavar="DAY", help="The as-of date; the latest review by default."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def open_workspace(folder: Path, data: Path | None) -> Workspace:
    """Load and check the workspace's files.

    Raises:
        InvalidInput: If the folder is not a workspace or any of its files has a fault.
    """
    from tierwise.config.load import load_workspace

    if data is not None and not data.is_dir():
        what, todo = f"the data folder {str(data)!r} does not exist", "name the folder that holds the source files"
        raise InvalidInput(Fault(what, where="--data", todo=todo))
    return load_workspace(folder, data)


def today() -> date:
    """The day of the run; `TIERWISE_TODAY` sets it, so that a run can be repeated later."""
    text = os.environ.get("TIERWISE_TODAY")
    return parse_day(text) if text else date.today()
