"""What partners really achieve in a quarter: how far those who moved a figure moved it, among comparable partners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

USUAL, MOST = 0.75, 0.90
FEWEST_MOVES = 20
SIZES = 3


@dataclass(frozen=True)
class Pace:
    """What comparable partners achieve in a quarter, shape (n, levers) each; NaN where nobody ever moved the figure.

    Attributes:
        usual: What the faster quarter of those who moved the figure moved it by; effort counts in it.
        most: What one in ten of them moved it by; a step may ask for no more in a quarter.
    """

    usual: Floats
    most: Floats


def quarterly_moves(panel: pd.DataFrame, levers: Sequence[str], directions: Floats) -> pd.DataFrame:
    """Measure every partner's move of each lever from one quarter end to the next.

    Args:
        panel: Metric rows of successive quarter ends: `as_of`, `partner_id` and the levers.
        levers: The metrics.
        directions: 1 where more is better, -1 where less is, shape (levers,).

    Returns:
        One row per partner and quarter: `as_of` its start, `partner_id`, and per lever the improvement by its end, NaN
        where it did not improve or is unknown at either end.
    """
    ordered = panel[["as_of", "partner_id", *levers]].sort_values(["partner_id", "as_of"], kind="stable")
    same = (ordered["partner_id"] == ordered["partner_id"].shift()).to_numpy()
    moves = ordered[list(levers)].diff().mul(directions, axis=1)
    moves = moves.where(moves > 0)
    ordered = ordered.assign(as_of=ordered["as_of"].shift())
    return pd.concat([ordered[["as_of", "partner_id"]], moves], axis=1)[same].reset_index(drop=True)


def size_of(values: pd.Series, days: pd.Series) -> NDArray[np.int64]:
    """The third of the channel that each partner's size is in on its day, 0 to 2; ties share a third."""
    rank = values.fillna(0.0).groupby(days.to_numpy()).rank(pct=True, method="average")
    return np.minimum((rank.to_numpy() * SIZES - 1e-9).astype(np.int64), SIZES - 1)


def comparable_pace(moves: pd.DataFrame, groups: pd.DataFrame, of: pd.DataFrame, levers: Sequence[str]) -> Pace:
    """Find the pace of each partner's comparable partners.

    Comparable are partners of the same archetype and size; where fewer than `FEWEST_MOVES` moves of a figure were
    seen among them, of the same archetype, then of the same size, then all.

    Args:
        moves: From `quarterly_moves`.
        groups: `archetype` and `size` of each row of the moves.
        of: `archetype` and `size` of each partner to look up.
        levers: The metrics.
    """
    usual = np.full((len(of), len(levers)), np.nan)
    most = usual.copy()
    for keys in (["archetype", "size"], ["archetype"], ["size"], []):
        fewest = FEWEST_MOVES if keys else 1
        for found, quantile in ((usual, USUAL), (most, MOST)):
            looked_up = _quantiles(moves, groups, of, (list(levers), keys, quantile, fewest))
            np.copyto(found, looked_up, where=np.isnan(found))
    return Pace(usual, most)


def _quantiles(
    moves: pd.DataFrame, groups: pd.DataFrame, of: pd.DataFrame, how: tuple[list[str], list[str], float, int]
) -> Floats:
    levers, keys, quantile, fewest = how
    values = moves[levers].reset_index(drop=True)
    if not keys:
        whole = values.quantile(quantile).where(values.notna().sum() >= fewest)
        return np.tile(whole.to_numpy(dtype=np.float64), (len(of), 1))
    labels = [groups[key].reset_index(drop=True).fillna("") for key in keys]
    grouped = values.groupby(labels)
    table = grouped.quantile(quantile).where(grouped.count() >= fewest)
    wanted = [of[key].reset_index(drop=True).fillna("") for key in keys]
    index = pd.MultiIndex.from_arrays(wanted) if len(keys) > 1 else pd.Index(wanted[0])
    return table.reindex(index).to_numpy(dtype=np.float64)
