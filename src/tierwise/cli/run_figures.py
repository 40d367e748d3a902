"""A run's figures as OpenMetrics text, for Prometheus' textfile collector and everything that reads its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Info
from prometheus_client.openmetrics.exposition import generate_latest

import tierwise
from tierwise.store.writer_disk import replace_file

_IDS = ("run_id", "as_of", "policy_version")


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended.

    Attributes:
        command: What ran.
        exit_code: How it ended.
        ended: When, in seconds since 1970.
        seconds: How long it took.
        use: What the process used, by the name of the figure.
        steps: Each step with its seconds.
        answer: Ids and days of the command's answer.
        payload: The whole answer.
    """

    command: str
    exit_code: int
    ended: float
    seconds: float
    use: Mapping[str, float] = field(default_factory=dict)
    steps: Sequence[tuple[str, float]] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)


def write_figures(place: Path, run: EndedRun) -> None:
    """Write the figures of a run, whole or not at all.

    Raises:
        OutsideFailure: If the file cannot be written; an earlier one is then unchanged.
    """
    replace_file(place, figures(run))


def figures(run: EndedRun) -> bytes:
    """The figures as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/)."""
    registry = CollectorRegistry()
    named = {"command": run.command, "tierwise": tierwise.__version__}
    ids: dict[str, str] = {key: str(run.answer[key]) for key in _IDS if key in run.answer}
    Info("tierwise_run", "What ran.", registry=registry).info({**named, **ids})
    codes = "0 done, 1 the answer is no, 2 wrong input, 3 outside failure."
    _single(registry, "tierwise_run_exit_code", codes, run.exit_code)
    _single(registry, "tierwise_run_end_timestamp_seconds", "When it ended.", run.ended)
    _single(registry, "tierwise_run_duration_seconds", "How long it took.", run.seconds)
    for name, value in run.use.items():
        _single(registry, f"tierwise_run_{name}", "What the process used.", value)
    _labelled(registry, "tierwise_step_duration_seconds", "How long a step took.", "step", run.steps)
    _answer_figures(registry, run.payload)
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text


def _answer_figures(registry: CollectorRegistry, payload: Mapping[str, Any]) -> None:
    actions = [(row["action"], row["partners"]) for row in payload.get("actions") or ()]
    _labelled(registry, "tierwise_partners_by_action", "Partners by proposed action.", "action", actions)
    tiers = [(row["tier"], row["partners"]) for row in payload.get("composition") or ()]
    _labelled(registry, "tierwise_partners_by_tier", "Partners by recommended tier.", "tier", tiers)
    written = sorted((payload.get("row_counts") or {}).items())
    _labelled(registry, "tierwise_rows_written", "Rows written by output table.", "table", written)
    tables = [table for table in payload.get("tables") or () if isinstance(table, Mapping) and "accepted" in table]
    for state in ("received", "accepted", "quarantined"):
        rows = [(table.get("table", table.get("name")), table[state]) for table in tables if state in table]
        _labelled(registry, f"tierwise_rows_{state}", f"Rows {state} by table of the workspace.", "table", rows)


def _single(registry: CollectorRegistry, name: str, meaning: str, value: float) -> None:
    Gauge(name, meaning, registry=registry).set(value)


def _labelled(
    registry: CollectorRegistry, name: str, meaning: str, label: str, values: Iterable[tuple[Any, Any]]
) -> None:
    """A figure per label; none at all where there is nothing to tell, since zero would be a claim."""
    known = [(str(key), float(value)) for key, value in values if key is not None and value is not None]
    if not known:
        return
    gauge = Gauge(name, meaning, [label], registry=registry)
    for key, value in known:
        gauge.labels(key).inc(value)  # a step that comes twice is told once, with both times
