"""Which rows are compared: one per partner, at most so many partners, always the same ones.

A partner stands in the training rows once per past review. Those rows are alike, and tests that took them for
independent would raise false alarms, so one of them is drawn. Partners are drawn by a number made from their id, the
same on both sides (permanent random numbers: Ohlsson, "Coordination of samples using permanent random numbers", in
Business Survey Methods, 1995): the two samples then share as many partners as can be, and the order of rows is nothing.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet

MOST_PARTNERS = 2_000


def reference_rows(snapshots: pd.DataFrame, features: FeatureSet, seed: int, most: int = MOST_PARTNERS) -> pd.DataFrame:
    """Draw the training rows that later rows are compared with; small enough to be kept with a model.

    Args:
        snapshots: The rows that a model was trained on: `as_of`, `partner_id` and the features.
        features: The columns that the models use.
        seed: Seed of the draw.
        most: At most how many partners.

    Returns:
        `partner_id`, `as_of` and the features; one row per partner, sorted by partner.
    """
    columns = ["partner_id", "as_of", *dict.fromkeys((*features.names, *features.attributes))]
    rows = snapshots[columns].sort_values(["partner_id", "as_of"], kind="stable", ignore_index=True)
    kept = rows[rows["partner_id"].isin(drawn_partners(rows["partner_id"], seed, most))]
    place = kept.groupby("partner_id").cumcount().to_numpy()
    count = kept.groupby("partner_id")["as_of"].transform("size").to_numpy()
    chosen = np.floor(_numbers(kept["partner_id"], f"{seed} review") * count)
    drawn: pd.DataFrame = kept[place == chosen].reset_index(drop=True)
    return drawn


def drawn_partners(partners: pd.Series, seed: int, most: int = MOST_PARTNERS) -> pd.Series:
    """Return the ids that the draw takes: those with the smallest numbers."""
    ids = pd.Series(sorted(partners.astype(str).unique()), dtype="str")
    if len(ids) <= most:
        return ids
    order = np.argsort(_numbers(ids, f"{seed} partner"), kind="stable")
    return ids.iloc[np.sort(order[:most])]


def _numbers(partners: pd.Series, salt: str) -> NDArray[np.float64]:
    """A number from 0 to 1 per id that depends on nothing else."""
    found = {
        name: int.from_bytes(hashlib.blake2b(f"{salt} {name}".encode(), digest_size=6).digest(), "big") / 2**48
        for name in partners.astype(str).unique()
    }
    return partners.astype(str).map(found).to_numpy(dtype=np.float64)
