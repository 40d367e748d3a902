"""An archetype model as storable parts and back: JSON-able dictionaries and tables, nothing that is unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tierwise.archetypes.model import Archetype, ArchetypeModel
from tierwise.archetypes.space import MetricAxis, Space
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet

Part = str | dict[str, Any] | pd.DataFrame
_TABLE = "table_"


def to_parts(model: ArchetypeModel) -> dict[str, Part]:
    """Return the parts of a model by name."""
    settings: dict[str, Any] = {
        "features": asdict(model.features),
        "spec": model.spec.model_dump(mode="json"),
        "reason": model.reason,
        "space": asdict(model.space),
        "archetypes": [asdict(archetype) for archetype in model.archetypes],
        "centres": model.centres.tolist(),
        "next_number": model.next_number,
        "p_value": None if np.isnan(model.p_value) else model.p_value,
    }
    return {"archetypes": settings, "memory": model.memory, **{_TABLE + n: t for n, t in model.tables.items()}}


def from_parts(parts: Mapping[str, Part]) -> ArchetypeModel:
    """Rebuild a model from its parts.

    Raises:
        KeyError: If a part is missing.
    """
    stored, memory = parts["archetypes"], parts["memory"]
    assert isinstance(stored, dict)
    assert isinstance(memory, pd.DataFrame)
    tables = {
        n.removeprefix(_TABLE): t for n, t in parts.items() if n.startswith(_TABLE) and isinstance(t, pd.DataFrame)
    }
    space = stored["space"]
    centres = np.array(stored["centres"], dtype=np.float64)
    return ArchetypeModel(
        features=_features(stored["features"]),
        spec=ArchetypeSpec.model_validate(stored["spec"]),
        reason=stored["reason"],
        space=Space(
            tuple(MetricAxis(**axis) for axis in space["axes"]),
            {name: tuple(known) for name, known in space["levels"].items()},
            space["clip_sd"],
            space["attribute_weight"],
        ),
        archetypes=tuple(_archetype(one) for one in stored["archetypes"]),
        centres=centres if centres.size else np.zeros((0, 0)),
        memory=memory,
        next_number=stored["next_number"],
        p_value=float("nan") if stored["p_value"] is None else stored["p_value"],
        tables=tables,
    )


def _archetype(stored: Mapping[str, Any]) -> Archetype:
    traits = tuple((str(name), int(sign)) for name, sign in stored["traits"])
    return Archetype(**{**stored, "traits": traits})


def _features(stored: Mapping[str, Any]) -> FeatureSet:
    metrics = tuple(Feature(**feature) for feature in stored["metrics"])
    rest = {name: tuple(stored[name]) for name in ("attributes", "comparable_by")}
    return FeatureSet(metrics, stored["target"], stored["target_unit"], **rest)
