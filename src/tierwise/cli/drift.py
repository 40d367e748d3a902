"""The command about drift."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from tierwise.cli.options import AsJson, AsOf, DataFolder, Debug, WorkspaceFolder, open_workspace, today
from tierwise.cli.speaking import speaking

DRIFTED = 1


class Size(StrEnum):
    """How large drift must be to be answered with exit code 1."""

    SLIGHT = "slight"
    MODERATE = "moderate"
    LARGE = "large"


class Against(StrEnum):
    """The training rows that are compared with."""

    LAST_REVIEW = "last-review"
    ALL_REVIEWS = "all-reviews"


def add_to(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    app.command()(drift)


def drift(
    as_of: AsOf,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder for tables and page; in the output folder by default.")
    ] = None,
    at_least: Annotated[Size, typer.Option(help="Answer 1 only for shown drift of this size or more.")] = Size.SLIGHT,
    against: Annotated[
        Against, typer.Option(help="Compare with the training rows of its last review, or of all.")
    ] = Against.LAST_REVIEW,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Tell whether partners still look like those the version in force was trained on; exit 1 if they do not."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        # Imported last: a fault in the settings is told without waiting for the models' packages.
        from tierwise.jobs.drift import DriftRequest
        from tierwise.jobs.drift import drift as run

        rows: Literal["last_review", "all_reviews"] = "last_review" if against is Against.LAST_REVIEW else "all_reviews"
        report = run(opened, DriftRequest(as_of, today(), out, rows), speaker.step)
        speaker.result(report.as_payload(), report.as_text())
        if report.drift.is_at_least(at_least.value):
            raise typer.Exit(DRIFTED)
