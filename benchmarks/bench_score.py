"""The whole job `score` at size: time and memory by phase, and how the time grows with the number of partners.

`python benchmarks/bench_score.py [--explain all|movers|none] [PARTNERS ...]`, by default 10,000, 30,000 and 100,000.
The channels are made by the tool itself (`tierwise init --example demo --partners N`, three years); one model, trained
on 2,000 partners, scores all of them. Every size runs in a process of its own, two threads at most; CPU seconds stand
beside the clock's, because other work on the machine shows in the latter. Phases inside another are indented; plans may
be searched in processes of their own, whose CPU and memory are part of the whole.

`--keep DIR` (or the variable TIERWISE_CHANNELS) keeps the channels and the model for a next run; with `--pack` a review
pack is written last. The engine may take 2 GB of memory.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import _GeneratorContextManager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

SIZES = (10_000, 30_000, 100_000)
TRAINED_ON = 2_000
YEARS = 3
MEMORY_LIMIT = "2GB"
AS_OF, TRAINED_AS_OF, TODAY = date(2026, 9, 30), date(2026, 6, 30), date(2026, 10, 15)
PHASES = (
    ("jobs.score", "accepted_tables", "read and check the tables"),
    ("jobs.score", "compute", "compute the metrics"),
    ("jobs.score", "outputs_on", "apply the models"),
    ("jobs.score", "place", "place"),
    ("jobs.score", "move", "move"),
    ("jobs.score", "fingerprint", "fingerprint the data"),
    ("jobs.score", "split_review", "split the potential (contributions)"),
    ("jobs.score", "prepare_explaining", "look at the channel for explanations"),
    ("jobs.explain_review", "earlier_quarters", "  metrics of four earlier quarters"),
    ("jobs.roadmap", "find_levers", "  how far figures moved"),
    ("jobs.score.ReviewLayout", "of", "medians and names"),
    ("jobs.score", "_write", "explain and write, in blocks of partners"),
    ("jobs.roadmap.Roadmaps", "tables", "  plans to the next tier"),
    ("jobs.similar.SimilarPartners", "table", "  similar partners"),
    ("jobs.changes.Changes", "tables", "  changes"),
    ("jobs.contributions.Splits", "of", "  lay out contributions"),
    ("jobs.review_tables.ReviewLayout", "_reasons", "  reasons and sentences"),
    ("jobs.review_tables", "_criteria", "  criteria"),
    ("jobs.score", "summarise", "sum up"),
)
WHOLE, WORKERS, PACK = "score, the whole", "processes that search plans meanwhile", "review pack"


@dataclass
class Clock:
    """Wall and CPU seconds by phase, and the peak memory in GB by its end."""

    phases: dict[str, list[float]] = field(default_factory=dict)

    def timed(self, title: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed; of a context manager the time until its block begins."""

        def run(*args: Any, **kwargs: Any) -> Any:
            start, cpu = time.perf_counter(), time.process_time()
            result = function(*args, **kwargs)
            if isinstance(result, _GeneratorContextManager):
                return _Entered(self, title, result)
            self.add(title, time.perf_counter() - start, time.process_time() - cpu)
            return result

        return run

    def add(self, title: str, wall: float, cpu: float) -> None:
        before = self.phases.get(title, [0.0, 0.0, 0.0])
        self.phases[title] = [before[0] + wall, before[1] + cpu, peak_gb()]


@dataclass
class _Entered:
    clock: Clock
    title: str
    block: Any

    def __enter__(self) -> Any:
        start, cpu = time.perf_counter(), time.process_time()
        entered = self.block.__enter__()
        self.clock.add(self.title, time.perf_counter() - start, time.process_time() - cpu)
        return entered

    def __exit__(self, *error: Any) -> Any:
        return self.block.__exit__(*error)


def peak_gb() -> float:
    """The process's peak resident memory in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


class Workers:
    """Watches the processes that this one starts, for their peak memory; use it as a context manager."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._peaks: dict[int, float] = {}

    def __enter__(self) -> Workers:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(2.0):
            for children in Path("/proc/self/task").glob("*/children"):
                with suppress(OSError, StopIteration):
                    for process in children.read_text().split():
                        self._peaks[int(process)] = _high_water_gb(Path("/proc", process))

    def add_to(self, phases: dict[str, list[float]]) -> None:
        """Add the CPU of the ended processes, and the peaks of all of them, to the whole."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        phases[WORKERS] = [0.0, used.ru_utime + used.ru_stime, sum(self._peaks.values())]
        phases[WHOLE][1] += phases[WORKERS][1]
        phases[WHOLE][2] += phases[WORKERS][2]


def _high_water_gb(process: Path) -> float:
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024**2


def make_channel(folder: Path, partners: int, models: Path) -> None:
    """Make a channel whose models are those of another folder."""
    from tierwise.jobs.init import InitRequest, init

    if (folder / "tierwise.yaml").exists():
        return
    init(InitRequest(folder, "demo", partners=partners, years=YEARS))
    uri = f"sqlite:///{models / 'mlflow.db'}"
    settings = folder / "tierwise.yaml"
    text = settings.read_text("utf-8").replace("formats: [parquet, csv]", "formats: [parquet]")
    text += f"\nmlflow: {{tracking_uri: '{uri}'}}\nengine: {{memory_limit: {MEMORY_LIMIT}}}\n"
    settings.write_text(text, encoding="utf-8")


def train_once(folder: Path) -> None:
    """Train the model that scores every size."""
    from tierwise.config.load import load_workspace
    from tierwise.jobs.train import train

    if (folder / "trained").exists():
        return
    make_channel(folder / "small", TRAINED_ON, folder)
    trained = train(load_workspace(folder / "small"), TRAINED_AS_OF, TODAY)
    (folder / "trained").write_text(trained.gate_sentence, encoding="utf-8")


def _home(place: str) -> Any:
    """A module of Tierwise, or a class of one."""
    module, _, last = place.rpartition(".")
    if last[0].isupper():
        return getattr(importlib.import_module(f"tierwise.{module}"), last)
    return importlib.import_module(f"tierwise.{place}")


def score_one(folder: Path, explain: str, pack: bool) -> dict[str, list[float]]:
    """Score one channel in this process; the phases' times."""
    from tierwise.config.load import load_workspace
    from tierwise.jobs.explain import open_review
    from tierwise.jobs.review_pack import PackRequest, write_pack

    clock = Clock()
    for place, name, title in PHASES:
        home = _home(place)
        timed = clock.timed(title, getattr(home, name))
        setattr(home, name, staticmethod(timed) if inspect.ismethod(getattr(home, name)) else timed)
    job = importlib.import_module("tierwise.jobs.score")
    workspace = load_workspace(folder)
    request = job.ScoreRequest(AS_OF, TODAY, explain=explain)
    with Workers() as workers:
        clock.timed(WHOLE, job.score)(workspace, request)
    workers.add_to(clock.phases)
    if pack:
        clock.timed(PACK, write_pack)(PackRequest(open_review(workspace)))
    return clock.phases


def report(found: dict[int, dict[str, list[float]]]) -> None:
    """Print the phases of every size side by side, and the growth exponents."""
    sizes = list(found)
    print("| CPU seconds (clock) | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent |")
    print("| --- |" + " --- |" * (len(sizes) + 1))
    titles = [title for _, _, title in PHASES] + [WORKERS, WHOLE, PACK]
    for title in titles:
        if all(title in phases for phases in found.values()):
            cells = [f"{found[size][title][1]:.1f} ({found[size][title][0]:.1f})" for size in sizes]
            print(f"| {title.replace('  ', '&nbsp;&nbsp;')} | {' | '.join(cells)} | {exponent(found, title)} |")
    print("| peak memory, GB | " + " | ".join(f"{found[size][WHOLE][2]:.2f}" for size in sizes) + " | |")
    print(f"\nload {os.getloadavg()[0]:.1f}")


def exponent(found: dict[int, dict[str, list[float]]], title: str) -> str:
    """The slope of log CPU seconds on log partners, over all sizes."""
    if len(found) < 2:
        return ""
    points = [(math.log(size), math.log(max(phases[title][1], 1e-3))) for size, phases in found.items()]
    middle = [sum(values) / len(points) for values in zip(*points, strict=True)]
    over = sum((x - middle[0]) * (y - middle[1]) for x, y in points)
    return f"{over / sum((x - middle[0]) ** 2 for x, _ in points):.2f}"


def main() -> None:
    """Make the channels, score each in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--explain", choices=("all", "movers", "none"), default="all")
    parser.add_argument("--keep", type=Path, default=os.environ.get("TIERWISE_CHANNELS"))
    parser.add_argument("--pack", action="store_true")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(score_one(given.keep / str(given.sizes[0]), given.explain, given.pack)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = (given.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        train_once(folder)
        found = {}
        for size in sorted(given.sizes):
            make_channel(folder / str(size), size, folder)
            command = [sys.executable, __file__, "--one", "--keep", str(folder), "--explain", given.explain, str(size)]
            done = subprocess.run([*command, *["--pack"] * given.pack], check=True, stdout=subprocess.PIPE, text=True)
            found[size] = json.loads(done.stdout.splitlines()[-1])
            print(f"{size:,} done: {found[size][WHOLE][0]:.0f} s", file=sys.stderr, flush=True)
    print(f"score --explain {given.explain}")
    report(found)


if __name__ == "__main__":
    main()
