"""What the command line says: results on stdout, progress and errors on stderr, exit codes of DESIGN section 5."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from tierwise.cli.run_record import RunRecord, current_record, recorded
from tierwise.errors import TierwiseError
from tierwise.jobs.progress import Step

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

INTERNAL_ERROR = 3


@dataclass
class Speaker:
    """Speaks to one reader: a person at a terminal, a log, or a machine that asked for JSON."""

    as_json: bool
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True))
    record: RunRecord = field(default_factory=current_record)
    _progress: Progress | None = None
    _task: TaskID | None = None

    def step(self, step: Step) -> None:
        """Show that a step of the job has begun: a bar on a terminal, a log line elsewhere."""
        self.record.step(step)
        if self.record.in_json:
            return
        if self._progress is None or self._task is None:
            self.err.print(f"[{step.number}/{step.of}] {step.what}", markup=False)
        else:
            self._progress.update(self._task, total=step.of, completed=step.number - 1, description=step.what)

    def result(self, payload: dict[str, Any], text: str | None = None) -> None:
        """Give the job's answer: the payload to a machine, the text to a person."""
        self.record.result(payload)
        if self.as_json:
            sys.stdout.write(json.dumps(payload, default=_plain, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
        elif text is not None:
            self.out.print(text, markup=False)

    def page(self, html: str, write: Callable[[Path, str], None], place: Path | str) -> None:
        """Write a page to a file and say where, or to stdout where the place is `-`."""
        if str(place) == "-":
            sys.stdout.write(html)
            return
        write(Path(place), html)
        self.result({"file": str(place)}, f"written: {place}")

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep a progress bar on a terminal while the job runs."""
        if not self.err.is_terminal or self.record.in_json:
            yield
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        with Progress(*columns, TimeElapsedColumn(), console=self.err, transient=True) as progress:
            self._progress, self._task = progress, progress.add_task("starting", total=None)
            yield
        self._progress = self._task = None


@contextmanager
def speaking(as_json: bool, debug: bool) -> Iterator[Speaker]:
    """Run a command's body; turn what goes wrong into one message and an exit code.

    Args:
        as_json: Whether the answer, or the error, is JSON for a machine.
        debug: Whether an error also shows its traceback.

    Yields:
        The speaker of the command.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    speaker = Speaker(as_json)
    with recorded(speaker.record):
        try:
            with speaker.working():
                yield speaker
        except TierwiseError as error:
            _say_error(speaker, error, debug)
            raise typer.Exit(error.exit_code) from None
        except (KeyboardInterrupt, BrokenPipeError, typer.Exit, typer.BadParameter):
            raise
        except Exception as error:  # noqa: BLE001 - the last door: a fault of ours is one message and an exit code too
            _say_internal_error(speaker, error, debug)
            raise typer.Exit(INTERNAL_ERROR) from None


def _say_error(speaker: Speaker, error: TierwiseError, debug: bool) -> None:
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if speaker.as_json:
        faults = [
            {"what": fault.what, "where": fault.where, "examples": list(fault.examples), "todo": fault.todo}
            for fault in error.faults
        ]
        speaker.result({"error": type(error).__name__, "exit_code": error.exit_code, "faults": faults})
    speaker.record.error(error)
    if not speaker.record.in_json:
        speaker.err.print(f"error: {error}", markup=False)


def _say_internal_error(speaker: Speaker, error: Exception, debug: bool) -> None:
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    message = f"a fault of Tierwise itself: {type(error).__name__}: {error}"
    if speaker.as_json:
        speaker.result({"error": "InternalError", "exit_code": INTERNAL_ERROR, "faults": [{"what": message}]})
    todo = "run again with --debug and report what it prints"
    speaker.record.line("fault", "error", what=message, todo=todo)
    if not speaker.record.in_json:
        speaker.err.print(f"error: {message}\n  to do: {todo}", markup=False)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
