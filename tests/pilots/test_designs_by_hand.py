"""Logged decisions, what was observed, spread and power against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from tests.pilots.known_truth import settings as reading
from tierwise import pilots
from tierwise.config.pilot import OffPolicySettings, PowerSettings
from tierwise.errors import InvalidInput
from tierwise.pilots.power_formula import detectable_by_formula, power_by_formula, units_needed
from tierwise.pilots.spread import Spread, intracluster_correlation, measure

OFF = OffPolicySettings(outcome="revenue")


def decisions(count: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    up = rng.random(count) < 0.4
    frame = pd.DataFrame({"partner_id": np.arange(count), "action": np.where(up, "growth", "entry")})
    return frame.assign(
        revenue=rng.normal(5, 1, count) + 2 * up,
        propensity=np.where(up, 0.4, 0.6),
        alternative="growth",
        alternative_propensity=0.4,
    )


def test_an_alternative_by_the_formula_of_augmented_weighting():
    frame = decisions()
    got = (frame["action"] == "growth").to_numpy()
    outcome = frame["revenue"].to_numpy()
    parts = outcome[got].mean() + got / 0.4 * (outcome - outcome[got].mean()) - outcome
    row = pilots.off_policy(frame, OFF)
    assert row.effect().estimate == pytest.approx(parts.mean())
    assert row.effect().standard_error == pytest.approx(parts.std(ddof=1) / math.sqrt(200))
    assert row.diagnostics == {
        "overlap_share": 1,
        "effective_units": pytest.approx(got.sum()),
        "changed_share": pytest.approx(1 - got.mean()),
    }


def test_an_alternative_that_changes_nothing_changes_nothing():
    frame = decisions().assign(propensity=1.0, alternative_propensity=1.0)
    row = pilots.off_policy(frame.assign(alternative=frame["action"]), OFF)
    assert row.effect().estimate == pytest.approx(0, abs=1e-12)
    assert row.diagnostics["changed_share"] == 0


def test_unequal_weights_rest_on_fewer_partners():
    frame = decisions().assign(alternative_propensity=lambda rows: np.where(rows.index < 100, 0.1, 0.8))
    frame["propensity"] = np.where(frame["action"] == "growth", frame["alternative_propensity"], 0.5)
    got = frame.loc[frame["action"] == "growth", "alternative_propensity"]
    weights = 1 / got
    expected = weights.sum() ** 2 / (weights**2).sum()
    assert pilots.off_policy(frame, OFF).diagnostics["effective_units"] == pytest.approx(expected)
    assert expected < len(got)


def test_decisions_without_an_outcome_are_counted_and_left_out():
    frame = decisions()
    some = frame.assign(revenue=frame["revenue"].mask(frame.index < 20))
    row = pilots.off_policy(some, OFF)
    assert (row.counts.arm, row.counts.missing_arm) == (200, 20)
    assert row.effect().estimate == pytest.approx(pilots.off_policy(frame.iloc[20:], OFF).effect().estimate)


def test_the_mean_change_of_the_same_partners_is_the_paired_t_test():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"partner_id": np.arange(30), "old": rng.normal(5, 1, 30), "new": rng.normal(6, 1, 30)})
    row, theirs = pilots.before_after(frame, "old", "new", alpha=0.1), stats.ttest_rel(frame["new"], frame["old"])
    interval = theirs.confidence_interval(0.9)
    assert row.value is not None
    assert row.value.p == pytest.approx(theirs.pvalue)
    assert [row.value.low, row.value.high] == pytest.approx([interval.low, interval.high])
    assert row.level == pytest.approx(0.9)


def test_before_and_after_needs_numbers_and_known_names():
    frame = pd.DataFrame({"partner_id": ["a", "b"], "old": [1.0, 2.0], "new": ["x", "y"]})
    with pytest.raises(InvalidInput) as caught:
        pilots.before_after(frame, "odl", "new")
    assert [(fault.where, fault.todo) for fault in caught.value.faults] == [("odl", "did you mean 'old'?"), ("new", "")]


def test_the_treated_are_predicted_from_the_others():
    """Regression imputation: the line through the comparison group, read at each treated partner."""
    rng = np.random.default_rng(5)
    size = rng.uniform(0, 10, 100)
    member = np.arange(100) % 3 == 0
    frame = pd.DataFrame({"partner_id": np.arange(100), "arm": np.where(member, "member", "control"), "size": size})
    frame = frame.assign(revenue=2 * size + member * (1 + 0.3 * size) + rng.normal(0, 1, 100))
    slope, start = np.polyfit(size[~member], frame["revenue"][~member], 1)
    naive, adjusted = pilots.compare_observed(frame, reading(covariates=("size",)))
    means = frame.groupby("arm")["revenue"].mean()
    assert naive.value.estimate == pytest.approx(means["member"] - means["control"])
    assert adjusted.value.estimate == pytest.approx((frame["revenue"][member] - start - slope * size[member]).mean())
    pooled = math.sqrt((size[member].var(ddof=1) + size[~member].var(ddof=1)) / 2)
    gap = abs(size[member].mean() - size[~member].mean()) / pooled
    assert naive.diagnostics["largest_standardised_difference"] == pytest.approx(gap)


def planning(**more: object) -> PowerSettings:
    given = {"outcome": "revenue", "arms": {"control": 1, "mdf": 1}, "effect": 0.1, "simulations": 50, **more}
    return PowerSettings.model_validate(given)


def history() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    past = rng.lognormal(0, 0.5, 90)
    frame = pd.DataFrame({"partner_id": np.arange(90), "past": past, "revenue": past + rng.normal(3, 0.4, 90)})
    return frame.assign(distributor=np.repeat([0, 1, 2], [10, 30, 50]), twice=2 * past, same=1.0)


def test_spread_is_what_the_history_shows():
    rows = history()
    found = measure(rows, planning(covariates=("past",), cluster="distributor"))
    correlation = np.corrcoef(rows["past"], rows["revenue"])[0, 1]
    assert found.mean == pytest.approx(rows["revenue"].mean())
    assert found.deviation == pytest.approx(rows["revenue"].std())
    assert found.explained == pytest.approx(1 - (1 - correlation**2) * 89 / 88)
    assert found.cluster_size == pytest.approx((10**2 + 30**2 + 50**2) / 90)
    assert (found.units, found.clusters) == (90, 3)


def test_covariates_that_say_the_same_twice_explain_no_more():
    one = measure(history(), planning(covariates=("past",))).explained
    assert measure(history(), planning(covariates=("past", "twice", "same"))).explained == pytest.approx(one)


def test_the_correlation_of_two_clusters_on_paper():
    """1, 3 and 7, 9: between 36, within 2, so (36 - 2) / (36 + 2)."""
    assert intracluster_correlation(np.array([1.0, 3.0, 7.0, 9.0]), np.array([0, 0, 1, 1])) == pytest.approx(34 / 38)


@pytest.mark.parametrize(
    ("values", "clusters"), [([1.0, 2.0], [0, 1]), ([1.0, 2.0, 3.0], [0, 0, 0]), ([2.0, 2.0, 2.0, 2.0], [0, 0, 1, 1])]
)
def test_where_clusters_tell_nothing_the_correlation_is_zero(values, clusters):
    assert intracluster_correlation(np.array(values), np.array(clusters)) == 0


def test_power_of_partners_is_that_of_the_t_test():
    spread = Spread(100.0, 40.0, 0.0, 0.0, 1.0, 300, None)
    theirs = TTestIndPower().power(effect_size=10 / 40, nobs1=150, ratio=1, alpha=0.05)
    assert power_by_formula(0.1, spread, planning(), adjusted=False) == pytest.approx(theirs, rel=1e-6)


@given(st.floats(0.01, 1e6))
def test_the_currency_does_not_change_what_can_be_detected(rate):
    plain, scaled = (Spread(100.0 * by, 40.0 * by, 0.2, 0.0, 1.0, 300, None) for by in (1.0, rate))
    one, other = (power_by_formula(0.1, spread, planning(), adjusted=True) for spread in (plain, scaled))
    assert other == pytest.approx(one, rel=1e-9)


def test_half_the_effect_needs_four_times_the_units():
    spread = Spread(100.0, 150.0, 0.0, 0.0, 1.0, 1000, None)
    whole, half = (units_needed(spread, planning(effect=effect), adjusted=False) for effect in (0.1, 0.05))
    assert half == pytest.approx(4 * whole, abs=4)


def test_covariates_that_explain_three_quarters_halve_what_is_detected():
    spread = Spread(100.0, 150.0, 0.75, 0.0, 1.0, 1000, None)
    plain, adjusted = (detectable_by_formula(spread, planning(), adjusted=how) for how in (False, True))
    assert adjusted == pytest.approx(plain / 2)


def test_the_design_effect_of_clusters_by_its_formula():
    """Ten partners a cluster alike by .1: 1 + 9 x .1 = 1.9 times the variance, with degrees of the clusters."""
    spread = Spread(100.0, 150.0, 0.0, 0.1, 10.0, 400, 40)
    reach = stats.t.ppf(0.975, 38) + stats.t.ppf(0.8, 38)
    expected = reach * 1.5 * math.sqrt(1.9 * (1 / 200 + 1 / 200))
    assert detectable_by_formula(spread, planning(), adjusted=False) == pytest.approx(expected)


def test_the_smallest_arm_decides():
    spread = Spread(100.0, 150.0, 0.0, 0.0, 1.0, 400, None)
    arms = {"control": 2, "mdf": 1, "sla": 1}
    three = detectable_by_formula(spread, planning(arms=arms), adjusted=False)
    theirs = TTestIndPower().solve_power(nobs1=200, ratio=0.5, alpha=0.05, power=0.8)
    assert three == pytest.approx(1.5 * theirs, rel=1e-4)
