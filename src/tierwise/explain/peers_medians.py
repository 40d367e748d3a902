"""What partners in a tier typically have: medians over at least ten of them, so that none is told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tierwise.explain.focus import CONDITION
from tierwise.explain.peers import FEWEST_PEERS

COLUMNS = ("median", "median_of")
GROUP, TIER = "group", "tier"


@dataclass(frozen=True, eq=False)
class Medians:
    """The medians of those whom a review places in each tier; none where fewer than `FEWEST_PEERS` have a value.

    Attributes:
        of_tier: `tier, metric, median`.
        of_group: `tier, metric, region, median`.
    """

    of_tier: pd.DataFrame
    of_group: pd.DataFrame


def find_medians(criteria: Iterable[pd.DataFrame], moves: pd.DataFrame) -> Medians:
    """Find the medians of every figure that a tier's criteria look at.

    Args:
        criteria: The criteria table of the placement, in as many blocks of partners as suits.
        moves: `partner_id, recommended_tier` and, where there are regions, `region`.
    """
    own = _own(moves)
    values = pd.concat([_values(block, own) for block in criteria], ignore_index=True)
    return Medians(_medians(values, ["tier", "metric"]), _medians(values, ["tier", "metric", "region"]))


def with_medians(focus: pd.DataFrame, moves: pd.DataFrame, medians: Medians) -> pd.DataFrame:
    """Add to each partner's deciding criterion the median of those whom this review places in that tier.

    Args:
        focus: `partner_id, tier, metric, ...`, one row per partner.
        moves: `partner_id, recommended_tier` and, where there are regions, `region`.
        medians: The medians of the whole channel.

    Returns:
        The same rows with `region` and `COLUMNS`: the median, and whether it is of the partner's region (`group`) or
        of the whole `tier`; both missing where there is none, or the criterion compares no figure.
    """
    found = focus.merge(_own(moves)[["partner_id", "region"]], on="partner_id", how="left")
    is_figure = (found["operator"] != CONDITION).to_numpy()
    in_tier = found.merge(medians.of_tier, on=["tier", "metric"], how="left")["median"].to_numpy()
    in_group = found.merge(medians.of_group, on=["tier", "metric", "region"], how="left")["median"].to_numpy()
    has_group = is_figure & ~np.isnan(in_group) & found["region"].notna().to_numpy()
    kind = np.select([has_group, is_figure & ~np.isnan(in_tier)], [GROUP, TIER], "")
    median = np.select([kind == GROUP, kind == TIER], [in_group, in_tier], np.nan)
    return found.assign(median=median, median_of=kind)


def _own(moves: pd.DataFrame) -> pd.DataFrame:
    regions = moves["region"] if "region" in moves.columns else pd.Series(None, index=moves.index, dtype="str")
    return pd.DataFrame({"partner_id": moves["partner_id"], "region": regions, "tier": moves["recommended_tier"]})


def _values(criteria: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """The figures of each partner that the criteria of its own tier look at, each once."""
    figures = criteria.loc[criteria["operator"] != CONDITION, ["partner_id", "tier", "metric", "value"]]
    values = figures.merge(own, on=["partner_id", "tier"]).drop_duplicates(["partner_id", "tier", "metric"])
    return values.drop(columns="partner_id")


def _medians(values: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    found = values.groupby(keys, as_index=False)["value"].agg(["median", "count"])
    return found.loc[found["count"] >= FEWEST_PEERS, [*keys, "median"]].astype({"median": "float64"})
