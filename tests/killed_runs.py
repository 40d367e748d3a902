"""`tierwise score` in a process of its own, killed at random moments; `benchmarks/bench_kills.py` runs many."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tierwise.store import verify_review

QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options for Java machines that live for seconds: half of their work would be to compile for speed never reached."""
_RUN = """
import sys
from datetime import date
from tierwise.config.load import load_workspace
from tierwise.jobs.score import ScoreRequest, score
folder, as_of, today, engine = sys.argv[1:]
score(load_workspace(folder), ScoreRequest(date.fromisoformat(as_of), date.fromisoformat(today), engine=engine))
"""


@dataclass(frozen=True)
class Killed:
    """What a kill found.

    Attributes:
        after: Seconds from the start of the run to the kill.
        in_time: Whether the run was still at work.
        replaced: Whether the review's folder was put in place anew before the kill.
    """

    after: float
    in_time: bool
    replaced: bool


def start(folder: Path, as_of: date, today: date, engine: str, temporary: Path) -> subprocess.Popen[bytes]:
    """Start a run whose temporary files lie in a folder of their own."""
    temporary.mkdir(exist_ok=True)
    paths = {"TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment = {"JDK_JAVA_OPTIONS": QUICK_JAVA, **os.environ, **paths}
    command = [sys.executable, "-c", _RUN, str(folder), str(as_of), str(today), engine]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def finish(folder: Path, as_of: date, today: date, engine: str, temporary: Path) -> float:
    """Run to the end, undisturbed; returns its seconds.

    A run that was killed holds its locks until the kernel has ended it; then the same command succeeds.
    """
    for _ in range(3):
        started = time.monotonic()
        if start(folder, as_of, today, engine, temporary).wait() == 0:
            return time.monotonic() - started
        time.sleep(1)
    raise AssertionError("the run after a kill did not finish")


def contents(folder: Path, as_of: date) -> dict[str, bytes]:
    """Every file of a review."""
    return {path.name: path.read_bytes() for path in sorted((folder / "output" / as_of.isoformat()).iterdir())}


def kills(
    folder: Path, as_of: date, today: date, engine: str, temporary: Path, moments: list[float]
) -> Iterator[Killed]:
    """Kill a run at each of some moments; the review must be whole, with the very same bytes, after every one.

    Args:
        folder: A workspace that holds the review of `as_of`.
        as_of: The review that the runs write again.
        today: The day of the runs.
        engine: What they compute on.
        temporary: A folder for their temporary files.
        moments: Seconds after which each is killed.

    Raises:
        AssertionError: If the review is not what it was.
    """
    expected = contents(folder, as_of)
    review = folder / "output" / as_of.isoformat()
    for after in moments:
        before = review.stat().st_ino
        with start(folder, as_of, today, engine, temporary) as run:
            with suppress(subprocess.TimeoutExpired):
                run.wait(after)
            in_time = run.poll() is None
            with suppress(ProcessLookupError):
                os.kill(run.pid, signal.SIGKILL)
        verify_review(folder / "output", as_of)
        assert contents(folder, as_of) == expected, f"another review after a kill at {after:.2f} s"
        yield Killed(after, in_time, review.stat().st_ino != before)


def random_moments(longest: float, times: int, seed: int) -> list[float]:
    """Seconds after which to kill, one in each of as many equal stretches of a run."""
    rng = random.Random(seed)
    return [longest * (one + rng.random()) / times for one in range(times)]
