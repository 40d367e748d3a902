"""The reason by the potential: the families that it is most associated with, against the channel and against peers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tierwise.explain.figures import factor
from tierwise.explain.peers import WHOLE_CHANNEL
from tierwise.explain.reasons_words import COLUMNS, figures, joined, said
from tierwise.explain.sentences import PHRASES
from tierwise.explain.wording import Wording

FAMILIES_NAMED = 2
POTENTIAL_CODES = {
    "model": "potential_families",
    "persistence": "potential_unchanged",
    "cold_start": "potential_from_profile",
}

Effects = dict[str, tuple[tuple[str, float], ...]]


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=["partner_id", "family", "contribution"])


@dataclass(frozen=True)
class Peers:
    """What separates partners from the next tier's peers.

    Attributes:
        contributions: The log-scale contributions against peers: `partner_id, family, contribution`.
        chosen: Who the peers are: `partner_id, peers_tier, peers_by, peers_group, peers`.
        region: The column that `peers_by` names for peers of the same region.
    """

    contributions: pd.DataFrame = field(default_factory=_nothing)
    chosen: pd.DataFrame = field(default_factory=_nothing)
    region: str | None = None


def potential_reasons(moves: pd.DataFrame, contributions: pd.DataFrame, peers: Peers, wording: Wording) -> pd.DataFrame:
    """Word where each partner's potential comes from; nothing where there is none.

    Args:
        moves: `partner_id, potential, potential_source`.
        contributions: Against the whole channel: `partner_id, family, contribution`.
        peers: Against peers.
        wording: What figures are called.
    """
    effects = family_effects(contributions)
    is_model = moves["potential_source"] == "model"
    has_effects = np.array([partner_id in effects for partner_id in moves["partner_id"].tolist()], dtype=bool)
    rows = moves[moves["potential"].notna() & (~is_model | has_effects)].reset_index(drop=True)
    if rows.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    ids = rows["partner_id"].tolist()
    own = [effects.get(partner_id, ()) for partner_id in ids]
    against = _against_peers(peers)
    words = {
        "potential": figures(rows["potential"], [wording.target_unit] * len(rows)),
        "horizon": [wording.horizon] * len(rows),
        "families": [_families(found) for found in own],
        "family_names": [joined([family for family, _ in found]) for found in own],
        "peers": [against.get(partner_id, "") for partner_id in ids],
    }
    return said(rows["partner_id"], rows["potential_source"].replace(POTENTIAL_CODES), words)


def family_effects(contributions: pd.DataFrame) -> Effects:
    """Sum the contributions by family; the strongest families of each partner first, with their factor."""
    sums = contributions.groupby(["partner_id", "family"], as_index=False, sort=True)["contribution"].sum()
    sums = sums[sums["contribution"] != 0]
    order = sums.assign(size=-sums["contribution"].abs()).sort_values(["partner_id", "size", "family"], kind="stable")
    strongest = order.groupby("partner_id").head(FAMILIES_NAMED)
    factors = np.exp(strongest["contribution"].to_numpy(dtype=np.float64)).tolist()
    found: dict[str, list[tuple[str, float]]] = {}
    strong = zip(strongest["partner_id"].tolist(), strongest["family"].tolist(), factors, strict=True)
    for partner_id, family, effect in strong:
        found.setdefault(partner_id, []).append((family, effect))
    return {partner_id: tuple(effects) for partner_id, effects in found.items()}


def _families(effects: tuple[tuple[str, float], ...]) -> str:
    return joined([PHRASES["family"].format(family=family, factor=factor(effect)) for family, effect in effects])


def _against_peers(peers: Peers) -> dict[str, str]:
    effects, said_of = family_effects(peers.contributions), {}
    chosen = peers.chosen
    if not effects:
        return {}
    columns = (chosen[name].tolist() for name in ("partner_id", "peers_tier", "peers_by", "peers_group", "peers"))
    for partner_id, tier, by, group, count in zip(*columns, strict=True):
        if partner_id in effects:
            kind = (
                "against_tier" if by == WHOLE_CHANNEL else "against_region" if by == peers.region else "against_alike"
            )
            families = _families(effects[partner_id])
            words = {"count": f"{count:,.0f}", "tier": tier, "group": group, "families": families}
            said_of[partner_id] = PHRASES[kind].format_map(words)
    return said_of
