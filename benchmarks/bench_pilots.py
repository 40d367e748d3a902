"""Pilots with known truth: coverage, type-I error, peeking, clusters, ratios, roll-outs, thresholds, returns; speed.

`python benchmarks/bench_pilots.py [SECTION ...]`; every section takes at most five minutes of one core. The real data
lie in the folder that `TIERWISE_DATA` names, else ../shared/data; sections that need them are left out without them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.pilots import known_truth as truth  # noqa: E402
from tests.potential.rfm import read_olist  # noqa: E402
from tierwise import pilots  # noqa: E402
from tierwise.config.pilot import AnalysisSettings, OutcomeSettings, PowerSettings  # noqa: E402
from tierwise.pilots.power_simulation import simulate  # noqa: E402
from tierwise.synthetic import ChannelSettings, generate  # noqa: E402

SEED = 20261122
DATA = Path(os.environ.get("TIERWISE_DATA") or ROOT.parent / "shared" / "data")

# Section: the simulation, its repeats, and the bands of METHODS section 5 by figure.
SIMULATIONS: dict[str, tuple[Callable[..., dict[str, float]], int, dict[str, tuple[float, float]]]] = {
    "coverage": (truth.coverage, 4000, {"plain": (0.935, 0.965), "lin": (0.935, 0.965)}),
    "type-one": (truth.type_one, 1000, {"single": (0.0, 0.05), "holm family": (0.0, 0.05)}),
    "peeking": (truth.peeking, 2000, {"accumulating": (0.0, 0.05), "joining": (0.0, 0.05)}),
    "ten-clusters": (truth.ten_clusters, 3000, {"CR2": (0.03, 0.07), "redrawing": (0.03, 0.07)}),
    "ratios": (truth.ratios, 5000, {"delta": (0.935, 0.965)}),
    "returns": (truth.return_on_cost, 3000, {"return": (0.935, 0.965), "payback": (0.935, 0.965)}),
    "staggered": (truth.staggered_roll_out, 500, {"coverage": (0.935, 0.965)}),
    "thresholds": (truth.discontinuity, 500, {"coverage": (0.935, 0.965), "density alarms": (0.0, 0.07)}),
    "one-region": (truth.one_region, 300, {"type one": (0.0, 0.07)}),
    "archetypes": (truth.by_archetype, 300, {"coverage": (0.935, 1.0)}),
}


def simulation(section: str) -> None:
    """Run one simulation and print its figures with their bands and Monte-Carlo errors."""
    run, repeats, bands = SIMULATIONS[section]
    start = time.process_time()
    figures = run(repeats, SEED)
    for name, value in figures.items():
        error = np.sqrt(max(value * (1 - value), 0) / repeats) if 0 <= value <= 1 else float("nan")
        low, high = bands.get(name, (None, None))
        verdict = "" if low is None else f"band {low}-{high}: {'inside' if low <= value <= high else 'OUTSIDE'}"
        print(f"{section:13} {name:22} {float(value):8.4f} (+-{error:.4f})  {verdict}")
    print(f"{section:13} {repeats} repeats, {time.process_time() - start:.0f} s of CPU")


def speed() -> None:
    """100,000 partners, 3 arms, 10 metrics, with two covariates and strata."""
    rng = np.random.default_rng(SEED)
    count = 100_000
    arm = rng.permutation(np.resize(["control", "mdf", "sla"], count))
    frame = pd.DataFrame({"partner_id": [f"p{place:06d}" for place in range(count)], "arm": arm})
    frame = frame.assign(past=rng.lognormal(0, 1, count), region=rng.choice(["n", "s", "w"], count))
    for place in range(10):
        frame[f"metric_{place}"] = frame["past"] * rng.lognormal(0, 0.5, count)
    outcomes = {f"metric_{place}": OutcomeSettings(role="primary") for place in range(10)}
    settings = AnalysisSettings(control="control", outcomes=outcomes, covariates=("past",), strata=("region",))
    start = time.perf_counter()
    rows = pilots.analyse(frame, settings).results
    wall = time.perf_counter() - start
    print(f"speed         {count:,} partners x 3 arms x 10 metrics, {len(rows)} rows: {wall:.1f} s (bound 20 s)")


def olist_sellers() -> pd.DataFrame:
    """Revenue per Olist seller in the first half of 2018, and in the half year before."""
    rows = read_olist(DATA).rows
    halves = {"past": ("2017-07-01", "2018-01-01"), "revenue": ("2018-01-01", "2018-07-01")}
    sums = {
        name: rows[(rows["date"] >= first) & (rows["date"] < last)].groupby("partner_id")["amount"].sum()
        for name, (first, last) in halves.items()
    }
    known = rows.loc[rows["date"] < "2018-01-01", "partner_id"].unique()
    frame = pd.DataFrame({"partner_id": sorted(known)})
    return frame.assign(**{name: frame["partner_id"].map(total).fillna(0.0) for name, total in sums.items()})


def demo_partners() -> pd.DataFrame:
    """Won amounts in USD per partner of the demo channel in the last year, and in the year before."""
    deals = generate(ChannelSettings(), 1).tables["deals"].to_pandas()
    rates = yaml.safe_load((ROOT / "pipelines" / "demo" / "tierwise.yaml").read_text(encoding="utf-8"))["currency"][
        "rates"
    ]
    day, amount = pd.to_datetime(deals["decided_on"]), pd.to_numeric(deals["amount"], errors="coerce")
    amount = amount * deals["currency"].map({"USD": 1.0, **rates}).astype(float)
    won = (deals["status"] == "won") & (amount > 0)
    years = {"past": ("2024-10-01", "2025-10-01"), "revenue": ("2025-10-01", "2026-10-01")}
    sums = {
        name: amount[won & (day >= first) & (day < last)].groupby(deals["partner_id"]).sum()
        for name, (first, last) in years.items()
    }
    frame = pd.DataFrame({"partner_id": sorted(deals.loc[day < "2025-10-01", "partner_id"].astype(str).unique())})
    return frame.assign(**{name: frame["partner_id"].map(total).fillna(0.0) for name, total in sums.items()})


def aa(name: str, frame: pd.DataFrame) -> None:
    """200 random pilots of three arms without any effect: false positives, one test and a Holm family of 4."""
    rng = np.random.default_rng(SEED)
    frame = frame.assign(sold=(frame["revenue"] > 0).astype(float))
    outcomes = {"revenue": OutcomeSettings(role="primary"), "sold": OutcomeSettings(role="primary")}
    settings = AnalysisSettings(control="control", outcomes=outcomes, covariates=("past",), permutations=1)
    single = family = tests = 0
    for _ in range(200):
        drawn = frame.assign(arm=rng.permutation(np.resize(["control", "mdf", "sla"], len(frame))))
        rows = pilots.analyse(drawn, settings).results
        single += sum(row.effect().p < 0.05 for row in rows)
        tests += len(rows)
        family += min(row.p_adjusted for row in rows) < 0.05
    print(f"{name:13} {len(frame):,} partners: false positives {single / tests:.3f} (band .03-.07), "
          f"Holm family {family / 200:.3f} (bound .05)")  # fmt: skip


def injected() -> None:
    """+15 % on random arms of the demo channel, 200 runs: how often the interval holds it."""
    frame, rng = demo_partners(), np.random.default_rng(SEED)
    truth_here = 0.15 * frame["revenue"].mean()
    held = relative = 0
    for _ in range(200):
        arm = rng.permutation(np.arange(len(frame)) % 2)
        drawn = frame.assign(arm=np.where(arm, "mdf", "control"), revenue=frame["revenue"] * (1 + 0.15 * arm))
        [row] = pilots.analyse(drawn, truth.settings(covariates=("past",))).results
        held += row.effect().low <= truth_here <= row.effect().high
        relative += row.relative.low is not None and row.relative.low <= 0.15 <= row.relative.high
    print(f"injected      +15 % on {len(frame)} partners of the demo channel: held by the interval in {held / 200:.3f} "
          f"of 200 runs, by the relative one in {relative / 200:.3f} (band .93-.97)")  # fmt: skip


def planner(name: str, frame: pd.DataFrame) -> None:
    """The power promised at the detectable effect against the power realised on fresh draws."""
    settings = PowerSettings(
        outcome="revenue", arms={"control": 1, "mdf": 1}, covariates=("past",), effect=0.15, simulations=1000, seed=1
    )
    found = pilots.plan(frame, settings)
    for sentence in found.sentences:
        print(f"{name:13} {sentence}")
    row = found.rows[0]
    fresh = simulate(frame, settings.model_copy(update={"seed": 2, "simulations": 2000}), adjusted=True)
    realised = fresh.share_detected(row.detectable_simulated)
    print(f"{name:13} promised {settings.power:.3f} at {row.detectable_simulated:.1%}; realised {realised:.3f} "
          f"(+-.03); by formula {row.detectable_formula:.1%}; false positives {row.false_positives:.3f}")  # fmt: skip


def beside_others() -> None:
    """The same inputs to tea-tasting and statsmodels."""
    import statsmodels.formula.api as smf
    import tea_tasting as tt

    frame, _ = truth.reseller_frame(2000, 0.3, np.random.default_rng(SEED))
    frame = frame.assign(deals=np.random.default_rng(1).poisson(3, 2000) + 1)
    read = truth.settings(outcomes={"revenue": {"per": "deals"}})
    [ratio] = pilots.analyse(frame, read).results
    [plain] = pilots.analyse(frame, truth.settings()).results
    [lin] = pilots.analyse(frame, truth.settings(covariates=("past",))).results
    experiment = tt.Experiment({"plain": tt.Mean("revenue"), "ratio": tt.RatioOfMeans("revenue", "deals"),
                                "cuped": tt.Mean("revenue", "past")}, variant="arm")  # fmt: skip
    theirs = experiment.analyze(frame, control="control")
    centred = frame.assign(c=frame["past"] - frame["past"].mean(), t=(frame["arm"] == "mdf").astype(float))
    fitted = smf.ols("revenue ~ t * c", centred).fit(cov_type="HC2")
    for name, row, effect, low in (
        ("plain", plain, theirs["plain"].effect_size, theirs["plain"].effect_size_ci_lower),
        ("ratio", ratio, theirs["ratio"].effect_size, theirs["ratio"].effect_size_ci_lower),
        ("cuped", lin, theirs["cuped"].effect_size, theirs["cuped"].effect_size_ci_lower),
        ("lin", lin, fitted.params["t"], fitted.conf_int().loc["t", 0]),
    ):
        print(f"beside        {name:6} ours {row.effect().estimate:.5f} from {row.effect().low:.5f}; "
              f"theirs {effect:.5f} from {low:.5f}")  # fmt: skip


OTHERS: dict[str, Callable[[], None]] = {
    "speed": speed,
    "aa-olist": lambda: aa("aa-olist", olist_sellers()),
    "aa-demo": lambda: aa("aa-demo", demo_partners()),
    "injected": injected,
    "planner-olist": lambda: planner("planner-olist", olist_sellers()),
    "planner-demo": lambda: planner("planner-demo", demo_partners()),
    "beside": beside_others,
}


def main() -> None:
    """Run the sections named, or all."""
    chosen = sys.argv[1:] or [*SIMULATIONS, *OTHERS]
    for section in chosen:
        if section in SIMULATIONS:
            simulation(section)
        elif section in OTHERS:
            if section.endswith("olist") and not DATA.is_dir():
                print(f"{section:13} left out: no folder {DATA.name!r}")
                continue
            OTHERS[section]()
        else:
            sys.exit(f"no section {section!r}; known are {', '.join([*SIMULATIONS, *OTHERS])}")


if __name__ == "__main__":
    main()
