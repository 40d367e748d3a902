"""What the search for plans starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes import ArchetypeModel
from tierwise.policy import Placement
from tierwise.potential import PotentialModel


@dataclass(frozen=True, eq=False)
class RoadmapBasis:
    """What scoring found, as far as the way up depends on it.

    Attributes:
        as_of: The as-of date.
        model: The potential model in force.
        inputs: The policy inputs.
        placement: The placement.
        moves: The movement table, with the partners of the inputs in their order.
        found: The archetypes in force; none leaves archetypes as they are.
        retrained: Potential models trained again on drawn partners, on which plans must hold as well.
    """

    as_of: date
    model: PotentialModel
    inputs: pd.DataFrame
    placement: Placement
    moves: pd.DataFrame
    found: ArchetypeModel | None = None
    retrained: Sequence[PotentialModel] = ()

    def of(self, partners: NDArray[np.int64]) -> RoadmapBasis:
        """The same for some partners, as rows of the inputs: looking them up does not take a look at all others."""
        inputs, moves = (frame.iloc[partners].reset_index(drop=True) for frame in (self.inputs, self.moves))
        return replace(self, inputs=inputs, moves=moves, placement=self.placement.at(partners))
