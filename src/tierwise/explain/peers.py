"""The next tier's peers: whom a partner is compared with to see what separates it from them.

Peers are the partners whom this review places in the partner's next tier: those of the same region, else of the same
archetype, else all of the tier, as soon as one of these has enough of them. Only partners whose potential comes from
the same source (model, persistence, cold start) compare on the log scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEWEST_PEERS = 10
"""The least peers of a region or archetype; it is also the least whose median may be told to a partner."""

WHOLE_CHANNEL = "channel"
COLUMNS = ("partner_id", "peers_tier", "peers_by", "peers_group", "peers", "reason_code")

PEER_CODES = {
    "peers_found": "the partner is compared with its peers",
    "no_next_tier": "no tier is above the recommended one",
    "nobody_in_next_tier": "this review places nobody in the next tier",
    "no_peers_of_same_source": "the potential of everybody in the next tier comes from another source",
    "not_explained": "this run explained only partners that move, or nobody; the partner's potential is not split",
    "model_not_covered": "the model in force cannot be split against given partners exactly",
}


@dataclass(frozen=True, eq=False)
class PeerGroup:
    """Partners with the same peers, as places in the frame they were chosen from.

    Attributes:
        source: The potential source that they share.
        members: The partners.
        peers: Their peers.
    """

    source: str
    members: NDArray[np.int64]
    peers: NDArray[np.int64]


def choose_peers(partners: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Choose for every partner by what its peers are selected.

    Args:
        partners: One row per partner: `partner_id, tier` (recommended), `next_tier`, `potential_source` and the
            columns of `by`.
        by: The columns that make partners comparable, the first preferred.

    Returns:
        Columns `COLUMNS`, in the order given: `peers_by` is a name of `by` or `WHOLE_CHANNEL`, `peers_group` the value
        there, `peers` how many there are, `reason_code` one of `PEER_CODES`; the first four are missing, and `peers`
        0, where there is nobody to compare with.
    """
    chosen = pd.DataFrame({"partner_id": partners["partner_id"]}).reset_index(drop=True)
    for name in ("peers_tier", "peers_by", "peers_group"):
        chosen[name] = pd.Series(None, index=chosen.index, dtype="str")
    chosen["peers"], open_rows = 0, partners["next_tier"].notna().to_numpy(dtype=bool)
    for name in (*by, WHOLE_CHANNEL):
        counts = _counts(partners, name)
        found = open_rows & (counts >= (1 if name == WHOLE_CHANNEL else FEWEST_PEERS))
        chosen.loc[found, "peers_tier"] = partners["next_tier"].to_numpy(dtype=object)[found]
        chosen.loc[found, "peers_by"] = name
        chosen.loc[found, "peers_group"] = _values(partners, name)[found]
        chosen.loc[found, "peers"] = counts[found]
        open_rows = open_rows & ~found
    chosen["reason_code"] = _reasons(partners, open_rows)
    return chosen


def peer_groups(partners: pd.DataFrame, chosen: pd.DataFrame) -> Iterator[PeerGroup]:
    """Group the partners that have peers by these, in a fixed order.

    Args:
        partners: What peers were chosen from.
        chosen: What `choose_peers` returned.
    """
    source, tier = (partners[name].to_numpy(dtype=object) for name in ("potential_source", "tier"))
    has_peers = chosen[chosen["peers"] > 0].assign(source=source[chosen["peers"].to_numpy() > 0])
    keys = ["source", "peers_tier", "peers_by", "peers_group"]
    for key, members in has_peers.groupby(keys, sort=True):
        of_source, of_tier, by, group = key
        is_peer = (source == of_source) & (tier == of_tier) & (_values(partners, str(by)) == group)
        yield PeerGroup(str(of_source), members.index.to_numpy(dtype=np.int64), np.flatnonzero(is_peer))


def _values(partners: pd.DataFrame, name: str) -> NDArray[np.object_]:
    if name == WHOLE_CHANNEL:
        return np.full(len(partners), WHOLE_CHANNEL, dtype=object)
    column = partners[name].astype("object")
    return column.where(column.notna(), None).to_numpy(dtype=object)


def _counts(partners: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """How many partners of the next tier share each partner's source and value; 0 where the value is unknown."""
    keys = pd.DataFrame({"source": partners["potential_source"].to_numpy(), "value": _values(partners, name)})
    there = keys.assign(tier=partners["tier"].to_numpy()).groupby(["source", "value", "tier"]).size().rename("peers")
    asked = keys.assign(tier=partners["next_tier"].to_numpy())
    found = asked.merge(there.reset_index(), on=["source", "value", "tier"], how="left")["peers"]
    return np.where(keys["value"].notna(), found.fillna(0), 0).astype(np.int64)


def _reasons(partners: pd.DataFrame, nobody: NDArray[np.bool_]) -> pd.Series:
    held = set(partners["tier"].dropna())
    has_next, is_held = partners["next_tier"].notna().to_numpy(), partners["next_tier"].isin(held).to_numpy()
    codes = np.select(
        [~has_next, nobody & ~is_held, nobody],
        ["no_next_tier", "nobody_in_next_tier", "no_peers_of_same_source"],
        "peers_found",
    )
    return pd.Series(codes, dtype="str")
