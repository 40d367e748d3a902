"""What one run of a command records of itself for machines: lines of JSON while it runs, figures when it has ended."""

from __future__ import annotations

import json
import logging
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import typer

import tierwise
from tierwise.errors import TierwiseError
from tierwise.jobs.progress import Step

# Of a command's answer, what a log line or a figure may repeat: ids, days and counts, no names.
ANSWER_KEYS = ("run_id", "as_of", "version", "alias", "model_version", "policy_version", "row_counts", "rows", "output")
INTERRUPTED = 130


@dataclass(frozen=True)
class RecordSettings:
    """Where a run records itself.

    Attributes:
        command: The command, such as `score`; for one of several of a kind the kind, such as `policy`.
        log: `text` for people, or `json` for one JSON object per line on stderr.
        metrics_file: A file that receives the run's figures as OpenMetrics text when it ends, if any.
    """

    command: str = ""
    log: str = "text"
    metrics_file: Path | None = None


_SETTINGS: ContextVar[RecordSettings] = ContextVar("record_settings")


@dataclass
class RunRecord:
    """One run of a command, as it goes on.

    Attributes:
        settings: Where it records itself.
        stream: Where the lines go.
        run: A name that the lines of this run share.
        now: The wall clock.
        steps: Each step that has ended, with its seconds.
        answer: Of the command's answer, the parts in `ANSWER_KEYS`.
        payload: The whole answer.
    """

    settings: RecordSettings
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    steps: list[tuple[str, float]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _step: tuple[str, float] | None = None

    @property
    def in_json(self) -> bool:
        """Whether the log is JSON."""
        return self.settings.log == "json"

    def line(self, event: str, level: str = "info", **facts: Any) -> None:
        """Write one line of the log, if the log is JSON."""
        if not self.in_json:
            return
        head = {"time": self.now().isoformat(timespec="milliseconds"), "level": level, "event": event}
        body = {**head, "command": self.settings.command, "run": self.run, **facts}
        self.stream.write(json.dumps(body, default=str, ensure_ascii=False) + "\n")
        self.stream.flush()

    def step(self, step: Step) -> None:
        """Note that a step has begun, and with it that the one before has ended."""
        self._end_step()
        self._step = (step.what, time.monotonic())
        self.line("step", step=step.number, of=step.of, what=step.what)

    def result(self, payload: Mapping[str, Any]) -> None:
        """Note the command's answer."""
        self.payload = payload
        self.answer = {key: payload[key] for key in ANSWER_KEYS if payload.get(key) is not None}

    def error(self, error: TierwiseError) -> None:
        """Note what went wrong, a line for each fault."""
        for fault in error.faults:
            examples = list(fault.examples[:3])
            self.line("fault", "error", what=fault.what, where=fault.where, examples=examples, todo=fault.todo)

    def end(self, exit_code: int) -> None:
        """Note how the run ended, with time and memory, and write its figures."""
        self._end_step()
        seconds = time.monotonic() - self._began
        use = resource_use()
        level = "info" if exit_code == 0 else "error"
        self.line("end", level, exit_code=exit_code, seconds=round(seconds, 3), **use, **self.answer)
        if self.settings.metrics_file is not None:
            from tierwise.cli.run_figures import EndedRun, write_figures

            ended = self.now().timestamp()
            run = EndedRun(self.settings.command, exit_code, ended, seconds, use, self.steps, self.answer, self.payload)
            write_figures(self.settings.metrics_file, run)

    def _end_step(self) -> None:
        if self._step is None:
            return
        what, began = self._step
        seconds = time.monotonic() - began
        self.steps.append((what, seconds))
        self._step = None
        self.line("step_end", what=what, seconds=round(seconds, 3))


def resource_use() -> dict[str, float]:
    """CPU seconds of this process and the most memory it held, in bytes; nothing where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return {}
    use = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return {"cpu_seconds": round(use.ru_utime + use.ru_stime, 3), "peak_memory_bytes": use.ru_maxrss * unit}


def record_runs(settings: RecordSettings) -> None:
    """Say how the command that this process runs next is recorded."""
    _SETTINGS.set(settings)


def current_record() -> RunRecord:
    """A record for the command that runs now, by the options given before its name."""
    return RunRecord(_SETTINGS.get(RecordSettings()))


@contextmanager
def recorded(record: RunRecord) -> Iterator[RunRecord]:
    """Record a run from its first line to its exit code, however it ends."""
    if record.in_json:
        logging.basicConfig(level=logging.WARNING, handlers=[_JsonHandler(record)], force=True)
    record.line("start", tierwise=tierwise.__version__)
    code = INTERRUPTED
    try:
        yield record
        code = 0
    except typer.Exit as leaving:
        code = leaving.exit_code
        raise
    except typer.BadParameter as error:
        code = error.exit_code
        raise
    finally:
        _end(record, code)


def _end(record: RunRecord, code: int) -> None:
    try:
        record.end(code)
    except TierwiseError as error:
        record.stream.write(f"error: {error}\n")
        raise typer.Exit(error.exit_code) from None


class _JsonHandler(logging.Handler):
    """Makes warnings of libraries lines of the same log."""

    def __init__(self, record: RunRecord) -> None:
        super().__init__()
        self._record = record

    def emit(self, record: logging.LogRecord) -> None:
        self._record.line("message", record.levelname.lower(), logger=record.name, what=record.getMessage())
