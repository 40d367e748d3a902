"""The command line: exit codes, one message per error, JSON for machines, and doors that open what they name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.channel import AS_OF, PARTNERS, TODAY
from tierwise.cli.main import app
from tierwise.config.schema import FILES
from tierwise.store.pilot_records import record_schemas

HEAVY = ("pandas", "duckdb", "lightgbm", "mlflow", "shap", "sklearn", "numpy")


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TIERWISE_TODAY": TODAY.isoformat(), "COLUMNS": "200", **variables}
    command = [sys.executable, "-c", "from tierwise.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    seen = run("--help")
    assert seen.returncode == 0
    for command in ("init", "check", "train", "score", "explain", "schema", "demo", "models", "policy"):
        assert command in seen.stdout
    listing = "import sys\nfrom tierwise.cli import main\nprint(*sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    assert set(HEAVY).isdisjoint(modules)


def test_a_folder_that_is_no_workspace_is_the_users_error(tmp_path: Path) -> None:
    seen = run("score", "--as-of", "2026-09-30", "--workspace", str(tmp_path / "nowhere"))
    assert seen.returncode == 2
    assert "there is no such folder" in seen.stderr
    assert "to do:" in seen.stderr
    assert "Traceback" not in seen.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    seen = run("score", "--as-of", "2026-09-30", "--workspace", str(tmp_path / "nowhere"), "--debug")
    assert seen.returncode == 2
    assert "Traceback" in seen.stderr


def test_errors_are_json_too_for_machines(tmp_path: Path) -> None:
    seen = run("check", "--workspace", str(tmp_path / "nowhere"), "--json")
    answer = json.loads(seen.stdout)
    assert seen.returncode == answer["exit_code"] == 2
    assert answer["faults"][0]["what"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("score",), "--as-of"),
        (("score", "--as-of", "30.9.2026"), "30.9.2026"),
        (("score", "--as-of", "2026-09-30", "--bogus", "1"), "--bogus"),
        (("scroe",), "scroe"),
        (("score", "--as-of", "2026-09-30", "--engine", "sparc"), "sparc"),
    ],
)
def test_a_wrong_argument_is_named(arguments: tuple[str, ...], said: str) -> None:
    seen = run(*arguments)
    assert seen.returncode == 2
    assert said in seen.stderr
    assert "Traceback" not in seen.stderr


def test_a_data_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    seen = run("check", "--workspace", str(tmp_path), "--data", str(tmp_path / "nowhere"))
    assert seen.returncode == 2
    assert "nowhere" in seen.stderr


def test_schemas_are_written_for_every_settings_file(tmp_path: Path) -> None:
    seen = run("schema", "--out", str(tmp_path / "schemas"))
    assert seen.returncode == 0
    written = sorted(path.name for path in (tmp_path / "schemas").iterdir())
    assert written == sorted(f"{name}.schema.json" for name in (*FILES, *record_schemas()))
    assert all(json.loads(path.read_text())["type"] == "object" for path in (tmp_path / "schemas").iterdir())


def test_check_prints_the_reconciliation_and_says_where_the_report_is(
    scored_channel: Path, copy_of: Callable[[Path], Path]
) -> None:
    seen = run("check", "--workspace", str(copy_of(scored_channel)))
    assert seen.returncode == 0
    assert "deals" in seen.stdout
    written = [
        Path(line.removeprefix("written: ")) for line in seen.stdout.splitlines() if line.startswith("written: ")
    ]
    assert written
    assert all(path.is_file() for path in written)


def test_check_says_no_with_exit_code_one(scored_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(scored_channel)
    deals = folder / "data" / "deals.csv"
    lines = deals.read_text().splitlines()
    deals.write_text("\n".join([lines[0], *(line.replace("P0", "X0") for line in lines[1:])]) + "\n")
    seen = run("check", "--workspace", str(folder))
    assert seen.returncode == 1
    assert "unknown_partner" in seen.stderr


def test_score_answers_in_json(scored_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(scored_channel)
    seen = run("score", "--as-of", AS_OF.isoformat(), "--workspace", str(folder), "--json")
    answer = json.loads(seen.stdout)
    assert seen.returncode == 0
    assert answer["row_counts"]["recommendations"] == PARTNERS
    assert sum(tier["partners"] for tier in answer["composition"]) == PARTNERS
    assert "[1/8]" in seen.stderr  # plain log lines where there is no terminal


def test_explain_shows_the_stored_rows_of_one_partner(scored_channel: Path) -> None:
    seen = run("explain", "P0000001", "--workspace", str(scored_channel))
    assert seen.returncode == 0
    assert "Why:" in seen.stdout
    assert "Criteria:" in seen.stdout
    machine = json.loads(run("explain", "P0000001", "--workspace", str(scored_channel), "--json").stdout)
    assert [reason["sentence"] in seen.stdout for reason in machine["reasons"]] == [True] * len(machine["reasons"])


def test_explain_hints_at_the_nearest_partner(scored_channel: Path) -> None:
    seen = run("explain", "P000001", "--workspace", str(scored_channel))
    assert seen.returncode == 2
    assert "did you mean 'P0000" in seen.stderr


def test_models_list_and_show_the_version_in_force(scored_channel: Path) -> None:
    assert "champion" in run("models", "list", "--workspace", str(scored_channel)).stdout
    shown = run("models", "show", "champion", "--workspace", str(scored_channel)).stdout
    assert "Put in force:" in shown
    assert "Model card" in shown


def test_promoting_needs_a_version_that_exists(scored_channel: Path) -> None:
    seen = run("models", "promote", "9", "--because", "a test", "--workspace", str(scored_channel))
    assert seen.returncode == 2
    assert "no model version '9'" in seen.stderr


def test_a_challenger_is_put_in_force_with_who_and_why(trained_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(trained_channel)
    trained = json.loads(run("train", "--as-of", AS_OF.isoformat(), "--workspace", str(folder), "--json").stdout)
    assert (trained["version"], trained["alias"]) == (2, "challenger")
    done = run("models", "promote", "2", "--because", "newer data", "--by", "ada", "--workspace", str(folder))
    assert done.returncode == 0
    assert "version 2 is in force" in done.stdout
    shown = json.loads(run("models", "show", "champion", "--workspace", str(folder), "--json").stdout)
    assert shown["version"] == 2
    assert shown["history"][-1]["by"] == "ada"


@pytest.mark.parametrize(("asked", "used"), [(None, "passive"), ("active", "active")])
def test_waiting_threads_sleep_unless_the_operator_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, used: str
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", asked or "")
    if asked is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    assert CliRunner().invoke(app, ["policy", "--help"]).exit_code == 0
    assert os.environ["OMP_WAIT_POLICY"] == used
