"""What a command says: one message and an exit code for whatever goes wrong, in words or in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import typer

from tierwise.cli.options import open_workspace, parse_day, today
from tierwise.cli.speaking import speaking
from tierwise.errors import Fault, InvalidInput, OutsideFailure, Refused, TierwiseError
from tierwise.jobs.progress import Step

FAULT = Fault("7 is more than 5", "tierwise.yaml: a.b", ("k1", "k2", "k3", "k4"), "take 5")
Captured = pytest.CaptureFixture[str]


def _exit_code(error: BaseException, as_json: bool = False, debug: bool = False) -> int:
    with pytest.raises(typer.Exit) as left, speaking(as_json, debug):
        raise error
    return left.value.exit_code


@pytest.mark.parametrize(("kind", "code"), [(Refused, 1), (InvalidInput, 2), (OutsideFailure, 3)])
def test_an_error_of_the_user_is_one_message_and_its_exit_code(
    kind: type[TierwiseError], code: int, capsys: Captured
) -> None:
    assert _exit_code(kind(FAULT)) == code
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.splitlines() == [
        "error: tierwise.yaml: a.b: 7 is more than 5",
        "  for example: k1, k2, k3",
        "  to do: take 5",
    ]


def test_a_fault_of_ours_is_one_message_without_a_traceback(capsys: Captured) -> None:
    assert _exit_code(ZeroDivisionError("division by zero")) == 3
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.splitlines() == [
        "error: a fault of Tierwise itself: ZeroDivisionError: division by zero",
        "  to do: run again with --debug and report what it prints",
    ]


@pytest.mark.parametrize("error", [InvalidInput(FAULT), KeyError("x")])
def test_debug_shows_where_it_happened_and_still_the_message(error: Exception, capsys: Captured) -> None:
    _exit_code(error, debug=True)
    seen = capsys.readouterr().err
    assert "Traceback" in seen
    assert "_exit_code" in seen
    assert seen.count("\nerror: ") == 1


def test_a_machine_gets_every_fault_whole_and_people_beside_it_the_message(capsys: Captured) -> None:
    assert _exit_code(InvalidInput([FAULT, Fault("also wrong")]), as_json=True) == 2
    seen = capsys.readouterr()
    first = {"what": FAULT.what, "where": FAULT.where, "examples": ["k1", "k2", "k3", "k4"], "todo": "take 5"}
    second = {"what": "also wrong", "where": "", "examples": [], "todo": ""}
    assert json.loads(seen.out) == {"error": "InvalidInput", "exit_code": 2, "faults": [first, second]}
    assert seen.err.startswith("error: ")


def test_a_machine_is_told_of_a_fault_of_ours_too(capsys: Captured) -> None:
    assert _exit_code(RuntimeError("broken"), as_json=True) == 3
    answer = json.loads(capsys.readouterr().out)
    assert (answer["error"], answer["exit_code"]) == ("InternalError", 3)
    assert answer["faults"][0]["what"].endswith("RuntimeError: broken")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError(), typer.Exit(7), SystemExit(5)])
def test_being_stopped_is_no_fault(error: BaseException, capsys: Captured) -> None:
    with pytest.raises(type(error)) as stopped, speaking(as_json=False, debug=False):
        raise error
    assert stopped.value is error
    assert capsys.readouterr() == ("", "")


def test_brackets_in_messages_and_texts_are_shown_as_they_are(capsys: Captured) -> None:
    with speaking(as_json=False, debug=False) as speaker:
        speaker.step(Step(1, 2, "read [red]x[/red]"))
        speaker.result({}, "a [b] " + "long " * 60)
    seen = capsys.readouterr()
    assert seen.err == "[1/2] read [red]x[/red]\n"
    assert seen.out == "a [b] " + "long " * 60 + "\n"
    _exit_code(InvalidInput(Fault("tiers[0] is [bold]")))
    assert "tiers[0] is [bold]" in capsys.readouterr().err


def test_progress_is_one_line_a_step_away_from_a_terminal(capsys: Captured) -> None:
    with speaking(as_json=True, debug=False) as speaker:
        for number in (1, 2):
            speaker.step(Step(number, 2, f"do {number}"))
        speaker.result({"day": date(2026, 9, 30), "path": Path("a/b"), "name": "Zoë"}, "a text for people")
    seen = capsys.readouterr()
    assert seen.err.splitlines() == ["[1/2] do 1", "[2/2] do 2"]
    assert json.loads(seen.out) == {"day": "2026-09-30", "path": "a/b", "name": "Zoë"}
    assert "Zoë" in seen.out


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan")])
def test_what_is_no_json_is_a_fault_of_ours_rather_than_broken_json(value: float, capsys: Captured) -> None:
    with pytest.raises(typer.Exit) as left, speaking(as_json=True, debug=False) as speaker:
        speaker.result({"value": value})
    assert left.value.exit_code == 3
    assert json.loads(capsys.readouterr().out)["error"] == "InternalError"


def _command(program: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose body is a program, as a process of its own."""
    listing = f"""
import os, signal, sys, typer
from tierwise.cli.speaking import speaking
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with interrupts ignored
app = typer.Typer(pretty_exceptions_enable=False)
@app.command()
def run() -> None:
    with speaking(False, False) as speaker:
        {program}
app()
"""
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, env=environment, check=False)


def test_an_interrupted_command_ends_as_interrupted_without_a_traceback() -> None:
    seen = _command("os.kill(os.getpid(), signal.SIGINT)")
    assert seen.returncode == 130
    assert "Traceback" not in seen.stderr
    assert "fault of Tierwise" not in seen.stderr


def test_the_exit_code_reaches_the_shell() -> None:
    seen = _command("raise ValueError('broken')")
    assert seen.returncode == 3
    assert seen.stderr.startswith("error: a fault of Tierwise itself: ValueError: broken")


@pytest.mark.parametrize("text", ["2026-02-30", "30.9.2026", "2026-9-30", "", "yesterday", "2026-09-30T00:00"])
def test_only_a_day_that_exists_is_a_day(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write it as 2026-09-30"):
        parse_day(text)


def test_the_day_of_the_run_can_be_set_and_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert today() == date.today()
    monkeypatch.setenv("TIERWISE_TODAY", "2026-10-15")
    assert today() == date(2026, 10, 15)
    monkeypatch.setenv("TIERWISE_TODAY", "soon")
    with pytest.raises(typer.BadParameter, match="soon"):
        today()


def test_a_data_folder_must_be_there_before_the_workspace_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"data folder .*nowhere.* does not exist"):
        open_workspace(tmp_path, tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"tierwise\.yaml"):
        open_workspace(tmp_path, tmp_path)
