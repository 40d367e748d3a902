"""Python processes of their own that answer many questions of one kind, each from a fixed preparation.

The answers are the same as in this process, bit for bit. A question whose process cannot be started or fails is
answered here, so that processes change nothing but the time.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from functools import partial
from threading import Lock, local
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

THREADS = "OMP_NUM_THREADS"
Asked = TypeVar("Asked")
Answered = TypeVar("Answered")
Given = TypeVar("Given")
Answer = Callable[[], Answered]


def second_process_allowed() -> bool:
    """Whether the machine and the user (by `OMP_NUM_THREADS`) let a job work on two things at once."""
    asked = os.environ.get(THREADS, "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, int(asked) if asked.isdecimal() else cores) >= 2


class Workers(Generic[Asked, Answered]):
    """A few processes; use it as a context manager, which ends them.

    A process is started with its first question. It is sent what to prepare, then one question after the other.
    """

    def __init__(
        self,
        count: int,
        prepare: Callable[[Given], AbstractContextManager[Callable[[Asked], Answered]]],
        given: Given,
    ) -> None:
        """Set up, and start nothing yet.

        Args:
            count: How many processes work at most.
            prepare: A function of a module; what it yields answers questions.
            given: What it is called with, in every process.
        """
        self._preparation = (prepare, given)
        self._threads = ThreadPoolExecutor(count)
        self._of_thread = local()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._starting = Lock()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._starting:  # after this no thread starts a process that nobody would end
            self._is_closed = True
            for process in self._processes:
                process.kill()
        self._threads.shutdown()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def ask(self, question: Asked, here: Callable[[Asked], Answered]) -> Answer[Answered]:
        """Ask a question; returns what waits for its answer.

        Args:
            question: What a process is sent.
            here: What answers it in this process where no other does.
        """
        return partial(_answered, self._threads.submit(self._sent, question), question, here)

    def _sent(self, question: Asked) -> tuple[Answered] | None:
        """What a process answers; none where it cannot. Each thread has a process, which it asks one at a time."""
        if not hasattr(self._of_thread, "process"):
            self._of_thread.process = self._started()
        process = self._of_thread.process
        if process is None:
            return None
        try:
            pickle.dump(question, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            answer = (pickle.load(process.stdout),)  # noqa: S301 - our own process wrote it
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            self._of_thread.process = None
            return None
        return answer

    def _started(self) -> subprocess.Popen[bytes] | None:
        command = [sys.executable, "-P", "-m", __name__]
        with self._starting:
            if self._is_closed:
                return None
            try:
                process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            except OSError:
                return None
            self._processes.append(process)
        # A process that ended before it read this has no answers, which is seen when it is asked.
        with suppress(OSError):
            pickle.dump(self._preparation, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)  # type: ignore[arg-type]
        return process


def _answered(future: Future[tuple[Answered] | None], question: Asked, here: Callable[[Asked], Answered]) -> Answered:
    found = future.result()
    return here(question) if found is None else found[0]


def _work() -> None:
    """Prepare, then answer questions from the standard input on what was the standard output, until there are none."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
        prepare, given = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process wrote it
        with prepare(given) as answering, suppress(EOFError):
            while True:
                question: Any = pickle.load(sys.stdin.buffer)  # noqa: S301
                pickle.dump(answering(question), out, protocol=pickle.HIGHEST_PROTOCOL)
                out.flush()


if __name__ == "__main__":
    _work()
