"""The commands about models on the command line: answers, JSON, exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.channel import AS_OF, TODAY
from tests.jobs.small_channel import small_channel
from tierwise.cli.main import app
from tierwise.jobs.train import train

runner = CliRunner()


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small channel with one version in force and one that waits."""
    workspace = small_channel(tmp_path_factory.mktemp("channel"), 12)
    for _ in range(2):
        train(workspace, AS_OF, TODAY)
    return workspace.folder


def _run(*arguments: str, code: int = 0) -> str:
    done = runner.invoke(app, list(arguments), env={"TIERWISE_TODAY": TODAY.isoformat()})
    assert done.exit_code == code, done.output
    return done.stdout


def test_backtest_answers_in_text_and_json(channel: Path, tmp_path: Path) -> None:
    options = ("--workspace", str(channel), "--as-of", AS_OF.isoformat(), "--out", str(tmp_path))
    assert "Normalised Gini out of time:" in _run("backtest", *options)
    payload = json.loads(_run("backtest", *options, "--origins", "1", "--json"))
    assert payload["as_of"] == AS_OF.isoformat()
    assert {row["candidate"] for row in payload["tables"]["scores"]} >= {"persistence", "run_rate", "chosen"}
    assert (tmp_path / AS_OF.isoformat() / "backtest.html").is_file()


def test_compare_and_promote_say_no_with_exit_code_one(channel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(channel, folder)
    where = ("--workspace", str(folder))
    report = json.loads(_run("models", "compare", *where, "--json"))
    assert (report["first"], report["second"], report["verdict"]) == (1, 2, "not_shown_better")
    refused = json.loads(_run("models", "promote", "2", *where, "--json", code=1))
    assert "stays out of force" in refused["faults"][0]["what"]
    said = _run("models", "promote", "2", *where, "--by", "ada", "--because", "agreed in the committee")
    assert "version 2 is in force: agreed in the committee" in said
    history = json.loads(_run("models", "history", *where, "--json"))["history"]
    assert [(entry["version"], entry["by"]) for entry in history] == [(1, "training"), (2, "ada")]
    assert "agreed in the committee" in _run("models", "history", *where)
    assert "no version was in force on 2020-01-01" in _run("models", "history", *where, "--on", "2020-01-01")


def test_an_unknown_version_is_wrong_input(channel: Path) -> None:
    for command in (("compare", "1", "9"), ("promote", "9")):
        said = _run("models", *command, "--workspace", str(channel), "--json", code=2)
        assert "9" in json.loads(said)["faults"][0]["what"]
