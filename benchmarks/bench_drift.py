"""False alarms and power of the drift tests on made-up channels with a known truth; the tables of docs/drift.md.

`python benchmarks/bench_drift.py [CHANNELS]`, by default 400 channels per row of the first table (about four minutes
of one core). Beside ours stand a test of one feature at a time alone, and the population stability index above .1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.audit.panels import Panel, drifted, stationary  # noqa: E402
from tierwise.audit import Drift, detect_drift, reference_rows  # noqa: E402

Sides = tuple[pd.DataFrame, pd.DataFrame]
CHANGES = (("shift", 0.5), ("shift", 0.3), ("spread", 1.5), ("missing", 0.1), ("region", 0.3), ("together", 0.8),
           ("together", 0.5))  # fmt: skip
POWER_SHARE = 8


def plain_psi(before: pd.Series, after: pd.Series) -> float:
    """The index as it is usually computed: tenths of the training, no correction."""
    edges = np.unique(np.quantile(before.dropna(), np.arange(1, 10) / 10))
    p, q = (
        np.bincount(np.searchsorted(edges, side.dropna()), minlength=len(edges) + 1) + 0.5 for side in (before, after)
    )
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((p - q) * np.log(p / q)))


def row(panel: Panel, make: Callable[[int], Sides], channels: int) -> dict[str, float]:
    """Alarms per hundred channels."""
    answers = []
    for seed in range(channels):
        past, today = make(seed)
        reference = reference_rows(past, panel.features, 7)
        found: Drift = detect_drift(reference, today, panel.features, 7)
        kinds = set(found.drifted["kind"])
        usual = max(plain_psi(reference[name], today[name]) for name in panel.features.names)
        answers.append((found.verdict == "drift", bool(kinds - {"together"}), "together" in kinds, usual > 0.1))
    names = ("any alarm", "single features", "all together", "plain PSI > .1")
    return dict(zip(names, (100 * np.mean(answers, axis=0)).round(1), strict=True))


def main(channels: int) -> None:
    """Print both tables."""
    start = time.process_time()
    print(f"False alarms, % of {channels} channels in which nothing changed")
    rows = {}
    for partners in (100, 1000):
        for turnover in (0.0, 0.2, 1.0):
            panel = Panel(partners=partners, turnover=turnover)
            count = channels if partners == 100 else channels // 2
            found = row(panel, lambda seed, panel=panel: stationary(panel, seed), count)
            rows[f"{partners:,} partners, {turnover:.0%} new ({count} channels)"] = found
    print(pd.DataFrame(rows).T.to_string())
    print(f"\nPower, % of {max(channels // POWER_SHARE, 10)} channels in which something changed")
    rows = {}
    for partners in (100, 1000):
        panel = replace(Panel(), partners=partners)
        for change, amount in CHANGES:
            make = lambda seed, p=panel, c=change, a=amount: drifted(p, seed, c, a)  # noqa: E731
            rows[f"{partners:,} partners, {change} {amount}"] = row(panel, make, max(channels // POWER_SHARE, 10))
    print(pd.DataFrame(rows).T.to_string())
    print(f"\n{time.process_time() - start:.0f} CPU seconds")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
