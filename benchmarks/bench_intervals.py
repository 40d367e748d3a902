"""Intervals and the regime alarm: how often intervals hold, what of that is chance, and when the alarm fires.

`python benchmarks/bench_intervals.py [chance|coverage|real|alarm|all] [SEEDS] [FIRST SEED]`. `chance`: the exact range
of a band's coverage: an interval calibrated on m partners covers a share of n later ones that is Beta-Binomial(n, k,
m + 1 - k), k = ceil((m + 1) * .8). `coverage`: per review and size band, on synthetic channels without and with a
shock. `real`: the same on real data where present. `alarm`: on synthetic channels without a shock it must fire as often
as it says, with one as often as it can.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import betabinom

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bench_potential import data_folder  # noqa: E402
from tests.potential.rfm import Events, features_of, read_adventureworks, read_olist  # noqa: E402
from tierwise.config.load import load_workspace  # noqa: E402
from tierwise.config.model_spec import BacktestSpec, FeatureSet, IntervalSpec, PotentialSpec, TreeSpec  # noqa: E402
from tierwise.jobs.accept import accepted_tables  # noqa: E402
from tierwise.jobs.init import InitRequest, init, write_demo_data  # noqa: E402
from tierwise.jobs.progress import Steps, silent  # noqa: E402
from tierwise.jobs.snapshots import build_snapshots, model_features  # noqa: E402
from tierwise.potential import backtest  # noqa: E402
from tierwise.potential.intervals import NOTHING  # noqa: E402
from tierwise.potential.regime import compare_regimes  # noqa: E402
from tierwise.synthetic import ChannelSettings, generate  # noqa: E402
from tierwise.synthetic.profiles import USD_RATES  # noqa: E402
from tierwise.synthetic.settings import DEMAND_SHOCK, Shock  # noqa: E402

SPEC = IntervalSpec()
SIZES = (100, 300, 600, 1000)
DAYS = pd.date_range("2023-12-31", "2026-09-30", freq="QE")
QUARTERS = (date(2024, 6, 30), date(2024, 9, 30), date(2024, 12, 31))
LAST = date(2026, 9, 30)
LEAST_PARTNERS = 20
CORRIDOR = (0.75, 0.85)


def print_chance() -> None:
    """Print the exact 95 % range of the coverage of a band that is calibrated perfectly."""
    for partners in (40, 80, 165, 500):
        low, high = chance(partners).ppf([0.025, 0.975]) / partners
        inside = within(partners)
        print(f"band of {partners}: 95 % of coverages in {low:.3f} to {high:.3f}; within .75 to .85: {inside:.2f}")


def chance(partners: int) -> Any:
    """How many of as many partners an interval covers that was calibrated on others like them."""
    place = int(np.ceil((partners + 1) * SPEC.coverage))
    return betabinom(partners, place, partners + 1 - place)


def within(partners: int) -> float:
    """The probability that such a band's coverage lies in the corridor."""
    low, high = (limit * partners for limit in CORRIDOR)
    return float(chance(partners).cdf(np.floor(high + 1e-9)) - chance(partners).cdf(np.ceil(low - 1e-9) - 1))


def synthetic_coverage(seed: int, shock: Shock | None) -> pd.DataFrame:
    """The coverage table of a back-test of one synthetic channel of 600 partners, five years, four past reviews."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "demo"
        init(InitRequest(folder, "demo", partners=50, seed=seed))
        write_demo_data(folder, ChannelSettings(shock=shock), seed)
        workspace = load_workspace(folder)
        with accepted_tables(workspace, date(2026, 10, 15), Steps(silent, 2)) as (engine, _):
            snapshots = build_snapshots(engine, workspace, LAST)
    return _coverage(snapshots, model_features(workspace), LAST, 8).assign(seed=seed)


def _coverage(snapshots: pd.DataFrame, features: FeatureSet, until: date, origins: int) -> pd.DataFrame:
    spec = PotentialSpec(backtest=BacktestSpec(origins=origins, bootstraps=2), trees=TreeSpec(threads=1))
    found = backtest(snapshots, features, spec, pd.Timestamp(until), 1).coverage
    return found[(found["origin"] != "all") & (found["partners"] >= LEAST_PARTNERS)]


def real_coverage(events: Events, dates: list[str]) -> pd.DataFrame:
    """The coverage table of a back-test of real events at every past review."""
    snapshots, until = events.snapshots(dates), pd.Timestamp(dates[-1]) + events.horizon
    return _coverage(snapshots, features_of(snapshots), until.date(), len(dates))


def print_shares(name: str, bands: pd.DataFrame) -> None:
    """Print the share of bands inside the corridor beside chance."""
    inside, low = bands["coverage"].between(*CORRIDOR).mean(), (bands["coverage"] < 0.7).mean()
    expected = np.mean([within(int(count)) for count in bands["partners"]])
    print(f"{name}: {len(bands)} bands of {int(bands['partners'].median())} partners (median)")
    print(f"  in the corridor {inside:.2f} (by chance alone {expected:.2f}), below .70 {low:.2f}")


def print_coverage(name: str, found: pd.DataFrame, each: bool = True) -> None:
    """Print every band of every review where wanted, and the share of bands inside the corridor beside chance."""
    if each:
        wide = found.pivot_table(index="origin", columns=["source", "band"], values="coverage").round(2)
        print(f"\n{name}: coverage by review, source and size band\n{wide.to_string(na_rep='')}")
    found = found.assign(
        held=found["coverage"] * found["partners"], cell=found["source"] + "/" + found["band"].map(str)
    )
    print_shares(name, found)
    if (found["band"] == NOTHING).any():
        print_shares("  without those predicted to have nothing (band -1)", found[found["band"] != NOTHING])
    for key in ("cell", "origin"):
        summed = found.groupby(key)[["held", "partners"]].sum()
        print(f"  by {key} {(summed['held'] / summed['partners']).round(3).to_dict()}", flush=True)


def coverage(seeds: int, first: int) -> None:
    """Print the coverage on synthetic channels."""
    for name, shock in (("synthetic, no shock", None), ("synthetic, with the shock", DEMAND_SHOCK)):
        tables = [synthetic_coverage(seed, shock) for seed in range(first, first + seeds)]
        print_coverage(f"{name}, {seeds} channels", pd.concat(tables, ignore_index=True), each=False)


def real(_seeds: int, _first: int) -> None:
    """Print the coverage on real data."""
    folder = data_folder()
    if folder is None:
        return
    halves = [str(day.date()) for day in pd.date_range("2011-06-30", "2013-03-31", freq="QE")]
    resellers = real_coverage(read_adventureworks(folder), [*halves, "2013-05-31"])
    print_coverage("AdventureWorks 2Q", resellers)
    print_coverage("AdventureWorks 2Q from the second year", resellers[resellers["origin"] >= "2012-09-30"], each=False)
    months = [str(day.date()) for day in pd.date_range("2016-12-31", "2018-02-28", freq="ME")]
    print_coverage("Olist 26 weeks", real_coverage(read_olist(folder), months))


def won_by_quarter(seed: int, shock: Shock | None) -> tuple[pd.DataFrame, pd.Series]:
    """Won revenue in USD by partner and quarter, and when each joined, of 1,000 partners over seven years."""
    channel = generate(ChannelSettings(partners=1000, years=7, shock=shock, fault_share=0.0), seed)
    deals = channel.tables["deals"].to_pandas()
    deals = deals[deals["status"] == "won"]
    usd = deals["amount"].astype(float) * deals["currency"].map(dict(USD_RATES)).fillna(1.0)
    quarter = pd.to_datetime(deals["decided_on"]) + pd.offsets.QuarterEnd(0)
    won = usd.groupby([deals["partner_id"], quarter]).sum().unstack(fill_value=0.0)
    partners = channel.tables["partners"].to_pandas().set_index("partner_id")
    return won.reindex(partners.index, fill_value=0.0), pd.to_datetime(partners["joined_on"])


def fires(won: pd.DataFrame, joined: pd.Series, as_of: pd.Timestamp) -> bool:
    """Whether the alarm fires at a review: the last completed year against the one before."""
    yearly, blocks = won.T.rolling(4).sum().T, []
    for back in (8, 4):
        day = as_of - pd.offsets.QuarterEnd(back)
        there = joined <= day
        block = pd.DataFrame(
            {"persistence": yearly[day][there], "label": yearly[day + pd.offsets.QuarterEnd(4)][there]}
        )
        blocks.append(block.rename_axis("partner_id").reset_index().assign(as_of=day))
    rows = pd.concat(blocks, ignore_index=True)
    found = compare_regimes(rows.assign(label_until=rows["as_of"] + pd.offsets.QuarterEnd(4)))
    return found is not None and found.alarms(SPEC)


def alarm(seeds: int, first: int) -> None:
    """Print how often the alarm fires without a shock, and at each review with one."""
    regions = [region for region, _ in DEMAND_SHOCK.win_factors]
    shocks: dict[str, Shock | None] = {"none": None, "demo": DEMAND_SHOCK}
    shocks |= {f"x {f}": Shock(QUARTERS, tuple((region, f) for region in regions)) for f in (0.9, 0.8, 0.7, 0.5)}
    rows = []
    for name, shock in shocks.items():
        for seed in range(first, first + seeds):
            won, joined = won_by_quarter(seed, shock)
            for size in SIZES:
                few = won.iloc[:size], joined.iloc[:size]
                rows += [(name, size, day.strftime("%y-%m"), fires(*few, day)) for day in DAYS]
    table = pd.DataFrame(rows, columns=["shock", "partners", "as of", "fires"])
    calm = table[table["shock"] == "none"].groupby("partners")["fires"].mean().round(3)
    print(f"\nfalse alarms without a shock, by partners (nominal {SPEC.alarm}): {calm.to_dict()}")
    shown = table.pivot_table(index=["shock", "partners"], columns="as of", values="fires").round(2)
    print(f"\nshare of {seeds} channels in which the alarm fires; the shock lasts from April to December 2024")
    print(shown.to_string())


def main() -> None:
    """Run what was asked for."""
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1001
    if part in ("chance", "all"):
        print_chance()
    parts: dict[str, Callable[[int, int], None]] = {"coverage": coverage, "real": real, "alarm": alarm}
    for name, run in parts.items():
        if part in (name, "all"):
            run(seeds, first)


if __name__ == "__main__":
    main()
