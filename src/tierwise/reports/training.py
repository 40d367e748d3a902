"""The summary of one training: what was learned, whether it beats persistence, and which version holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from tierwise.reports.pages import count
from tierwise.reports.text_table import text_table

PERSISTENCE, MODEL, CHOSEN = "persistence", "model", "chosen"
POOLED = "all"


@dataclass(frozen=True)
class TrainingSummary:
    """What one training found.

    Attributes:
        as_of: The as-of date.
        version: The registered version.
        alias: `champion` for the version in force, `challenger` for one that waits for a decision.
        snapshots: Labelled snapshots, one per partner and past quarter end.
        partners: Partners known and seen as of the date.
        gate: What is used for partners with a history: `model` or `persistence`.
        gate_sentence: Why.
        gini: Normalised Gini out of time, by origin and their mean: `origin, partners, persistence, model,
            chosen`; a candidate that could not be trained is missing.
        archetypes: One row per archetype: `archetype_id, archetype, partners, share`; empty where none is supported.
        archetypes_sentence: What was found, or why nothing was.
        notes: What could not be done, and why.
        alarm: What the guards against leaks say: `fired`, `quiet` or `not_tested`.
        alarms: What they named, in words.
        tier_effect: How much rests on the current tier, where it is a feature.
        why_alias: Why the version is in force, or waits.
    """

    as_of: date
    version: int
    alias: str
    snapshots: int
    partners: int
    gate: str
    gate_sentence: str
    gini: pd.DataFrame
    archetypes: pd.DataFrame
    archetypes_sentence: str
    notes: tuple[str, ...]
    alarm: str = "not_tested"
    alarms: tuple[str, ...] = ()
    tier_effect: str = ""
    why_alias: str = ""


def gini_by_origin(scores: pd.DataFrame) -> pd.DataFrame:
    """Lay the back-test's normalised Ginis out, one row per origin and one column per candidate.

    The last row is the mean over the origins at which every candidate was tested, so that it compares like with like.

    Args:
        scores: The back-test's scores: `origin, candidate, score, value, partners`.
    """
    columns = [PERSISTENCE, MODEL, CHOSEN]
    if scores.empty:
        return pd.DataFrame(columns=["origin", "partners", *columns])
    gini = scores[(scores["score"] == "gini") & (scores["origin"] != POOLED)]
    wide = gini.pivot(index="origin", columns="candidate", values="value").reindex(columns=columns)
    wide.insert(0, "partners", gini.groupby("origin")["partners"].max())
    common = wide.dropna(subset=columns)
    if len(common) > 1:
        wide.loc[f"mean of {len(common)}"] = [common["partners"].sum(), *common[columns].mean()]
    return wide.rename_axis(columns=None).reset_index().astype({"partners": "int64"})


def as_payload(summary: TrainingSummary) -> dict[str, Any]:
    """Give the summary as plain values, for JSON."""
    payload = {name: value for name, value in vars(summary).items() if name not in ("gini", "archetypes")}
    return {**payload, "gini": _records(summary.gini), "archetypes": _records(summary.archetypes)}


def as_text(summary: TrainingSummary) -> str:
    """Give the summary as text for a terminal."""
    head = (
        f"Version {summary.version} ({summary.alias}), trained as of {summary.as_of} "
        f"on {count(summary.snapshots, 'snapshot')} of up to {count(summary.partners, 'partner')}"
    )
    if summary.why_alias:
        head += f"\n{summary.alias}: {summary.why_alias}"
    gate = f"Gate: {summary.gate}; {summary.gate_sentence}"
    notes = "\n".join(f"note: {note}" for note in summary.notes)
    parts = [
        head,
        gate,
        _gini_text(summary),
        _leaks_text(summary),
        summary.tier_effect,
        summary.archetypes_sentence,
        _archetypes_text(summary),
        notes,
    ]
    return "\n\n".join(part for part in parts if part)


def _leaks_text(summary: TrainingSummary) -> str:
    if summary.alarm != "fired":
        told = {"quiet": "nothing knows more of the future than it can", "not_tested": "nothing could be tested"}
        return f"Leaks: {told[summary.alarm]}"
    named = "\n".join(f"  {sentence}" for sentence in summary.alarms)
    return f"ALARM, too good to be true; `models promote` refuses this version without --because:\n{named}"


def _gini_text(summary: TrainingSummary) -> str:
    if summary.gini.empty:
        return "Back-test: no past review has completed, so nothing could be tested out of time"
    rows = [
        (row.origin, f"{row.partners:,}", *(_score(value) for value in (row.persistence, row.model, row.chosen)))
        for row in summary.gini.itertuples()
    ]
    header = ("origin", "partners", PERSISTENCE, MODEL, CHOSEN)
    return "Back-test, normalised Gini out of time:\n" + text_table(header, rows, right={1, 2, 3, 4})


def _archetypes_text(summary: TrainingSummary) -> str:
    if summary.archetypes.empty:
        return ""
    rows = [(row.archetype, f"{row.partners:,}", f"{row.share:.1%}") for row in summary.archetypes.itertuples()]
    return text_table(("archetype", "partners", "share"), rows, right={1, 2})


def _score(value: Any) -> str:
    return "-" if pd.isna(value) else f"{value:.3f}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if pd.isna(value) else value for name, value in record.items()}
        for record in frame.to_dict(orient="records")
    ]
