"""The pilot commands: the page of the documentation, run as it stands on the demo channel, and what they answer."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tierwise.cli.main import app

COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SLUG = "mdf-2026q3"


def run(*arguments: str, today: str = "2026-10-15") -> Result:
    return CliRunner().invoke(app, ["pilot", *arguments], env={"TIERWISE_TODAY": today})


@pytest.fixture(scope="module")
def documented(trained_channel: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Every command of the page, in order, on a demo channel; by the command, with what it answered."""
    place = tmp_path_factory.mktemp("documented")
    shutil.copytree(trained_channel, place / "demo-channel")
    path = place / "demo-channel" / "pilots" / f"{SLUG}.yaml"
    path.write_text(path.read_text("utf-8") + "design: {simulations: 50}\n", encoding="utf-8")
    first, amendment = COMMANDS.findall((repository / "docs" / "pilots.md").read_text("utf-8"))[:2]
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for line in [*first.splitlines(), *amendment.splitlines()]:
            command = line.partition("  #")[0].strip()
            if "--amend" in command:
                text = path.read_text("utf-8")
                path.write_text(text.replace("owner: channel-programs", "owner: program-office"), encoding="utf-8")
            found[command] = run(*shlex.split(command)[2:])
    return found


def answer(documented: dict[str, Result], words: str) -> Result:
    return next(result for command, result in documented.items() if words in command)


def test_every_command_of_the_page_works(documented: dict[str, Result]) -> None:
    assert {command: result.output for command, result in documented.items() if result.exit_code != 0} == {}
    assert len(documented) == 8


def test_the_design_says_in_plain_words_what_cannot_be_detected(documented: dict[str, Result]) -> None:
    said = answer(documented, "pilot design").stdout
    assert "It cannot show what matters." in said
    assert re.search(r"Cannot detect a change of 15\.0% with \d+ units in 3 arms", said)
    assert "Without looks before the end the chance is" in said
    assert re.search(r"^without covariates +\d+ +3 +\d+% +\d+%", said, re.MULTILINE)


def test_the_draw_tells_its_hash_and_that_it_came_late(documented: dict[str, Result]) -> None:
    said = answer(documented, "pilot assign").stdout
    assert re.search(r"Hash of the draw: [0-9a-f]{64}", said)
    assert "after the first day 2026-07-01" in said
    assert "share a distributor_id have partners in more than one arm" in said


def test_a_channel_that_knows_nothing_of_the_pilot_shows_no_effect(documented: dict[str, Result]) -> None:
    final = documented[
        next(command for command in documented if command.endswith("analyse mdf-2026q3 --workspace demo-channel"))
    ]
    assert "Final reading" in final.stdout
    assert ": roll out" not in final.stdout
    assert "By archetype, drawn towards their mean" in final.stdout
    look = answer(documented, "--as-of 2026-08-15").stdout
    assert "A look before the end with 50% of its time in" in look
    assert "Stop rule:" in look


def test_list_compare_and_report_tell_of_the_reading(documented: dict[str, Result]) -> None:
    assert "2026-09-30 (final)" in answer(documented, "pilot list").stdout
    assert "2026-08-15  look" in answer(documented, "pilot compare").stdout
    place = answer(documented, "pilot report").stdout.strip().rpartition(" ")[2]
    assert place.endswith("analysis/2026-09-30/report.html")


def test_the_amendment_tells_what_changed(documented: dict[str, Result]) -> None:
    said = answer(documented, "--amend").stdout
    assert "owner" in said
    assert "program-office" in said
    assert "after the results of 2026-08-15, 2026-09-30 were known" in said


def test_an_amendment_without_a_reason_is_refused(tmp_path: Path) -> None:
    done = run("assign", SLUG, "--amend", "--workspace", str(tmp_path))
    assert done.exit_code == 2
    assert "--amend and --because go together" in done.stderr


def test_faults_are_told_to_machines(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "pipelines" / "demo", tmp_path / "demo")
    done = run("design", "mdf-2026q4", "--workspace", str(tmp_path / "demo"), "--json")
    assert done.exit_code == 2
    said = json.loads(done.stdout)
    assert said["faults"][0]["what"] == "there is no pilot 'mdf-2026q4'; did you mean 'mdf-2026q3'?"


def test_a_workspace_in_which_no_pilot_was_run_lists_its_files(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "pipelines" / "demo", tmp_path / "demo")
    listed = run("list", "--workspace", str(tmp_path / "demo"), "--json")
    assert [(one["slug"], one["state"]) for one in json.loads(listed.stdout)["pilots"]] == [(SLUG, "planned")]
    assert "no pilot was read yet" in run("compare", "--workspace", str(tmp_path / "demo")).stdout
    missing = run("report", SLUG, "--workspace", str(tmp_path / "demo"))
    assert missing.exit_code == 1
    assert "was not read yet" in missing.stderr
    early = run("analyse", SLUG, "--workspace", str(tmp_path / "demo"))
    assert early.exit_code == 1
    assert "are not drawn yet" in early.stderr
