import numpy as np
import pandas as pd
import pytest

from tests.archetypes.mixtures import FEATURES, mixture
from tierwise.archetypes.blob import compare_with_blob
from tierwise.archetypes.clusters import distances, jaccard_matrix, kmeans, stability
from tierwise.archetypes.space import fit_axis, fit_space
from tierwise.archetypes.weights import behaviour_metrics, metric_weights
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet

SPEC = ArchetypeSpec(bootstraps=5, null_draws=19)
RNG = np.random.default_rng(0)


def test_many_zeros_become_an_indicator_beside_the_positive_part():
    values = np.concatenate((np.zeros(50), np.exp(RNG.normal(5, 1, 50))))
    axis = fit_axis("m", values, SPEC)
    assert axis is not None
    assert axis.split
    indicator, shaped = axis.coordinates(values, 3.5)
    np.testing.assert_array_equal(indicator, values > 0)
    assert (shaped[:50] == 0).all()
    assert shaped[50:].mean() == pytest.approx(0, abs=1e-9)
    assert shaped[50:].std() == pytest.approx(1)


@pytest.mark.parametrize("values", [np.exp(RNG.normal(3, 2, 400)), RNG.normal(-2, 5, 400), np.arange(400.0)])
def test_any_unit_gives_the_same_coordinates(values: np.ndarray):
    first, second = fit_axis("m", values, SPEC), fit_axis("m", values * 100, SPEC)
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first.coordinates(values, 3.5)[0], second.coordinates(values * 100, 3.5)[0], atol=1e-9)


def test_a_log_normal_metric_becomes_normal():
    values = np.exp(RNG.normal(8, 2, 2000))
    axis = fit_axis("m", values, SPEC)
    assert axis is not None
    shaped = axis.coordinates(values, 9.0)[0]
    assert abs(pd.Series(shaped).skew()) < 0.2


def test_extremes_are_clipped_and_unknown_values_lie_at_the_centre():
    values = np.exp(RNG.normal(0, 1, 300))
    axis = fit_axis("m", values, SPEC)
    assert axis is not None
    shaped = axis.coordinates(np.array([1e30, 0.0, np.nan]), 3.5)[0]
    assert shaped[0] == 3.5
    assert shaped[1] >= -3.5
    assert shaped[2] == 0


@pytest.mark.parametrize("values", [np.zeros(5), np.full(5, np.nan), np.array([7.0])])
def test_a_metric_that_does_not_vary_has_no_axis(values: np.ndarray):
    assert fit_axis("m", values, SPEC) is None


def test_attributes_weigh_less_than_metrics_and_rare_levels_not_at_all():
    rows = mixture(200).assign(region=["LATAM"] + ["EMEA"] * 120 + ["AMER"] * 79)
    space = fit_space(rows, {"growth": 1.0}, FEATURES, SPEC)
    assert space.levels == {"region": ("AMER", "EMEA")}
    matrix = space.matrix(rows)
    assert matrix.shape == (200, 3)
    assert matrix[:, 1:].max() == pytest.approx(0.7)


def test_metrics_that_restate_the_target_are_left_to_potential():
    rows = mixture(300)
    many = {f"other_{place}": RNG.normal(size=300) for place in range(8)}
    rows = rows.assign(copy=rows["revenue_4q"] * 2, **many)
    features = FeatureSet(tuple(Feature(name) for name in ("copy", *many)), "revenue_4q")
    assert behaviour_metrics(rows, features, SPEC) == tuple(sorted(many))
    assert "copy" in behaviour_metrics(rows, features, SPEC.model_copy(update={"target_limit": 1.0}))
    few = FeatureSet(tuple(Feature(name) for name in ("copy", "growth", "joint_share")), "revenue_4q")
    assert "copy" in behaviour_metrics(rows, few, SPEC)
    assert "copy" in behaviour_metrics(rows.drop(columns="revenue_4q"), features, SPEC)


def test_repeated_metrics_share_their_weight_and_lonely_noise_weighs_least():
    common = RNG.normal(size=500)
    rows = pd.DataFrame({f"same_{place}": common + RNG.normal(0, 0.1, 500) for place in range(4)})
    rows["kin"] = common + RNG.normal(0, 0.6, 500)
    rows["noise"] = RNG.normal(size=500)
    weights = metric_weights(rows, list(rows.columns))
    assert weights["noise"] == min(weights.values())
    assert np.mean(np.square(list(weights.values()))) == pytest.approx(1, abs=1e-4)
    assert metric_weights(rows, []) == {}


def test_distances_are_euclidean():
    points, centres = RNG.normal(size=(6, 3)), RNG.normal(size=(2, 3))
    expected = np.linalg.norm(points[:, None] - centres[None], axis=2)
    np.testing.assert_allclose(distances(points, centres), expected, atol=1e-9)


def test_jaccard_of_a_partition_with_itself_is_the_identity():
    labels = np.array([0, 0, 1, 2, 2])
    np.testing.assert_array_equal(jaccard_matrix(labels, labels, 3, 3), np.eye(3))


def separated(gap: float) -> np.ndarray:
    return np.concatenate((RNG.normal(0, 1, (150, 4)), RNG.normal(gap, 1, (150, 4))))


def test_separate_groups_are_stable_and_beat_one_blob_and_a_blob_does_not():
    rng = np.random.default_rng(1)
    two, one = separated(5.0), separated(0.0)
    assert stability(two, kmeans(two, 2, 4, 1), SPEC, rng).mean_ari > 0.95
    assert stability(one, kmeans(one, 2, 4, 1), SPEC, rng).mean_ari < 0.8
    split, none = (compare_with_blob(matrix, [2], SPEC, rng)[0] for matrix in (two, one))
    assert split.p_value == pytest.approx(1 / 39)  # two batches of 19 draws, none of which splits as well
    assert split.gain > 0.2
    assert none.gain < 0.05


def test_values_of_very_different_size_do_not_collapse_into_one():
    values = np.concatenate((-np.exp(RNG.normal(0, 1, 20)), np.exp(RNG.normal(14, 3, 80))))
    axis = fit_axis("net", values, SPEC)
    assert axis is not None
    (shaped,) = axis.coordinates(values, 3.5)
    assert len(np.unique(np.round(shaped, 6))) > 50
