"""The registry's texts: which version is in force, what is known of each, and what is not."""

from __future__ import annotations

from tierwise.reports.registry import version_text, versions_text

FACTS = {"as_of": "2026-06-30", "gate": "model", "data_fingerprint": "f00d"}


def test_versions_are_listed_with_the_one_in_force() -> None:
    versions = [
        {"version": 1, "aliases": [], "run_id": "r1", "facts": {"as_of": "2026-03-31"}},
        {"version": 12, "aliases": ["champion", "challenger"], "run_id": "r2", "facts": FACTS},
    ]
    rows = [line.split() for line in versions_text(versions).splitlines()[2:]]
    assert rows == [
        ["1", "-", "2026-03-31", "-", "-"],
        ["12", "champion,", "challenger", "2026-06-30", "model", "f00d"],
    ]


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
