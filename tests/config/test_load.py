"""A whole workspace: what it gives, where its data lies, which policy is in force."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tierwise.config.base import Settings
from tierwise.config.durations import Duration, Window
from tierwise.config.load import Workspace, find_data_folder, load_workspace
from tierwise.errors import InvalidInput, OutsideFailure

SECOND_POLICY = """
policy: second
effective_from: 2027-01-01
owner: channel-programs
reason: A later policy
tiers: [{name: entry}, {name: growth, when: certified >= 1}]
"""


def test_the_example_of_the_docs_is_read_as_it_is_meant(channel: Path):
    workspace = load_workspace(channel)

    assert workspace.settings.name == "Example channel"
    assert workspace.settings.calendar.fiscal_year_starts == "february"
    assert workspace.settings.potential.horizon == Duration(count=4, unit="quarter")
    assert workspace.settings.tables["deals"].columns["partner_id"].from_ == "account"
    assert workspace.settings.tables["partners"].columns["left_on"].from_ is None
    assert workspace.settings.tables["leads"].source.kind == "postgresql"
    assert workspace.settings.tables["leads"].source.postgresql == "${CRM_DATABASE}"
    assert workspace.catalog.metrics["certified"].window == Window(kind="lifetime")
    assert workspace.catalog.metrics["revenue_4q"].missing == 0
    assert [policy.version for policy in workspace.policies] == ["standard@2026-10-01"]
    assert workspace.benefits is not None
    assert workspace.benefits.tiers["flagship"].incentives[2].name == "early access"


def test_the_tables_by_kind_and_the_attributes(channel: Path):
    workspace = load_workspace(channel)

    assert workspace.partner_table == "partners"
    assert workspace.tables_of("events") == ("deals", "certifications", "leads")
    assert workspace.tables_of("history", "tier_history") == ("sizes", "tiers")
    assert workspace.table("sizes").kind == "history"
    assert workspace.output_folder == channel / "output"
    assert workspace.attributes == {
        "region": "partners",
        "industry": "partners",
        "partner_type": "partners",
        "size_class": "sizes",
    }


def test_policies_and_benefits_may_be_absent(channel: Path):
    (channel / "policies" / "2026-10-01.yaml").unlink()
    (channel / "benefits.yaml").unlink()

    workspace = load_workspace(str(channel))

    assert workspace.policies == ()
    assert workspace.benefits is None
    with pytest.raises(InvalidInput, match="channel/policies: the workspace has no policy"):
        workspace.policy_on(date(2026, 10, 1))


def test_each_policy_is_in_force_until_the_next_one(channel: Path):
    (channel / "policies" / "2027-01-01.yaml").write_text(SECOND_POLICY)
    workspace = load_workspace(channel)

    names = {
        day: workspace.policy_on(date.fromisoformat(day)).policy for day in ("2026-10-01", "2026-12-31", "2027-01-01")
    }

    assert names == {"2026-10-01": "standard", "2026-12-31": "standard", "2027-01-01": "second"}
    with pytest.raises(InvalidInput, match="no policy is in force on 2026-09-30; the first is from 2026-10-01"):
        workspace.policy_on(date(2026, 9, 30))


def test_later_faults_can_say_in_which_line_a_key_stands(channel: Path):
    workspace = load_workspace(channel)

    assert workspace.where("metrics.yaml", "metrics", "growth", "formula") == (
        "channel/metrics.yaml:32 (metrics.growth.formula)"
    )
    assert replace(workspace, documents={}).where("metrics.yaml", "metrics") == "metrics.yaml (metrics)"


def test_a_name_that_does_not_exist_is_no_default(channel: Path):
    with pytest.raises(KeyError):
        load_workspace(channel).table("nowhere")


@pytest.mark.parametrize(
    ("data", "exists", "found"),
    [
        (None, True, "channel/extract"),
        (None, False, "channel/extract"),
        ("elsewhere", True, "elsewhere/extract"),
        ("elsewhere", False, "elsewhere"),
    ],
)
def test_where_the_data_lies(data: str | None, exists: bool, found: str, tmp_path: Path):
    if exists and data:
        (tmp_path / data / "extract").mkdir(parents=True)

    folder = find_data_folder(tmp_path / "channel", "extract", data and tmp_path / data)

    assert folder == tmp_path / found


def test_loading_reads_no_environment_and_is_repeatable(channel: Path, monkeypatch: pytest.MonkeyPatch):
    first = load_workspace(channel)
    monkeypatch.setenv("CRM_DATABASE", "postgresql://user:secret@host/db")
    monkeypatch.setenv("TIERWISE_DATA", "/nowhere")

    second = load_workspace(channel)

    assert second == first
    assert "secret" not in repr(second)


def test_a_workspace_is_frozen(channel: Path):
    workspace = load_workspace(channel)

    with pytest.raises(AttributeError):
        workspace.folder = Path("elsewhere")  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        workspace.settings.name = "other"


def test_settings_survive_writing_and_reading(channel: Path):
    workspace = load_workspace(channel)

    def again(settings: Settings) -> Settings:
        return type(settings).model_validate_json(settings.model_dump_json(by_alias=True))

    assert again(workspace.settings) == workspace.settings
    assert again(workspace.catalog) == workspace.catalog
    assert again(workspace.benefits) == workspace.benefits


def test_a_file_that_may_not_be_read_is_no_fault_of_the_user(channel: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)

    with pytest.raises(OutsideFailure, match=r"channel/tierwise\.yaml: the file cannot be read: Permission denied"):
        load_workspace(channel)


@pytest.mark.parametrize("name", ["template", "demo", "adventureworks", "olist"])
def test_the_shipped_workspaces_load(name: str, repository: Path):
    workspace = load_workspace(repository / "pipelines" / name)

    assert isinstance(workspace, Workspace)
    assert workspace.policies, "a shipped workspace can score"
    untitled = [
        metric for metric, settings in workspace.catalog.metrics.items() if not (settings.title and settings.unit)
    ]
    assert untitled == []


def test_settings_load_without_the_heavy_packages():
    heavy = ["pandas", "numpy", "duckdb", "sqlglot", "lightgbm", "sklearn", "mlflow", "typer", "rich"]
    code = f"import sys, tierwise.config.load, tierwise.config.schema; print([m for m in {heavy} if m in sys.modules])"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
