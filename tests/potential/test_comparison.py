"""Two models on the same reviews: the better one is found, the same one is not, and neither sees the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import FEATURES, QUICK, make_snapshots
from tierwise.config.model_spec import BacktestSpec, FeatureSet
from tierwise.potential import Contender, PotentialModel, compare, train
from tierwise.potential.backtest_bootstrap import WEIGHTED, Draws, weighted_mean, weighted_spearman
from tierwise.potential.comparison import COLUMNS, _verdict
from tierwise.potential.scores import PLAIN_SCORES

SPEC = BacktestSpec(origins=2, bootstraps=60)
POOR = replace(FEATURES, metrics=tuple(metric for metric in FEATURES.metrics if metric.name in ("chance", "win_rate")))


@pytest.fixture(scope="module")
def snapshots() -> pd.DataFrame:
    return make_snapshots(partners=200, reviews=10)


def _model(snapshots: pd.DataFrame, features: FeatureSet = FEATURES, as_of: str = "2026-09-30") -> PotentialModel:
    return train(snapshots, features, QUICK, pd.Timestamp(as_of), 1)


@pytest.mark.parametrize(("order", "verdict"), [((0, 1), "better"), ((1, 0), "worse"), ((1, 1), "not_shown_better")])
def test_the_better_recipe_is_found(snapshots: pd.DataFrame, order: tuple[int, int], verdict: str) -> None:
    models = [_model(snapshots, POOR), _model(snapshots)]
    first, second = (Contender(models[place], 0, 1) for place in order)
    found = compare(snapshots, (first, second), SPEC, 0.9)
    assert (found.mode, found.verdict) == ("refitted", verdict)
    assert tuple(found.scores.columns) == COLUMNS
    pooled = found.scores[(found.scores["origin"] == "all") & (found.scores["score"] == "gini")].iloc[0]
    assert pooled["difference"] == pytest.approx(pooled["second"] - pooled["first"])
    assert pooled["low"] <= pooled["difference"] <= pooled["high"]


@pytest.mark.parametrize(
    ("difference", "probability", "verdict"),
    [
        (0.010, 0.99, "better"), (0.009, 0.99, "not_shown_better"), (0.05, 0.89, "not_shown_better"),
        (-0.010, 0.01, "worse"), (-0.001, 0.01, "not_shown_better"), (-0.05, 0.11, "not_shown_better"),
        (0.0, 0.5, "not_shown_better"), (np.nan, np.nan, "not_shown_better"),
    ],
)  # fmt: skip
def test_a_difference_counts_where_it_is_beyond_chance_and_large_enough(
    difference: float, probability: float, verdict: str
) -> None:
    plain = {"origin": "all", "score": "gini", "difference": difference, "probability": probability}
    other = {**plain, "score": "mae", "difference": 1.0, "probability": 1.0}
    review = {**other, "origin": "2025-06-30", "score": "gini"}
    assert _verdict(pd.DataFrame([other, review, plain]), 0.9, 0.01) == verdict


def test_a_difference_below_the_least_that_counts_is_none_however_sure_its_sign(snapshots: pd.DataFrame) -> None:
    recipes = (Contender(_model(snapshots, POOR), 0, 1), Contender(_model(snapshots), 0, 1))
    plain, strict = (
        compare(snapshots, recipes, SPEC.model_copy(update={"least_difference": least}), 0.9) for least in (0.0, 0.9)
    )
    pd.testing.assert_frame_equal(plain.scores, strict.scores)
    assert (plain.verdict, strict.verdict) == ("better", "not_shown_better")


def test_models_are_tested_as_trained_on_reviews_that_are_not_before_either_training(snapshots: pd.DataFrame) -> None:
    first, second = _model(snapshots, as_of="2025-03-31"), _model(snapshots, as_of="2025-06-30")
    found = compare(snapshots, (Contender(first, 3, 1), Contender(second, 0, 1)), SPEC, 0.9)
    assert found.mode == "as_trained"
    assert found.origins == ("2025-06-30", "2025-09-30")
    late = compare(snapshots, (Contender(first, 6, 1), Contender(_model(snapshots), 0, 1)), SPEC, 0.9)
    assert late.mode == "refitted"


def test_an_older_recipe_is_refitted_as_much_earlier(snapshots: pd.DataFrame) -> None:
    model = _model(snapshots)
    assert Contender(model, 3, 1).as_of(pd.Timestamp("2025-06-30")) == pd.Timestamp("2025-03-31")
    assert Contender(model, 0, 1).as_of(pd.Timestamp("2025-06-15")) == pd.Timestamp("2025-06-15")


def test_labels_that_close_after_the_review_do_not_change_what_was_said_of_it(snapshots: pd.DataFrame) -> None:
    one = Contender(_model(snapshots), 0, 1)
    days = sorted(snapshots.loc[snapshots["label"].notna(), "as_of"].unique())
    changed = snapshots.copy()
    later = (changed["label_until"] > days[-2]) & (changed["as_of"] < days[-2])
    assert later.any()
    changed.loc[later, "label"] *= 3
    before, after = (compare(frame, (one, one), SPEC, 0.9).scores for frame in (snapshots, changed))
    early = before["origin"] == f"{days[-2]:%Y-%m-%d}"
    pd.testing.assert_frame_equal(before[early], after[early])


def test_without_a_completed_review_nothing_is_shown(snapshots: pd.DataFrame) -> None:
    one = Contender(_model(snapshots), 0, 1)
    found = compare(snapshots.assign(label=np.nan), (one, one), SPEC, 0.9)
    assert (found.mode, found.verdict, found.origins) == ("nothing", "not_shown_better", ())
    assert found.scores.empty


@pytest.mark.parametrize("score", sorted(set(WEIGHTED) - {"spearman"}))
def test_a_weighted_score_is_the_score_of_the_sample_that_the_weights_draw(score: str) -> None:
    rng = np.random.default_rng(3)
    actual, predicted = rng.exponential(size=80), np.round(rng.exponential(size=80), 1)
    weights = rng.multinomial(80, np.full(80, 1 / 80), size=20).astype(float)
    found = WEIGHTED[score](actual, predicted, np.vstack([np.ones(80), weights]))
    assert found[0] == pytest.approx(PLAIN_SCORES[score](actual, predicted))
    counts = weights.astype(int)
    drawn = [PLAIN_SCORES[score](np.repeat(actual, row), np.repeat(predicted, row)) for row in counts]
    np.testing.assert_allclose(found[1:], drawn, atol=1e-9)


def test_the_spread_of_rank_correlations_is_that_of_drawn_samples_though_ranks_are_taken_once() -> None:
    rng = np.random.default_rng(4)
    actual = rng.exponential(size=300)
    predicted = np.round(actual * rng.exponential(size=300), 1)
    weights = rng.multinomial(300, np.full(300, 1 / 300), size=200).astype(float)
    found = weighted_spearman(actual, predicted, weights)
    drawn = [PLAIN_SCORES["spearman"](np.repeat(actual, row), np.repeat(predicted, row)) for row in weights.astype(int)]
    assert np.corrcoef(found, drawn)[0, 1] > 0.95
    assert np.std(found) / np.std(drawn) == pytest.approx(1, abs=0.1)
    assert found.mean() == pytest.approx(np.mean(drawn), abs=0.01)


def test_scores_without_spread_are_missing_and_draws_are_paired() -> None:
    whole = np.ones((1, 4))
    assert np.isnan(weighted_spearman(np.ones(4), np.arange(4.0), whole)[0])
    assert weighted_mean(np.arange(4.0), whole)[0] == 1.5
    names = pd.Series(["b", "a", "b"])
    draws = Draws.of(names, 10, 0.9, np.random.default_rng(0))
    rows = draws.of_rows(names)
    assert (rows[:, 0] == rows[:, 2]).all()
    assert (rows[:, 0] + rows[:, 1] == 2).all()
