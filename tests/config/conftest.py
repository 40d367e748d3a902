"""The example workspace of the docs, as a folder that a test may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def channel(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example workspace; the working directory is beside it, so messages show short paths."""
    shutil.copytree(repository / "docs" / "examples" / "channel", tmp_path / "channel")
    monkeypatch.chdir(tmp_path)
    return Path("channel")
