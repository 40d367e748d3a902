"""What every test shares: the real data where it is present, and an environment that touches nothing of the user's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.channel import copy_of, scored_channel, trained_channel

__all__ = ["copy_of", "scored_channel", "trained_channel"]

ROOT = Path(__file__).resolve().parents[1]

# Set before mlflow, numpy and matplotlib are imported, in this process and in those that tests start.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
os.environ["MPLBACKEND"] = "agg"
os.environ["MPLCONFIGDIR"] = str(ROOT / ".pytest_cache" / "matplotlib")
os.environ.setdefault("OMP_NUM_THREADS", "1")


# Read before any test hides the variables from the code under test.
DATA = Path(os.environ.get("TIERWISE_DATA") or ROOT.parent / "shared" / "data")
PROGRAMS = Path(os.environ.get("TIERWISE_PROGRAMS") or ROOT.parent / "shared" / "programs")

# The same examples on every run, and no test that fails because the machine is busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")


def _folder_or_skip(folder: Path, variable: str) -> Path:
    if not folder.is_dir():
        pytest.skip(f"no folder {folder.name!r} beside the checkout in ../shared, and {variable} names none")
    return folder.resolve()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real data sets; the test skips where it is absent."""
    return _folder_or_skip(DATA, "TIERWISE_DATA")


@pytest.fixture(scope="session")
def shared_programs() -> Path:
    """The folder of the published partner programs; the test skips where it is absent."""
    return _folder_or_skip(PROGRAMS, "TIERWISE_PROGRAMS")


@pytest.fixture(autouse=True)
def private_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the test a home of its own and hide the user's settings from it."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))
    for variable in ("TIERWISE_DATA", "TIERWISE_TODAY", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(variable, raising=False)
