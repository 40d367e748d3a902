"""Times `tierwise explain` of one stored partner as a whole process, beside `python -c "import pandas"`.

Run `python benchmarks/bench_explain.py [partners] [repeats]`. The bound: 1 s. A review is written as `score` writes
one, its figures drawn; the processes take turns, so that a busy machine slows them alike.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.pages.written_review import pages_workspace, write_pages_review

PARTNERS, REPEATS = 5_000, 7
PANDAS = "import pandas"
TIERWISE = (str(Path(sys.executable).with_name("tierwise")),)


def main() -> None:
    partners, repeats = (int(text) for text in (*sys.argv[1:], *map(str, (PARTNERS, REPEATS)[len(sys.argv) - 1 :])))
    with tempfile.TemporaryDirectory() as scratch:
        workspace = pages_workspace(Path(scratch))
        ids = write_pages_review(workspace, partners)
        explain = [*TIERWISE, "explain", ids[len(ids) // 2], "--workspace", scratch]
        commands = {
            PANDAS: [sys.executable, "-c", PANDAS],
            "explain": explain,
            "explain --json": [*explain, "--json"],
            "explain --html": [*explain, "--html", "-"],
            "letter": [*TIERWISE, "letter", ids[len(ids) // 2], "-", "--workspace", scratch],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(repeats):
            for name, arguments in commands.items():
                times[name].append(_seconds(arguments))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{partners:,} partners, median of {repeats} runs")
    for name, seconds in medians.items():
        print(f"{name:16} {seconds:6.2f} s   {seconds / medians[PANDAS]:5.2f} x {PANDAS}")


def _seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
