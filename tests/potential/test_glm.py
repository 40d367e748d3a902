import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, make_snapshots
from tierwise.config.model_spec import Feature, GlmSpec
from tierwise.potential.glm import fit_glm, log_term
from tierwise.potential.snapshots import closed


@pytest.fixture(scope="module")
def training() -> pd.DataFrame:
    return closed(make_snapshots(), AS_OF)


def relative(rows: pd.DataFrame) -> np.ndarray:
    label = rows["label"].to_numpy()
    return label / label.mean()


def test_the_prediction_is_the_base_plus_the_effects(training: pd.DataFrame):
    glm = fit_glm(training, relative(training), FEATURES.metrics, GlmSpec())
    total = glm.base + sum(glm.effects(training).values())
    np.testing.assert_allclose(glm.log_prediction(training), total, rtol=0, atol=1e-12)


def test_it_finds_the_metrics_that_matter_and_ranks_by_them(training: pd.DataFrame):
    glm = fit_glm(training, relative(training), FEATURES.metrics, GlmSpec(features=2))
    assert {term.feature for term in glm.terms} <= {"pipeline_2q", "revenue_4q", "deals_4q", "idle_days"}
    won = training["label"] > 0
    assert np.corrcoef(glm.log_prediction(training[won]), np.log(training.loc[won, "label"]))[0, 1] > 0.6


def test_the_unit_of_money_does_not_matter(training: pd.DataFrame):
    cents = training.assign(revenue_4q=training["revenue_4q"] * 100, pipeline_2q=training["pipeline_2q"] * 100)
    spec, label = GlmSpec(), relative(training)
    first = fit_glm(training, label, FEATURES.metrics, spec).log_prediction(training)
    second = fit_glm(cents, label, FEATURES.metrics, spec).log_prediction(cents)
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-8)


def test_a_coefficient_never_contradicts_the_direction(training: pd.DataFrame):
    # Declared the wrong way round, the metrics must drop out instead of working backwards.
    wrong = [Feature("pipeline_2q", direction="down"), Feature("idle_days", direction="up"), Feature("chance")]
    glm = fit_glm(training, relative(training), wrong, GlmSpec())
    assert "pipeline_2q" not in {term.feature for term in glm.terms}
    for term in glm.terms:
        assert term.feature != "idle_days" or term.coefficient >= 0


def test_a_near_copy_is_left_out(training: pd.DataFrame):
    rows = training.assign(copy=training["pipeline_2q"] * 3)
    metrics = [Feature("pipeline_2q", direction="up"), Feature("copy", direction="up")]
    assert len(fit_glm(rows, relative(rows), metrics, GlmSpec()).terms) == 1


@pytest.mark.parametrize("values", [np.zeros(9), np.full(9, 4.0), np.full(9, np.nan)])
def test_a_metric_that_does_not_vary_has_no_term(values: np.ndarray):
    assert log_term("m", values) is None


def test_unknown_values_have_an_effect_of_their_own_and_count_as_the_centre():
    values = np.array([1.0, 10.0, 100.0, np.nan])
    term = log_term("m", values)
    assert term is not None
    assert term.standardised(values)[3] == 0
    assert term.standardised(np.array([1e12]))[0] == pytest.approx(term.standardised(np.array([100.0]))[0])


def test_without_any_usable_metric_it_predicts_the_mean(training: pd.DataFrame):
    glm = fit_glm(training.assign(chance=1.0), relative(training), [Feature("chance")], GlmSpec())
    assert glm.terms == ()
    assert (glm.log_prediction(training) == 0).all()
