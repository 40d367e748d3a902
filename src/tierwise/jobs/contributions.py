"""Split every partner's potential against the whole channel and against the next tier's peers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise import potential
from tierwise.config.load import Workspace
from tierwise.explain.peers import choose_peers, peer_groups
from tierwise.jobs.explain_scope import EVERYBODY, NOT_EXPLAINED, Explained
from tierwise.potential import PotentialModel

TARGET, CHANNEL, PEERS = "potential", "channel", "peers"
ARCHETYPE = "archetype_id"

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Splits:
    """The split potentials of a whole channel, not yet laid out as tables.

    Attributes:
        channel: The contributions against the whole channel.
        peers: The same against peers.
        baselines: As of `SplitReview`.
        chosen: As of `SplitReview`.
    """

    channel: potential.Contributions
    peers: potential.Contributions
    baselines: pd.DataFrame
    chosen: pd.DataFrame

    def of(self, partner_ids: pd.Series) -> SplitReview:
        """Lay out the contributions of some partners."""
        baselines, chosen = (
            frame[potential.is_among(frame["partner_id"], partner_ids)].reset_index(drop=True)
            for frame in (self.baselines, self.chosen)
        )
        return SplitReview(self.channel.rows_of(partner_ids), self.peers.rows_of(partner_ids), baselines, chosen)


@dataclass(frozen=True, eq=False)
class SplitReview:
    """The contributions of a review, or of some of its partners, and what they are measured against.

    Attributes:
        channel: The contributions against the whole channel, as `potential.contributions` lays them out.
        peers: The same against peers; no rows for a partner without.
        baselines: One row per partner, target and baseline, with the columns of the output table `baselines`.
        chosen: Whom each partner is compared with, as `explain.peers.choose_peers` says.
    """

    channel: pd.DataFrame
    peers: pd.DataFrame
    baselines: pd.DataFrame
    chosen: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """The contributions against both baselines, with the columns of the output table."""
        both = pd.concat([_named(self.channel, CHANNEL), _named(self.peers, PEERS)], ignore_index=True)
        return both.assign(factor=np.exp(both["contribution"]))


def split_review(
    workspace: Workspace,
    model: PotentialModel,
    inputs: pd.DataFrame,
    moves: pd.DataFrame,
    split: potential.TreeSplit | None = None,
    explained: Explained = EVERYBODY,
) -> Splits:
    """Split the potentials of one review.

    Args:
        workspace: The workspace; its segment `region` makes partners comparable.
        model: The potential model in force.
        inputs: Metric rows with the models' outputs, one per partner.
        moves: The movement table: `partner_id, recommended_tier, next_tier`.
        split: How trees are split; `split_trees` by default.
        explained: Whose potentials are split; of all others the baselines have the reason code `not_explained`.

    Raises:
        Refused: If the parts of any partner miss its potential by more than the tolerance.
    """
    split = split or split_trees
    partners, by = _comparable(workspace, inputs, moves)
    own = explained.among(partners["partner_id"])
    kept = own | partners["tier"].isin(partners["next_tier"][own].dropna()).to_numpy()  # and whoever may be a peer
    basis = potential.basis_of(model, inputs[kept])
    channel = potential.split_to_channel(basis if own.all() else potential.basis_of(model, inputs[own]), split)
    chosen = choose_peers(partners, by)
    chosen["peers"] = chosen["peers"].where(own, 0)
    beside, chosen = (frame[kept].reset_index(drop=True) for frame in (partners, chosen))
    peers, chosen = _against_peers(basis, beside, chosen, split)
    chosen = explained.rows_of(chosen)
    parts = [_channel_rows(channel.additivity), _peer_rows(peers.additivity, chosen)]
    parts += [] if own.all() else [_left_out(partners.loc[~own, "partner_id"], name) for name in (CHANNEL, PEERS)]
    return Splits(channel, peers, pd.concat(parts, ignore_index=True), chosen)


def split_trees(text: str, matrix: Floats, background: Floats | None) -> tuple[float, Floats]:
    """Split raw scores by the contribution kernel; a `potential.TreeSplit`."""
    from tierwise.explain.kernel import split_to_background, split_to_training  # compiles, so only where it is needed

    split = split_to_training(text, matrix) if background is None else split_to_background(text, matrix, background)
    return split.base, split.parts


def _comparable(
    workspace: Workspace, inputs: pd.DataFrame, moves: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    region = workspace.settings.segments.region
    by = tuple(name for name in (region, ARCHETYPE) if name is not None and name in inputs.columns)
    tiers = moves[["partner_id", "recommended_tier", "next_tier"]].drop_duplicates("partner_id")
    partners = inputs[["partner_id", "potential_source", *by]].merge(
        tiers, on="partner_id", how="left", validate="one_to_one"
    )
    return partners.rename(columns={"recommended_tier": "tier"}), by


def _against_peers(
    basis: potential.Basis, partners: pd.DataFrame, chosen: pd.DataFrame, split: potential.TreeSplit
) -> tuple[potential.Contributions, pd.DataFrame]:
    from tierwise.explain.kernel import NotCovered

    try:
        groups = ((group.members, group.peers) for group in peer_groups(partners, chosen))
        return potential.split_to_peers(basis, groups, split), chosen
    except NotCovered:
        nobody = chosen.assign(peers=0, reason_code="model_not_covered")
        nobody[["peers_tier", "peers_by", "peers_group"]] = None
        return potential.split_to_peers(basis, [], split), nobody


def _named(rows: pd.DataFrame, baseline: str) -> pd.DataFrame:
    return rows.assign(target=TARGET, baseline=baseline)


def _channel_rows(additivity: pd.DataFrame) -> pd.DataFrame:
    return additivity.assign(target=TARGET, baseline=CHANNEL, reason_code="whole_channel", peers=np.nan)


def _peer_rows(additivity: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    rows = chosen.merge(additivity, on="partner_id", how="left", validate="one_to_one")
    return rows.assign(target=TARGET, baseline=PEERS)


def _left_out(partners: pd.Series, baseline: str) -> pd.DataFrame:
    return pd.DataFrame({"partner_id": partners, "target": TARGET, "baseline": baseline, "reason_code": NOT_EXPLAINED})
