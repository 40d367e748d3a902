"""The MLflow project: thin doors to the command line, behind which undeclared parameters are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.exceptions import ExecutionException
from mlflow.projects._project_spec import Project, load_project

BIN = Path(sys.executable).parent
AS_OF = ("-P", "as_of=2026-09-30")


@pytest.fixture(scope="module")
def project(repository: Path) -> Project:
    """The project as MLflow reads it."""
    return load_project(str(repository))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic channel."""
    folder = tmp_path_factory.mktemp("project") / "channel"
    subprocess.run(
        [BIN / "tierwise", "init", folder, "--example", "demo", "--partners", "60", "--years", "3"],
        check=True,
        capture_output=True,
    )
    return folder


def _environment(**more: str) -> dict[str, str]:
    """The environment of a shell in which `.venv` is not activated, as after `make setup`."""
    return {**os.environ, "PATH": os.defpath, **more}


def _mlflow_run(repository: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [BIN / "mlflow", "run", repository, "--env-manager", "local", *arguments]
    environment = _environment(MLFLOW_TRACKING_URI=f"sqlite:///{folder}/runs.db", PATH=f"{os.defpath}:{BIN}")
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_mlflow_finds_the_project_and_its_environment(project: Project, repository: Path) -> None:
    assert project.name == "tierwise"
    assert project.env_config_path == str(repository / "python_env.yaml")


@pytest.mark.parametrize("entry", ["check", "train", "score", "drift"])
@pytest.mark.parametrize(("name", "value"), [("bogus", "1"), ("out", "elsewhere"), ("debug", "1")])
def test_no_door_lets_an_undeclared_parameter_through(
    entry: str, name: str, value: str, project: Project, tmp_path: Path
) -> None:
    given = {"workspace": str(tmp_path), "as_of": "2026-09-30", name: value}
    declared = project.get_entry_point(entry).parameters
    line = project.get_entry_point(entry).compute_command(
        {k: v for k, v in given.items() if k in {*declared, name}}, None
    )
    result = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env=_environment(PATH=f"{os.defpath}:{BIN}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert f"--{name} {value}" in result.stderr


def test_a_missing_parameter_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ExecutionException, match="missing parameters: 'as_of'"):
        project.get_entry_point("score").compute_command({"workspace": str(tmp_path)}, None)


def test_train_takes_the_number_of_trials_and_drift_what_to_compare(project: Project, tmp_path: Path) -> None:
    given = {"workspace": str(tmp_path), "as_of": "2026-09-30"}
    train, drift = (project.get_entry_point(name) for name in ("train", "drift"))
    assert "--tune 0 --" in train.compute_command(given, None)
    assert "--tune 5 --" in train.compute_command({**given, "tune": "5"}, None)
    assert "--at-least slight --against last-review --" in drift.compute_command(given, None)
    assert "--against all-reviews --" in drift.compute_command({**given, "against": "all-reviews"}, None)


def test_an_undeclared_parameter_fails_the_run(repository: Path, tmp_path: Path) -> None:
    result = _mlflow_run(repository, tmp_path, "-e", "check", "-P", f"workspace={tmp_path}", "-P", "bogus=1")
    assert result.returncode == 1
    assert "--bogus 1" in result.stderr
    assert "failed" in result.stderr


def test_check_train_and_score_run_through_mlflow(repository: Path, workspace: Path, tmp_path: Path) -> None:
    for entry, more in (("check", ()), ("train", AS_OF), ("score", AS_OF)):
        result = _mlflow_run(repository, tmp_path, "-e", entry, "-P", f"workspace={workspace}", *more)
        assert result.returncode == 0, result.stderr
    assert list((workspace / "output").rglob("recommendations*.parquet"))
