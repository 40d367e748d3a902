"""Every fault of docs/faults.md, injected into a scored channel: what is said, the exit code, and what is left."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.channel import AS_OF, BEFORE, TODAY
from tests.edges.faults import INJECTIONS
from tierwise.cli.main import app
from tierwise.store import verify_review
from tools.faults import Case, cases

TORN_DOWN = frozenset({"output_is_a_file", "foreign_folder_in_the_way"})
"""Injections that take a review away themselves; of the others both reviews are there afterwards."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_every_injection_is_a_case_of_the_page() -> None:
    assert {case.name for case in cases()} == set(INJECTIONS)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
@pytest.mark.usefixtures("impatient")
def test_a_fault_is_told_and_nothing_is_lost(
    case: Case, scored_channel: Path, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERWISE_TODAY", TODAY.isoformat())
    channel = copy_of(scored_channel)
    command = ["score", "--as-of", AS_OF.isoformat(), "--workspace", str(channel)]
    with INJECTIONS[case.name](channel):
        before = _hashes(channel / "output")
        seen = CliRunner().invoke(app, command)
    assert seen.exit_code == case.exit_code, seen.output
    errors = [line for line in seen.stderr.splitlines() if line.startswith(("error: ", "  "))]
    assert case.said in errors[0]
    assert any(line.startswith("  to do: ") for line in errors)
    assert "s3cret" not in seen.output
    assert _hashes(channel / "output") == before
    if case.name not in TORN_DOWN:
        verify_review(channel / "output", AS_OF)
        if case.name != "earlier_review_damaged":
            verify_review(channel / "output", BEFORE)
