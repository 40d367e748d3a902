"""The command that judges tiers and incentives by the channel's own history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierwise.cli.options import AsJson, AsOf, DataFolder, Debug, WorkspaceFolder, open_workspace, today
from tierwise.cli.speaking import speaking


def add_to(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    app.command()(attribute)


def attribute(
    as_of: AsOf,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder for tables and page; in the output folder by default.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Tell what tiers and incentives caused, as far as the channel's own history can tell, with the grade of trust."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.attribute import AttributeRequest
        from tierwise.jobs.attribute import attribute as run

        report = run(opened, AttributeRequest(as_of, today(), out), speaker.step)
        speaker.result(report.as_payload(), report.as_text())
