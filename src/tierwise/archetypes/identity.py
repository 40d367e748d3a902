"""The same archetypes under the same ids across retrains.

New clusters are matched to the version in force by the partners they share (Hungarian method on Jaccard overlap).
What is left over is new, split from one, merged into one, or retired; an id is never used again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tierwise.archetypes.clusters import jaccard_matrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EVENT_COLUMNS = ("event", "archetype_id", "other_id", "share")
_LEAST_OVERLAP = 0.25
_MAJORITY = 0.5
_LEAST_SPLIT = 0.1


@dataclass(frozen=True)
class Identity:
    """The ids of the new clusters and what became of the old ones.

    Attributes:
        ids: One id per new cluster.
        next_number: The number of the next new id.
        events: Columns `EVENT_COLUMNS`: kept, new, split (new id, from which), merged (old id, into which), retired.
    """

    ids: tuple[str, ...]
    next_number: int
    events: pd.DataFrame


def first_identity(k: int) -> Identity:
    """Number the archetypes of a first fit."""
    ids = tuple(f"A{number}" for number in range(1, k + 1))
    return Identity(ids, k + 1, _events([("new", name, None, 1.0) for name in ids]))


def match(old: Ints, new: Ints, old_ids: tuple[str, ...], k: int, next_number: int) -> Identity:
    """Carry ids over from the version in force.

    Args:
        old: Place of the old archetype of each partner among `old_ids`, shape (n,).
        new: The new cluster of each partner, 0..k-1, shape (n,).
        old_ids: The ids in force.
        k: How many new clusters.
        next_number: The number of the next new id.
    """
    overlap = jaccard_matrix(old, new, len(old_ids), k)
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    kept = {int(b): int(a) for a, b in pairs if overlap[a, b] >= _LEAST_OVERLAP}
    ids: list[str] = []
    events: list[tuple[str, str, str | None, float]] = []
    for place in range(k):
        if place in kept:
            ids.append(old_ids[kept[place]])
            events.append(("kept", ids[-1], None, float(overlap[kept[place], place])))
            continue
        ids.append(f"A{next_number}")
        next_number += 1
        source, share = _majority(old[new == place], len(old_ids))
        split = share > _MAJORITY and np.mean(new[old == source] == place) >= _LEAST_SPLIT
        events.append(("split" if split else "new", ids[-1], old_ids[source] if split else None, share))
    for place in sorted(set(range(len(old_ids))) - set(kept.values())):
        target, share = _majority(new[old == place], k)
        merged = share > _MAJORITY
        events.append(("merged" if merged else "retired", old_ids[place], ids[target] if merged else None, share))
    return Identity(tuple(ids), next_number, _events(events))


def _majority(places: Ints, count: int) -> tuple[int, float]:
    if count == 0:
        return 0, 0.0
    sizes = np.bincount(places, minlength=count)
    return int(np.argmax(sizes)), float(sizes.max() / max(1, sizes.sum()))


def _events(rows: list[tuple[str, str, str | None, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(EVENT_COLUMNS))
    return frame.astype({"event": "str", "archetype_id": "str", "other_id": "str", "share": "float64"})
