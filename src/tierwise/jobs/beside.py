"""One call in a Python process of its own, beside the job that needs its answer later.

The answer is the same as in this process, bit for bit; only the time differs. So where a second process is not allowed,
cannot be started or fails, the call is simply made here.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ParamSpec, TypeVar

THREADS = "OMP_NUM_THREADS"
P = ParamSpec("P")
T = TypeVar("T")


def second_process_allowed() -> bool:
    """Whether the machine and the user (by `OMP_NUM_THREADS`) let a job work on two things at once."""
    asked = os.environ.get(THREADS, "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, int(asked) if asked.isdecimal() else cores) >= 2


@contextmanager
def beside(wanted: bool, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[Callable[[], T]]:
    """Begin a call of a function of a module; yields what waits for its answer.

    Args:
        wanted: Whether a process of its own pays: starting one takes seconds, and what it is given is copied.
        function: A function that can be imported; it depends on its arguments alone.
        args: Its arguments.
        kwargs: Its named arguments.
    """
    process = _started((function, args, kwargs)) if wanted and second_process_allowed() else None

    def answer() -> T:
        found = None if process is None else _answer_of(process)
        return function(*args, **kwargs) if found is None else found[0]

    try:
        yield answer
    finally:
        if process is not None:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _started(call: tuple[Any, ...]) -> subprocess.Popen[bytes] | None:
    command = [sys.executable, "-P", "-m", __name__]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    assert process.stdin is not None
    # A process that ended before it read the call has no answer, which is seen when it is asked for.
    with suppress(OSError), process.stdin as pipe:
        pickle.dump(call, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    return process


def _answer_of(process: subprocess.Popen[bytes]) -> tuple[Any] | None:
    assert process.stdout is not None
    content = process.stdout.read()
    return (pickle.loads(content),) if process.wait() == 0 else None  # noqa: S301 - our own process wrote it


def _work() -> None:
    """Make the call that stands in the standard input, and write its answer to what was the standard output."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is not the answer
        function, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process wrote it
        pickle.dump(function(*args, **kwargs), out, protocol=pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    _work()
