"""Reasons: seconds to word those of 10,000 and 100,000 partners, in both wordings.

`python benchmarks/bench_reasons.py [PARTNERS ...]`. Made-up stored tables of the demo's shape: four tiers of three
criteria and a condition, one score of eight components, 38 features in six families against the channel and against
peers, regions, and every deciding reason. One thread; CPU and wall seconds of `word_reasons` alone, and peak memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from datetime import date

import numpy as np
import pandas as pd

from tierwise.explain.reasons import ReasonTables, word_reasons
from tierwise.explain.reasons_potential import Peers
from tierwise.explain.sentences import DECIDING
from tierwise.explain.wording import Wording

SIZES = (10_000, 100_000)
TIERS = np.array(["entry", "growth", "strategic", "flagship"])
REGIONS = ["AMER", "APAC", "EMEA", "LATAM"]
FAMILIES = ["engagement", "pipeline", "product", "profile", "sales", "service"]
CRITERIA = {"revenue_4q": (200_000.0, "USD"), "certified": (3.0, "people"), "value": (25.0, "points")}
COMPONENTS = tuple(f"part_{number}" for number in range(8))
FEATURES = 38


def wording() -> Wording:
    titles = {"revenue_4q": "Won revenue, last 4 quarters", "certified": "People certified", "value": "Partner value"}
    return Wording(
        titles=titles,
        units={name: unit for name, (_, unit) in CRITERIA.items()},
        tier_names=tuple(TIERS),
        target_unit="USD",
        horizon="4 quarters",
        settings={"promotion_band": "5 %", "demotion_band": "10 %", "evidence": "at least 2 deals (deals won)"},
        internal=frozenset({"value"}),
    )


def tables(count: int) -> ReasonTables:
    """The stored parts of a review of so many partners."""
    random = np.random.default_rng(20260930)
    ids = pd.Series([f"P{number:07d}" for number in range(count)], dtype="str")
    held = random.integers(0, 4, count)
    eligible = np.clip(held + random.integers(-1, 2, count), 0, 3)
    above = np.minimum(held + 1, 3)
    moves = pd.DataFrame(
        {
            "partner_id": ids, "current_tier": TIERS[held], "eligible_tier": TIERS[eligible],
            "recommended_tier": TIERS[held], "next_tier": pd.Series(TIERS[above], dtype="str").where(held < 3),
            "action": random.choice(["hold", "promote", "watch", "place"], count),
            "reason_code": random.choice(sorted(DECIDING), count),
            "pending_tier": TIERS[eligible], "approval_role": "partner-ops", "grace_until": pd.Timestamp("2026-12-31"),
            "potential": random.lognormal(11, 1.5, count), "region": random.choice(REGIONS, count),
            "potential_source": random.choice(["model", "cold_start", "persistence"], count, p=[0.9, 0.08, 0.02]),
        }
    )  # fmt: skip
    chosen = pd.DataFrame(
        {
            "partner_id": ids, "peers_tier": moves["next_tier"], "peers_by": "region", "peers_group": moves["region"],
            "peers": 40,
        }
    )  # fmt: skip
    channel, peers = (contributions(ids, random) for _ in range(2))
    found = Peers(peers, chosen, "region")
    return ReasonTables(date(2026, 9, 30), moves, criteria(ids, random), components(ids, random), channel, found)


def criteria(ids: pd.Series, random: np.random.Generator) -> pd.DataFrame:
    parts = []
    for place, tier in enumerate(TIERS):
        for name, (size, _) in CRITERIA.items():
            threshold, value = size * place, np.round(random.gamma(1, 2 * size, len(ids)), 2)
            met = value >= threshold
            gap = np.maximum(threshold - value, 0.0)
            parts.append(criterion(ids, tier, name, ">=", (threshold, value, met, gap)))
        holds = random.uniform(size=len(ids)) < 0.9
        parts.append(criterion(ids, tier, "in_good_standing", "is", (1.0, holds.astype(float), holds, 1.0 - holds)))
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["partner_id", "tier", "criterion"], ignore_index=True)


def criterion(ids: pd.Series, tier: str, name: str, operator: str, figures: tuple) -> pd.DataFrame:
    threshold, value, met, gap = figures
    words = {"partner_id": ids, "tier": tier, "criterion": name, "expression": name, "metric": name}
    numbers = {"threshold": threshold, "value": value, "met": np.where(met, "true", "false"), "gap": gap}
    return pd.DataFrame({**words, "operator": operator, **numbers, "route": "", "cheapest": False})


def components(ids: pd.Series, random: np.random.Generator) -> pd.DataFrame:
    points = random.uniform(0, 12, (len(ids), len(COMPONENTS))).round(2)
    return pd.DataFrame(
        {
            "partner_id": ids.repeat(len(COMPONENTS)).reset_index(drop=True), "score": "value",
            "component": np.tile(np.array(COMPONENTS), len(ids)), "points": points.ravel(), "max_points": 12.0,
        }
    )  # fmt: skip


def contributions(ids: pd.Series, random: np.random.Generator) -> pd.DataFrame:
    families = np.array([FAMILIES[number % len(FAMILIES)] for number in range(FEATURES)])
    return pd.DataFrame(
        {
            "partner_id": ids.repeat(FEATURES).reset_index(drop=True),
            "family": pd.Series(np.tile(families, len(ids)), dtype="str"),
            "contribution": random.normal(0, 0.1, len(ids) * FEATURES),
        }
    )


def measure(count: int) -> None:
    """Time one size and print a row of the table."""
    given = tables(count)
    start, cpu = time.perf_counter(), time.process_time()
    reasons = word_reasons(given, wording())
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"| {count:,} | {len(reasons):,} | {wall:.1f} | {cpu:.1f} | {peak:.1f} |")


def main() -> None:
    """Print the table."""
    sizes = [int(text) for text in sys.argv[1:]]
    if len(sizes) == 1:
        measure(sizes[0])
        return
    print("| partners | reasons, both wordings | seconds | CPU seconds | peak GB |\n| --- | --- | --- | --- | --- |")
    for size in sizes or SIZES:
        subprocess.run([sys.executable, __file__, str(size)], check=True)


if __name__ == "__main__":
    main()
