"""Commands about policies: lint, diff, preview, replay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tierwise.cli.options import (
    AsJson,
    DataFolder,
    Debug,
    MaybeAsOf,
    WorkspaceFolder,
    open_workspace,
    parse_day,
    today,
)
from tierwise.cli.speaking import speaking
from tierwise.errors import Refused

if TYPE_CHECKING:
    from tierwise.cli.speaking import Speaker
    from tierwise.config.load import Workspace
    from tierwise.jobs.policy import PolicyRequest
    from tierwise.jobs.progress import Notify
    from tierwise.reports.policy import PreviewReport, ReplayReport

app = typer.Typer(help="Lint, compare, preview and replay policies.", no_args_is_help=True)

PolicyName = Annotated[str, typer.Argument(help="A policy's file, date, version, or name (the latest of it).")]
Since = Annotated[
    date | None, typer.Option("--from", parser=parse_day, metavar="DAY", help="The first review; all by default.")
]
Out = Annotated[Path | None, typer.Option(help="The folder for the page; in the output folder by default.")]


@app.command()
def lint(
    policies: Annotated[list[str] | None, typer.Argument(help="Policies; all of the workspace by default.")] = None,
    on_data: Annotated[bool, typer.Option("--on-data", help="Look at today's partners too (one policy).")] = False,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find gaps, overlaps, traps and unknown names in policies; the answer is "no" when there is an error."""
    with speaking(as_json, debug) as speaker:
        opened, names = open_workspace(workspace, data), policies or []
        # Imported last, here and below: a fault in the settings is told without waiting for the models' packages.
        from tierwise.jobs.policy import PolicyRequest, lint_on_data, lint_policies

        if on_data and len(names) != 1:
            raise typer.BadParameter("--on-data takes exactly one policy")
        if on_data:
            report = lint_on_data(opened, PolicyRequest(names[0], today()), speaker.step)
        else:
            report = lint_policies(opened, names, speaker.step)
        speaker.result(report.as_payload(), report.as_text())
        if report.refusal:
            raise Refused(report.refusal)


@app.command()
def diff(
    before: PolicyName,
    after: PolicyName,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say in words what changed from one policy to another."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.jobs.policy import diff_policies

        report = diff_policies(opened, before, after)
        speaker.result(report.as_payload(), report.as_text())


@app.command()
def preview(
    new: PolicyName,
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: Out = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show who would be elsewhere under a new policy, and what is at stake, before anyone commits to it."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.policy import PolicyRequest, preview_policy

        _tell(speaker, preview_policy, opened, PolicyRequest(new, today(), as_of, out=out))


@app.command()
def replay(
    policy: Annotated[str | None, typer.Argument(help="A policy; those in force alone by default.")] = None,
    since: Since = None,
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    out: Out = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Review the past by a policy, side by side with those in force: moves, reversals, mis-tiering, tier shares."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.policy import PolicyRequest, replay_policy

        _tell(speaker, replay_policy, opened, PolicyRequest(policy, today(), as_of, since, out))


def _tell(
    speaker: Speaker,
    job: Callable[[Workspace, PolicyRequest, Notify], PreviewReport | ReplayReport],
    workspace: Workspace,
    request: PolicyRequest,
) -> None:
    report = job(workspace, request, speaker.step)
    speaker.result(report.as_payload(), report.as_text())
