"""What a first run on a new installation waits for, done beforehand: modules read, loops compiled.

Python keeps what it has read of a module, numba keeps the machine code of the contribution kernel; both are written
once per installation and read ever after. Nothing here has a result.
"""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd

_MODULES = ("tierwise.jobs.train", "tierwise.jobs.score", "tierwise.jobs.review_pack")


def get_ready() -> None:
    """Read the modules of training and scoring, draw an empty plot, and split a model of two trees by the kernel."""
    for name in _MODULES:
        importlib.import_module(name)
    from tierwise.explain.kernel import split_to_background, split_to_training
    from tierwise.reports.plots_canvas import not_enough

    text, matrix = _small_model()
    split_to_training(text, matrix)
    split_to_background(text, matrix, matrix[:20])
    not_enough("ready", "Ready", "nothing is drawn yet", pd.DataFrame())


def _small_model() -> tuple[str, np.ndarray]:
    from tierwise.config.model_spec import Feature, FeatureSet, TreeSpec
    from tierwise.potential.trees import MEAN, TreeFit, columns_of, fit_trees

    values = np.random.default_rng(0).normal(size=(400, 3))
    rows = pd.DataFrame(values, columns=["a", "b", "c"]).assign(partner_id="P")
    features = FeatureSet((Feature("a"), Feature("b"), Feature("c")), "a", "", (), ())
    columns = columns_of(rows, features, ())
    trees = fit_trees(rows, np.exp(values.sum(axis=1)), columns, features, TreeFit(MEAN, TreeSpec(trees=2), 0))
    return trees.text, columns.matrix(rows)
