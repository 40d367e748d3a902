"""How far two archetype models agree on the same partners."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sklearn.metrics import adjusted_rand_score

from tierwise.archetypes.assign import assign
from tierwise.archetypes.model import ArchetypeModel


@dataclass(frozen=True)
class Agreement:
    """How far two archetype models agree.

    Attributes:
        ari: Adjusted Rand index of the two partitions (Hubert & Arabie, 1985): 1 where they are the same groups, 0 as
            by chance; None where either has no archetypes.
        label_change: Share of the partners whose archetype id differs; None likewise.
        partners: How many partners were put into archetypes by both.
        first: How many archetypes the first model has; 0 where none is supported.
        second: Likewise for the second.
    """

    ari: float | None
    label_change: float | None
    partners: int
    first: int
    second: int


def agreement(first: ArchetypeModel, second: ArchetypeModel, rows: pd.DataFrame) -> Agreement:
    """Put the same metric rows into the archetypes of two models and compare.

    Raises:
        InvalidInput: If a column that either model reads is missing.
    """
    counts = [len(model.archetypes) if model.supported else 0 for model in (first, second)]
    if not all(counts):
        return Agreement(None, None, 0, *counts)
    one, other = assign(first, rows)["archetype_id"], assign(second, rows)["archetype_id"]
    known = (one.notna() & other.notna()).to_numpy()
    one, other = one[known], other[known]
    if one.empty:
        return Agreement(None, None, 0, *counts)
    return Agreement(float(adjusted_rand_score(one, other)), float((one != other).mean()), len(one), *counts)
