"""The commands `tierwise policy lint, diff, preview, replay` on the template workspace and its sample data."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tierwise.cli.main import app
from tierwise.jobs.init import InitRequest, init

BY_REVENUE = """
policy: by_revenue
effective_from: 2024-01-01
owner: tests
reason: no model is needed
tiers:
  - {name: entry}
  - {name: growth, when: "revenue_4q >= 60000"}
  - {name: flagship, when: "revenue_4q >= 500000"}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("channel") / "workspace"
    init(InitRequest(folder))
    for path in (folder / "policies").glob("*.yaml"):
        path.unlink()
    (folder / "policies" / "2024-01-01.yaml").write_text(BY_REVENUE, encoding="utf-8")
    (folder / "new.yaml").write_text(stricter(BY_REVENUE), encoding="utf-8")
    return folder


def stricter(text: str) -> str:
    return text.replace("60000", "90000").replace("2024-01-01", "2026-10-01").replace("by_revenue", "stricter")


def run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments, "-w", str(workspace)], env={"TIERWISE_TODAY": "2026-10-01"})


def answer(workspace: Path, *arguments: str) -> dict:
    result = run(workspace, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_lint_is_quiet_about_a_plain_policy(workspace: Path) -> None:
    assert answer(workspace, "lint")["policies"] == {"by_revenue@2024-01-01": []}


def test_lint_says_no_with_the_nearest_name(workspace: Path) -> None:
    bad = workspace / "bad.yaml"
    bad.write_text(BY_REVENUE.replace("revenue_4q >= 60000", "revenu_4q >= 60000"), encoding="utf-8")
    result = run(workspace, "lint", str(bad))
    assert result.exit_code == 1
    assert "did you mean 'revenue_4q'?" in result.output


def test_lint_on_data_finds_what_nobody_meets(workspace: Path) -> None:
    high = workspace / "high.yaml"
    high.write_text(BY_REVENUE.replace("500000", "500000000000"), encoding="utf-8")
    found = answer(workspace, "lint", str(high), "--on-data")["policies"]["by_revenue@2024-01-01"]
    assert "never_met" in {finding["code"] for finding in found}


def test_unknown_policy_is_the_users_fault(workspace: Path) -> None:
    result = run(workspace, "diff", "by_revenu", "new.yaml")
    assert result.exit_code == 2
    assert "did you mean" in result.output


def test_diff_says_what_changed(workspace: Path) -> None:
    result = run(workspace, "diff", "by_revenue", str(workspace / "new.yaml"))
    assert result.exit_code == 0
    assert "tiers.growth.when: revenue_4q >= 60000 → >= 90000 (+50.0%)" in result.output


def test_preview_compares_with_the_policy_in_force_and_writes_a_page(workspace: Path) -> None:
    found = answer(workspace, "preview", str(workspace / "new.yaml"))
    assert (found["new"], found["in_force"]) == ("stricter@2026-10-01", "by_revenue@2024-01-01")
    assert sum(row["partners"] for row in found["changes"]) > 0
    assert {row["change"] for row in found["changes"]} <= {"same", "down"}
    assert "<svg" in Path(found["page"]).read_text(encoding="utf-8")


def test_replay_sets_policies_side_by_side(workspace: Path) -> None:
    found = answer(workspace, "replay", str(workspace / "new.yaml"), "--from", "2025-01-01")
    assert [row["policy"] for row in found["summary"]] == ["stricter@2026-10-01", "policies in force"]
    assert all(date.fromisoformat(day) >= date(2025, 1, 1) for day in found["days"])
    assert Path(found["page"]).is_file()


def test_the_same_replay_gives_the_same_answer(workspace: Path) -> None:
    first, second = (answer(workspace, "replay", "--from", "2025-07-01") for _ in range(2))
    assert first == second
