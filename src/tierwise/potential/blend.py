"""The model proper: the geometric mean of a Tweedie GLM and monotone LightGBM Tweedie.

A geometric mean of predictions is an average of logarithms, so the model is exactly additive on the log scale:
log potential = base + the mean of the GLM's and the trees' parts of each feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, PotentialSpec
from tierwise.potential.bounds import thinned_places
from tierwise.potential.glm import Glm, fit_glm
from tierwise.potential.trees import MEAN, TreeFit, Trees, columns_of, fit_trees
from tierwise.tables.varied import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Blend:
    """GLM and trees, both relative to `scale`, the mean label in training.

    Attributes:
        glm: The Tweedie GLM.
        trees: The LightGBM Tweedie model.
        scale: The mean training label, in the target's unit.
        level: Log correction that makes predicted and actual totals in training agree (a geometric mean of two
            means is a little below both).
    """

    glm: Glm
    trees: Trees
    scale: float
    level: float = 0.0

    def predict(self, rows: Rows) -> Floats:
        """Return the expected value over the horizon, in the target's unit, shape (n,)."""
        return np.exp(self.log_prediction(rows))

    def log_prediction(self, rows: Rows) -> Floats:
        """Return its natural logarithm, shape (n,)."""
        return np.asarray(self.offset + (self.glm.log_prediction(rows) + self.trees.raw(rows)) / 2)

    @property
    def offset(self) -> float:
        """The constant that turns relative into absolute amounts on the log scale."""
        return float(np.log(self.scale)) + self.level


def fit_blend(training: pd.DataFrame, features: FeatureSet, spec: PotentialSpec, seed: int) -> Blend:
    """Fit both parts on labelled snapshots with at least one positive label.

    Args:
        training: Labelled snapshots, sorted by their keys.
        features: The columns the model may use.
        spec: Hyper-parameters.
        seed: Seed of the trees.
    """
    label = training["label"].to_numpy(dtype=np.float64)
    scale = float(label.mean())
    relative = label / scale
    seen = thinned_places(len(training))
    rows = training if len(seen) == len(training) else training.iloc[seen]
    glm = fit_glm(rows, relative[seen], features.metrics, spec.glm)
    columns = columns_of(training, features, features.attributes if spec.attributes_as_features else ())
    trees = fit_trees(training, relative, columns, features, TreeFit(MEAN, spec.trees, seed))
    raw = np.exp((glm.log_prediction(training) + trees.raw(training)) / 2)
    return Blend(glm, trees, scale, float(np.log(relative.mean() / raw.mean())))
