"""Help texts and refusals of the whole command line: every command, every option, without a workspace or a model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

import tierwise
from tierwise.cli.main import app

runner = CliRunner()
ROOT = typer.main.get_command(app)


def _walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    below = getattr(command, "commands", {})
    if not below:
        yield path, command
    for name, child in below.items():
        yield from _walk(child, (*path, name))


COMMANDS = dict(_walk(ROOT))
NAMED = pytest.mark.parametrize("path", COMMANDS, ids=" ".join)


def _options(path: tuple[str, ...]) -> dict[str, click.Parameter]:
    found = [one for one in COMMANDS[path].params if one.param_type_name == "option"]
    return {name: one for one in found for name in one.opts}


def test_all_commands_are_there() -> None:
    names = {" ".join(path) for path in COMMANDS}
    assert names >= {
        "init", "check", "schema", "train", "backtest", "score", "explain", "letter", "pack", "demo", "drift",
        "attribute", "export",
        "models list", "models show", "models compare", "models promote", "models history",
        "policy lint", "policy diff", "policy preview", "policy replay",
        "pilot design", "pilot assign", "pilot analyse", "pilot list", "pilot compare", "pilot report",
    }  # fmt: skip


@NAMED
def test_help_is_a_sentence_that_says_what_a_command_does(path: tuple[str, ...]) -> None:
    said = (COMMANDS[path].help or "").strip()
    assert said.endswith((".", "?"))
    assert said[0].isupper()
    assert "\n\n" not in said


@NAMED
def test_every_option_and_argument_is_explained(path: tuple[str, ...]) -> None:
    unexplained = [one.name for one in COMMANDS[path].params if not getattr(one, "help", None)]
    assert unexplained == []


@NAMED
def test_every_command_answers_machines_and_shows_tracebacks_on_request(path: tuple[str, ...]) -> None:
    assert {"--json", "--debug"} <= set(_options(path))


@NAMED
def test_both_ways_to_ask_for_help_give_the_same_and_leave_with_zero(path: tuple[str, ...]) -> None:
    short, long = (runner.invoke(app, [*path, flag]) for flag in ("-h", "--help"))
    assert (short.exit_code, long.exit_code) == (0, 0)
    assert short.output == long.output
    assert all(name in long.output for name in _options(path))


@NAMED
def test_an_option_that_is_not_there_is_refused_by_name_with_two(path: tuple[str, ...]) -> None:
    seen = runner.invoke(app, [*path, "--no-such-option"])
    assert seen.exit_code == 2
    assert "--no-such-option" in seen.output


WITH_DAY = [path for path in COMMANDS if "--as-of" in _options(path)]
FILLED = {
    ("models", "promote"): ["2"], ("models", "show"): ["2"], ("explain",): ["P1"], ("letter",): ["P1"],
    ("export",): ["crm"], ("pilot", "design"): ["p"], ("pilot", "assign"): ["p"], ("pilot", "analyse"): ["p"],
    ("pilot", "report"): ["p"],
    ("policy", "preview"): ["p"], ("policy", "diff"): ["p", "q"],
}  # fmt: skip


@pytest.mark.parametrize("path", WITH_DAY, ids=" ".join)
@pytest.mark.parametrize("text", ["2026-02-30", "30.09.2026", ""])
def test_a_day_that_is_none_is_refused_with_how_to_write_one(path: tuple[str, ...], text: str) -> None:
    seen = runner.invoke(app, [*path, *FILLED.get(path, []), "--as-of", text])
    assert seen.exit_code == 2
    assert "write it as 2026-09-30" in seen.output
    assert repr(text) in seen.output


IN_WORKSPACE = [path for path in COMMANDS if "--workspace" in _options(path)]


def _in_no_workspace(path: tuple[str, ...], folder: Path) -> list[str]:
    day = ["--as-of", "2026-09-30"] if "--as-of" in _options(path) else []
    return [*path, *FILLED.get(path, []), *day, "--workspace", str(folder / "nowhere")]


@pytest.mark.parametrize("path", IN_WORKSPACE, ids=" ".join)
def test_without_a_workspace_every_command_says_so_alike(path: tuple[str, ...], tmp_path: Path) -> None:
    seen = runner.invoke(app, [*_in_no_workspace(path, tmp_path), "--json"])
    assert seen.exit_code == 2
    answer = json.loads(seen.stdout)
    assert (answer["error"], answer["exit_code"]) == ("InvalidInput", 2)
    assert answer["faults"][0]["what"] == "there is no such folder"
    assert answer["faults"][0]["todo"]
    assert not (tmp_path / "nowhere").exists()


def test_a_wrong_folder_is_told_without_waiting_for_the_models_packages(tmp_path: Path) -> None:
    commands = [_in_no_workspace(path, tmp_path) for path in IN_WORKSPACE]
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom tierwise.cli.main import app\n"
        f"for command in {commands!r}:\n    CliRunner().invoke(app, command)\n"
        "print([name for name in ('mlflow', 'lightgbm', 'shap', 'sklearn', 'matplotlib') if name in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "--as-of", "2026-09-30", "--tune", "-1"), "--tune"),
        (("backtest", "--origins", "0"), "--origins"),
        (("pack", "--pages", "-1"), "--pages"),
        (("demo", "--partners", "59"), "--partners"),
        (("init", "there", "--partners", "0"), "--partners"),
        (("init", "there", "--years", "1"), "--years"),
        (("drift", "--as-of", "2026-09-30", "--at-least", "huge"), "'huge' is not one of"),
        (("drift", "--as-of", "2026-09-30", "--against", "nothing"), "'nothing' is not one of"),
        (("models", "history", "--on", "yesterday"), "'yesterday' is not a day"),
        (("policy", "replay", "--from", "soon"), "'soon' is not a day"),
    ],
)
def test_a_value_out_of_bounds_is_refused_before_anything_is_read(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seen = runner.invoke(app, list(arguments))
    assert seen.exit_code == 2
    assert said in " ".join(seen.output.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path", [("drift",), ("train",), ("score",), ("models", "show"), ("models", "promote"), ("policy", "diff")]
)
def test_what_must_be_given_is_asked_for(path: tuple[str, ...]) -> None:
    seen = runner.invoke(app, list(path))
    assert seen.exit_code == 2
    assert "Missing" in seen.output


@pytest.mark.parametrize(("near", "meant"), [("polcy", "policy"), ("explan", "explain"), ("model", "models")])
def test_a_command_written_wrongly_is_named_with_what_was_meant(near: str, meant: str) -> None:
    seen = runner.invoke(app, [near])
    assert seen.exit_code == 2
    assert near in seen.output
    assert f"'{meant}'" in seen.output


@pytest.mark.parametrize("group", [(), ("models",), ("policy",)])
def test_a_group_alone_shows_what_is_in_it(group: tuple[str, ...]) -> None:
    seen = runner.invoke(app, list(group))
    inside = [path[len(group)] for path in COMMANDS if path[: len(group)] == group]
    assert all(f"  {name}" in seen.output for name in inside)


def test_the_version_is_told() -> None:
    seen = runner.invoke(app, ["--version"])
    assert (seen.exit_code, seen.output) == (0, f"tierwise {tierwise.__version__}\n")


def test_schemas_go_to_machines_and_people_alike() -> None:
    plain, machine = (runner.invoke(app, ["schema", *flag]).stdout for flag in ([], ["--json"]))
    assert json.loads(plain) == json.loads(machine)


def test_written_schemas_are_named_and_the_same_twice(tmp_path: Path) -> None:
    first = json.loads(runner.invoke(app, ["schema", "--out", str(tmp_path / "a"), "--json"]).stdout)["files"]
    runner.invoke(app, ["schema", "--out", str(tmp_path / "b")])
    assert first
    assert [Path(name).read_bytes() for name in first] == [(tmp_path / "b" / Path(n).name).read_bytes() for n in first]


def test_an_empty_template_is_made_once_and_not_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    made = runner.invoke(app, ["init", str(folder), "--json"])
    files = json.loads(made.stdout)["files"]
    assert made.exit_code == 0
    assert all((folder / name).is_file() or Path(name).is_file() for name in files)
    again = runner.invoke(app, ["init", str(folder)])
    assert again.exit_code == 2
    assert "not empty" in again.output
    assert runner.invoke(app, ["init", str(folder), "--force"]).exit_code == 0


def test_an_example_that_is_none_is_named_beside_those_there_are(tmp_path: Path) -> None:
    seen = runner.invoke(app, ["init", str(tmp_path / "x"), "--example", "dmo"])
    assert seen.exit_code == 2
    assert "dmo" in seen.output
    assert "demo" in seen.output
    assert not (tmp_path / "x").exists()
