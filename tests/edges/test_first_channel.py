"""The tutorial of the documentation, run as it stands: its files, its commands, its table of results."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tierwise.cli.main import app

FILE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RESULT = re.compile(r"^\| (\w\d) \|.*\| (\w+) \|$", re.MULTILINE)


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "first-channel.md").read_text("utf-8")


def test_the_tutorial_ends_with_the_review_that_it_promises(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in FILE.findall(page):
        place = Path("shop") / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, "utf-8")
    for command in COMMANDS.findall(page)[0].splitlines():
        done = CliRunner().invoke(app, shlex.split(command)[1:])
        assert done.exit_code == 0, f"{command}\n{done.output}"
    review = pd.read_csv("shop/output/2026-09-30/recommendations.csv").set_index("partner_id")
    promised = dict(RESULT.findall(page))
    assert promised == {"A1": "Gold", "B2": "Silver", "C3": "Bronze", "D4": "Bronze"}
    assert review["recommended_tier"].to_dict() == promised
