"""A small made-up channel as snapshots, with known truth: value = lasting rate x noise, activity follows the rate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierwise.config.model_spec import Feature, FeatureSet, PotentialSpec, TreeSpec

QUARTER = pd.DateOffset(months=3)
FEATURES = FeatureSet(
    metrics=(
        Feature("revenue_4q", "Won revenue, last 4 quarters", "USD", "sales", "up"),
        Feature("pipeline_2q", "Pipeline created, last 2 quarters", "USD", "pipeline", "up"),
        Feature("deals_4q", "Deals won, last 4 quarters", "deals", "sales", "up"),
        Feature("idle_days", "Days since the last deal", "days", "engagement", "down"),
        Feature("win_rate", "Share of deals won", "ratio", "pipeline", "none"),
        Feature("chance", "A number that says nothing", "", "other", "none"),
    ),
    target="revenue_4q",
    target_unit="USD",
    attributes=("region", "partner_type"),
    comparable_by=("region", "partner_type"),
)
QUICK = PotentialSpec(trees=TreeSpec(trees=40, learning_rate=0.1, threads=1))
AS_OF = pd.Timestamp("2026-09-30")


def make_snapshots(partners: int = 200, reviews: int = 12, seed: int = 7, signal: float = 1.0) -> pd.DataFrame:
    """Labelled snapshots of past quarter ends and the open one of `AS_OF`; horizon four quarters.

    Args:
        partners: How many partners.
        reviews: How many quarter ends whose label has closed, before the open one.
        seed: Seed.
        signal: How well the pipeline tells the future; 0 not at all.
    """
    rng = np.random.default_rng(seed)
    last_closed = AS_OF - 4 * QUARTER
    dates = [*(_quarter_end(last_closed, back) for back in reversed(range(reviews))), AS_OF]
    lasting = rng.normal(0, 1.2, partners)
    joined = AS_OF - pd.to_timedelta(rng.integers(30, 4000, partners), unit="D")
    region = rng.choice(["AMER", "APAC", "EMEA"], partners)
    kind = rng.choice(["Reseller", "Integrator"], partners)
    blocks = []
    for date in dates:
        future = lasting + rng.normal(0, 0.8, partners)
        label = np.exp(9 + future) * (rng.random(partners) < 0.85)
        past = np.exp(9 + lasting + rng.normal(0, 0.8, partners)) * (rng.random(partners) < 0.85)
        hint = signal * future + (1 - signal) * rng.normal(0, 1, partners) + rng.normal(0, 0.3, partners)
        block = pd.DataFrame(
            {
                "as_of": date,
                "partner_id": [f"P{number:04d}" for number in range(partners)],
                "first_seen": joined,
                "tenure_days": (date - joined).days.astype(float),
                "region": region,
                "partner_type": kind,
                "revenue_4q": past,
                "pipeline_2q": np.exp(9 + hint),
                "deals_4q": np.floor(np.exp(1 + lasting / 2 + rng.normal(0, 0.3, partners))),
                "idle_days": np.clip(60 - 30 * lasting + rng.normal(0, 20, partners), 0, None),
                "win_rate": np.where(rng.random(partners) < 0.3, np.nan, rng.random(partners)),
                "chance": rng.normal(size=partners),
                "label": label if date < AS_OF else np.nan,
                "label_until": _quarter_end(date, -4),
                "persistence": past,
            }
        )
        blocks.append(block[block["tenure_days"] > 0])
    frame = pd.concat(blocks, ignore_index=True)
    texts = dict.fromkeys(("partner_id", "region", "partner_type"), "str")
    return frame.astype({"as_of": "datetime64[us]", "label_until": "datetime64[us]", **texts})


def _quarter_end(date: pd.Timestamp, back: int) -> pd.Timestamp:
    return date - back * QUARTER + pd.offsets.QuarterEnd(0)


def current(snapshots: pd.DataFrame) -> pd.DataFrame:
    """The rows of the open review, as scoring sees them: without label and persistence columns."""
    rows = snapshots[snapshots["as_of"] == AS_OF].reset_index(drop=True)
    return rows.drop(columns=["label", "label_until", "persistence"])
