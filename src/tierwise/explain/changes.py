"""Why a figure changed: the difference between two reviews split exactly into data, model and policy.

Any of the three can be swapped alone: the figure is asked for with the data, model and policy of either review, eight
corners in all. Each part's share is its Shapley value (Shapley, 1953), the mean of what swapping it changes over all
orders of swapping; the shares add up to the difference without a remainder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Corner = tuple[int, int, int]

PARTS = ("from_data", "from_model", "from_policy")
MOST_MOVED = 5
MOVED_COLUMNS = ("partner_id", "rank", "metric", "value_before", "value_now", "effect", "size")
SPLIT = "split"
CODES = {
    SPLIT: "the difference is split into data, model and policy",
    "new_partner": "the partner was not in the earlier review",
    "unknown_figure": "the figure is unknown in one of the reviews, or by one's model or policy on the other's data",
    "not_scored_before": "the earlier policy has no such score",
    "earlier_metrics_not_stored": "the earlier review was written by a version that kept no metric values",
    "earlier_model_gone": "the earlier review's model version is no longer in the registry, or cannot be read",
    "earlier_policy_gone": "the earlier review's policy is no longer in the workspace as it was",
    "does_not_fit": "the model or policy of one review asks for figures that the other does not have",
    "not_reproduced": "the earlier figure does not come out again from what was stored",
}
_WEIGHTS = {0: 1 / 3, 1: 1 / 6, 2: 1 / 3}


def split_change(corners: Mapping[Corner, Floats]) -> dict[str, Floats]:
    """Split `corners[1, 1, 1] - corners[0, 0, 0]` into the parts of data, model and policy.

    Args:
        corners: The figure, shape (n,), by (data, model, policy), each 0 for the earlier review and 1 for this one.

    Returns:
        By the names of `PARTS`, shape (n,) each; NaN where any corner is unknown. The last part takes the rounding, so
        that the three add up to the difference to the last digit but one.
    """
    shares = [_shapley(corners, place) for place in range(3)]
    difference = corners[1, 1, 1] - corners[0, 0, 0]
    largest = np.argmax(np.abs(np.nan_to_num(np.array(shares))), axis=0)
    remainder = difference - sum(shares)
    return {name: share + np.where(largest == place, remainder, 0.0) for place, (name, share) in _named(shares)}


def _named(shares: Sequence[Floats]) -> list[tuple[int, tuple[str, Floats]]]:
    return list(enumerate(zip(PARTS, shares, strict=True)))


def _shapley(corners: Mapping[Corner, Floats], part: int) -> Floats:
    share = np.zeros_like(corners[0, 0, 0])
    for without in corners:
        if without[part] == 0:
            data, model, policy = (1 if place == part else value for place, value in enumerate(without))
            share = share + _WEIGHTS[sum(without)] * (corners[data, model, policy] - corners[without])
    return share


def moved_metrics(
    before: pd.DataFrame, now: pd.DataFrame, effects: pd.DataFrame, channel: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Find the metrics of each partner that moved most.

    Args:
        before: `partner_id` and one column per metric, as of the earlier review.
        now: The same as of this one; metrics that only one of them has are left out.
        effects: Changes of metrics' contributions to the log potential, which are added up: `partner_id, feature,
            effect`.
        channel: The metrics of the whole channel as of this review, where `now` is a part of it.

    Returns:
        At most `MOST_MOVED` rows per partner with `MOVED_COLUMNS`, sorted; ranked by the size of the effect, then by
        the move in standard deviations of the channel. Partners who are in one review only have no row.
    """
    metrics = [name for name in now.columns if name != "partner_id" and name in before.columns]
    common = now[["partner_id"]].merge(before[["partner_id"]], on="partner_id").sort_values("partner_id")["partner_id"]
    old, new = (
        frame.set_index("partner_id").loc[common, metrics].to_numpy(dtype=np.float64) for frame in (before, now)
    )
    effect = _wide(effects, common, metrics)
    size = (new - old) / _spread((now if channel is None else channel)[metrics])
    moved = ~((old == new) | (np.isnan(old) & np.isnan(new)))
    order = np.lexsort((-np.nan_to_num(np.abs(size)), -np.nan_to_num(np.abs(effect)), ~moved), axis=1)[:, :MOST_MOVED]
    kept = np.take_along_axis(moved, order, axis=1)
    row, rank = np.nonzero(kept)
    column = order[row, rank]
    values = {"value_before": old, "value_now": new, "effect": effect, "size": size}
    frame = pd.DataFrame({name: values_of[row, column] for name, values_of in values.items()})
    frame.insert(0, "partner_id", common.to_numpy()[row])
    frame.insert(1, "rank", rank.astype(np.int64) + 1)
    frame.insert(2, "metric", np.array(metrics, dtype=object)[column])
    return frame.astype({"partner_id": "str", "metric": "str"})[list(MOVED_COLUMNS)]


def _wide(effects: pd.DataFrame, partners: pd.Series, metrics: Sequence[str]) -> Floats:
    """The sum of each partner's effects by metric, shape (partners, metrics); NaN where there is none."""
    row = pd.Index(partners).get_indexer(pd.Index(effects["partner_id"]))
    column = pd.Index(list(metrics)).get_indexer(pd.Index(effects["feature"]))
    kept = (row >= 0) & (column >= 0)
    place = row[kept] * len(metrics) + column[kept]
    cells = len(partners) * len(metrics)
    sums = np.bincount(place, effects["effect"].to_numpy(dtype=np.float64)[kept], cells)
    found = np.where(np.bincount(place, minlength=cells) > 0, sums, np.nan)
    return found.reshape(len(partners), len(metrics))


def _spread(values: pd.DataFrame) -> Floats:
    spread = values.std(ddof=0).to_numpy(dtype=np.float64)
    return np.where(spread > 0, spread, np.nan)
