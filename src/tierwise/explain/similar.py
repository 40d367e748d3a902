"""Partners one tier up that were, a year ago, like a partner is now, and what they raised since.

Figures are compared by their place in the channel today (the share of partners at or below), so that no long tail
decides; a distance is the root mean square over the figures, in standard deviations of such a place. A figure that is
unknown counts as the middle. Names other partners: for managers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Text = NDArray[np.object_]

MOST_PEERS = 3
MOST_MOVES = 3
ALIKE = 1.0
CHANNEL_PEERS = 5_000
BLOCK_CELLS = 20_000_000
COLUMNS = (
    "partner_id", "rank", "move", "code", "peer_id", "peer_tier", "matched_on", "distance", "metric", "from", "to",
)  # fmt: skip
MATCHED = ("archetype and region", "archetype", "region", "neither archetype nor region")
SIMILAR = "similar"
CODES = {
    SIMILAR: "a partner now one tier up that was alike a year ago; there may be fewer than three",
    "none_was_alike": "no partner now one tier up was within one standard deviation a year ago",
    "none_one_tier_up": "no partner is one tier up now",
    "no_figures_a_year_ago": "no partner now one tier up was known a year ago",
}
_TEXTS = ("partner_id", "code", "peer_id", "peer_tier", "matched_on", "metric")
_SPREAD = 1 / np.sqrt(12)


@dataclass(frozen=True, eq=False)
class Channel:
    """The channel now and a year ago.

    Attributes:
        now: One row per partner, sorted: `partner_id, tier, next_tier, archetype, region` and the metrics.
        then: The metric rows of a year ago: `partner_id` and the metrics.
        metrics: What partners are compared by.
        directions: By metric that is worth raising, 1 where more is better and -1 where less is.
    """

    now: pd.DataFrame
    then: pd.DataFrame
    metrics: tuple[str, ...]
    directions: dict[str, float]

    @cached_property
    def known(self) -> list[Floats]:
        """The known values of each metric today, in order."""
        return [np.sort(self.now[name].dropna().to_numpy(dtype=np.float64)) for name in self.metrics]

    @cached_property
    def peers(self) -> dict[str, _Peers]:
        """Those who may be a peer, by their tier now."""
        return {str(tier): _peers_among(self, members) for tier, members in self.now.groupby("tier", sort=True)}


@dataclass(frozen=True, eq=False)
class _Peers:
    """The partners of a tier that were known a year ago, evenly drawn where they are many.

    Attributes:
        now: Their rows of today, shape (n, ...).
        places: Their places a year ago in the channel of today, shape (n, metrics).
        risen: What improved most since, as `_risen` lays it out.
    """

    now: pd.DataFrame
    places: Floats
    risen: pd.DataFrame


def similar_partners(channel: Channel, partner_ids: pd.Series | None = None) -> pd.DataFrame:
    """Find up to three peers for every partner that has a tier above.

    Args:
        channel: The channel.
        partner_ids: For whom; everybody by default.

    Returns:
        Columns `COLUMNS`, sorted by partner, rank and move.
    """
    own = channel.now if partner_ids is None else _rows_of(channel.now, partner_ids)
    climbing = own[own["next_tier"].notna()]
    parts = [_of_tier(channel, own, str(tier)) for tier, own in climbing.groupby("next_tier", sort=True)]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    found = pd.concat(parts, ignore_index=True)
    found = found.reindex(columns=list(COLUMNS)).astype(
        {**dict.fromkeys(_TEXTS, "str"), "rank": "int64", "move": "int64"}
    )
    return found.sort_values(["partner_id", "rank", "move"], ignore_index=True)


def _rows_of(now: pd.DataFrame, partner_ids: pd.Series) -> pd.DataFrame:
    """The rows of some partners; only those between the first and the last of them are looked at one by one."""
    near = now[now["partner_id"].between(partner_ids.min(), partner_ids.max())] if len(partner_ids) else now.iloc[:0]
    return near[near["partner_id"].isin(partner_ids)]


def _peers_among(channel: Channel, members: pd.DataFrame) -> _Peers:
    peers = members.merge(channel.then[["partner_id"]], on="partner_id")
    peers = peers.iloc[:: max(1, -(-len(peers) // CHANNEL_PEERS))].reset_index(drop=True)
    before = peers[["partner_id"]].merge(channel.then, on="partner_id", how="left")
    return _Peers(peers, _places(channel, before), _risen(channel, peers, before))


def _of_tier(channel: Channel, own: pd.DataFrame, tier: str) -> pd.DataFrame:
    if tier not in channel.peers:
        return _answers(own["partner_id"], "none_one_tier_up")
    peers = channel.peers[tier]
    if peers.now.empty:
        return _answers(own["partner_id"], "no_figures_a_year_ago")
    row, rank, peer, distance, level = _nearest(channel, own.reset_index(drop=True), peers)
    pairs = pd.DataFrame(
        {
            "partner_id": own["partner_id"].to_numpy()[row],
            "rank": rank + 1,
            "peer_id": peers.now["partner_id"].to_numpy()[peer],
            "peer_tier": tier,
            "matched_on": np.array(MATCHED, dtype=object)[level],
            "distance": distance,
            "code": SIMILAR,
        }
    )
    with_moves = pairs.merge(peers.risen, on="peer_id", how="left")
    without = own.loc[~own["partner_id"].isin(pairs["partner_id"]), "partner_id"]
    return pd.concat([with_moves, _answers(without, "none_was_alike")], ignore_index=True)


def _answers(partners: pd.Series, code: str) -> pd.DataFrame:
    frame = pd.DataFrame({"partner_id": partners.to_numpy(), "rank": 0, "move": 0, "code": code})
    return frame.astype({"partner_id": "str", "code": "str"})


def _places(channel: Channel, rows: pd.DataFrame) -> Floats:
    """Each figure's place in the channel today, in standard deviations from the middle; 0 where unknown."""
    columns = []
    for name, known in zip(channel.metrics, channel.known, strict=True):
        values = rows[name].to_numpy(dtype=np.float64)
        if not len(known):
            columns.append(np.zeros(len(values)))
            continue
        middle = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2 / len(known)
        columns.append(np.where(np.isnan(values), 0.0, (middle - 0.5) / _SPREAD))
    return np.column_stack(columns)


class _Found(NamedTuple):
    """Pairs of partners and peers: rows of both, the rank of the peer from 0, distance, place in `MATCHED`."""

    row: Whole
    rank: Whole
    peer: Whole
    distance: Floats
    level: Whole


def _nearest(channel: Channel, own: pd.DataFrame, peers: _Peers) -> _Found:
    """The nearest alike peers, those of the same archetype and region first; sorted by partner and rank."""
    mine = _places(channel, own)
    parts = [found for members in _groups(own) for found in _of_group(own, members, (mine, peers))]
    row, peer, level = (np.concatenate([part[place] for part in parts]) for place in range(3))
    distance = np.sqrt(((mine[row] - peers.places[peer]) ** 2).sum(axis=1) / max(mine.shape[1], 1))
    order = np.lexsort((peer, distance, level, row))
    row, peer, level, distance = row[order], peer[order], level[order], distance[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    kept = rank < MOST_PEERS
    return _Found(row[kept], rank[kept], peer[kept], distance[kept], level[kept])


def _groups(own: pd.DataFrame) -> list[Whole]:
    """The rows of each archetype and region together, as they look for the same peers first."""
    groups = own.groupby(["archetype", "region"], dropna=False, sort=True).indices
    return [np.asarray(members, dtype=np.int64) for members in groups.values()]


def _of_group(own: pd.DataFrame, members: Whole, places: tuple[Floats, _Peers]) -> Iterator[tuple[Whole, Whole, Whole]]:
    """Rows, peers and levels of up to `MOST_PEERS` alike peers per level; no further level once there are enough."""
    mine, peers = places
    level_of = _level(own.iloc[members[:1]], peers.now)
    lacking, count = members, np.zeros(len(members), dtype=np.int64)
    for level in range(len(MATCHED)):
        there = np.flatnonzero(level_of == level)
        if not len(lacking) or not len(there):
            continue
        at, peer = _alike(mine[lacking], peers.places[there])
        yield lacking[at], there[peer], np.full(len(at), level)
        count = count + np.bincount(at, minlength=len(lacking))
        lacking, count = lacking[count < MOST_PEERS], count[count < MOST_PEERS]


def _alike(mine: Floats, theirs: Floats) -> tuple[Whole, Whole]:
    """For each row the nearest rows of the others that are alike, up to `MOST_PEERS`: rows of both, in no order."""
    block = max(1, BLOCK_CELLS // len(theirs))
    found = [_alike_in(mine[at : at + block], theirs) for at in range(0, len(mine), block)]
    rows = [row + at * block for at, (row, _) in enumerate(found)]
    return np.concatenate(rows), np.concatenate([peer for _, peer in found])


def _alike_in(mine: Floats, theirs: Floats) -> tuple[Whole, Whole]:
    squares = (mine**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1) - 2 * mine @ theirs.T
    kept = min(MOST_PEERS, len(theirs))
    nearest = np.argpartition(squares, kept - 1, axis=1)[:, :kept]
    row, rank = np.nonzero(np.take_along_axis(squares, nearest, axis=1) <= ALIKE**2 * mine.shape[1])
    return row, nearest[row, rank]


def _level(one: pd.DataFrame, peers: pd.DataFrame) -> Whole:
    """Which of archetype and region one partner shares with each peer, as a place in `MATCHED`; never unknown ones."""
    archetype, region = (
        peers[name].isin(one[name]).to_numpy() & peers[name].notna().to_numpy() for name in ("archetype", "region")
    )
    return np.asarray(np.select([archetype & region, archetype, region], [0, 1, 2], 3), dtype=np.int64)


def _risen(channel: Channel, peers: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """The figures of each peer that improved most since: `peer_id, move, metric, from, to`; move 0 where none did."""
    names: Sequence[str] = [name for name in channel.metrics if name in channel.directions]
    rise = _places(channel, peers) - _places(channel, before)
    columns = [channel.metrics.index(name) for name in names]
    rise = rise[:, columns] * np.array([channel.directions[name] for name in names])
    old, new = (frame[list(names)].to_numpy(dtype=np.float64) for frame in (before, peers))
    rise = np.where(np.isnan(old) | np.isnan(new), 0.0, rise)
    order = np.argsort(-rise, axis=1, kind="stable")[:, :MOST_MOVES]
    peer, move = np.nonzero(np.take_along_axis(rise, order, axis=1) > 0)
    at = order[peer, move]
    found = pd.DataFrame(
        {
            "peer_id": peers["partner_id"].to_numpy()[peer],
            "move": move + 1,
            "metric": np.array(names, dtype=object)[at],
            "from": old[peer, at],
            "to": new[peer, at],
        }
    )
    none = peers.loc[~peers["partner_id"].isin(found["peer_id"]), "partner_id"]
    return pd.concat([found, pd.DataFrame({"peer_id": none, "move": 0})], ignore_index=True)
