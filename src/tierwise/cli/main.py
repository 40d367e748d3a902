"""The `tierwise` command. Heavy packages are imported inside the commands, so that help answers at once."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import tierwise
from tierwise.cli import attribute, data, demo, drift, exports, models, pilots, policy, scoring
from tierwise.cli.run_record import RecordSettings, record_runs

app = typer.Typer(
    name="tierwise",
    help="Sort channel partners into archetypes and tiers, predict their potential, and explain every placement.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
data.add_to(app)
models.add_to(app)
scoring.add_to(app)
demo.add_to(app)
drift.add_to(app)
attribute.add_to(app)
exports.add_to(app)
app.add_typer(policy.app, name="policy")
app.add_typer(pilots.app, name="pilot")


def _version(show: bool) -> None:
    if show:
        typer.echo(f"tierwise {tierwise.__version__}")
        raise typer.Exit


class LogForm(StrEnum):
    """How a run tells what it does."""

    TEXT = "text"
    JSON = "json"


@app.callback()
def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
    log: Annotated[
        LogForm, typer.Option(envvar="TIERWISE_LOG", help="Log on stderr: words, or one JSON object per line.")
    ] = LogForm.TEXT,
    metrics_file: Annotated[
        Path | None,
        typer.Option(envvar="TIERWISE_METRICS_FILE", help="A file for the run's figures, as OpenMetrics text."),
    ] = None,
) -> None:
    # LightGBM's threads wait for one another thousands of times. Where they wait by spinning and other work wants the
    # same cores, training takes up to ten times as long; so they sleep, unless the operator says otherwise.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    record_runs(RecordSettings(context.invoked_subcommand or "", log.value, metrics_file))


def main() -> None:
    """Run the command line."""
    app()
