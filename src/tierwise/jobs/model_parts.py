"""The domain's model parts as the store keeps them, and back."""

from __future__ import annotations

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.potential import PotentialModel
from tierwise.store.bundle import Bundle, Part, grouped


def bundle_parts(potential_model: PotentialModel, archetype_model: ArchetypeModel) -> dict[str, Part]:
    """Put the parts of both models into one bundle, by group."""
    return grouped(potential=potential.to_parts(potential_model), archetypes=archetypes.to_parts(archetype_model))


def potential_of(bundle: Bundle) -> PotentialModel:
    """Rebuild the potential model of a bundle."""
    return potential.from_parts(bundle.group("potential"))


def archetypes_of(bundle: Bundle) -> ArchetypeModel:
    """Rebuild the archetype model of a bundle."""
    return archetypes.from_parts(bundle.group("archetypes"))
