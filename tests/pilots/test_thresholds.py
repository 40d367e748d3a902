from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from rdrobust import rdrobust

from tierwise import pilots
from tierwise.config.pilot import OffPolicySettings, ThresholdSettings
from tierwise.errors import InvalidInput

READ = ThresholdSettings(running="points", outcome="revenue", cutoff=60, covariates=("tenure",))


@pytest.fixture
def partners() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    points = 100 * rng.beta(3, 2.5, 900)
    revenue = 3 + 0.02 * points + 0.9 * (points >= 60) + rng.normal(0, 1, 900)
    frame = pd.DataFrame({"partner_id": [f"p{place:04d}" for place in range(900)], "points": points})
    return frame.assign(revenue=revenue, tenure=rng.poisson(5, 900).astype(float))


def test_the_jump_at_the_threshold_is_that_of_rdrobust(partners):
    row, *placebos = pilots.threshold_effect(partners, READ)
    revenue, points = partners["revenue"].to_numpy(), partners["points"].to_numpy()
    theirs = rdrobust(revenue, points, c=60, bwselect="cerrd", vce="hc3")
    assert row.effect().estimate == pytest.approx(theirs.coef.loc["Robust"].iloc[0])
    assert row.effect().low == pytest.approx(theirs.ci.loc["Robust"].iloc[0])
    assert row.effect().low < 0.9 < row.effect().high
    assert (row.grade, row.diagnostics["density_p"] > 0.05) == ("discontinuity", True)
    assert row.diagnostics["placebo_p"] > 0.01
    assert [placebo.scope.split(":")[0] for placebo in placebos] == ["placebo threshold"] * 6 + ["placebo outcome"]
    for part in pilots.to_rows((row, *placebos)):
        Draft202012Validator(pilots.RESULT_SCHEMA).validate(part)


def test_the_order_of_rows_does_not_matter(partners):
    shuffled = pilots.threshold_effect(partners.sample(frac=1, random_state=1), READ)
    assert shuffled[0].effect() == pilots.threshold_effect(partners, READ)[0].effect()


def test_partners_that_place_themselves_are_refused(partners):
    points = partners["points"]
    pushed = points.mask((points > 54) & (points < 60), 60 + (points - 54) / 10)
    [row] = pilots.threshold_effect(partners.assign(points=pushed), READ)
    assert (row.reason_code, row.value) == ("manipulated_threshold", None)
    assert row.diagnostics["density_p"] < 0.05


def test_too_few_partners_near_the_threshold_have_a_reason(partners):
    [row] = pilots.threshold_effect(partners.head(30), READ)
    assert row.reason_code == "too_few_near_threshold"
    [row] = pilots.threshold_effect(partners, READ.model_copy(update={"cutoff": 1000.0}))
    assert row.reason_code == "too_few_near_threshold"


def test_where_not_all_follow_the_rule_the_effect_is_that_of_those_who_do(partners):
    rng = np.random.default_rng(3)
    got = ((partners["points"] >= 60) & (rng.random(900) < 0.8)).astype(float)
    frame = partners.assign(got=got, revenue=3 + 0.02 * partners["points"] + 0.9 * got + rng.normal(0, 0.5, 900))
    row = pilots.threshold_effect(frame, READ.model_copy(update={"received": "got"}))[0]
    assert row.effect().low < 0.9 < row.effect().high
    assert row.estimand.endswith("for partners that follow the rule")


def test_faults_of_the_threshold(partners):
    with pytest.raises(InvalidInput, match="did you mean 'points'"):
        pilots.threshold_effect(partners, READ.model_copy(update={"running": "point"}))
    with pytest.raises(InvalidInput, match="infinite"):
        pilots.threshold_effect(partners.assign(revenue=np.inf), READ)


def decisions(count: int, rng: np.random.Generator) -> pd.DataFrame:
    points = rng.uniform(0, 100, count)
    chance = np.clip(points / 100, 0.1, 0.9)
    up = rng.random(count) < chance
    revenue = 2 + 0.03 * points + 1.0 * up + rng.normal(0, 1, count)
    alternative = points >= 40
    frame = pd.DataFrame({"partner_id": np.arange(count), "points": points, "revenue": revenue})
    return frame.assign(
        action=np.where(up, "growth", "entry"),
        propensity=np.where(up, chance, 1 - chance),
        alternative=np.where(alternative, "growth", "entry"),
        alternative_propensity=np.where(alternative, chance, 1 - chance),
    )


OFF = OffPolicySettings(outcome="revenue", covariates=("points",))


def test_an_alternative_threshold_is_judged_where_chance_decided():
    rng, held = np.random.default_rng(4), 0
    for _ in range(60):
        frame = decisions(600, rng)
        truth = (frame["alternative"] == "growth").mean() - (frame["action"] == "growth").mean()
        value = pilots.off_policy(frame, OFF).effect()
        held += value.low <= truth <= value.high
    assert held >= 51


def test_tiers_by_a_fixed_rule_are_refused():
    frame = decisions(600, np.random.default_rng(5))
    fixed = frame.assign(action=np.where(frame["points"] >= 50, "growth", "entry"), propensity=1.0)
    same = fixed["action"] == fixed["alternative"]
    row = pilots.off_policy(fixed.assign(alternative_propensity=same.astype(float)), OFF)
    assert (row.reason_code, row.value) == ("no_overlap", None)
    assert row.diagnostics["overlap_share"] == pytest.approx(same.mean())
    Draft202012Validator(pilots.RESULT_SCHEMA).validate(pilots.to_rows([row])[0])


def test_few_effective_units_have_a_reason():
    assert pilots.off_policy(decisions(25, np.random.default_rng(6)), OFF).reason_code == "too_few_units"


def test_faults_of_the_log():
    frame = decisions(50, np.random.default_rng(7))
    with pytest.raises(InvalidInput, match="not between 0 and 1"):
        pilots.off_policy(frame.assign(propensity=0.0), OFF)
    with pytest.raises(InvalidInput, match="differ although the actions are the same"):
        pilots.off_policy(frame.assign(alternative_propensity=0.5), OFF)
    with pytest.raises(InvalidInput, match="no such column"):
        pilots.off_policy(frame.drop(columns="action"), OFF)
