"""Which model version a replay takes on each past day."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from tierwise.jobs import policy_inputs as inputs
from tierwise.jobs.policy_inputs import versions_then

DAYS = [date(2025, 12, 31), date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30)]
HISTORY = [
    {"version": 1, "at": "2026-03-31T23:59:59.000+00:00", "by": "kim", "because": "first"},
    {"version": 3, "at": "2026-07-01T00:00:00.000+00:00", "by": "kim", "because": "better"},
    {"version": 2, "at": "", "by": "", "because": "moved in MLflow"},
]


class Registry:
    """A registry whose versions answer with their own number."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def history(self) -> list[dict]:
        return HISTORY

    def load_champion(self) -> SimpleNamespace:
        return self.load_version("champion")

    def load_version(self, version: str) -> SimpleNamespace:
        self.loaded.append(version)
        return SimpleNamespace(bundle=SimpleNamespace(group=lambda name: f"{name} of {version}"))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = Registry()
    monkeypatch.setattr(inputs, "Registry", SimpleNamespace(of=lambda workspace: made))
    for package in ("potential", "archetypes"):
        monkeypatch.setattr(inputs, package, SimpleNamespace(from_parts=lambda parts: parts))
    monkeypatch.setattr(inputs, "with_outputs", lambda rows, model, found: rows.assign(model=model, found=found))
    return made


def test_a_day_takes_the_version_in_force_at_its_end(registry: Registry) -> None:
    assert versions_then(None, DAYS) == {DAYS[1]: "1", DAYS[2]: "1", DAYS[3]: "3"}  # type: ignore[arg-type]


def test_each_day_is_scored_by_its_version_and_each_version_is_loaded_once(registry: Registry) -> None:
    panel = {day: pd.DataFrame({"partner_id": ["a"]}) for day in DAYS}
    found = inputs._with_models(None, panel, versions_then(None, DAYS))  # type: ignore[arg-type]
    models = [found[day].iloc[0]["model"] for day in DAYS]
    assert models == [f"potential of {version}" for version in ("champion", "1", "1", "3")]
    assert found[DAYS[3]].iloc[0]["found"] == "archetypes of 3"
    assert sorted(registry.loaded) == ["1", "3", "champion"]
