"""The `tierwise` command. Heavy packages are imported inside the commands, so that help answers at once."""

from __future__ import annotations

import typer

import tierwise
from tierwise.cli import attribute, data, demo, drift, exports, models, pilots, policy, scoring

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


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None: ...


def main() -> None:
    """Run the command line."""
    app()
