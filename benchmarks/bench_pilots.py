"""Pilots with known truth, the figures of METHODS section 5 with ours beside: `bench_pilots.py [SECTION ...]`.

Every section takes at most five minutes of one core. The real data lie in the folder that `TIERWISE_DATA` names, else
../shared/data; sections that need them are left out without them. Errors are Monte-Carlo standard errors.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import bench_pilots_channels as channels  # noqa: E402
import bench_pilots_others as others  # noqa: E402
from figures import HEADER, Figure  # noqa: E402

from tests.pilots import known_truth as truth  # noqa: E402

SEED = 20261122
DATA = Path(os.environ.get("TIERWISE_DATA") or ROOT.parent / "shared" / "data")
Band = tuple[float, float]
COVERAGE: Band = (0.935, 0.965)

# Section: the simulation, its repeats, and the bands of METHODS section 5 by figure.
SIMULATIONS: dict[str, tuple[Callable[..., dict[str, float]], int, dict[str, Band]]] = {
    "coverage": (truth.coverage, 2000, {"plain": COVERAGE, "lin": COVERAGE}),
    "type-one": (truth.type_one, 2000, {"single": (0.0, 0.05), "holm family": (0.0, 0.05)}),
    "peeking": (truth.peeking, 2000, {"accumulating": (0.0, 0.05), "joining": (0.0, 0.05)}),
    "ten-clusters": (truth.ten_clusters, 3000, {"CR2": (0.03, 0.07), "redrawing": (0.03, 0.07)}),
    "ratios": (truth.ratios, 5000, {"delta": COVERAGE}),
    "returns": (truth.return_on_cost, 2000, {"return": COVERAGE, "payback": COVERAGE}),
    "staggered": (truth.staggered_roll_out, 2000, {"coverage": COVERAGE}),
    "thresholds": (
        truth.discontinuity,
        2000,
        {"coverage": COVERAGE, "coverage, house elections": COVERAGE, "density alarms": (0.03, 0.07)},
    ),
    "one-region": (truth.one_region, 100, {"type one": (0.0, 0.05)}),
    "archetypes": (truth.by_archetype, 300, {"coverage": (0.935, 1.0)}),
}
# Figures that are no shares of repeats, and so have no binomial error.
MEANS = ("truth", "mean estimate", "two-way", "width ratio", "error drawn in / own")

OTHERS: dict[str, Callable[[], Iterator[Figure]]] = {
    "aa-demo": lambda: channels.aa("demo channel", channels.demo_partners()),
    "aa-olist": lambda: channels.aa("Olist sellers", channels.olist_sellers(DATA)),
    "injected": channels.injected,
    "planner-demo": lambda: channels.planner("demo channel", channels.demo_partners()),
    "planner-olist": lambda: channels.planner("Olist sellers", channels.olist_sellers(DATA)),
    "speed": others.speed,
    "beside": others.beside,
}


def simulated(section: str) -> Iterator[Figure]:
    """Run one simulation."""
    run, repeats, bands = SIMULATIONS[section]
    for name, value in run(repeats, SEED).items():
        error = None if name in MEANS else float(np.sqrt(max(value * (1 - value), 0) / repeats))
        yield Figure(f"{section}: {name} ({repeats:,})", float(value), error, bands.get(name))


def main() -> None:
    """Run the sections named, or all."""
    chosen = sys.argv[1:] or [*SIMULATIONS, *OTHERS]
    unknown = [section for section in chosen if section not in {*SIMULATIONS, *OTHERS}]
    if unknown:
        sys.exit(f"no section {unknown[0]!r}; known are {', '.join([*SIMULATIONS, *OTHERS])}")
    print(HEADER)
    for section in chosen:
        if section.endswith("olist") and not DATA.is_dir():
            print(f"{section}: left out, no folder {DATA.name!r}")
            continue
        start = time.process_time()
        for figure in simulated(section) if section in SIMULATIONS else OTHERS[section]():
            print(figure.line(), flush=True)
        print(f"{section}: {time.process_time() - start:.0f} s of CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
