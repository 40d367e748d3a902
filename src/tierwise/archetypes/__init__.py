"""Archetypes: the natural groups of partners, stable across retrains, or an honest "none" (METHODS section 2)."""

from tierwise.archetypes.agreement import Agreement, agreement
from tierwise.archetypes.assign import assign
from tierwise.archetypes.fit import fit
from tierwise.archetypes.model import Archetype, ArchetypeModel
from tierwise.archetypes.parts import from_parts, to_parts
from tierwise.archetypes.summary import archetype_notes, profile_table

__all__ = [
    "Agreement",
    "Archetype",
    "ArchetypeModel",
    "agreement",
    "archetype_notes",
    "assign",
    "fit",
    "from_parts",
    "profile_table",
    "to_parts",
]
