"""Commands about a workspace and its data: init, check, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tierwise.cli.options import AsJson, DataFolder, Debug, WorkspaceFolder, open_workspace, today
from tierwise.cli.speaking import speaking
from tierwise.errors import Refused


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(init)
    app.command()(check)
    app.command()(schema)


def init(
    folder: Annotated[Path, typer.Argument(help="The folder of the new workspace.")],
    example: Annotated[
        str | None, typer.Option(help="demo, adventureworks or olist; an empty template without.")
    ] = None,
    partners: Annotated[int, typer.Option(min=1, max=1_000_000, help="Partners of the demo channel.")] = 600,
    years: Annotated[int, typer.Option(min=2, max=20, help="Years of history of the demo channel.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the demo channel.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a workspace: an example, or a template to fill in."""
    from tierwise.jobs.init import InitRequest
    from tierwise.jobs.init import init as run

    with speaking(as_json, debug) as speaker:
        request = InitRequest(folder, example, partners=partners, years=years, seed=seed, force=force)
        made = run(request, speaker.step)
        files = "\n".join(f"  {path}" for path in made.files)
        speaker.result(
            {"folder": str(made.folder), "files": [str(path) for path in made.files]},
            f"made the workspace {made.folder}\n{files}\nnext: tierwise check --workspace {made.folder}",
        )


def check(
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report; the output folder by default.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Hold every table to its contract; report what broke it."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.check import check as run
        from tierwise.reports.data_report import as_payload, as_text

        report = run(opened, today(), out=out, notify=speaker.step)
        speaker.result(as_payload(report.summary), as_text(report.summary))
        if not as_json:
            speaker.out.print("\n".join(f"written: {path}" for path in report.files), markup=False)
        if report.refusal is not None:
            raise Refused(report.refusal)


def schema(
    out: Annotated[Path | None, typer.Option(help="Folder for the schema files; printed without.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Export JSON Schemas: of the settings files, for editors, and of the records that pilots leave."""
    from tierwise.config.schema import json_schemas
    from tierwise.store import write_text
    from tierwise.store.pilot_records import record_schemas

    with speaking(as_json, debug) as speaker:
        schemas = {**json_schemas(), **record_schemas()}
        if out is None:
            speaker.result(schemas, json.dumps(schemas, indent=2, ensure_ascii=False))
            return
        paths = [out / f"{name}.schema.json" for name in schemas]
        for path, body in zip(paths, schemas.values(), strict=True):
            write_text(path, json.dumps(body, indent=2, ensure_ascii=False) + "\n")
        speaker.result({"files": [str(path) for path in paths]}, "\n".join(f"written: {path}" for path in paths))
