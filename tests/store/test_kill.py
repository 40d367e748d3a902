"""SIGKILL at random moments: the earlier output is always there, whole, and the next run succeeds."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.store.review_example import AS_OF, review
from tierwise.errors import OutsideFailure
from tierwise.store import lock_output, read_table, verify_review, write_review

ROOT = Path(__file__).resolve().parents[2]
KILLS, MOST_KILLS = 15, 150
LONGEST_SECONDS = 0.12  # several times what one write takes


@contextmanager
def forker(output: Path, way: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(ROOT / "tests" / "store" / "endless_writer.py"), str(output), way]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process
        process.stdin.close()


def write(output: Path, run_id: str) -> None:
    """Write as soon as the kernel has freed the lock of the process that was killed."""
    for _ in range(1000):
        try:
            with lock_output(output, run_id) as lock:
                write_review(lock, review(run_id))
            return
        except OutsideFailure as error:
            if "another run" not in str(error):
                raise
            time.sleep(0.01)
    raise AssertionError("the lock of a killed process was never freed")


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_killed_run_leaves_a_whole_output(tmp_path, way):
    moments = random.Random(20261121)
    write(tmp_path, "run-first")
    seen = set()
    with forker(tmp_path, way) as process:
        for kill in range(MOST_KILLS):
            if kill >= KILLS and seen >= {"run-0", "run-1"}:
                break
            print(file=process.stdin, flush=True)
            child = int(process.stdout.readline())
            # Later kills wait longer, so that a busy machine too gets to write between two of them.
            time.sleep(moments.uniform(0, LONGEST_SECONDS * (1 + kill / KILLS)))
            os.kill(child, signal.SIGKILL)
            found = verify_review(tmp_path, AS_OF)
            assert len(read_table(tmp_path, AS_OF, "recommendations", verify=True)) == found.rows["recommendations"]
            seen.add(found.run_id)
    assert seen >= {"run-0", "run-1"}  # the writer was really at work
    write(tmp_path, "run-last")
    assert verify_review(tmp_path, AS_OF).run_id == "run-last"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "2026-09-30"]


def test_a_reader_beside_a_writer_always_sees_one_whole_output(tmp_path):
    write(tmp_path, "run-first")
    with forker(tmp_path, "exchange") as process:
        print(file=process.stdin, flush=True)
        child = int(process.stdout.readline())
        try:
            sizes = [len(read_table(tmp_path, AS_OF, "recommendations", verify=True)) for _ in range(100)]
        finally:
            os.kill(child, signal.SIGKILL)
    assert set(sizes) <= {3, 2000, 2001}
