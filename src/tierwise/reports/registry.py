"""The registered model versions as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from tierwise.reports.text_table import text_table

FACTS = ("as_of", "gate", "alarm", "data_fingerprint")
LEADING_METRICS = ("chosen_gini", "model_gini", "persistence_gini", "gate_probability", "archetypes")


def versions_text(versions: Sequence[Mapping[str, Any]]) -> str:
    """List versions, oldest first, with what they were trained on and which one is in force."""
    if not versions:
        return "no version is registered yet; run `tierwise train --as-of DAY` first"
    rows = [
        (version["version"], ", ".join(version["aliases"]) or "-", *(version["facts"].get(fact, "-") for fact in FACTS))
        for version in versions
    ]
    return text_table(("version", "alias", "trained as of", "gate", "alarm", "data"), rows, right={0})


def history_text(entries: Sequence[Mapping[str, Any]]) -> str:
    """List which version was put in force when, by whom and why, oldest first."""
    if not entries:
        return "no version was ever in force"
    rows = [
        (entry["version"], entry["at"] or "unknown", entry["by"] or "unknown", entry["because"]) for entry in entries
    ]
    return text_table(("version", "in force since", "by", "because"), rows, right={0})


def in_force_text(day: date, entry: Mapping[str, Any] | None) -> str:
    """Tell which version was in force at the end of a day."""
    if entry is None:
        return f"no version was in force on {day} as far as is recorded"
    said = f"version {entry['version']} was in force on {day}"
    return f"{said}, since {entry['at']}, put in force by {entry['by']}: {entry['because']}"


def version_text(details: Mapping[str, Any]) -> str:
    """Show one version: its facts, its leading figures, when it was in force, and its card."""
    alias = ", ".join(details["aliases"]) or "no alias"
    facts = [f"  {name}: {value}" for name, value in details["facts"].items()]
    metrics = details["metrics"]
    figures = [f"  {name}: {metrics[name]:.3f}" for name in LEADING_METRICS if name in metrics]
    history = [
        f"  {put['at'] or 'at an unknown time'} by {put['by'] or 'unknown'}: {put['because']}"
        for put in details["history"]
    ]
    parts = [
        f"Version {details['version']} ({alias}), MLflow run {details['run_id']}",
        "\n".join(["Facts:", *facts]),
        "\n".join(["Figures out of time:", *figures]) if figures else "",
        "\n".join(["Put in force:", *history]) if history else "Never put in force",
        details["card"],
    ]
    return "\n\n".join(part for part in parts if part)
