"""The demo: the whole main job on the synthetic channel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierwise.cli.options import AsJson, Debug
from tierwise.cli.speaking import speaking


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(demo)


def demo(
    folder: Annotated[Path, typer.Argument(help="The folder of the demo workspace; made anew.")] = Path("demo-channel"),
    partners: Annotated[int, typer.Option(min=60, max=1_000_000, help="Partners of the channel.")] = 600,
    seed: Annotated[int, typer.Option(help="Seed of the channel.")] = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Run the whole main job on a synthetic channel."""
    from tierwise.jobs.demo import demo as run
    from tierwise.reports.demo import as_payload, as_text

    with speaking(as_json, debug) as speaker:
        found = run(folder, partners=partners, seed=seed, notify=speaker.step)
        speaker.result(as_payload(found), as_text(found))
