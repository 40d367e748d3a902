"""A small synthetic channel, trained and scored once for all test processes, from which tests take copies.

The fixtures import the program only when they run, so that a test of something light stays light.
"""

from __future__ import annotations

import fcntl
import os
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
    return made_once(tmp_path_factory, "trained", _train)


@pytest.fixture(scope="session")
def scored_channel(tmp_path_factory: pytest.TempPathFactory, trained_channel: Path) -> Path:
    """The same with the reviews of `BEFORE` and `AS_OF`; never to be changed."""
    return made_once(tmp_path_factory, "scored", lambda folder: _score(trained_channel, folder))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first of the test processes that asks for it makes; the others wait for it."""
    own = factory.getbasetemp()
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "channel"
    root.mkdir(exist_ok=True)
    folder, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


def _train(folder: Path) -> None:
    from tierwise.config.load import load_workspace
    from tierwise.jobs.init import InitRequest, init
    from tierwise.jobs.train import train

    init(InitRequest(folder, "demo", partners=PARTNERS, years=YEARS))
    train(load_workspace(folder), BEFORE, TODAY)


def _score(trained: Path, folder: Path) -> None:
    from tierwise.config.load import load_workspace
    from tierwise.jobs.score import ScoreRequest, score

    shutil.copytree(trained, folder)
    for day in (BEFORE, AS_OF):
        score(load_workspace(folder), ScoreRequest(day, TODAY))


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy a workspace for a test that changes it."""

    def copy(folder: Path) -> Path:
        place = tmp_path / f"copy{len(list(tmp_path.glob('copy*'))) or ''}"
        shutil.copytree(folder, place)
        return place

    return copy
