"""`attribution.yaml`: what may be declared, and what is said about a declaration that makes no sense."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from tierwise.config.attribution import AttributionSettings, RolloutDeclaration
from tierwise.config.validation import load_settings

STARTS = {"EMEA": date(2025, 4, 1)}


def test_an_empty_file_declares_nothing_and_has_defaults() -> None:
    empty = AttributionSettings()
    assert (empty.rollouts, empty.regions, empty.alternatives, empty.alpha) == ({}, {}, (), 0.05)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "either `by` with `starts`, or `gained_by`"),
        ({"by": "region", "starts": STARTS, "gained_by": "logins"}, "either `by` with `starts`, or `gained_by`"),
        ({"by": "region"}, "`by` and `starts` belong together"),
        ({"gained_by": "logins", "starts": STARTS}, "`by` and `starts` belong together"),
    ],
)
def test_a_roll_out_says_when_it_started_in_one_way(more: dict, told: str) -> None:
    with pytest.raises(ValidationError, match=told.replace("`", "`")):
        RolloutDeclaration.model_validate({"title": "funds", **more})


@pytest.mark.parametrize("margin", [0, -0.1, 1.1])
def test_a_margin_is_a_share(margin: float) -> None:
    with pytest.raises(ValidationError):
        AttributionSettings(margin=margin)


@pytest.mark.parametrize("name", ["demo", "adventureworks"])
def test_the_declarations_of_ready_workspaces_are_whole(repository: Path, name: str) -> None:
    found = load_settings(AttributionSettings, repository / "pipelines" / name / "attribution.yaml")
    assert found.rollouts
