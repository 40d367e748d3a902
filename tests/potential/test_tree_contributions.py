"""The trees' contributions are the path-dependent SHAP values that the shap package computes independently."""

from __future__ import annotations

import warnings

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, current, make_snapshots
from tierwise import potential
from tierwise.config.model_spec import PotentialSpec
from tierwise.potential.blend import Blend, fit_blend
from tierwise.potential.snapshots import closed
from tierwise.potential.trees import raw_parts

with warnings.catch_warnings():  # shap makes its colour maps in a way that matplotlib gives up
    warnings.filterwarnings("ignore", "The set_(bad|over|under) function", PendingDeprecationWarning)
    import shap

SNAPSHOTS = make_snapshots(partners=120, reviews=6)


def _shap_values(blend: Blend, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Base values and parts by shap's own algorithm; it would otherwise ask LightGBM, as the code under test does."""
    explainer = shap.TreeExplainer(lgb.Booster(model_str=blend.trees.text), feature_perturbation="tree_path_dependent")
    explainer.model.model_type = "internal"
    explained = explainer(blend.trees.columns.matrix(rows), check_additivity=False)
    return explained.base_values, explained.values


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return current(SNAPSHOTS)


@pytest.fixture(scope="module", params=[QUICK, QUICK.model_copy(update={"attributes_as_features": False})])
def blend(request: pytest.FixtureRequest) -> Blend:
    """The model on metrics and attributes, and on metrics alone."""
    spec: PotentialSpec = request.param
    return fit_blend(closed(SNAPSHOTS, AS_OF), FEATURES, spec, seed=3)


def test_the_trees_parts_equal_shaps_own(blend: Blend, rows: pd.DataFrame) -> None:
    base, ours = raw_parts(blend.trees.text, blend.trees.columns.matrix(rows))
    expected_base, expected = _shap_values(blend, rows)
    assert np.abs(ours).max() > 0.05
    np.testing.assert_allclose(ours, expected, atol=1e-9)
    np.testing.assert_allclose(expected_base, base, atol=1e-9)
    np.testing.assert_allclose(base + ours.sum(axis=1), blend.trees.raw(rows), atol=1e-9)


def test_the_potentials_parts_are_half_of_them_and_half_the_linear_models(rows: pd.DataFrame) -> None:
    model = potential.train(SNAPSHOTS, FEATURES, QUICK, AS_OF, 3)
    assert model.blend is not None
    known = rows[(model.sources(rows) == "model").to_numpy()].reset_index(drop=True)
    _, values = _shap_values(model.blend, known)
    trees = pd.DataFrame(values, columns=list(model.blend.trees.columns.names))
    linear = pd.DataFrame(model.blend.glm.effects(known))
    expected = trees.add(linear, fill_value=0) / 2
    found = potential.contributions(model, known).pivot(index="partner_id", columns="feature", values="contribution")
    found = found.loc[known["partner_id"], list(expected.columns)]
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-9)
