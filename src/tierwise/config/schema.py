"""JSON Schemas of the workspace's files, for editors that complete and check them (`tierwise schema`)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from tierwise.config.attribution import AttributionSettings
from tierwise.config.base import Settings, field_docs, summary_doc
from tierwise.config.benefits import Benefits
from tierwise.config.catalog import Catalog
from tierwise.config.exports import Exports
from tierwise.config.model_spec import ModelSpec
from tierwise.config.pilot_file import PilotFile
from tierwise.config.policy import Policy
from tierwise.config.workspace import WorkspaceSettings

FILES = MappingProxyType[str, tuple[str, type[Settings]]](
    {
        "workspace": ("tierwise.yaml", WorkspaceSettings),
        "metrics": ("metrics.yaml", Catalog),
        "policy": ("policies/<date>.yaml", Policy),
        "benefits": ("benefits.yaml", Benefits),
        "pilot": ("pilots/<name>.yaml", PilotFile),
        "attribution": ("attribution.yaml", AttributionSettings),
        "exports": ("exports.yaml", Exports),
        "model": ("models/<name>.yaml", ModelSpec),
    }
)


class _DocumentedSchema(GenerateJsonSchema):
    """Pydantic's schemas as editors need them.

    The models' docstrings describe the keys, names that break their pattern are refused, and numbers are numbers.
    """

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        json_schema = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        json_schema["description"] = summary_doc(model)
        docs = field_docs(model)
        for name, field in model.model_fields.items():
            if name in docs:
                json_schema["properties"][field.alias or name]["description"] = docs[name]
        return json_schema

    def dict_schema(self, schema: core_schema.DictSchema) -> dict[str, Any]:
        json_schema = super().dict_schema(schema)
        if "patternProperties" in json_schema:
            json_schema["additionalProperties"] = False
        return json_schema

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> dict[str, Any]:
        number: dict[str, Any] = super().decimal_schema(schema)["anyOf"][0]
        return number


def json_schema(model: type[Settings]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one file as people write it."""
    body = model.model_json_schema(by_alias=True, mode="validation", schema_generator=_DocumentedSchema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **body}


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every file of a workspace, by the short name of the file."""
    return {name: json_schema(model) for name, (_, model) in FILES.items()}
