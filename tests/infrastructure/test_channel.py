"""What test processes share is made once, whole, and made anew where its making failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.channel import made_once


def test_workers_of_one_run_share_what_the_first_made(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        folder.mkdir()
        made.append(folder)
        if len(made) == 1:
            raise OSError("the disk is full")

    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    for worker in ("gw0", "gw1"):
        (tmp_path / worker).mkdir()
        monkeypatch.setattr(tmp_path_factory, "getbasetemp", lambda worker=worker: tmp_path / worker)
        if worker == "gw0":
            with pytest.raises(OSError, match="full"):
                made_once(tmp_path_factory, "one", make)
        assert made_once(tmp_path_factory, "one", make) == tmp_path / "channel" / "one"
    assert len(made) == 2
