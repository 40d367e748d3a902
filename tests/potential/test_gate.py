from functools import partial

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, make_snapshots
from tierwise.config.model_spec import GateSpec
from tierwise.potential import train
from tierwise.potential.gate import REASONS, Scored, decide


def scored(actual: np.ndarray, model: np.ndarray, persistence: np.ndarray) -> Scored:
    partners = pd.Series([f"p{i}" for i in range(len(actual))])
    return Scored(pd.Timestamp("2025-09-30"), partners, actual, model, persistence)


def test_a_clearly_better_ranking_is_accepted_with_its_figures():
    rng = np.random.default_rng(1)
    actual = rng.exponential(size=150)
    result = decide([scored(actual, actual, rng.normal(size=150))], GateSpec(), rng)
    assert (result.accepted, result.reason, result.probability) == (True, "proven", 1.0)
    assert result.gini_model == pytest.approx(1)
    assert result.gini_persistence is not None
    assert result.gini_persistence < 0.5
    assert (result.partners, result.origins) == (150, ("2025-09-30",))


def test_the_same_ranking_is_not_proven_and_counts_half():
    rng = np.random.default_rng(1)
    actual, score = rng.exponential(size=80), rng.normal(size=80)
    result = decide([scored(actual, np.exp(score), score)], GateSpec(), rng)
    assert (result.accepted, result.reason, result.probability) == (False, "not_proven", 0.5)


def test_too_few_partners_prove_nothing():
    actual = np.arange(10.0)
    result = decide([scored(actual, actual, -actual)], GateSpec(partners=30), np.random.default_rng(0))
    assert (result.accepted, result.reason, result.probability) == (False, "too_few_partners", None)


def test_noise_is_accepted_no_more_often_than_the_confidence_allows():
    accepted = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        actual = rng.exponential(size=60)
        better = actual + rng.normal(0, 1, 60)
        accepted += decide(
            [scored(actual, better, better + rng.normal(0, 0.2, 60))], GateSpec(bootstraps=100), rng
        ).accepted
        accepted += decide(
            [scored(actual, rng.normal(size=60), rng.normal(size=60))], GateSpec(bootstraps=100), rng
        ).accepted
    assert accepted / 120 <= 0.25


def shuffled(values: pd.Series, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(values.to_numpy())


OTHERS = ("pipeline_2q", "deals_4q", "idle_days", "win_rate", "chance")


@pytest.mark.parametrize("names", [(*OTHERS, "revenue_4q"), OTHERS], ids=["all", "all but the target"])
def test_shuffled_features_do_not_pass_the_gate(names: tuple[str, ...]):
    """METHODS: accepted at most one time in ten; metrics are shuffled among partners, persistence is not."""
    accepted = 0
    for seed in range(10):
        snapshots = make_snapshots(partners=120, reviews=9, seed=seed)
        rng = np.random.default_rng(seed)
        for metric in names:
            snapshots[metric] = snapshots.groupby("as_of")[metric].transform(partial(shuffled, rng=rng))
        accepted += train(snapshots, FEATURES, QUICK, AS_OF, seed).gate.accepted
    assert accepted <= 1


def test_a_real_signal_passes_the_gate():
    model = train(make_snapshots(reviews=9), FEATURES, QUICK, AS_OF, 1)
    assert model.gate.accepted
    assert model.source == "model"
    assert model.gate.sentence == REASONS["proven"]
