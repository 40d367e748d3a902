"""Forks a process that writes reviews without end, once per line of input, and prints its id (for test_kill.py)."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from tests.store.review_example import review
from tierwise.store import lock_output, write_review, writer_disk


def write_without_end(output: Path) -> None:
    for number in itertools.count():
        with lock_output(output) as lock:
            write_review(lock, review(f"run-{number % 2}", partners=2000 + number % 2))


def main(output: Path, has_exchange: bool) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if not has_exchange:
        writer_disk._exchange = lambda one, other: False
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            write_without_end(output)
        print(child, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), has_exchange=sys.argv[2] == "exchange")
