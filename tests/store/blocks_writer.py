"""Forks a process that writes one review in blocks, once per line of input (for test_kill.py).

A line holds the run_id and how many of the writer's own steps on files the process outlives. Prints its id, and when
it has ended whether it was killed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.store.blocks_example import blocks_of, whole
from tierwise.store import lock_output, write_blocks, writer_disk

BLOCKS = 4
_STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir")


def die_after(steps: int) -> None:
    left = [steps]

    def count(event: str, _: object) -> None:
        if event in _STEPS:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def write_once(output: Path, run_id: str, steps: int) -> None:
    made = whole(run_id, formats=("parquet", "csv"))
    blocks = blocks_of(made, BLOCKS)
    die_after(steps)
    with lock_output(output) as lock:
        write_blocks(lock, made, blocks)
    os._exit(0)


def main(output: Path, has_exchange: bool) -> None:
    if not has_exchange:
        writer_disk._exchange = lambda one, other: False
    for line in sys.stdin:
        run_id, steps = line.split()
        child = os.fork()
        if child == 0:
            write_once(output, run_id, int(steps))
        print(child, flush=True)
        print(os.WIFSIGNALED(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), has_exchange=sys.argv[2] == "exchange")
