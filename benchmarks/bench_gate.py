"""The gate: how often shuffled features pass it, and what it gains or loses against persistence on real reviews.

`python benchmarks/bench_gate.py [shuffled|origins|all] [SEEDS]`. `shuffled`: every metric is shuffled among partners,
with the target and without it (persistence itself is never shuffled); at most one training in ten may be accepted.
`origins`: at every past review of CDNOW, Olist and AdventureWorks (real data where present, see bench_potential.py) the
whole training runs on what was closed by then.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bench_potential import data_folder  # noqa: E402
from tests.potential.channel import AS_OF, FEATURES, QUICK, make_snapshots  # noqa: E402
from tests.potential.rfm import Events, features_of, read_adventureworks, read_cdnow, read_olist  # noqa: E402
from tierwise.config.model_spec import BacktestSpec, GateSpec, PotentialSpec  # noqa: E402
from tierwise.potential import backtest, train  # noqa: E402

OTHERS = tuple(name for name in FEATURES.names if name != FEATURES.target)
SHUFFLED = {
    "all metrics": FEATURES.names,
    "all but the target": OTHERS,
    "all but the target, and the attributes": (*OTHERS, *FEATURES.attributes),
}


def permuted(values: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """The values in another order."""
    return rng.permutation(values.to_numpy())


def shuffled_accepted(seeds: int, metrics: Sequence[str]) -> int:
    """Count how many trainings on these metrics, shuffled, the gate accepts."""
    accepted = 0
    for seed in range(seeds):
        snapshots, rng = make_snapshots(partners=120, reviews=9, seed=seed), np.random.default_rng(seed)
        for metric in metrics:
            snapshots[metric] = snapshots.groupby("as_of")[metric].transform(partial(permuted, rng=rng))
        accepted += train(snapshots, FEATURES, QUICK, AS_OF, seed).gate.accepted
    return accepted


def origins(name: str, events: Events, dates: list[str], gate: GateSpec) -> pd.DataFrame:
    """Gini of persistence and of what was chosen, and the gate's answer, at every past review."""
    snapshots = events.snapshots(dates)
    spec = PotentialSpec(backtest=BacktestSpec(origins=len(dates), bootstraps=2), gate=gate)
    until = pd.Timestamp(dates[-1]) + events.horizon
    result = backtest(snapshots, features_of(snapshots), spec, until, 1)
    gini = result.scores[(result.scores["score"] == "gini") & (result.scores["origin"] != "all")]
    wide = gini.pivot_table(index="origin", columns="candidate", values="value")
    told = result.gate.set_index("origin")
    return pd.DataFrame(
        {
            "data": name, "persistence": wide["persistence"], "chosen": wide["chosen"],
            "gain": wide["chosen"] - wide["persistence"], "used": told["chosen"], "reason": told["reason"],
        }
    )  # fmt: skip


def main() -> None:
    """Run what was asked for."""
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    if part in ("shuffled", "all"):
        for name, metrics in SHUFFLED.items():
            print(f"{name} shuffled: accepted {shuffled_accepted(seeds, metrics)} of {seeds}", flush=True)
    folder = data_folder()
    if part == "shuffled" or folder is None:
        return
    months = [str(day.date()) for day in pd.date_range("2016-12-31", "2018-02-28", freq="ME")]
    halves = [str(day.date()) for day in pd.date_range("2011-06-30", "2013-03-31", freq="QE")]
    tables = [
        origins("CDNOW 26 weeks", read_cdnow(folder), ["1997-06-30", "1997-09-30", "1997-12-31"], GateSpec()),
        origins("Olist 26 weeks", read_olist(folder), months, GateSpec()),
        origins("AdventureWorks 2Q", read_adventureworks(folder), [*halves, "2013-05-31"], GateSpec(origins=3)),
    ]
    table = pd.concat(tables).round(4)
    print(table.to_string())
    print(f"worst loss {table['gain'].min():.4f}, mean gain {table['gain'].mean():.4f} over {len(table)} origins")


if __name__ == "__main__":
    main()
