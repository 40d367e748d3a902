"""The archetype model: centres with stable ids, what they are called, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.space import Space
from tierwise.config.model_spec import ArchetypeSpec, FeatureSet

Floats = NDArray[np.float64]
Status = Literal["named", "tentative", "unstable"]

REASONS = {
    "supported": "the clusters are found again in bootstrap samples and beat one blob",
    "too_few_partners": "too few partners to look for archetypes",
    "no_usable_features": "no metric or attribute varies between partners",
    "one_blob": "partners of one kind, with the same metrics and correlations, would split as well",
    "unstable": "bootstrap samples do not find the clusters again",
    "tiny_clusters": "every number of clusters leaves one below the least share of partners",
}


@dataclass(frozen=True)
class Archetype:
    """One archetype.

    Attributes:
        archetype_id: Stable across retrains, never used again once retired.
        name: What sets it apart, in words; empty where it is too unstable to be named.
        status: Named, tentative, or unstable, by its bootstrap Jaccard.
        jaccard: Its bootstrap stability.
        traits: The metrics its name says, with their sign; by these the name is kept or changed on a retrain.
        outlier_distance: Partners farther from the centre than this are outliers.
    """

    archetype_id: str
    name: str
    status: Status
    jaccard: float
    traits: tuple[tuple[str, int], ...]
    outlier_distance: float


@dataclass(frozen=True)
class ArchetypeModel:
    """A fitted set of archetypes, possibly empty with a reason.

    Attributes:
        features: The columns it reads.
        spec: Its hyper-parameters.
        reason: A code of `REASONS`.
        space: How partners are compared.
        archetypes: The archetypes, in the order of the rows of `centres`.
        centres: Shape (k, d).
        memory: partner_id, archetype_id as of the fit; partners near a border stay where they were.
        next_number: The number of the next new archetype id.
        p_value: How often one blob would split as well; NaN where not tested.
        tables: `stability` (per k), `profiles`, `traits`, `rules`, `checks`, `events`.
    """

    features: FeatureSet
    spec: ArchetypeSpec
    reason: str
    space: Space
    archetypes: tuple[Archetype, ...] = ()
    centres: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    memory: pd.DataFrame = field(default_factory=lambda: empty_memory())
    next_number: int = 1
    p_value: float = float("nan")
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def supported(self) -> bool:
        """Whether there are any archetypes."""
        return len(self.archetypes) > 0

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return REASONS[self.reason]

    @property
    def ids(self) -> tuple[str, ...]:
        """The archetype ids, in the order of the centres."""
        return tuple(archetype.archetype_id for archetype in self.archetypes)


def empty_memory() -> pd.DataFrame:
    """Return a memory of nobody."""
    return pd.DataFrame({"partner_id": pd.Series(dtype="str"), "archetype_id": pd.Series(dtype="str")})
