"""Runs every benchmark and writes what they print into docs/performance.md: `run_all.py [small|full] [NAME ...]`.

A small run shows within minutes that all of them work; the figures that count are those of a full one. Names choose
some benchmarks; the page keeps what an earlier run of the same size found for the others. A benchmark that fails or
takes too long is said to have failed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "performance.md"
PACKAGES = ("duckdb", "lightgbm", "mlflow", "numba", "numpy", "pandas", "pyarrow", "pyspark", "scikit-learn", "sqlglot")
LONGEST_SECONDS = 4 * 3600


@dataclass(frozen=True)
class Bench:
    """A benchmark: its name, its title, and its command line for each size; None where a size leaves it out."""

    name: str
    title: str
    small: str | None
    full: str | None


BENCHES = (
    Bench("metrics", "Metrics at eight dates beside pandas",
          "bench_metrics.py --events 200000 --partners 2000", "bench_metrics.py"),
    Bench("engines", "24 metrics as of one date: DuckDB, Spark, SQL by hand, pandas",
          "bench_engines.py speed --events 200000 --partners 2000 --runs 1",
          "bench_engines.py speed --events 10000000 --partners 100000"),
    Bench("engines-large", "24 metrics of 100 million events and a million partners", None,
          "bench_engines.py speed --events 100000000 --partners 1000000 --runs 1 --without pandas"),
    Bench("score", "A whole review, by the number of partners",
          "bench_score.py --explain movers 300 600", "bench_score.py --explain movers 10000 100000 1000000"),
    Bench("score-all", "The same with every partner explained", None,
          "bench_score.py --explain all 10000 100000 1000000"),
    Bench("kills", "Runs killed at random moments, on DuckDB",
          "bench_kills.py --times 2", "bench_kills.py --times 30"),
    Bench("kills-spark", "Runs killed at random moments, on Spark", None, "bench_kills.py --engine spark --times 30"),
    Bench("policy", "Placement by a policy", "bench_policy.py", "bench_policy.py"),
    Bench("contributions", "Contributions of features", None, "bench_contributions.py"),
    Bench("explain", "The explanation of one partner", None, "bench_explain.py"),
    Bench("reasons", "Reasons and sentences", None, "bench_reasons.py"),
    Bench("roadmap", "Roadmaps to the next tier", None, "bench_roadmap.py"),
    Bench("train", "Training", None, "bench_train.py"),
    Bench("potential", "Potential", None, "bench_potential.py"),
    Bench("intervals", "Intervals of the potential", None, "bench_intervals.py"),
    Bench("gate", "The gate of a new version", None, "bench_gate.py"),
    Bench("archetypes", "Archetypes", None, "bench_archetypes.py"),
    Bench("attribution", "Attribution", None, "bench_attribution.py"),
    Bench("drift", "Drift", None, "bench_drift.py"),
    Bench("pilots", "Pilots with known truth", None, "bench_pilots.py"),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, run, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=("small", "full"), nargs="?", default="full")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(one.name for one in BENCHES))
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - {one.name for one in BENCHES})
    if unknown:
        parser.error(f"no benchmark is named {', '.join(unknown)}")
    found = earlier(given.page, given.size)
    for bench in chosen(given.names, given.size):
        print(f"== {bench.name}: {getattr(bench, given.size)}", flush=True)
        found[bench.title] = section(getattr(bench, given.size))
        print(found[bench.title], flush=True)
        given.page.write_text(page(given.size, found), encoding="utf-8")
    return int(any(FAILED in text for text in found.values()))


FAILED = "**This benchmark failed**"


def chosen(names: Sequence[str], size: str) -> list[Bench]:
    """The benchmarks of a size, all of them where none is named."""
    return [one for one in BENCHES if getattr(one, size) is not None and (not names or one.name in names)]


def section(command: str) -> str:
    """Run a benchmark; its command, when and how long it ran, and what it printed."""
    started = time.monotonic()
    script, *options = command.split()
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / script), *options],
            capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False,
        )  # fmt: skip
        output, failed = done.stdout.strip(), done.returncode != 0
        if failed:
            print(done.stderr, file=sys.stderr)
    except subprocess.TimeoutExpired:
        output, failed = "", True
    said = f"\n\n{FAILED} or took longer than {LONGEST_SECONDS // 3600} hours." if failed else ""
    took = f"{datetime.now(UTC):%Y-%m-%d}, {time.monotonic() - started:.0f} seconds"
    return f"`python benchmarks/{command}` ({took}){said}\n\n{shown(output)}".strip()


def shown(output: str) -> str:
    """Tables as they are, everything else as it was printed."""
    blocks: list[tuple[bool, list[str]]] = []
    for line in output.splitlines():
        is_table = line.startswith("|")
        if not blocks or blocks[-1][0] != is_table:
            blocks.append((is_table, []))
        blocks[-1][1].append(line.rstrip())
    texts = ((is_table, "\n".join(lines).strip("\n")) for is_table, lines in blocks)
    return "\n\n".join(text if is_table else f"```text\n{text}\n```" for is_table, text in texts if text)


def earlier(path: Path, size: str) -> dict[str, str]:
    """The sections of an earlier page of the same size, by title."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if f"Size: {size}." not in text:
        return {}
    parts = (part.split("\n", 1) for part in text.split("\n## ")[1:])
    return {title: body.strip() for title, body in parts}


def page(size: str, found: dict[str, str]) -> str:
    """The whole page, benchmarks in the order of the list above."""
    titles = [one.title for one in BENCHES if one.title in found]
    sections = "".join(f"\n## {title}\n\n{found[title]}\n" for title in titles)
    return f"""# Performance

Written by `make bench`: what each benchmark printed, on the machine below. Size: {size}. Times vary from run to run;
ratios are between sides of the same run.

{machine()}
{sections}"""


def machine() -> str:
    """The machine and the versions, without its name or its paths."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    rows = [
        ("processor", f"{processor()}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", platform.system()),
        ("Python", platform.python_version()),
        ("packages", ", ".join(f"{name} {found}" for name in PACKAGES if (found := installed(name)))),
    ]
    return "\n".join(["| what | this run |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in rows)])


def processor() -> str:
    """The processor's own name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def installed(name: str) -> str:
    """The version of a package; nothing where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
