"""Times placement and movement: 4 tiers x 10 criteria, 3 scores, every movement rule, at 10 k, 100 k and 1 M partners.

Run `python benchmarks/bench_policy.py [partners ...]`. Each size runs in its own process, so that the peak memory is
that size's own. The bound (docs/policy-language.md): 1,000,000 partners in 10 s and 4 GB on two cores.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from datetime import date

import numpy as np
import pandas as pd

from tierwise.config.policy import Policy
from tierwise.config.workspace import EngineSettings
from tierwise.engine import open_engine
from tierwise.policy import move, place

SIZES = (10_000, 100_000, 1_000_000)
REVIEWS = (date(2026, 3, 31), date(2026, 6, 30))
TIERS = ("entry", "growth", "strategic", "flagship")
METRICS = tuple(f"metric_{number:02d}" for number in range(20))


def policy() -> Policy:
    """A policy with 4 tiers of 10 criteria each, 3 scores and all movement rules and guardrails."""
    return Policy.model_validate(
        {
            "policy": "bench",
            "effective_from": "2026-01-01",
            "owner": "benchmarks",
            "reason": "speed",
            "parameters": {"goal": {"by": "region", "EMEA": 40, "AMER": 50, "default": 45}},
            "scores": {f"score_{number}": _score(number) for number in range(3)},
            "tiers": [{"name": name, "when": _rule(level)} for level, name in enumerate(TIERS)],
            "movement": {
                "promote": {"band": 0.05, "steps": 2, "confirm": 2, "effective": {"on": "next_month"}},
                "demote": {
                    "band": 0.1,
                    "grace": "90 days",
                    "approval": "required",
                    "immediately_if": "metric_19 < 0.5",
                },
                "hold": {"min_reviews_in_tier": 2, "min_time_in_tier": "6 months"},
                "sunset": {"below_entry_for": "4 reviews"},
                "freeze": [
                    {"where": "region = 'LATAM'", "from": "2026-01-01", "until": "2026-12-31", "reason": "shock"}
                ],
                "newcomers": {"no_demotion_for": "12 months"},
                "transition": {"no_demotion_for": "3 months"},
            },
            "guardrails": {
                "max_promotions_share": 0.1,
                "max_share": {"flagship": 0.2},
                "evidence": {"min_metric_18": 1},
                "manager_capacity": {"by": "manager", "tiers": ["strategic", "flagship"], "default": 500},
                "growth": {"of": "metric_17 - 50"},
                "tier_plan": {"shares": {"flagship": 0.05}},
            },
            "approvals": {"promote": "ops", "demote": "director"},
        }
    )


def _score(number: int) -> dict:
    parts = range(4 * number, 4 * number + 4)
    components = [{"name": f"part_{part}", "of": METRICS[part], "full_at": 80, "max": 25} for part in parts]
    return {"max": 100, "components": components}


def _rule(level: int) -> dict:
    bound = 10 * level
    criteria = [f"{METRICS[number]} >= {bound}" for number in range(4)]
    routes = {"any": [f"{METRICS[number]} >= {2 * bound + 10}" for number in range(4, 7)]}
    return {
        "all": [*criteria, routes, f"score_0 >= {bound}", f"score_1 >= {bound}", f"metric_10 >= goal * {level} / 4"]
    }


def partners(count: int) -> pd.DataFrame:
    """Invented partners with 20 metrics, some unknown."""
    random = np.random.default_rng(20261001)
    metrics = random.uniform(0, 100, (count, len(METRICS)))
    metrics[random.uniform(size=metrics.shape) < 0.02] = np.nan
    frame = pd.DataFrame(metrics, columns=list(METRICS))
    frame.insert(0, "partner_id", pd.Series([f"P{number:08d}" for number in range(count)], dtype="str"))
    frame["region"] = random.choice(["EMEA", "AMER", "APAC", "LATAM"], count)
    frame["manager"] = pd.Series([f"M{number:05d}" for number in random.integers(0, max(count // 1000, 1), count)])
    return frame


def history(ids: pd.Series) -> pd.DataFrame:
    """Two earlier reviews of every partner."""
    random = np.random.default_rng(1)
    parts = []
    for day in REVIEWS:
        tiers = np.array(TIERS)[random.integers(0, 4, len(ids))]
        columns = {"partner_id": ids, "as_of": pd.Timestamp(day), "tier": tiers, "eligible_tier": tiers}
        parts.append(pd.DataFrame({**columns, "action": "hold", "rule": "unchanged"}))
    return pd.concat(parts, ignore_index=True)


def measure(count: int) -> None:
    """Time one size and print a row of the table."""
    inputs, rules = partners(count), policy()
    past = history(inputs["partner_id"])
    with open_engine(EngineSettings(threads=2, memory_limit="2GB")) as engine:
        start, cpu = time.perf_counter(), time.process_time()
        placement = place(engine, rules, inputs)
        placed = time.perf_counter()
        moved = move(rules, placement, past, date(2026, 9, 30))
        done, cpu = time.perf_counter(), time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    criteria = len(placement.plan.ladder.criteria)
    print(
        f"| {count:,} | {criteria} | {placed - start:.2f} | {done - placed:.2f} | {done - start:.2f} | {cpu:.2f} |"
        f" {peak:.2f} | {moved['rule'].nunique()} |"
    )


def main() -> None:
    """Print the table."""
    sizes = [int(text) for text in sys.argv[1:]]
    if len(sizes) == 1:
        measure(sizes[0])
        return
    print("| partners | criteria | place s | move s | total s | CPU s | peak GB | rules that decided |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for size in sizes or SIZES:
        subprocess.run([sys.executable, __file__, str(size)], check=True)


if __name__ == "__main__":
    main()
