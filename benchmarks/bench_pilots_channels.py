"""Pilots on real partners: the demo channel and the sellers of Olist. Sections of `bench_pilots.py`.

A/A pilots (no effect), an injected effect, and the planner's promise against what pilots then show. Arms are drawn one
by one at random, and again as `assign` draws matched blocks; both are read by `analyse`, as users' pilots are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from figures import Figure, share

from tests.potential.rfm import read_olist
from tierwise import pilots
from tierwise.config.pilot import AnalysisSettings, AssignmentSettings, OutcomeSettings, PowerSettings
from tierwise.synthetic import ChannelSettings, generate

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261122
# 200 pilots are what was asked for; the error of their shares is as large as the bands, so that more are run as well.
ASKED, MANY = 200, 1000
RATE, FAMILY, HELD = (0.03, 0.07), (0.0, 0.05), (0.93, 0.97)
MATCHED = "matched"
AA_REPEATS = {"at random": 2500, MATCHED: 1000}


@cache
def olist_sellers(data: Path) -> pd.DataFrame:
    """Revenue per Olist seller in the first half of 2018, and in the half year before."""
    rows = read_olist(data).rows
    halves = {"past": ("2017-07-01", "2018-01-01"), "revenue": ("2018-01-01", "2018-07-01")}
    sums = {
        name: rows[(rows["date"] >= first) & (rows["date"] < last)].groupby("partner_id")["amount"].sum()
        for name, (first, last) in halves.items()
    }
    known = rows.loc[rows["date"] < "2018-01-01", "partner_id"].unique()
    frame = pd.DataFrame({"partner_id": sorted(known)})
    return frame.assign(**{name: frame["partner_id"].map(total).fillna(0.0) for name, total in sums.items()})


@cache
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


def draws(frame: pd.DataFrame, arms: tuple[str, ...], how: str, repeats: int, seed: int) -> Iterator[pd.DataFrame]:
    """Random pilots: each the frame with `arm`, and `block` where blocks were matched."""
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        if how == MATCHED:
            read = AssignmentSettings(
                arms=dict.fromkeys(arms, 1.0), match_on=("past",), seed=int(rng.integers(1 << 31))
            )
            yield frame.merge(pilots.assign(frame, read).rows[["partner_id", "arm", "block"]], on="partner_id")
        else:
            yield frame.assign(arm=rng.permutation(np.resize(list(arms), len(frame))))


def reading(how: str, **outcomes: OutcomeSettings) -> AnalysisSettings:
    """How these pilots are read."""
    named = outcomes or {"revenue": OutcomeSettings(role="primary")}
    pair = "block" if how == MATCHED else None
    return AnalysisSettings(control="control", outcomes=named, covariates=("past",), pair=pair, permutations=1)


def aa(name: str, frame: pd.DataFrame) -> Iterator[Figure]:
    """Random pilots of three arms, two primary outcomes and no effect: each test, and the Holm family of four."""
    frame = frame.assign(sold=(frame["revenue"] > 0).astype(float))
    primary = OutcomeSettings(role="primary")
    for how, repeats in AA_REPEATS.items():
        settings = reading(how, revenue=primary, sold=primary)
        wrong, family = [], []
        for drawn in draws(frame, ("control", "mdf", "sla"), how, repeats, SEED):
            rows = pilots.analyse(drawn, settings).results
            wrong.append(np.mean([row.effect().p < 0.05 for row in rows]))
            family.append(min(row.p_adjusted for row in rows) < 0.05)
        for count in (ASKED, repeats):
            says = f"A/A, {name}, {how}, {count:,} pilots"
            yield Figure(f"{says}: false positives", *share(wrong[:count]), band=RATE)
            yield Figure(f"{says}: Holm family of 4", *share(family[:count]), band=FAMILY)


def injected() -> Iterator[Figure]:
    """+15 % on random arms of the demo channel: how often the interval holds it."""
    frame = demo_partners()
    truth = 0.15 * frame["revenue"].mean()
    for how in ("at random", MATCHED):
        held, relative = [], []
        for drawn in draws(frame, ("control", "mdf"), how, MANY, SEED):
            raised = drawn.assign(revenue=drawn["revenue"] * np.where(drawn["arm"] == "mdf", 1.15, 1.0))
            [row] = pilots.analyse(raised, reading(how)).results
            held.append(row.effect().low <= truth <= row.effect().high)
            relative.append(row.relative.low is not None and row.relative.low <= 0.15 <= row.relative.high)
        for count in (ASKED, MANY):
            says = f"+15 %, demo, {how}, {count:,} runs"
            yield Figure(f"{says}: held by the interval", *share(held[:count]), band=HELD)
            yield Figure(f"{says}: by the relative one", *share(relative[:count]), band=HELD)


def planner(name: str, frame: pd.DataFrame) -> Iterator[Figure]:
    """The power promised at the smallest change that the planner says it detects, against what pilots show."""
    for how in ("at random", MATCHED):
        match = ("past",) if how == MATCHED else ()
        asked = PowerSettings(
            outcome="revenue", arms={"control": 1, "mdf": 1}, covariates=("past",), match_on=match, effect=0.15, seed=1
        )
        plan = pilots.plan(frame, asked)
        print(f"planner, {name}, {how}: {' '.join(plan.sentences[:2])} {plan.rows[0]}")
        least = plan.rows[0].detectable_simulated
        shown = []
        for drawn in draws(frame, ("control", "mdf"), how, MANY, SEED + 1):
            raised = drawn.assign(revenue=drawn["revenue"] * np.where(drawn["arm"] == "mdf", 1 + least, 1.0))
            shown.append(pilots.analyse(raised, reading(how)).results[0].effect().p <= 0.05)
        says = f"power realised at {least:.1%} (promised .80), {name}, {how}, {MANY:,} runs"
        yield Figure(says, *share(shown), band=(asked.power - 0.03, asked.power + 0.03))
