"""Commands about placements: score, explain."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tierwise.cli.options import AsJson, AsOf, DataFolder, Debug, MaybeAsOf, WorkspaceFolder, open_workspace, today
from tierwise.cli.speaking import speaking


class EngineName(StrEnum):
    """The engines that metrics and policies run on."""

    DUCKDB = "duckdb"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(score)
    app.command()(explain)


def score(
    as_of: AsOf,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    engine: Annotated[
        EngineName, typer.Option(help="The engine that computes metrics and policy.")
    ] = EngineName.DUCKDB,
    out: Annotated[Path | None, typer.Option(help="The output folder; the workspace's by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do all of it but write nothing.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Recommend a tier for every partner, with its reasons."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        # Imported last: a fault in the settings is told without waiting for the models' packages.
        from tierwise.jobs.score import ScoreRequest
        from tierwise.jobs.score import score as run
        from tierwise.reports.review import as_payload, as_text

        request = ScoreRequest(as_of, today(), out=out, dry_run=dry_run, engine=engine.value)
        review = run(opened, request, speaker.step)
        speaker.result(as_payload(review), as_text(review))


def explain(
    partner: Annotated[str, typer.Argument(help="The partner's id.")],
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    out: Annotated[Path | None, typer.Option(help="The output folder; the workspace's by default.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show why a partner got its tier, and the way up."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.explain import explain_partner
        from tierwise.reports.partner import as_payload
        from tierwise.reports.partner_text import as_text

        page = explain_partner(opened, partner, as_of=as_of, out=out)
        speaker.result(as_payload(page), as_text(page))
