"""Commands about models: train, and the registry."""

from __future__ import annotations

import getpass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tierwise.cli.options import (
    AsJson,
    AsOf,
    DataFolder,
    Debug,
    MaybeAsOf,
    WorkspaceFolder,
    open_workspace,
    parse_day,
    today,
)
from tierwise.cli.speaking import speaking

registry = typer.Typer(help="List, show, compare and promote registered model versions.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(train)
    app.command()(backtest)
    app.add_typer(registry, name="models")


def train(
    as_of: AsOf,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    tune: Annotated[
        int, typer.Option(min=0, help="Try so many settings of the hyper-parameters on earlier reviews first.")
    ] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Learn archetypes and potential; register a version."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        # Imported last: a fault in the settings is told without waiting for the models' packages.
        from tierwise.jobs.train import train as run
        from tierwise.reports.training import as_payload, as_text

        summary = run(opened, as_of, today(), notify=speaker.step, trials=tune)
        speaker.result(as_payload(summary), as_text(summary))


def backtest(
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    origins: Annotated[
        int | None, typer.Option(min=1, help="At most how many past reviews; as the model file says by default.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder for the results; in the output folder by default.")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Test the models on past reviews, beside persistence."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.backtest import BacktestRequest
        from tierwise.jobs.backtest import backtest as run

        report = run(opened, BacktestRequest(today(), as_of, out, origins), speaker.step)
        speaker.result(report.as_payload(), report.as_text())


@registry.command("list")
def list_versions(workspace: WorkspaceFolder = Path(), as_json: AsJson = False, debug: Debug = False) -> None:
    """List the versions and which one is in force."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.reports.registry import versions_text
        from tierwise.tracking import Registry

        versions = Registry.of(opened).versions()
        speaker.result({"versions": versions}, versions_text(versions))


@registry.command()
def show(
    version: Annotated[str, typer.Argument(help="A version number, champion or challenger.")],
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show one version: its data, its gate, its figures, and when it was in force."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.reports.registry import version_text
        from tierwise.tracking import Registry

        details = Registry.of(opened).show(version)
        speaker.result(dict(details), version_text(details))


@registry.command()
def compare(
    first: Annotated[
        str, typer.Argument(metavar="[A]", help="The one to beat; the version in force by default.")
    ] = "champion",
    second: Annotated[
        str, typer.Argument(metavar="[B]", help="The other one; the challenger by default.")
    ] = "challenger",
    as_of: MaybeAsOf = None,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Put two versions side by side on the same past reviews."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.compare import CompareRequest
        from tierwise.jobs.compare import compare as run

        report = run(opened, CompareRequest(today(), first, second, as_of), speaker.step)
        speaker.result(report.as_payload(), report.as_text())


@registry.command()
def promote(
    version: Annotated[str, typer.Argument(help="A version number, or challenger.")],
    because: Annotated[
        str | None, typer.Option(help="Why, although it is not shown to be better; recorded. Nothing is compared then.")
    ] = None,
    workspace: WorkspaceFolder = Path(),
    data: DataFolder = None,
    by: Annotated[str | None, typer.Option(help="Who decides; the user's name by default.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Put a version in force that is better than the one before; exit 1 if it is not."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, data)
        from tierwise.jobs.promote import PromotionRequest
        from tierwise.jobs.promote import promote as run

        done = run(opened, PromotionRequest(version, by or getpass.getuser(), today(), because), speaker.step)
        speaker.result(dict(done.entry), f"version {done.entry['version']} is in force: {done.entry['because']}")


@registry.command()
def history(
    on: Annotated[
        date | None, typer.Option("--on", parser=parse_day, metavar="DAY", help="Only the version in force that day.")
    ] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Tell which version was in force when, by whom and why."""
    with speaking(as_json, debug) as speaker:
        opened = open_workspace(workspace, None)
        from tierwise.reports.registry import history_text, in_force_text
        from tierwise.tracking import Registry

        kept = Registry.of(opened)
        if on is None:
            entries = kept.history()
            speaker.result({"history": entries}, history_text(entries))
        else:
            entry = kept.in_force_on(on)
            speaker.result({"on": on, "in_force": entry}, in_force_text(on, entry))
