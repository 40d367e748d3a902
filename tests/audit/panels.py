"""A made-up channel whose truth is known: partners with a lasting level, seen at past reviews and once more today.

Metrics are skewed amounts, small counts, and amounts that not everybody has; some values are unknown. Without a change
today's rows come from the same source, whether it is the same partners who are seen again or others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import Feature, FeatureSet

Floats = NDArray[np.float64]
TODAY = pd.Timestamp("2026-09-30")
REGIONS = ("AMER", "APAC", "EMEA")


@dataclass(frozen=True)
class Panel:
    """How the channel is made.

    Attributes:
        partners: Partners at every review.
        metrics: How many metrics; every fourth is a count, every fifth has many zeros, every sixth is partly unknown.
        reviews: Past reviews.
        turnover: The share of today's partners who were not there before.
        lasting: How much of a metric's variance is the partner's own level.
    """

    partners: int = 100
    metrics: int = 12
    reviews: int = 4
    turnover: float = 0.2
    lasting: float = 0.8

    @property
    def features(self) -> FeatureSet:
        """The columns of the channel."""
        names = (Feature(f"m{number:02d}", f"Metric {number}") for number in range(self.metrics))
        return FeatureSet(tuple(names), "m00", attributes=("region",))


def stationary(panel: Panel, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the past reviews and today's, from one and the same source."""
    past, today, ids, new = _latent(panel, np.random.default_rng(seed))
    return _past_rows(panel, past, ids, seed), _rows(panel, today, new, seed)


def drifted(panel: Panel, seed: int, change: str, amount: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same with one change today.

    Args:
        panel: How the channel is made.
        seed: Seed.
        change: `shift` (the mean of one metric, in standard deviations), `spread` (of one metric), `together` (the
            correlation of two metrics, each alone as before), `missing` (a share of one metric is unknown), `region`
            (a share of partners moved to EMEA).
        amount: How much.
    """
    past, today, ids, new = _latent(panel, np.random.default_rng(seed))
    rng = np.random.default_rng([seed, 1])
    if change == "shift":
        today[:, 0] += amount
    if change == "spread":
        today[:, 0] *= amount
    if change == "together":
        today[:, 1] = amount * today[:, 0] + np.sqrt(1 - amount**2) * today[:, 1]
    rows = _rows(panel, today, new, seed)
    if change == "missing":
        rows.loc[rng.random(len(rows)) < amount, "m02"] = np.nan
    if change == "region":
        rows["region"] = rows["region"].mask(rng.random(len(rows)) < amount, "EMEA").astype("str")
    return _past_rows(panel, past, ids, seed), rows


def _latent(panel: Panel, rng: np.random.Generator) -> tuple[Floats, Floats, list[str], list[str]]:
    shape = (panel.partners, panel.metrics)
    level, noise = np.sqrt(panel.lasting), np.sqrt(1 - panel.lasting)
    own = rng.normal(size=shape)
    past = np.stack([level * own + noise * rng.normal(size=shape) for _ in range(panel.reviews)])
    replaced = rng.random(panel.partners) < panel.turnover
    latest = np.where(replaced[:, None], rng.normal(size=shape), own)
    today = level * latest + noise * rng.normal(size=shape)
    ids = [f"P{number:05d}" for number in range(panel.partners)]
    new = [f"N{name}" if other else name for name, other in zip(ids, replaced, strict=True)]
    return past, today, ids, new


def _past_rows(panel: Panel, past: Floats, ids: list[str], seed: int) -> pd.DataFrame:
    days = pd.date_range("2024-03-31", periods=panel.reviews, freq="QE")
    return pd.concat(
        [_rows(panel, one, ids, seed, day) for one, day in zip(past, days, strict=True)], ignore_index=True
    )


def _rows(panel: Panel, latent: Floats, ids: list[str], seed: int, day: pd.Timestamp = TODAY) -> pd.DataFrame:
    frame = pd.DataFrame({"partner_id": ids, "as_of": day})
    for number, name in enumerate(panel.features.names):
        values = latent[:, number]
        amounts = np.floor(np.exp(values)) if number % 4 == 3 else np.exp(values)
        amounts = np.where(values < -0.5, 0.0, amounts) if number % 5 == 4 else amounts
        frame[name] = np.where(values > 1.2, np.nan, amounts) if number % 6 == 5 else amounts
    # A partner's region never changes: it hangs on the id alone.
    frame["region"] = pd.Series(ids).map(lambda name: REGIONS[sum(map(ord, name)) * 7 % 3]).astype("str")
    return frame
