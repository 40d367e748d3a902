"""The map's projection: plain principal components, the same whatever the order, honest about what it leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise import archetypes
from tierwise.archetypes.projection import AXIS_COLUMNS, POINT_COLUMNS, project
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet

FEATURES = FeatureSet(
    tuple(Feature(name) for name in ("logins", "cases", "deals", "people")), "deals", attributes=("region",)
)
SPEC = ArchetypeSpec(starts=3, bootstraps=4, null_draws=19, k_max=4, target_limit=1)


def _rows(groups: int = 3, each: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    centres = np.array([[0, 0, 0, 0], [9, 0, 9, 0], [0, 9, 9, 0]])[:groups]
    values = np.exp(np.concatenate([rng.normal(centre / 3, 0.25, (each, 4)) for centre in centres]))
    frame = pd.DataFrame(values, columns=list(FEATURES.names))
    frame["partner_id"] = [f"P{number:03d}" for number in range(len(frame))]
    return frame.assign(region=rng.choice(["APAC", "EMEA"], len(frame)))


@pytest.fixture(scope="module")
def model() -> archetypes.ArchetypeModel:
    return archetypes.fit(_rows(), FEATURES, SPEC, 1)


def test_every_partner_and_every_centre_has_a_place(model: archetypes.ArchetypeModel) -> None:
    found = project(model, _rows(), 1)
    assert found is not None
    assert list(found.points.columns) == list(POINT_COLUMNS)
    assert list(found.axes.columns) == list(AXIS_COLUMNS)
    assert found.points["kind"].value_counts().to_dict() == {"partner": 150, "centre": 3}
    assert found.points.loc[found.points["kind"] == "centre", "partners"].sum() == 150
    assert found.nearest > 0.95


def test_what_the_axes_explain_are_shares_of_the_spread_the_larger_first(model: archetypes.ArchetypeModel) -> None:
    found = project(model, _rows(), 1)
    assert found is not None
    x, y = found.axes.drop_duplicates("axis")["explained"]
    assert 1 >= x >= y > 0
    matrix = model.space.matrix(_rows().sort_values("partner_id"))
    spread = np.linalg.eigvalsh(np.cov(matrix.T))[::-1]
    assert [x, y] == pytest.approx(list(spread[:2] / spread.sum()))


def test_the_order_of_rows_does_not_matter(model: archetypes.ArchetypeModel) -> None:
    first, second = project(model, _rows(), 1), project(model, _rows().sample(frac=1, random_state=2), 1)
    assert first is not None
    assert second is not None
    pd.testing.assert_frame_equal(first.points, second.points)
    pd.testing.assert_frame_equal(first.axes, second.axes)


def test_very_many_partners_are_sampled_but_all_are_counted(model: archetypes.ArchetypeModel) -> None:
    found = project(model, _rows(), 1, most=20)
    assert found is not None
    assert (found.points["kind"] == "partner").sum() == 20
    assert found.partners == 150
    assert found.points.loc[found.points["kind"] == "centre", "partners"].sum() == 150


def test_without_archetypes_partners_still_have_a_place() -> None:
    rows = _rows(groups=1, each=30)
    model = archetypes.fit(rows, FEATURES, SPEC, 1)
    assert not model.supported
    found = project(model, rows, 1)
    assert found is not None
    assert set(found.points["kind"]) == {"partner"}
    assert np.isnan(found.nearest)


def test_two_partners_make_no_map(model: archetypes.ArchetypeModel) -> None:
    assert project(model, _rows().head(2), 1) is None
