"""Making the folder of the registered model: an MLflow pyfunc from code, with the program and the bundle inside.

The program's own code travels with the model (`code_paths`), because no package index has it; what it needs besides
is named with exact versions. Nothing is pickled by MLflow.
"""

from __future__ import annotations

import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import tierwise
from tierwise.tracking.names import BUNDLE

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

_SCRIPT = Path(__file__).with_name("scoring_model.py")
_REQUIREMENTS = (
    "duckdb", "joblib", "lightgbm", "mlflow", "numpy", "pandas", "pyarrow",
    "pydantic", "pyyaml", "scikit-learn", "scipy", "sqlglot",
)  # fmt: skip
_NOT_SHIPPED = ("__pycache__", "cli", "jobs", "synthetic")
OUTPUT_TEXTS = ("partner_id", "potential_source", "archetype_id", "archetype")
OUTPUT_NUMBERS = ("potential", "potential_low", "potential_high", "headroom", "archetype_strength")


def save_scoring_model(folder: Path, bundle: Path, logged: LoggedModel, input_example: pd.DataFrame) -> None:
    """Save the pyfunc that scores metric rows to potential, interval and archetype.

    Args:
        folder: The folder to make.
        bundle: The model's bundle, which is copied into it.
        logged: The logged model that the folder is for.
        input_example: A few metric rows.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    with tempfile.TemporaryDirectory(prefix="tierwise-") as name:
        code = Path(name) / "tierwise"
        shutil.copytree(Path(tierwise.__file__).parent, code, ignore=shutil.ignore_patterns(*_NOT_SHIPPED))
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=str(code / "tracking" / _SCRIPT.name),
            code_paths=[str(code)],
            artifacts={BUNDLE: str(bundle)},
            pip_requirements=[f"{package}=={metadata.version(package)}" for package in _REQUIREMENTS],
            signature=_signature(input_example),
            input_example=input_example,
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                run_id=logged.source_run_id,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            ),
        )


def _signature(rows: pd.DataFrame) -> ModelSignature:
    """Name the columns that go in and come out; none is required, since the model takes unknown figures as they are."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(_type(rows[name]), name, required=name == "partner_id") for name in rows.columns
    ]
    outputs: list[ColSpec | TensorSpec] = [ColSpec("string", name) for name in OUTPUT_TEXTS]
    outputs += [ColSpec("double", name) for name in OUTPUT_NUMBERS]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _type(column: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(column):
        return "datetime"
    return "double" if pd.api.types.is_numeric_dtype(column) else "string"
