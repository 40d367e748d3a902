"""A run's figures as OpenMetrics text, for Prometheus' textfile collector and everything that reads its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Info
from prometheus_client.openmetrics.exposition import generate_latest

import tierwise
from tierwise.cli.run_record import RunRecord
from tierwise.store.writer_disk import replace_file


def write_figures(record: RunRecord, exit_code: int, seconds: float, use: Mapping[str, float]) -> None:
    """Write the figures of a run that has ended, whole or not at all.

    Raises:
        OutsideFailure: If the file cannot be written; an earlier one is then unchanged.
    """
    if record.settings.metrics_file is not None:
        replace_file(record.settings.metrics_file, figures(record, exit_code, seconds, use))


def figures(record: RunRecord, exit_code: int, seconds: float, use: Mapping[str, float]) -> bytes:
    """The figures as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/)."""
    registry = CollectorRegistry()
    named = {"command": record.settings.command, "tierwise": tierwise.__version__}
    ids: dict[str, str] = {
        key: str(record.answer[key]) for key in ("run_id", "as_of", "policy_version") if key in record.answer
    }
    Info("tierwise_run", "What ran.", registry=registry).info({**named, **ids})
    _single(
        registry, "tierwise_run_exit_code", "0 done, 1 the answer is no, 2 wrong input, 3 outside failure.", exit_code
    )
    _single(registry, "tierwise_run_end_timestamp_seconds", "When it ended.", record.now().timestamp())
    _single(registry, "tierwise_run_duration_seconds", "How long it took.", seconds)
    for name, value in use.items():
        _single(registry, f"tierwise_run_{name}", "What the process used.", value)
    _labelled(registry, "tierwise_step_duration_seconds", "How long a step took.", "step", record.steps)
    _answer_figures(registry, record.payload)
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
