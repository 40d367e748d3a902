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
    SPARK = "spark"


class ExplainScope(StrEnum):
    """Whose recommendations a run explains beyond criteria, scores and reasons."""

    ALL = "all"
    MOVERS = "movers"
    NONE = "none"


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(score)
    app.command()(explain)
    app.command()(letter)
    app.command()(pack)


def score(
    as_of: AsOf,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    engine: Annotated[
        EngineName, typer.Option(help="The engine that computes metrics, policy and models.")
    ] = EngineName.DUCKDB,
    out: Annotated[Path | None, typer.Option(help="The output folder; the workspace's by default.")] = None,
    explain: Annotated[
        ExplainScope,
        typer.Option(help="Whose potential is split, changes explained and ways up searched: all, who moves, none."),
    ] = ExplainScope.ALL,
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

        request = ScoreRequest(as_of, today(), out=out, dry_run=dry_run, engine=engine.value, explain=explain.value)
        review = run(opened, request, speaker.step)
        speaker.result(as_payload(review), as_text(review))


File = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="The page's file, - for stdout; in the output folder by default.")
]
OutputFolder = Annotated[Path | None, typer.Option(help="The output folder; the workspace's by default.")]


def explain(
    partner: Annotated[str, typer.Argument(help="The partner's id.")],
    file: File = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write a one-pager that opens offline and prints to A4.")
    ] = False,
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    out: OutputFolder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show why a partner got its tier, what changed, and the way up."""
    with speaking(as_json, debug) as speaker:
        if file is not None and not html:
            raise typer.BadParameter("a FILE goes with --html")
        opened = open_workspace(workspace, None)
        from tierwise.jobs.explain import explain_partner
        from tierwise.reports.partner import as_payload
        from tierwise.reports.partner_text import as_text

        page = explain_partner(opened, partner, as_of=as_of, out=out)
        if not html:
            speaker.result(as_payload(page), as_text(page))
            return
        from tierwise.jobs.page_files import page_place, write_page
        from tierwise.reports.partner_page import as_html

        place = page_place(out or opened.output_folder, "pages", page.as_of, page.partner_id)
        speaker.page(as_html(page), write_page, place if file is None else file)


def letter(
    partner: Annotated[str, typer.Argument(help="The partner's id.")],
    file: File = None,
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    out: OutputFolder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the letter that a partner may read: its tier, the published criteria, the way up; nothing internal."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.letters import letter as write
        from tierwise.jobs.page_files import page_place, write_page
        from tierwise.reports.letter import as_html, as_payload

        written = write(opened, partner, as_of=as_of, out=out)
        if as_json:
            speaker.result(as_payload(written))
            return
        place = page_place(out or opened.output_folder, "letters", written.as_of, written.partner_id)
        speaker.page(as_html(written), write_page, place if file is None else file)


def pack(
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    out: OutputFolder = None,
    to: Annotated[
        Path | None, typer.Option(help="The pack's folder; pack/DAY in the output folder by default.")
    ] = None,
    pages: Annotated[
        int, typer.Option(min=0, help="The most one-pagers; who moves, is at risk or nearly rises comes first.")
    ] = 200,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the review pack: an index to search, one-pagers, a workbook, a digest for e-mail or chat."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.explain import open_review
        from tierwise.jobs.review_pack import PackRequest, write_pack
        from tierwise.reports.pack import as_payload, as_text

        written = write_pack(PackRequest(open_review(opened, as_of, out), to, pages), speaker.step)
        speaker.result(as_payload(written), as_text(written))
