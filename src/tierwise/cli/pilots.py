"""Commands about pilots: design, assign, analyse, list, compare, report."""

from __future__ import annotations

import getpass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tierwise.cli.options import AsJson, DataFolder, Debug, WorkspaceFolder, open_workspace, parse_day, today
from tierwise.cli.speaking import speaking
from tierwise.errors import Fault, InvalidInput, Refused

app = typer.Typer(
    help="Design, draw and read controlled tests of thresholds, incentives and service.", no_args_is_help=True
)

Slug = Annotated[str, typer.Argument(metavar="PILOT", help="The pilot: its file in pilots/, without .yaml.")]
OutputFolder = Annotated[Path | None, typer.Option(help="The output folder; the workspace's by default.")]
By = Annotated[str | None, typer.Option(help="Who does it, for the record; the user's name by default.")]
DesignAsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of", parser=parse_day, metavar="DAY", help="The last known day; the one before the start by default."
    ),
]
ReadAsOf = Annotated[
    date | None,
    typer.Option("--as-of", parser=parse_day, metavar="DAY", help="The last known day; the pilot's last by default."),
]
ReportAsOf = Annotated[
    date | None,
    typer.Option("--as-of", parser=parse_day, metavar="DAY", help="The day of the reading; the latest by default."),
]
CANNOT = 1


@app.command()
def design(
    pilot: Slug,
    as_of: DesignAsOf = None,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: OutputFolder = None,
    must_detect: Annotated[
        bool, typer.Option("--must-detect", help="Answer 1 if the pilot cannot show what matters.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say who could take part and what the pilot can detect, from the workspace's own history, and what would help."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        # Imported last, here and below: a fault in the settings is told without waiting for the statistics' packages.
        from tierwise.jobs.pilot_design import DesignRequest
        from tierwise.jobs.pilot_design import design as run
        from tierwise.reports.pilots import design_text, payload

        kept = run(opened, DesignRequest(pilot, today(), as_of, out), speaker.step)
        speaker.result(payload(kept), design_text(kept))
        if must_detect and not kept.record.can_detect:
            raise typer.Exit(CANNOT)


@app.command()
def assign(
    pilot: Slug,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: OutputFolder = None,
    amend: Annotated[
        bool, typer.Option("--amend", help="Record a change of the file since it was frozen; nothing is drawn.")
    ] = False,
    because: Annotated[str | None, typer.Option(help="Why the file was changed; goes with --amend.")] = None,
    by: By = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw the arms as of the day before the start, once, and freeze the file; record a later change with --amend."""
    with speaking(as_json, debug) as speaker:
        if amend != (because is not None):
            what, todo = "--amend and --because go together", 'write --amend --because "..."'
            raise InvalidInput(Fault(what, "--amend", todo=todo))
        opened, who = open_workspace(workspace, data), by or getpass.getuser()
        from tierwise.reports.pilots import amendment_text, assignment_text, payload

        if because is not None:
            from tierwise.jobs.pilot_amend import AmendRequest
            from tierwise.jobs.pilot_amend import amend as record

            amendment = record(opened, AmendRequest(pilot, today(), who, because, out))
            speaker.result(amendment.model_dump(mode="json"), amendment_text(amendment))
            return
        from tierwise.jobs.pilot_assign import AssignRequest
        from tierwise.jobs.pilot_assign import assign as run

        drawn = run(opened, AssignRequest(pilot, today(), who, out), speaker.step)
        text = assignment_text(drawn.kept, is_new=drawn.is_new)
        speaker.result({"is_new": drawn.is_new, **payload(drawn.kept)}, text)


@app.command()
def analyse(
    pilot: Slug,
    as_of: ReadAsOf = None,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: OutputFolder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Read the pilot by the rules written beforehand; exit 1 if the arms are not of the sizes that were drawn."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.pilot_analyse import AnalyseRequest
        from tierwise.jobs.pilot_analyse import analyse as run
        from tierwise.reports.pilots import analysis_text, payload

        kept = run(opened, AnalyseRequest(pilot, today(), as_of, out), speaker.step)
        speaker.result(payload(kept), analysis_text(kept))
        if not kept.record.sample_ratio.passed:
            what = "the arms are not of the sizes that were drawn: something chose who stayed in"
            todo = "find out who is missing and why; no figure of this pilot can be trusted before"
            raise Refused(Fault(what, f"pilot {pilot}", todo=todo))


@app.command("list")
def list_all(
    workspace: WorkspaceFolder = Path(),
    out: OutputFolder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List the pilots, where each stands, and what its latest reading in MLflow says."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.pilot_list import list_pilots
        from tierwise.reports.pilot_list import list_payload, list_text

        lines = list_pilots(opened, today(), out)
        speaker.result(list_payload(lines), list_text(lines))


@app.command()
def compare(
    pilots: Annotated[
        list[str] | None, typer.Argument(metavar="[PILOT]...", help="Pilots; all that were read by default.")
    ] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Put the latest readings of pilots side by side, or all readings of one, as MLflow keeps them."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.pilot_list import compare_pilots
        from tierwise.reports.pilot_list import compare_payload, compare_text

        rows = compare_pilots(opened, pilots or [])
        speaker.result(compare_payload(rows), compare_text(rows))


@app.command()
def report(
    pilot: Slug,
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="The page's file, - for stdout; the kept one by default.")
    ] = None,
    as_of: ReportAsOf = None,
    workspace: WorkspaceFolder = Path(),
    out: OutputFolder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Give the page of a reading: the answer in money with its interval, the rule, what could be wrong."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.page_files import write_page
        from tierwise.jobs.pilot_list import kept_reading, reading_page
        from tierwise.store.pilot_folder import PAGE

        kept, reading = kept_reading(opened, pilot, as_of, out)
        if file is None:
            place = reading.folder / PAGE
            speaker.result({"file": str(place)}, f"the page of {reading.record.source.as_of}: {place}")
            return
        speaker.page(reading_page(kept, reading), write_page, file)
