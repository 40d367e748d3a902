"""Working folders: gone with their run, cleared by the next one after a kill, never taken from a run at work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tierwise.engine import open_engine
from tierwise.engine.scratch import Scratch

HOLDS = """
import sys
from tierwise.engine.scratch import Scratch
scratch = Scratch("spark", sys.argv[1])
(scratch.path / "table-1").mkdir()
print(scratch.path, flush=True)
sys.stdin.read()
"""


def test_a_folder_is_removed_when_it_is_closed(tmp_path: Path) -> None:
    scratch = Scratch("spill", str(tmp_path))
    (scratch.path / "spilled").write_bytes(b"rows")
    scratch.close()
    scratch.close()
    assert list(tmp_path.iterdir()) == []


def test_the_next_run_clears_away_what_a_killed_one_left_and_nothing_else(tmp_path: Path) -> None:
    other, stranger = Scratch("spill", str(tmp_path)), tmp_path / "tierwise-spark-elsewhere-1"
    stranger.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        left = Path(run.stdout.readline().strip())
        Scratch("spark", str(tmp_path)).close()
        assert (left / "table-1").is_dir(), "a run at work keeps its folder"
        run.kill()
    assert left.is_dir(), "a kill leaves it"
    Scratch("spark", str(tmp_path)).close()
    assert sorted(tmp_path.iterdir()) == sorted([other.path, stranger])
    other.close()


def test_the_embedded_engine_clears_away_what_was_spilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    command = [sys.executable, "-c", HOLDS.replace('"spark"', '"spill"'), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        left = Path(run.stdout.readline().strip())
        run.kill()
    with open_engine() as engine:
        assert engine.rows("SELECT 1") == [(1,)]
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []
