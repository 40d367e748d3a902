"""Intervals and the regime alarm: what is chance in a band's coverage, how often the alarm fires, and on what.

`python benchmarks/bench_intervals.py [SEEDS]`. First the exact range of a band's coverage: an interval calibrated on m
partners covers a share of n later ones that is Beta-Binomial(n, k, m + 1 - k), k = ceil((m + 1) * .8). Then the regime
alarm on synthetic channels: without a shock it must fire as often as it says, with one as often as it can.
"""

from __future__ import annotations

import sys
from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import betabinom

from tierwise.config.model_spec import IntervalSpec
from tierwise.potential.regime import compare_regimes
from tierwise.synthetic import ChannelSettings, generate
from tierwise.synthetic.profiles import USD_RATES
from tierwise.synthetic.settings import DEMAND_SHOCK, Shock

SPEC = IntervalSpec()
SIZES = (100, 300, 600, 1000)
DAYS = pd.date_range("2023-12-31", "2026-09-30", freq="QE")


def print_chance(coverage: float = 0.8) -> None:
    """Print the exact 95 % range of the coverage of a band that is calibrated perfectly."""
    for partners in (40, 80, 165, 500):
        place = int(np.ceil((partners + 1) * coverage))
        exact = betabinom(partners, place, partners + 1 - place)
        low, high = exact.ppf([0.025, 0.975]) / partners
        inside = exact.cdf(np.floor(0.85 * partners)) - exact.cdf(np.ceil(0.75 * partners) - 1)
        print(f"band of {partners}: 95 % of coverages in {low:.3f} to {high:.3f}; within .75 to .85: {inside:.2f}")


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


def main() -> None:
    """Run all of it."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print_chance()
    quarters = (date(2024, 6, 30), date(2024, 9, 30), date(2024, 12, 31))
    regions = [region for region, _ in DEMAND_SHOCK.win_factors]
    shocks: dict[str, Shock | None] = {"none": None, "demo": DEMAND_SHOCK}
    shocks |= {f"x {f}": Shock(quarters, tuple((region, f) for region in regions)) for f in (0.9, 0.8, 0.7, 0.5)}
    rows = []
    for name, shock in shocks.items():
        for seed in range(1, seeds + 1):
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


if __name__ == "__main__":
    main()
