"""What a newcomer runs into: the template, tiny channels, mistyped arguments; answers in words, never a traceback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.jobs.tiny_workspace import METRICS, POLICY, deal, write_workspace
from tierwise.cli.main import app
from tierwise.explain.figures import in_sentence

PARTNERS = [{"partner_id": f"P{number}", "joined_on": "2024-01-01", "region": "EMEA"} for number in range(5)]
LOST = {
    "title": "Lost amount", "unit": "USD", "from": "deals", "value": "sum(amount)", "where": "status = 'lost'",
    "window": "4 quarters", "family": "sales", "owner": "sales",
}  # fmt: skip
NOBODY = [{"name": "entry"}, {"name": "growth", "when": "lost >= 1"}, {"name": "strategic", "when": "lost >= 6"}]


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, list(arguments), env={"TIERWISE_TODAY": "2026-10-15"})
    assert "Traceback" not in done.output
    assert "fault of Tierwise itself" not in done.output
    return done


def plain(done: Result) -> dict[str, object]:
    """The JSON of a command that went well; NaN and infinity are no JSON."""
    assert done.exit_code == 0, done.output

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} in the JSON")

    answer = json.loads(done.stdout, parse_constant=refuse)
    assert isinstance(answer, dict)
    return answer


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five partners, one quarter of deals, a figure that nobody has; trained and reviewed once."""
    folder = tmp_path_factory.mktemp("small")
    deals = [deal(f"P{number}", "2026-08-15", 100 * (number + 1)) for number in range(4)]
    policy: Mapping[str, object] = POLICY | {"tiers": NOBODY}
    write_workspace(folder, {"partners": PARTNERS, "deals": deals}, metrics=METRICS | {"lost": LOST}, policy=policy)
    trained = run("train", "-w", str(folder), "--as-of", "2026-09-30")
    assert trained.exit_code == 0, trained.output
    assert "Gate: persistence; no label window has closed yet" in trained.stdout
    assert "no_interval" in trained.stdout
    plain(run("score", "-w", str(folder), "--as-of", "2026-09-30", "--json"))
    return folder


def test_a_review_of_figures_that_nobody_has_places_everybody_at_the_bottom(small: Path) -> None:
    done = run("score", "-w", str(small), "--as-of", "2026-09-30", "--dry-run")
    assert re.search(r"^First placement +5 ", done.stdout, re.MULTILINE)
    page = run("explain", "P0", "-w", str(small)).stdout
    assert "no interval yet" in page
    assert "unknown to unknown" not in page
    assert plain(run("explain", "P0", "-w", str(small), "--json"))


def test_a_replay_of_one_review_says_what_it_cannot_tell(small: Path) -> None:
    done = run("policy", "replay", "-w", str(small))
    assert done.exit_code == 0
    assert "nan" not in done.stdout
    assert plain(run("policy", "replay", "-w", str(small), "--json"))


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2027-03-31"])
@pytest.mark.parametrize("command", [("train",), ("score",), ("policy", "replay"), ("policy", "preview", "standard")])
def test_days_out_of_reach_are_the_users_error(small: Path, command: tuple[str, ...], day: str) -> None:
    done = run(*command, "-w", str(small), "--as-of", day)
    assert done.exit_code == 2
    assert day in done.stderr
    assert "to do:" in done.stderr


def test_a_lint_on_data_asks_for_the_policy(small: Path) -> None:
    done = run("policy", "lint", "-w", str(small), "--on-data")
    assert done.exit_code == 2
    assert "--on-data takes exactly one policy" in done.stderr


def test_an_edited_policy_is_refused_with_advice_and_a_comment_is_no_edit(
    small: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(small)
    file = folder / "policies" / "first.yaml"
    text = file.read_text("utf-8")
    file.write_text(text + "# a remark\n", "utf-8")
    assert run("score", "-w", str(folder), "--as-of", "2026-09-30", "--dry-run").exit_code == 0
    file.write_text(text.replace("lost >= 6", "lost >= 7"), "utf-8")
    done = run("score", "-w", str(folder), "--as-of", "2026-09-30")
    assert done.exit_code == 1
    assert "a new file with a later effective_from" in done.stderr


def test_a_review_goes_elsewhere_and_an_output_folder_that_is_a_file_is_told(small: Path, tmp_path: Path) -> None:
    elsewhere, file = tmp_path / "elsewhere", tmp_path / "file"
    done = plain(run("score", "-w", str(small), "--as-of", "2026-09-30", "--out", str(elsewhere), "--json"))
    assert done["output"] == str(elsewhere / "2026-09-30")
    assert run("explain", "P0", "-w", str(small), "--out", str(elsewhere)).exit_code == 0
    file.write_text("", "utf-8")
    assert run("score", "-w", str(small), "--as-of", "2026-09-30", "--out", str(file)).exit_code == 3
    done_check = run("check", "-w", str(file))
    assert done_check.exit_code == 2
    assert "this is a file; a workspace is a folder" in done_check.stderr


def test_a_partner_alone_gets_a_review_and_without_a_model_is_refused(tmp_path: Path) -> None:
    deals = [deal("P0", f"2025-{month:02d}-15", 100 * month) for month in range(1, 12)]
    write_workspace(tmp_path, {"partners": PARTNERS[:1], "deals": deals})
    early = run("score", "-w", str(tmp_path), "--as-of", "2026-09-30")
    assert early.exit_code == 1
    assert "run 'tierwise train --as-of DATE' first" in early.stderr
    trained = run("train", "-w", str(tmp_path), "--as-of", "2026-06-30")
    assert "feature_constant: the metric does not vary in the training snapshots and is not used (certified)" in (
        trained.stdout
    )
    mid_quarter = plain(run("score", "-w", str(tmp_path), "--as-of", "2026-08-17", "--json"))
    assert mid_quarter["actions"] == [{"action": "place", "partners": 1}]


def test_the_template_lints_without_a_finding_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert run("init", str(folder)).exit_code == 0
    assert ": nothing found" in run("policy", "lint", "-w", str(folder)).stdout


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Revenue, 12 months", "revenue, 12 months"),
        ("Umsatz, 12 Monate", "Umsatz, 12 Monate"),
        ("MRR, last month", "MRR, last month"),
        ("", ""),
    ],
)
def test_a_title_in_a_sentence_keeps_its_names(title: str, said: str) -> None:
    assert in_sentence(title) == said
