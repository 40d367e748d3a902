"""A potential model as storable parts and back: LightGBM's native text, JSON-able dictionaries, tables.

No part is code: nothing is unpickled, so a stored model cannot run anything when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from tierwise.config.model_spec import Feature, FeatureSet, PotentialSpec
from tierwise.potential.blend import Blend
from tierwise.potential.cold_start import ColdStart
from tierwise.potential.gate import GateResult
from tierwise.potential.glm import Glm, LogTerm
from tierwise.potential.intervals import LogScale, QuantileModels
from tierwise.potential.model import PotentialModel
from tierwise.potential.trees import Columns, Trees

Part = str | dict[str, Any] | pd.DataFrame
_TREES = ("mean", "low", "median", "high")


def to_parts(model: PotentialModel) -> dict[str, Part]:
    """Return the parts of a model by name; text parts are LightGBM models, tables have plain columns."""
    parts: dict[str, Part] = {
        "potential": _settings(model),
        "bands": model.bands,
        "headroom": model.headroom,
        "diagnostics": model.diagnostics,
    }
    for name, trees in _trees_of(model).items():
        parts[f"trees_{name}"] = trees.text
    return parts


def from_parts(parts: Mapping[str, Part]) -> PotentialModel:
    """Rebuild a model from its parts.

    Raises:
        KeyError: If a part is missing.
    """
    settings = parts["potential"]
    assert isinstance(settings, dict)
    texts = {name: str(parts[f"trees_{name}"]) for name in _TREES if f"trees_{name}" in parts}
    trees = {name: Trees(text, _columns(settings["columns"][name])) for name, text in texts.items()}
    blend = settings["blend"]
    return PotentialModel(
        features=_features(settings["features"]),
        spec=PotentialSpec.model_validate(settings["spec"]),
        as_of=pd.Timestamp(settings["as_of"]),
        gate=GateResult(**{**settings["gate"], "origins": tuple(settings["gate"]["origins"])}),
        blend=Blend(_glm(blend["glm"]), trees["mean"], blend["scale"], blend["level"]) if blend else None,
        quantiles=QuantileModels(trees["low"], trees["median"], trees["high"]) if "low" in trees else None,
        scale=LogScale(settings["unit"]),
        bands=_frame(parts["bands"]),
        cold_start=_cold_start(settings["cold_start"]),
        headroom=_frame(parts["headroom"]),
        floor=settings["floor"],
        base=settings["base"],
        diagnostics=_frame(parts["diagnostics"]),
    )


def _settings(model: PotentialModel) -> dict[str, Any]:
    blend = model.blend
    return {
        "features": asdict(model.features),
        "spec": model.spec.model_dump(mode="json"),
        "as_of": model.as_of.isoformat(),
        "gate": {**asdict(model.gate), "origins": list(model.gate.origins)},
        "blend": {"glm": asdict(blend.glm), "scale": blend.scale, "level": blend.level} if blend else None,
        "columns": {name: _columns_dict(trees.columns) for name, trees in _trees_of(model).items()},
        "unit": model.scale.unit,
        "cold_start": asdict(model.cold_start),
        "floor": model.floor,
        "base": model.base,
    }


def _trees_of(model: PotentialModel) -> dict[str, Trees]:
    found: dict[str, Trees] = {"mean": model.blend.trees} if model.blend else {}
    if model.quantiles:
        found |= {"low": model.quantiles.low, "median": model.quantiles.median, "high": model.quantiles.high}
    return found


def _columns_dict(columns: Columns) -> dict[str, Any]:
    return {"metrics": list(columns.metrics), "levels": {name: list(known) for name, known in columns.levels.items()}}


def _columns(stored: Mapping[str, Any]) -> Columns:
    return Columns(tuple(stored["metrics"]), {name: tuple(known) for name, known in stored["levels"].items()})


def _features(stored: Mapping[str, Any]) -> FeatureSet:
    metrics = tuple(Feature(**feature) for feature in stored["metrics"])
    rest = {name: tuple(stored[name]) for name in ("attributes", "comparable_by")}
    return FeatureSet(metrics, stored["target"], stored["target_unit"], **rest)


def _glm(stored: Mapping[str, Any]) -> Glm:
    return Glm(stored["base"], tuple(LogTerm(**term) for term in stored["terms"]))


def _cold_start(stored: Mapping[str, Any]) -> ColdStart:
    return ColdStart(**{**stored, "terms": tuple(LogTerm(**term) for term in stored["terms"])})


def _frame(part: Part) -> pd.DataFrame:
    assert isinstance(part, pd.DataFrame)
    return part
