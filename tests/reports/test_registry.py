"""The registry's texts: which version is in force, what is known of each, and what is not."""

from __future__ import annotations

from datetime import date

from tierwise.reports.registry import history_text, in_force_text, version_text, versions_text

FACTS = {"as_of": "2026-06-30", "gate": "model", "alarm": "quiet", "data_fingerprint": "f00d"}


def test_versions_are_listed_with_the_one_in_force() -> None:
    versions = [
        {"version": 1, "aliases": [], "run_id": "r1", "facts": {"as_of": "2026-03-31"}},
        {"version": 12, "aliases": ["champion", "challenger"], "run_id": "r2", "facts": FACTS},
    ]
    rows = [line.split() for line in versions_text(versions).splitlines()[2:]]
    assert rows == [
        ["1", "-", "2026-03-31", "-", "-", "-"],
        ["12", "champion,", "challenger", "2026-06-30", "model", "quiet", "f00d"],
    ]


def test_the_history_says_who_put_what_in_force_and_why() -> None:
    entry = {"version": 2, "at": "2026-07-01T08:00:00+00:00", "by": "ada", "because": "newer data"}
    moved = {"version": 3, "at": "", "by": "", "because": "the alias was moved in MLflow, not by Tierwise"}
    lines = history_text([entry, moved]).splitlines()[2:]
    assert lines[0].split() == ["2", "2026-07-01T08:00:00+00:00", "ada", "newer", "data"]
    assert lines[1].split()[:3] == ["3", "unknown", "unknown"]
    assert history_text([]) == "no version was ever in force"
    assert "version 2 was in force on 2026-07-02, since 2026-07-01" in in_force_text(date(2026, 7, 2), entry)
    assert in_force_text(date(2020, 1, 1), None).startswith("no version was in force on 2020-01-01")


def test_an_empty_registry_says_what_to_do() -> None:
    assert "tierwise train" in versions_text([])


def _details(**changes: object) -> dict[str, object]:
    given = {"version": 2, "aliases": ["champion"], "run_id": "r2", "facts": FACTS, "card": "# Model card"}
    history = [{"at": "2026-07-01T08:00:00+00:00", "by": "ada", "because": "newer data"}]
    return {**given, "metrics": {"chosen_gini": 0.81234, "other": 5.0}, "history": history, **changes}


def test_a_version_shows_facts_leading_figures_history_and_card() -> None:
    text = version_text(_details())
    assert text.startswith("Version 2 (champion), MLflow run r2")
    assert "  gate: model" in text
    assert "  chosen_gini: 0.812" in text
    assert "other" not in text
    assert "  2026-07-01T08:00:00+00:00 by ada: newer data" in text
    assert text.endswith("# Model card")


def test_what_is_not_known_of_a_version_is_said() -> None:
    text = version_text(_details(aliases=[], metrics={}, history=[]))
    assert "(no alias)" in text
    assert "Figures" not in text
    assert "Never put in force" in text
    unsigned = version_text(_details(history=[{"at": None, "by": "", "because": "first"}]))
    assert "  at an unknown time by unknown: first" in unsigned
