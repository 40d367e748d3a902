"""One call in a Python process of its own, beside the job that needs its answer later.

The answer is the same as in this process, bit for bit; only the time differs. So where a second process is not allowed,
cannot be started or fails, the call is simply made here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from tierwise.jobs.workers import Workers, second_process_allowed

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def beside(wanted: bool, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[Callable[[], T]]:
    """Begin a call of a function of a module; yields what waits for its answer.

    Args:
        wanted: Whether a process of its own pays: starting one takes seconds, and what it is given is copied.
        function: A function that can be imported; it depends on its arguments alone.
        args: Its arguments.
        kwargs: Its named arguments.
    """
    call = partial(function, *args, **kwargs)
    if not (wanted and second_process_allowed()):
        yield call
        return
    processes: Workers[Callable[[], T], T] = Workers(1, _calling, None)
    with processes:
        yield processes.ask(call, operator.call)


@contextmanager
def _calling(_: None) -> Iterator[Callable[[Callable[[], T]], T]]:
    """Answers a call by making it."""
    yield operator.call
