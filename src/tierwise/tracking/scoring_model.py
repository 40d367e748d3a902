"""The registered model as MLflow loads it: metric rows in, potential, interval and archetype out.

MLflow runs this file by itself when the model is loaded (models from code), in a server, a notebook or on Spark; the
package beside it in the model's folder gives the rest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from tierwise import archetypes, potential
from tierwise.store.bundle import load_bundle
from tierwise.tracking.names import BUNDLE
from tierwise.tracking.packaging import OUTPUT_NUMBERS, OUTPUT_TEXTS


class ScoringModel(PythonModel):
    """Scores metric rows with the models of one bundle."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle, if every file of it is the one that was saved."""
        bundle = load_bundle(Path(context.artifacts[BUNDLE]))
        self._potential = potential.from_parts(bundle.group("potential"))
        self._archetypes = archetypes.from_parts(bundle.group("archetypes"))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Score metric rows.

        Args:
            context: Not used.
            model_input: One row per partner with `partner_id`, the attributes and the metrics of the model.
            params: Not used.

        Returns:
            One row per row of the input, in its order: `OUTPUT_TEXTS` and `OUTPUT_NUMBERS`.
        """
        rows = model_input.reset_index(drop=True)
        scored = potential.predict(self._potential, rows)
        assigned = archetypes.assign(self._archetypes, rows).drop(columns="partner_id")
        result: pd.DataFrame = pd.concat([scored, assigned], axis="columns")[[*OUTPUT_TEXTS, *OUTPUT_NUMBERS]]
        return result


mlflow.models.set_model(ScoringModel())
