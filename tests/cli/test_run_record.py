"""What a run records of itself: JSON lines, and figures that Prometheus' own parser reads."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from typer.testing import CliRunner

from tierwise.cli.main import app
from tierwise.cli.run_figures import EndedRun, figures
from tierwise.cli.run_record import RecordSettings, RunRecord, recorded
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.progress import Step

AT = datetime(2026, 9, 30, 12, tzinfo=UTC)
PAYLOAD = {
    "run_id": "f00d", "as_of": "2026-09-30", "actions": [{"action": "hold", "partners": 7}],
    "composition": [{"tier": 'the "top"\n', "partners": 2}], "row_counts": {"reasons": 9},
    "moves": [{"partner_name": "Zoë Ltd"}],
}  # fmt: skip


def _record(log: str = "json", metrics_file: Path | None = None) -> RunRecord:
    return RunRecord(RecordSettings("score", log, metrics_file), io.StringIO(), run="r1", now=lambda: AT)


def _lines(record: RunRecord) -> list[dict[str, Any]]:
    assert isinstance(record.stream, io.StringIO)
    return [json.loads(line) for line in record.stream.getvalue().splitlines()]


def _samples(text: bytes) -> dict[tuple[str, str], float]:
    """Each sample by its name and its label, if it has one."""
    assert text.endswith(b"# EOF\n")
    families = text_string_to_metric_families(text.decode("utf-8"))
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
        if sample.name != "tierwise_run_info"
    }


def _run(record: RunRecord, payload: Mapping[str, Any] = PAYLOAD) -> None:
    with recorded(record):
        record.step(Step(1, 2, "read"))
        record.step(Step(2, 2, "write"))
        record.result(payload)


def test_a_run_is_told_from_start_to_end_line_by_line() -> None:
    record = _record()
    _run(record)
    lines = _lines(record)
    assert [line["event"] for line in lines] == ["start", "step", "step_end", "step", "step_end", "end"]
    assert {(line["command"], line["run"], line["time"]) for line in lines} == {
        ("score", "r1", "2026-09-30T12:00:00.000+00:00")
    }
    end = lines[-1]
    assert (end["exit_code"], end["run_id"], end["as_of"], end["row_counts"]) == (
        0,
        "f00d",
        "2026-09-30",
        {"reasons": 9},
    )
    assert end["seconds"] >= sum(line["seconds"] for line in lines[:-1] if line["event"] == "step_end") - 0.01
    assert end["peak_memory_bytes"] > 10_000_000


def test_no_name_of_a_partner_is_in_the_log() -> None:
    record = _record()
    _run(record)
    assert isinstance(record.stream, io.StringIO)
    assert "Zoë" not in record.stream.getvalue()


def test_words_for_people_are_not_mixed_with_lines_for_machines() -> None:
    record = _record("text")
    _run(record)
    assert _lines(record) == []


@pytest.mark.parametrize(
    ("error", "code"), [(typer.Exit(1), 1), (typer.BadParameter("x"), 2), (KeyboardInterrupt(), 130)]
)
def test_a_run_that_ends_otherwise_says_its_exit_code(error: BaseException, code: int) -> None:
    record = _record()
    with pytest.raises(type(error)), recorded(record):
        raise error
    end = _lines(record)[-1]
    assert (end["event"], end["level"], end["exit_code"]) == ("end", "error", code)


def test_a_fault_is_a_line_with_its_parts() -> None:
    record = _record()
    record.error(InvalidInput(Fault("7 is more than 5", "deals.amount", ("a", "b", "c", "d"), "take 5")))
    fault = _lines(record)[0]
    assert (fault["what"], fault["where"], fault["examples"]) == ("7 is more than 5", "deals.amount", ["a", "b", "c"])


def test_figures_are_read_by_prometheus_own_parser() -> None:
    steps = [("read", 1.5), ("write", 2.0), ("read", 0.5)]
    run = EndedRun("score", 3, AT.timestamp(), 12.5, {"cpu_seconds": 4.0}, steps, {"run_id": "f00d"}, PAYLOAD)
    samples = _samples(figures(run))
    assert samples == {
        ("tierwise_run_exit_code", ""): 3,
        ("tierwise_run_end_timestamp_seconds", ""): AT.timestamp(),
        ("tierwise_run_duration_seconds", ""): 12.5,
        ("tierwise_run_cpu_seconds", ""): 4,
        ("tierwise_step_duration_seconds", "read"): 2,
        ("tierwise_step_duration_seconds", "write"): 2,
        ("tierwise_partners_by_action", "hold"): 7,
        ("tierwise_partners_by_tier", 'the "top"\n'): 2,
        ("tierwise_rows_written", "reasons"): 9,
    }


def test_what_a_command_does_not_know_is_no_figure() -> None:
    samples = _samples(figures(EndedRun("check", 0, AT.timestamp(), 1.0)))
    assert {name for name, _ in samples} == {
        "tierwise_run_exit_code", "tierwise_run_end_timestamp_seconds", "tierwise_run_duration_seconds",
    }  # fmt: skip


def test_a_metrics_file_that_cannot_be_written_is_an_outside_failure(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    record = _record("text", tmp_path / "taken" / "run.prom")
    with pytest.raises(typer.Exit) as left, recorded(record):
        pass
    assert left.value.exit_code == 3
    assert isinstance(record.stream, io.StringIO)
    assert "could not write run.prom" in record.stream.getvalue()


def test_the_options_stand_before_the_command_and_in_the_environment(tmp_path: Path) -> None:
    place = tmp_path / "run.prom"
    nowhere = ["check", "--workspace", str(tmp_path / "nowhere")]
    seen = CliRunner().invoke(app, ["--log", "json", "--metrics-file", str(place), *nowhere])
    assert seen.exit_code == 2
    lines = [json.loads(line) for line in seen.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["start", "fault", "end"]
    assert lines[1]["what"] == "there is no such folder"
    assert _samples(place.read_bytes())["tierwise_run_exit_code", ""] == 2
    by_name = CliRunner().invoke(app, nowhere, env={"TIERWISE_LOG": "json"})
    assert [json.loads(line)["event"] for line in by_name.stderr.splitlines()] == ["start", "fault", "end"]
    assert CliRunner().invoke(app, nowhere).stderr.startswith("error: ")
