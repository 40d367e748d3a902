"""What partners in a tier typically have: medians over at least ten of them, so that none is told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierwise.explain.focus import CONDITION
from tierwise.explain.peers import FEWEST_PEERS

COLUMNS = ("median", "median_of")
GROUP, TIER = "group", "tier"


def with_medians(focus: pd.DataFrame, criteria: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    """Add to each partner's deciding criterion the median of those whom this review places in that tier.

    Args:
        focus: `partner_id, tier, metric, ...`, one row per partner.
        criteria: The criteria table of the placement.
        moves: `partner_id, recommended_tier` and, where there are regions, `region`.

    Returns:
        The same rows with `region` and `COLUMNS`: the median, and whether it is of the partner's region (`group`) or
        of the whole `tier`; both missing where fewer than `FEWEST_PEERS` of either have a known value.
    """
    regions = moves["region"] if "region" in moves.columns else pd.Series(None, index=moves.index, dtype="str")
    own = pd.DataFrame({"partner_id": moves["partner_id"], "region": regions, "tier": moves["recommended_tier"]})
    asked = focus[focus["operator"] != CONDITION][["tier", "metric"]].drop_duplicates()
    values = criteria[["partner_id", "tier", "metric", "value"]].merge(asked, on=["tier", "metric"])
    values = values.merge(own, on=["partner_id", "tier"]).drop_duplicates(["partner_id", "tier", "metric"])
    found = focus.merge(own[["partner_id", "region"]], on="partner_id", how="left")
    of_tier = _medians(values, ["tier", "metric"])
    of_group = _medians(values, ["tier", "metric", "region"])
    in_tier = found.merge(of_tier, on=["tier", "metric"], how="left")["median"].to_numpy()
    in_group = found.merge(of_group, on=["tier", "metric", "region"], how="left")["median"].to_numpy()
    has_group = ~np.isnan(in_group) & found["region"].notna().to_numpy()
    kind = np.select([has_group, ~np.isnan(in_tier)], [GROUP, TIER], "")
    return found.assign(median=np.where(has_group, in_group, in_tier), median_of=kind)


def _medians(values: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    found = values.groupby(keys, as_index=False)["value"].agg(["median", "count"])
    return found.loc[found["count"] >= FEWEST_PEERS, [*keys, "median"]].astype({"median": "float64"})
