"""SIGKILL at random moments: the earlier output is always there, whole, and the next run succeeds."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.store.blocks_example import blocks_of, whole
from tests.store.blocks_writer import BLOCKS
from tests.store.review_example import AS_OF, review
from tierwise.errors import OutsideFailure
from tierwise.store import lock_output, read_table, verify_review, write_blocks, write_review

ROOT = Path(__file__).resolve().parents[2]
KILLS, MOST_KILLS = 15, 150
KILLS_OF_BLOCKS = 6  # at any moment; more are between two steps
LONGEST_SECONDS = 0.12  # several times what one write takes


@contextmanager
def forker(output: Path, way: str, writer: str = "endless_writer") -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(ROOT / "tests" / "store" / f"{writer}.py"), str(output), way]
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


STEPS_APART = {"exchange": 11, "renames": 23}  # of about 120 steps on files that a run takes; by hand each was tried


def finished_by(output: Path, run_id: str) -> int:
    """How many blocks a killed run has finished, which it need not do again; none once its review is in place."""
    if verify_review(output, AS_OF).run_id == run_id:
        return 0
    return len(list(output.glob(f".2026-09-30.{run_id}.blocks/*.json")))


def go_on(output: Path, run_id: str) -> list[int]:
    """Write the review that a killed run was writing; returns the blocks that were made."""
    made, calls = whole(run_id, formats=("parquet", "csv")), []
    with lock_output(output, run_id) as lock:
        write_blocks(lock, made, blocks_of(made, BLOCKS, calls.append))
    return calls


def check_killed(output: Path, runs: tuple[str, str], undisturbed: Path) -> int:
    """Hold the output of a killed run, and of the run after it, to what is promised; returns the blocks it had done."""
    earlier, run_id = runs
    found = verify_review(output, AS_OF)
    assert found.run_id in (earlier, run_id)
    assert len(read_table(output, AS_OF, "recommendations", verify=True)) == found.rows["recommendations"]
    finished = finished_by(output, run_id)
    assert go_on(output, run_id) == list(range(finished + 1, BLOCKS + 1))
    go_on(undisturbed, run_id)
    ours, theirs = (
        {path.name: path.read_bytes() for path in (folder / "2026-09-30").iterdir()} for folder in (output, undisturbed)
    )
    assert ours == theirs
    assert sorted(path.name for path in output.iterdir()) == [".lock", "2026-09-30"]
    return finished


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_run_killed_between_two_steps_goes_on_behind_its_blocks(tmp_path, way):
    output, undisturbed, done = tmp_path / "output", tmp_path / "undisturbed", set()
    go_on(output, "run-0")
    with forker(output, way, "blocks_writer") as process:
        for number in itertools.count(1):
            print(f"run-{number} {number * STEPS_APART[way]}", file=process.stdin, flush=True)
            process.stdout.readline()
            was_killed = process.stdout.readline() == "True\n"
            done.add(check_killed(output, (f"run-{number - 1}", f"run-{number}"), undisturbed))
            if not was_killed:
                break
    assert {0, BLOCKS} < done


def test_a_run_killed_at_any_moment_goes_on_behind_its_blocks(tmp_path):
    moments, output, done = random.Random(20261122), tmp_path / "output", set()
    go_on(output, "run-0")
    with forker(output, "exchange", "blocks_writer") as process:
        for number in range(1, MOST_KILLS):
            if number > KILLS_OF_BLOCKS and len(done) > 1:
                break
            print(f"run-{number} 1000000", file=process.stdin, flush=True)
            child = int(process.stdout.readline())
            time.sleep(moments.uniform(0, 2 * LONGEST_SECONDS * (1 + number / KILLS)))
            with suppress(ProcessLookupError):  # on a fast machine it may have ended
                os.kill(child, signal.SIGKILL)
            process.stdout.readline()
            done.add(check_killed(output, (f"run-{number - 1}", f"run-{number}"), tmp_path / "undisturbed"))
    assert len(done) > 1
