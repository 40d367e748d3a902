"""Simulated pilots whose truth is known: each function returns the figures of METHODS section 5, over some repeats.

The tests run few repeats, `benchmarks/bench_pilots.py` many.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pandas as pd

from tierwise import pilots
from tierwise.config.pilot import (
    AnalysisSettings,
    MoneySettings,
    OneRegionSettings,
    OutcomeSettings,
    RolloutSettings,
    ThresholdSettings,
)
from tierwise.pilots import discontinuity as threshold_module
from tierwise.pilots import rollouts
from tierwise.pilots.intervals import at_look

PRIMARY = OutcomeSettings(role="primary")


def settings(**more: object) -> AnalysisSettings:
    given: dict[str, object] = {"control": "control", "outcomes": {"revenue": PRIMARY}, "permutations": 1, **more}
    return AnalysisSettings.model_validate(given)


def covers(result: pilots.Result, truth: float) -> bool:
    value = result.value
    return value is not None and value.low is not None and value.high is not None and value.low <= truth <= value.high


def halves(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.arange(count) % 2)


def reseller_frame(count: int, effect: float, rng: np.random.Generator) -> tuple[pd.DataFrame, float]:
    """Skewed revenue with zeros, a covariate that explains half, an effect that grows with size; its mean here."""
    past = rng.lognormal(0, 0.8, count)
    without = past * rng.lognormal(0, 0.4, count) * (rng.random(count) > 0.1)
    arm = halves(count, rng)
    mean_past = np.exp(0.32)
    gain = effect * (0.5 + 0.5 * past / mean_past)
    frame = pd.DataFrame(
        {
            "partner_id": [f"p{place:06d}" for place in range(count)],
            "arm": np.where(arm == 1, "mdf", "control"),
            "past": past,
            "region": np.where(rng.random(count) < 0.4, "north", "south"),
            "revenue": without + arm * gain,
        }
    )
    return frame, float(gain.mean())


def coverage(repeats: int, seed: int, count: int = 200, effect: float = 0.3) -> dict[str, float]:
    """How often the interval holds the mean effect on these partners, plain and adjusted, and the adjusted one's width.

    `lin, all partners` is about the mean effect on all partners that might have taken part, which the interval does
    not promise: which partners take part is chance too, and counts where effects differ.
    """
    rng = np.random.default_rng(seed)
    held, widths, wider = np.zeros(2), np.zeros(2), 0
    for _ in range(repeats):
        frame, truth = reseller_frame(count, effect, rng)
        for place, covariates in enumerate(((), ("past", "region"))):
            [row] = pilots.analyse(frame, settings(covariates=covariates)).results
            held[place] += covers(row, truth)
            widths[place] += row.effect().high - row.effect().low
        wider += covers(row, effect)
    figures = {"plain": held[0] / repeats, "lin": held[1] / repeats, "lin, all partners": wider / repeats}
    return {**figures, "width ratio": widths[1] / widths[0]}


def type_one(repeats: int, seed: int, count: int = 200) -> dict[str, float]:
    """How often a pilot without effect shows one: one test, and the family of 2 arms x 3 metrics by Holm."""
    rng = np.random.default_rng(seed)
    single = family = 0
    for _ in range(repeats):
        frame, _ = reseller_frame(count, 0.0, rng)
        [row] = pilots.analyse(frame, settings(covariates=("past",))).results
        single += row.effect().p < 0.05
        three = frame.assign(arm=rng.permutation(np.resize(["control", "mdf", "sla"], count)))
        three = three.assign(deals=rng.poisson(three["past"]), cases=rng.poisson(2, count))
        rows = pilots.analyse(three, settings(outcomes=dict.fromkeys(("revenue", "deals", "cases"), PRIMARY))).results
        family += min(row.p_adjusted for row in rows) < 0.05
    return {"single": single / repeats, "holm family": family / repeats}


def peeking(repeats: int, seed: int, looks: int = 12) -> dict[str, float]:
    """How often any look shows an effect that is not there: partners that accumulate, and partners that join."""
    rng = np.random.default_rng(seed)
    rates = {"accumulating": 0, "joining": 0, "accumulating, naive": 0, "joining, naive": 0}
    for _ in range(repeats):
        size = rng.lognormal(0, 0.5, 200)
        monthly = size[:, None] * rng.lognormal(0, 0.7, (200, looks))
        arm = halves(200, rng)
        seen = {"accumulating": False, "joining": False, "accumulating, naive": False, "joining, naive": False}
        single = rng.lognormal(0, 1, 40 * looks)
        joined = rng.permuted(np.tile([0, 1], (looks, 20)), axis=1).ravel()
        for look in range(1, looks + 1):
            parts = {
                "accumulating": (monthly[:, :look].sum(axis=1), arm),
                "joining": (single[: 40 * look], joined[: 40 * look]),
            }
            for kind, (values, drawn) in parts.items():
                ours, theirs = values[drawn == 1], values[drawn == 0]
                error = float(np.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs)))
                gap = float(ours.mean() - theirs.mean())
                value = at_look(gap, error, look / looks, 0.05)
                seen[kind] |= value.low > 0 or value.high < 0
                seen[f"{kind}, naive"] |= abs(gap) > 1.96 * error
        for kind, shown in seen.items():
            rates[kind] += shown
    return {kind: count / repeats for kind, count in rates.items()}


def clustered_frame(clusters: int, rng: np.random.Generator) -> pd.DataFrame:
    sizes = rng.integers(8, 40, clusters)
    cluster = np.repeat(np.arange(clusters), sizes)
    drawn = halves(clusters, rng)
    values = rng.normal(0, 1, clusters)[cluster] + rng.normal(0, 2, len(cluster)) + 10
    names = [f"d{number:02d}" for number in cluster]
    arms = np.where(drawn[cluster] == 1, "mdf", "control")
    ids = [f"p{place:05d}" for place in range(len(cluster))]
    return pd.DataFrame({"partner_id": ids, "arm": arms, "distributor": names, "revenue": values})


def ten_clusters(repeats: int, seed: int, permutations: int = 199) -> dict[str, float]:
    """Type-I error with ten distributors: CR2, the redrawing test, and as if partners had been drawn."""
    rng = np.random.default_rng(seed)
    rates = np.zeros(3)
    for _ in range(repeats):
        frame = clustered_frame(10, rng)
        read = settings(cluster="distributor", permutations=permutations, seed=int(rng.integers(1 << 30)))
        [row] = pilots.analyse(frame, read).results
        [naive] = pilots.analyse(frame, settings(permutations=1, shares=dict(frame["arm"].value_counts()))).results
        rates += [row.effect().p < 0.05, row.diagnostics["p_randomisation"] <= 0.05, naive.effect().p < 0.05]
    return dict(zip(("CR2", "redrawing", "naive"), rates / repeats, strict=True))


def ratios(repeats: int, seed: int, count: int = 200, lift: float = 0.05) -> dict[str, float]:
    """Coverage of a win rate's difference by the delta method, and of the naive error over deals."""
    rng = np.random.default_rng(seed)
    held = naive = 0
    read = settings(outcomes={"won": OutcomeSettings(role="primary", per="deals")})
    for _ in range(repeats):
        arm = halves(count, rng)
        deals = 1 + rng.negative_binomial(1, 0.1, count)
        chance = np.clip(rng.beta(4, 6, count) + lift * arm, 0, 1)
        won = rng.binomial(deals, chance)
        ids = [f"p{place:05d}" for place in range(count)]
        frame = pd.DataFrame({"partner_id": ids, "arm": np.where(arm == 1, "mdf", "control")})
        frame = frame.assign(deals=deals, won=won)
        [row] = pilots.analyse(frame, read).results
        held += covers(row, lift)
        totals = [(won[arm == a].sum(), deals[arm == a].sum()) for a in (1, 0)]
        error = np.sqrt(sum(w / n * (1 - w / n) / n for w, n in totals))
        naive += abs(row.effect().estimate - lift) <= 1.96 * error
    return {"delta": held / repeats, "naive by deals": naive / repeats}


def return_on_cost(repeats: int, seed: int, count: int = 300) -> dict[str, float]:
    """Coverage of Fieller's interval of the return: margin 1.5 per unit of cost, so the true return is 50 %."""
    rng = np.random.default_rng(seed)
    held = unbounded = payback = 0
    money = MoneySettings(revenue="revenue", margin="earned", cost="paid", window_months=6)
    for _ in range(repeats):
        arm = halves(count, rng)
        size = rng.lognormal(0, 0.5, count)
        paid = arm * size * rng.uniform(0.5, 1.5, count)
        earned = 3 * size * rng.lognormal(0, 0.3, count) + 1.5 * paid
        ids = [f"p{place:05d}" for place in range(count)]
        frame = pd.DataFrame({"partner_id": ids, "arm": np.where(arm == 1, "mdf", "control"), "past": size})
        frame = frame.assign(revenue=earned * 3, earned=earned, paid=paid)
        rows = {row.metric: row for row in pilots.returns(frame, settings(covariates=("past",)), money)}
        held += covers(rows["return_on_cost"], 0.5)
        payback += covers(rows["payback_months"], 4.0)
        unbounded += rows["payback_months"].value.low is None
    return {"return": held / repeats, "payback": (payback + unbounded) / repeats, "no end": unbounded / repeats}


def stepped_panel(rng: np.random.Generator, units: int = 120, periods: int = 10) -> tuple[pd.DataFrame, float]:
    """A roll-out in three steps; its effect grows with exposure and is larger for early groups. And its mean."""
    start = np.resize([3, 5, 7, 0], units)
    unit, period = np.repeat(np.arange(units), periods), np.tile(np.arange(1, periods + 1), units)
    begin = start[unit]
    exposure = np.where(begin > 0, period - begin, -1)
    effect = np.where(exposure >= 0, (0.15 + 0.12 * exposure) * np.where(begin == 3, 1.5, 1.0), 0.0)
    common = np.cumsum(rng.normal(0.1, 0.2, periods))[period - 1]
    noise = rng.normal(0, 0.5, len(unit))
    values = rng.normal(0, 1, units)[unit] + common + noise + effect
    frame = pd.DataFrame({"partner_id": [f"u{number:04d}" for number in unit], "period": period})
    frame = frame.assign(revenue=values, first_treated=begin)
    treated = exposure >= 0
    return frame, float(effect[treated].mean())


def staggered_roll_out(repeats: int, seed: int) -> dict[str, float]:
    """Coverage of the average effect, its mean estimate, the two-way estimate, and false alarms of pre-trends."""
    # The average over groups is refitted twenty times for its error, which no figure here is about.
    with mock.patch.object(rollouts, "_over_groups", return_value=None):
        return _staggered_roll_out(repeats, np.random.default_rng(seed))


def _staggered_roll_out(repeats: int, rng: np.random.Generator) -> dict[str, float]:
    held = alarms = 0
    ours, theirs, truth = [], [], 0.0
    for _ in range(repeats):
        panel, truth = stepped_panel(rng)
        row = pilots.staggered(panel, RolloutSettings(outcome="revenue"))[0]
        held += covers(row, truth)
        alarms += row.diagnostics["pre_trend_p"] < 0.05
        ours.append(row.effect().estimate)
        theirs.append(two_way(panel))
    means = {"truth": truth, "mean estimate": float(np.mean(ours)), "two-way": float(np.mean(theirs))}
    return {"coverage": held / repeats, "pre-trend alarms": alarms / repeats, **means}


def two_way(panel: pd.DataFrame) -> float:
    """The two-way fixed-effects estimate that is biased under growing effects."""
    treated = ((panel["first_treated"] > 0) & (panel["period"] >= panel["first_treated"])).astype(float)
    parts = []
    for values in (treated, panel["revenue"]):
        unit = values.groupby(panel["partner_id"]).transform("mean")
        period = values.groupby(panel["period"]).transform("mean")
        parts.append((values - unit - period + values.mean()).to_numpy())
    return float(parts[0] @ parts[1] / (parts[0] @ parts[0]))


def discontinuity(repeats: int, seed: int, count: int = 1000) -> dict[str, float]:
    """Coverage of the jump at a threshold; how often the density test cries wolf, and catches partners who push up."""
    # The placebo thresholds are six estimates more, which no figure here is about.
    with mock.patch.object(threshold_module, "_PLACEBOS", ()):
        return _discontinuity(repeats, np.random.default_rng(seed), count)


def _discontinuity(repeats: int, rng: np.random.Generator, count: int) -> dict[str, float]:
    held = computed = alarms = caught = 0
    curved = []
    read = ThresholdSettings(running="points", outcome="revenue", cutoff=60)
    for _ in range(repeats):
        points = 100 * rng.beta(3, 2.5, count)
        revenue = 3 + 0.02 * points + 0.0004 * (points - 60) ** 2 + 0.8 * (points >= 60) + rng.normal(0, 1, count)
        frame = pd.DataFrame({"partner_id": np.arange(count), "points": points, "revenue": revenue})
        row = pilots.threshold_effect(frame, read)[0]
        refused = row.reason_code == "manipulated_threshold"
        alarms += refused
        computed += not refused
        held += covers(row, 0.8)
        pushed = np.where((points > 55) & (points < 60) & (rng.random(count) < 0.6), 60 + 2 * rng.random(count), points)
        caught += pilots.threshold_effect(frame.assign(points=pushed), read)[0].reason_code == "manipulated_threshold"
        other = pilots.threshold_effect(house_elections(rng, count), read.model_copy(update={"cutoff": 0.0}))[0]
        curved += [covers(other, 0.04)] if other.reason_code != "manipulated_threshold" else []
    shares = {"coverage": held / computed, "coverage, house elections": float(np.mean(curved))}
    return {**shares, "density alarms": alarms / repeats, "pushing caught": caught / repeats}


def house_elections(rng: np.random.Generator, count: int) -> pd.DataFrame:
    """The first design of Calonico, Cattaneo & Titiunik (2014): Lee's elections, steep near the threshold; jump .04."""
    x = 2 * rng.beta(2, 4, count) - 1
    below, above = (0.48, 1.27, 7.18, 20.21, 21.54, 7.33), (0.52, 0.84, -3.00, 7.99, -9.01, 3.56)
    powers = np.vander(x, 6, increasing=True)
    share = np.where(x < 0, powers @ below, powers @ above) + rng.normal(0, 0.1295, count)
    return pd.DataFrame({"partner_id": np.arange(count), "points": x, "revenue": share})


def one_region(repeats: int, seed: int) -> dict[str, float]:
    """Type-I error of one treated region by placebo rank, coverage of its interval and mean estimate of a true 1.0."""
    rng = np.random.default_rng(seed)
    shown = held = 0
    found = []
    regions, periods = 30, 20
    for repeat in range(repeats):
        factors = np.cumsum(rng.normal(0, 0.3, (periods, 2)), axis=0)
        values = rng.normal(0, 1, (regions, 2)) @ factors.T + rng.normal(0, 0.3, (regions, periods)) + 5
        names = np.repeat([f"r{number:02d}" for number in range(regions)], periods)
        panel = pd.DataFrame(
            {"region": names, "period": np.tile(np.arange(periods), regions), "revenue": values.ravel()}
        )
        read = OneRegionSettings(outcome="revenue", treated=("r00",), starts=15, seed=repeat)
        shown += pilots.one_region(panel, read).effect().p <= 0.05
        treated = (panel["region"] == "r00") & (panel["period"] >= 15)
        row = pilots.one_region(panel.assign(revenue=panel["revenue"] + 1.0 * treated), read)
        held += covers(row, 1.0)
        found.append(row.effect().estimate)
    return {"type one": shown / repeats, "coverage": held / repeats, "mean estimate": float(np.mean(found))}


def by_archetype(repeats: int, seed: int) -> dict[str, float]:
    """Mean squared error of effects by archetype, drawn in against own, and coverage of the drawn-in intervals."""
    rng = np.random.default_rng(seed)
    errors = np.zeros(2)
    held, total = 0, 0
    for _ in range(repeats):
        truth = rng.normal(0.3, 0.15, 8)
        archetype = np.repeat(np.arange(8), 40)
        arm = np.tile(np.arange(2), 160)
        values = rng.normal(0, 1, 320) + truth[archetype] * arm
        frame = pd.DataFrame({"partner_id": np.arange(320), "arm": np.where(arm == 1, "mdf", "control")})
        frame = frame.assign(revenue=values, archetype=[f"a{number}" for number in archetype])
        rows = pilots.analyse(frame, settings(archetype="archetype")).results[1:]
        for number, row in enumerate(rows):
            errors += [
                (row.value.estimate - truth[number]) ** 2,
                (row.diagnostics["own_estimate"] - truth[number]) ** 2,
            ]
            held += covers(row, truth[number])
            total += 1
    return {"coverage": held / total, "error drawn in / own": errors[0] / errors[1]}
