"""The guardrails' page beside a review: its counts are those of the review's own tables."""

from __future__ import annotations

from pathlib import Path

from tests.channel import AS_OF, PARTNERS
from tierwise.config.load import load_workspace
from tierwise.store import read_table, verify_review


def _table(text: str, title: str) -> list[list[str]]:
    part = text.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_plan_is_held_against_the_tiers_that_the_review_recommends(scored_channel: Path) -> None:
    verify_review(scored_channel / "output", AS_OF)
    folder = scored_channel / "output" / AS_OF.isoformat()
    rows = _table((folder / "guardrails.md").read_text(), "Tiers against the plan")
    tiers = read_table(scored_channel / "output", AS_OF, "recommendations")["recommended_tier"]
    assert {row[0]: int(row[2]) for row in rows} == {row[0]: int((tiers == row[0]).sum()) for row in rows}
    assert len(rows) == 4
    assert all((int(row[2]) > int(row[4])) == (row[6] in ("yes", "True")) for row in rows)


def test_every_manager_of_a_busy_tier_is_listed_with_the_policys_capacity(scored_channel: Path) -> None:
    folder = scored_channel / "output" / AS_OF.isoformat()
    rows = _table((folder / "guardrails.md").read_text(), "Managers' load")
    capacity = load_workspace(scored_channel).policy_on(AS_OF).guardrails.manager_capacity
    assert capacity is not None
    assert {int(row[2]) for row in rows} == {capacity.default}
    tiers = read_table(scored_channel / "output", AS_OF, "recommendations")["recommended_tier"]
    assert sum(int(row[1]) for row in rows) == int(tiers.isin(capacity.tiers).sum()) <= PARTNERS


def test_the_page_needs_nothing_else_and_names_the_policy(scored_channel: Path) -> None:
    page = (scored_channel / "output" / AS_OF.isoformat() / "guardrails.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "standard@2026-07-01" in page
    assert "<script" not in page
