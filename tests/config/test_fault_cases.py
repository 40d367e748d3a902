"""Faults of settings files: each case changes the example workspace and states the whole message.

A case is a file under `cases/`: `note` says what it is about; `change` replaces texts of files, `write` replaces whole
files, `remove` deletes them; `faults` are all lines that a user sees, in order, with paths relative to the workspace.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput
from tools import settings_faults

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def apply(case: dict, folder: Path) -> None:
    for change in case.get("change", []):
        path = folder / change["file"]
        text = path.read_text(encoding="utf-8")
        assert text.count(change["text"]) == 1, f"{change['text']!r} does not stand exactly once in {path}"
        path.write_text(text.replace(change["text"], change["by"]), encoding="utf-8")
    for new in case.get("write", []):
        path = folder / new["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(new["content"].encode(new.get("encoding", "utf-8")))
    for name in case.get("remove", []):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_the_message_says_what_is_wrong_and_where(file: Path, channel: Path):
    case = yaml.safe_load(file.read_text(encoding="utf-8"))
    apply(case, channel)

    with pytest.raises(InvalidInput) as caught:
        load_workspace(channel)

    assert str(caught.value).replace("channel/", "").splitlines() == case["faults"]
    assert caught.value.exit_code == 2
    assert case["note"]


def test_the_docs_show_every_case():
    rows = [line for line in settings_faults.page().splitlines() if line.startswith("| ")][2:]

    assert len(rows) == len(CASES)
    assert all(line.count("|") == 4 for line in rows)
