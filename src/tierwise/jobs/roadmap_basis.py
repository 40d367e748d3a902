"""What the search for plans starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

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
        moves: The movement table.
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
