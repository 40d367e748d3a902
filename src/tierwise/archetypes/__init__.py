"""Archetypes: the natural groups of partners, stable across retrains, or an honest "none" (METHODS section 2)."""

from tierwise.archetypes.agreement import Agreement, agreement
from tierwise.archetypes.assign import assign
from tierwise.archetypes.fit import fit
from tierwise.archetypes.model import Archetype, ArchetypeModel
from tierwise.archetypes.parts import from_parts, to_parts

__all__ = ["Agreement", "Archetype", "ArchetypeModel", "agreement", "assign", "fit", "from_parts", "to_parts"]
