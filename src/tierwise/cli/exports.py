"""The command that hands a review to other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierwise.cli.options import AsJson, Debug, MaybeAsOf, WorkspaceFolder, open_workspace
from tierwise.cli.speaking import speaking


def add_to(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    app.command()(export)


def export(
    name: Annotated[str, typer.Argument(help="The export's name in exports.yaml.")],
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    out: Annotated[Path | None, typer.Option(help="The output folder; the workspace's by default.")] = None,
    to: Annotated[
        Path | None, typer.Option(help="The files' folder; export/NAME/DAY in the output folder by default.")
    ] = None,
    failed: Annotated[
        list[Path] | None, typer.Option(help="A file of rows that Salesforce gave back; only those are written again.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a review for Salesforce, Odoo or HubSpot, or into a database table, as exports.yaml says."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.export import ExportRequest
        from tierwise.jobs.export import export as run

        report = run(opened, ExportRequest(name, as_of, out, to, tuple(failed or ())))
        speaker.result(report.as_payload(), report.as_text())
