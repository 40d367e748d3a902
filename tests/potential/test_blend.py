import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, make_snapshots
from tierwise.potential.blend import Blend, fit_blend
from tierwise.potential.gini import normalized_gini
from tierwise.potential.snapshots import closed
from tierwise.potential.trees import Columns, threads_for


@pytest.fixture(scope="module")
def training() -> pd.DataFrame:
    return closed(make_snapshots(), AS_OF)


@pytest.fixture(scope="module")
def blend(training: pd.DataFrame) -> Blend:
    return fit_blend(training, FEATURES, QUICK, 1)


def test_it_is_the_geometric_mean_of_its_two_parts(blend: Blend, training: pd.DataFrame):
    glm, trees = np.exp(blend.glm.log_prediction(training)), np.exp(blend.trees.raw(training))
    np.testing.assert_allclose(blend.predict(training), np.sqrt(glm * trees) * np.exp(blend.offset), rtol=1e-12)


def test_totals_agree_in_training(blend: Blend, training: pd.DataFrame):
    assert blend.predict(training).sum() == pytest.approx(training["label"].sum())


@pytest.mark.parametrize(
    ("metric", "sign"), [("revenue_4q", 1), ("pipeline_2q", 1), ("deals_4q", 1), ("idle_days", -1)]
)
def test_no_perverse_response(blend: Blend, training: pd.DataFrame, metric: str, sign: int):
    sample = training.sample(100, random_state=1)
    before = blend.log_prediction(sample)
    for factor in (1.1, 2.0, 10.0):
        after = blend.log_prediction(sample.assign(**{metric: sample[metric] * factor + 1}))
        assert (sign * (after - before) >= -1e-12).all()


def test_same_inputs_same_bytes(training: pd.DataFrame, blend: Blend):
    again = fit_blend(training, FEATURES, QUICK, 1)
    assert again.trees.text == blend.trees.text
    assert again.glm == blend.glm


def test_the_unit_of_money_only_scales_the_prediction(training: pd.DataFrame, blend: Blend):
    money = ["revenue_4q", "pipeline_2q", "label"]
    cents = training.assign(**{name: training[name] * 100 for name in money})
    ratio = fit_blend(cents, FEATURES, QUICK, 1).predict(cents) / blend.predict(training)
    np.testing.assert_allclose(ratio, 100, rtol=1e-6)


def test_an_unseen_level_and_a_missing_attribute_are_predicted(blend: Blend, training: pd.DataFrame):
    rows = training.head(3).assign(region=["Mars", None, "EMEA"])
    assert np.isfinite(blend.predict(rows)).all()


def test_infinite_metrics_count_as_unknown(blend: Blend, training: pd.DataFrame):
    rows = training.head(2)
    unknown = blend.predict(rows.assign(pipeline_2q=np.nan))
    np.testing.assert_array_equal(blend.predict(rows.assign(pipeline_2q=np.inf)), unknown)


def test_it_ranks_better_than_its_noisy_metrics(blend: Blend):
    fresh = closed(make_snapshots(seed=8), AS_OF)
    gini = normalized_gini(fresh["label"].to_numpy(), blend.predict(fresh))
    assert gini > normalized_gini(fresh["label"].to_numpy(), fresh["persistence"].to_numpy()) + 0.05


def test_levels_are_coded_by_their_place_and_unknown_ones_are_missing():
    columns = Columns((), {"region": ("AMER", "EMEA")})
    rows = pd.DataFrame({"region": pd.Series(["EMEA", "AMER", "Mars", None], dtype="str")})
    np.testing.assert_array_equal(columns.matrix(rows)[:, 0], [1, 0, np.nan, np.nan])


def test_threads_depend_on_the_data_alone():
    assert (threads_for(100), threads_for(1_000_000)) == (1, 2)
