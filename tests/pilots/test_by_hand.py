"""Estimates of randomised pilots against answers that were worked out another way: on paper, or by a plain formula."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from tests.pilots.known_truth import settings
from tierwise import pilots
from tierwise.config.pilot import OutcomeSettings
from tierwise.pilots.families import adjust
from tierwise.pilots.intervals import at_look, fieller, mixing_information
from tierwise.pilots.missing import missing_figures
from tierwise.pilots.randomisation import p_by_redrawing
from tierwise.pilots.results import Estimate

CONTROL, TREATED = [10.0, 12.0, 14.0, 16.0], [15.0, 17.0, 19.0, 25.0]


def small() -> pd.DataFrame:
    arm = ["control"] * 4 + ["mdf"] * 4
    return pd.DataFrame({"partner_id": list("abcdefgh"), "arm": arm, "revenue": CONTROL + TREATED})


def larger(count: int = 120, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(count) % 2)
    past, size = rng.normal(10, 2, count), rng.uniform(1, 5, count)
    revenue = 3 + 2 * past + arm * (1 + 0.4 * past) + rng.normal(0, 1 + arm, count)
    frame = pd.DataFrame({"partner_id": [f"p{row:03d}" for row in range(count)], "past": past, "size": size})
    return frame.assign(arm=np.where(arm, "mdf", "control"), revenue=revenue, deals=rng.poisson(6, count) + 1.0)


def only(frame: pd.DataFrame, **more: object) -> pilots.Result:
    [row] = pilots.analyse(frame, settings(**more)).results
    return row


def test_eight_partners_on_paper():
    """Means 13 and 19; sums of squares 20 and 56; variance of the difference 20/12 + 56/12 = 19/3."""
    row = only(small())
    assert row.effect().estimate == pytest.approx(6.0)
    assert row.effect().standard_error == pytest.approx(math.sqrt(19 / 3))
    assert row.control_value == pytest.approx(13.0)
    assert row.relative is not None
    assert row.relative.estimate == pytest.approx(6 / 13)


def test_equal_arms_have_the_degrees_of_bell_and_mccaffrey():
    """With two equal arms and a working model of one variance they are those of the pooled t-test: 6 for 4 + 4."""
    value = only(small()).effect()
    reach = stats.t.ppf(0.975, 6) * math.sqrt(19 / 3)
    assert value.degrees == pytest.approx(6)
    assert (value.low, value.high) == (pytest.approx(6 - reach), pytest.approx(6 + reach))
    assert value.p == pytest.approx(2 * stats.t.sf(6 / math.sqrt(19 / 3), 6))


def test_the_error_without_covariates_is_that_of_welch():
    frame = larger()
    ours, theirs = (frame.loc[frame["arm"] == arm, "revenue"] for arm in ("mdf", "control"))
    welch = stats.ttest_ind(ours, theirs, equal_var=False)
    value = only(frame).effect()
    assert value.estimate / value.standard_error == pytest.approx(welch.statistic)


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.32])
def test_the_error_rate_sets_the_width(alpha):
    row = only(small(), alpha=alpha)
    reach = stats.t.ppf(1 - alpha / 2, 6) * math.sqrt(19 / 3)
    assert row.level == pytest.approx(1 - alpha)
    assert row.effect().high == pytest.approx(6 + reach)


@pytest.mark.parametrize("covariates", [("past",), ("past", "size")])
def test_lin_is_the_regression_on_centred_covariates_and_their_interactions(covariates):
    frame = larger()
    treated = (frame["arm"] == "mdf").to_numpy(dtype=float)
    centred = (frame[list(covariates)] - frame[list(covariates)].mean()).to_numpy()
    columns = np.column_stack([np.ones(len(frame)), treated, centred, centred * treated[:, None]])
    fitted = sm.OLS(frame["revenue"].to_numpy(), columns).fit(cov_type="HC2")
    row = only(frame, covariates=covariates)
    assert row.method.startswith("Lin regression adjustment, HC2")
    assert row.effect().estimate == pytest.approx(fitted.params[1])
    assert row.effect().standard_error == pytest.approx(fitted.bse[1])


def test_lin_is_two_regressions_read_at_the_common_mean():
    frame = larger()
    at_mean = {}
    for arm, part in frame.groupby("arm"):
        slope, start = np.polyfit(part["past"], part["revenue"], 1)
        at_mean[arm] = start + slope * frame["past"].mean()
    row = only(frame, covariates=("past",))
    assert row.effect().estimate == pytest.approx(at_mean["mdf"] - at_mean["control"])
    assert row.control_value == pytest.approx(at_mean["control"])


def test_the_delta_method_by_its_formula():
    """Var(R) = (var a - 2 R cov(a, b) + R^2 var b) / (n mean(b)^2) in each arm."""
    frame, ratios, variances = larger(), {}, {}
    for arm, part in frame.groupby("arm"):
        above, below = part["revenue"].to_numpy(), part["deals"].to_numpy()
        ratio, cov = above.sum() / below.sum(), np.cov(above, below)
        inside = cov[0, 0] - 2 * ratio * cov[0, 1] + ratio**2 * cov[1, 1]
        ratios[arm], variances[arm] = ratio, inside / (len(part) * below.mean() ** 2)
    row = only(frame, outcomes={"revenue": OutcomeSettings(role="primary", per="deals")})
    assert row.effect().estimate == pytest.approx(ratios["mdf"] - ratios["control"])
    assert row.effect().standard_error == pytest.approx(math.sqrt(sum(variances.values())))
    assert "delta method" in row.method


def test_whole_clusters_of_equal_size_are_read_as_their_means():
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(12), 5)
    frame = pd.DataFrame({"partner_id": np.arange(60), "distributor": cluster})
    frame = frame.assign(
        arm=np.where(cluster % 2, "mdf", "control"), revenue=rng.normal(0, 1, 12)[cluster] + rng.normal(0, 1, 60)
    )
    by_cluster = frame.groupby("distributor").agg(arm=("arm", "first"), revenue=("revenue", "mean")).reset_index()
    means = only(by_cluster.rename(columns={"distributor": "partner_id"}))
    row = only(frame, cluster="distributor")
    assert row.effect().estimate == pytest.approx(means.effect().estimate)
    assert row.effect().standard_error == pytest.approx(means.effect().standard_error)
    assert row.effect().degrees == pytest.approx(10)
    assert row.counts.clusters == 12


@given(st.floats(-20, 20), st.floats(4, 40), st.floats(0.2, 1.5), st.floats(0.2, 1.5), st.floats(-0.8, 0.8))
def test_fiellers_ends_solve_the_quadratic(above, below, first, second, correlation):
    both, critical = correlation * first * second, 2.1
    found = fieller(above, below, np.array([[first**2, both], [both, second**2]]), critical)
    square = critical**2
    roots = np.sort(
        np.roots([below**2 - square * second**2, -2 * (above * below - square * both), above**2 - square * first**2])
    )
    assert [found.low, found.high] == pytest.approx(np.real(roots).tolist(), rel=1e-6, abs=1e-6)
    assert found.low <= found.estimate <= found.high


def test_the_relative_interval_of_a_pilot_solves_the_quadratic_too():
    """Effect 6 on a control of 13; variances 19/3 and 20/12, covariance -20/12."""
    row = only(small())
    square = stats.t.ppf(0.975, 6) ** 2
    both, bottom = -20 / 12, 20 / 12
    roots = np.sort(np.roots([13**2 - square * bottom, -2 * (6 * 13 - square * both), 36 - square * 19 / 3]))
    assert row.relative is not None
    assert [row.relative.low, row.relative.high] == pytest.approx(roots.tolist())


def test_arms_of_sixty_and_forty_on_paper():
    """Chi-square = 10^2/50 + 10^2/50 = 4 with one degree."""
    frame = pd.DataFrame({"partner_id": np.arange(100), "arm": ["control"] * 60 + ["mdf"] * 40})
    gate = pilots.analyse(frame.assign(revenue=np.arange(100.0)), settings()).sample_ratio
    assert gate.p == pytest.approx(stats.chi2.sf(4, 1))
    assert gate.observed == {"control": 60, "mdf": 40}
    assert gate.expected == {"control": 50.0, "mdf": 50.0}
    assert gate.passed


@pytest.mark.parametrize(("treated", "passes"), [(33, True), (34, True), (35, True), (66, False), (10, False)])
def test_the_gate_asks_for_the_shares_that_were_drawn(treated, passes):
    arm = ["control"] * (100 - treated) + ["mdf"] * treated
    frame = pd.DataFrame({"partner_id": np.arange(100), "arm": arm, "revenue": np.arange(100.0)})
    gate = pilots.analyse(frame, settings(shares={"control": 2, "mdf": 1})).sample_ratio
    expected = np.array([200 / 3, 100 / 3])
    square = float(((np.array([100 - treated, treated]) - expected) ** 2 / expected).sum())
    assert gate.p == pytest.approx(stats.chi2.sf(square, 1))
    assert gate.passed == passes


def test_clusters_not_partners_are_counted_where_clusters_were_drawn():
    cluster = np.repeat(np.arange(10), [1, 30] * 5)
    frame = pd.DataFrame({"partner_id": np.arange(155), "distributor": cluster})
    frame = frame.assign(arm=np.where(cluster % 2, "mdf", "control"), revenue=np.arange(155.0))
    gate = pilots.analyse(frame, settings(cluster="distributor")).sample_ratio
    assert gate.observed == {"control": 5, "mdf": 5}
    assert gate.p == pytest.approx(1)


def result(p: float | None, role: str, scope: str = "all") -> pilots.Result:
    value = None if p is None else Estimate(1.0, 1.0, -1.0, 3.0, p)
    return pilots.Result("m", role, "mdf", "control", "by hand", "none", "randomised", (), scope=scope, value=value)


def test_holm_and_benjamini_hochberg_on_paper():
    """Holm of .01, .03, .04: 3 x .01, 2 x .03, then at least that. BH of .01, .02, .5: 3 x .01, 3 x .02 / 2, .5."""
    primary = [result(p, "primary") for p in (0.01, 0.04, 0.03)]
    exploratory = [result(p, "exploratory") for p in (0.5, 0.02, 0.01)]
    rows = adjust([*primary, *exploratory])
    assert [row.p_adjusted for row in rows[:3]] == pytest.approx([0.03, 0.06, 0.06])
    assert [row.p_adjusted for row in rows[3:]] == pytest.approx([0.5, 0.03, 0.03])


def test_a_planned_test_without_an_answer_still_counts_in_its_family():
    known, unknown = adjust([result(0.02, "primary"), result(None, "primary")])
    assert (known.p_adjusted, unknown.p_adjusted) == (pytest.approx(0.04), None)


def test_parts_of_the_population_are_exploratory_even_of_a_primary_metric():
    whole, part, guard = adjust(
        [result(0.02, "primary"), result(0.02, "primary", "archetype: a"), result(0.02, "guardrail")]
    )
    assert (whole.adjustment, part.adjustment, guard.adjustment) == ("holm", "benjamini_hochberg", "none")
    assert (whole.p_adjusted, part.p_adjusted, guard.p_adjusted) == (0.02, 0.02, None)


def test_archetypes_are_drawn_in_by_empirical_bayes_on_paper():
    """Paule and Mandel's variance A solves sum w (y - mean)^2 = k - 1; Morris: (k - 3) / (k - 1) v / (v + A)."""
    from tierwise.pilots.by_archetype import shrink

    own, errors = np.array([0.0, 4.0, -3.0, 9.0, 2.0]), np.array([1.0, 1.5, 1.0, 2.0, 1.2])
    rows = [
        pilots.Result("m", "exploratory", "mdf", "control", "x", "y", "randomised", (), scope=f"archetype: {place}",
                      value=Estimate(float(estimate), float(error), 0.0, 0.0, 0.5))
        for place, (estimate, error) in enumerate(zip(own, errors, strict=True))
    ]  # fmt: skip

    def weighted(between: float) -> tuple[np.ndarray, float]:
        weights = 1 / (errors**2 + between)
        return weights, float((weights * own).sum() / weights.sum())

    def surplus(between: float) -> float:
        weights, mean = weighted(between)
        return float((weights * (own - mean) ** 2).sum() - 4)

    between = optimize.brentq(surplus, 0, 100)
    mean, shares = weighted(between)[1], 2 / 4 * errors**2 / (errors**2 + between)
    found = shrink(rows)
    assert [row.value.estimate for row in found] == pytest.approx(
        (mean + (1 - shares) * (own - mean)).tolist(), rel=1e-3
    )
    assert [row.diagnostics["shrinkage"] for row in found] == pytest.approx(shares.tolist(), rel=1e-3)
    assert [row.diagnostics["own_estimate"] for row in found] == own.tolist()
    assert {row.value.p for row in found} == {0.5}


def test_lees_bounds_on_paper():
    """Four of five shown among the treated, two of four in the control: 3/8 of the treated, so one or two, go."""
    values = np.array([1.0, 2.0, 3.0, 10.0, np.nan, 4.0, 6.0, np.nan, np.nan])
    arm = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0])
    figures = missing_figures(values, arm, 1)
    trim = round(4 * (1 - (2 / 4) / (4 / 5)))
    assert trim == 2
    assert figures["bound_low"] == pytest.approx((1 + 2) / 2 - 5)
    assert figures["bound_high"] == pytest.approx((3 + 10) / 2 - 5)
    assert figures["missing_p"] == pytest.approx(stats.fisher_exact([[1, 4], [2, 2]])[1])


def test_lees_bounds_turn_round_where_more_is_missing_among_the_treated():
    values = np.array([4.0, 6.0, np.nan, np.nan, 1.0, 2.0, 3.0, 10.0, np.nan])
    arm = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0])
    figures = missing_figures(values, arm, 1)
    assert (figures["bound_low"], figures["bound_high"]) == (pytest.approx(5 - 6.5), pytest.approx(5 - 1.5))


def test_nothing_missing_has_no_figures_and_an_empty_arm_no_bounds():
    assert missing_figures(np.array([1.0, 2.0]), np.array([0, 1]), 1) == {}
    assert set(missing_figures(np.array([1.0, np.nan]), np.array([0, 1]), 1)) == {"missing_p"}


def test_the_randomisation_test_of_the_most_extreme_split():
    """Of the 20 splits of six into three and three, two are as extreme as 1, 2, 3 against 11, 12, 13."""
    means, treated = np.array([1.0, 2.0, 3.0, 11.0, 12.0, 13.0]), np.array([False] * 3 + [True] * 3)
    p = p_by_redrawing(means, treated, np.zeros(6, dtype=np.int64), 4000, np.random.default_rng(1))
    assert p == pytest.approx(2 / 20, abs=0.02)


def test_redraws_stay_within_blocks():
    """In three pairs there are eight splits, two of them as extreme as the one seen."""
    means, treated = np.array([1.0, 11.0, 2.0, 12.0, 3.0, 13.0]), np.array([False, True] * 3)
    blocks = np.array([0, 0, 1, 1, 2, 2])
    p = p_by_redrawing(means, treated, blocks, 4000, np.random.default_rng(1))
    assert p == pytest.approx(2 / 8, abs=0.03)


def test_a_look_by_the_formula_of_the_normal_mixture():
    estimate, error, share, alpha = 2.0, 0.8, 0.5, 0.05
    information = 1 / 0.64
    mixing = 2 * information / (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1)
    assert mixing_information(information / share, alpha) == pytest.approx(mixing)
    total = information + mixing
    found = at_look(estimate, error, share, alpha)
    assert found.high - estimate == pytest.approx(
        math.sqrt(total * (math.log(total / mixing) - 2 * math.log(alpha))) / information
    )
    assert found.p == pytest.approx(
        min(1, math.sqrt(total / mixing) * math.exp(-((2 * information) ** 2) / (2 * total)))
    )
