"""A small synthetic channel, trained and scored once, from which tests take copies.

The fixtures import the program only when they run, so that a test of something light stays light.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

PARTNERS, YEARS = 150, 4
BEFORE, AS_OF, TODAY = date(2026, 6, 30), date(2026, 9, 30), date(2026, 10, 15)


@pytest.fixture(scope="session")
def trained_channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo workspace with a champion trained as of `BEFORE`; never to be changed."""
    from tierwise.config.load import load_workspace
    from tierwise.jobs.init import InitRequest, init
    from tierwise.jobs.train import train

    folder = tmp_path_factory.mktemp("channel") / "workspace"
    init(InitRequest(folder, "demo", partners=PARTNERS, years=YEARS))
    train(load_workspace(folder), BEFORE, TODAY)
    return folder


@pytest.fixture(scope="session")
def scored_channel(trained_channel: Path) -> Path:
    """The same with the reviews of `BEFORE` and `AS_OF`; never to be changed."""
    from tierwise.config.load import load_workspace
    from tierwise.jobs.score import ScoreRequest, score

    folder = trained_channel.with_name("scored")
    shutil.copytree(trained_channel, folder)
    for day in (BEFORE, AS_OF):
        score(load_workspace(folder), ScoreRequest(day, TODAY))
    return folder


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy a workspace for a test that changes it."""

    def copy(folder: Path) -> Path:
        place = tmp_path / "copy"
        shutil.copytree(folder, place)
        return place

    return copy
