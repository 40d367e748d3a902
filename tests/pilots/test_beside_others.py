"""The same inputs to tea-tasting and statsmodels: the same answers where they overlap, and a true table of the rest."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower

from tests.pilots.known_truth import PRIMARY, clustered_frame, reseller_frame, settings
from tierwise import pilots
from tierwise.config.pilot import OutcomeSettings, PowerSettings
from tierwise.pilots.power_formula import power_by_formula
from tierwise.pilots.spread import Spread


@pytest.fixture
def frame() -> pd.DataFrame:
    rows, _ = reseller_frame(2000, 0.3, np.random.default_rng(20261122))
    return rows.assign(deals=np.random.default_rng(1).poisson(3, 2000) + 1)


def theirs(frame: pd.DataFrame, metric: object) -> tt.metrics.MetricResult:
    return tt.Experiment({"found": metric}, variant="arm").analyze(frame, control="control")["found"]


def test_difference_in_means_is_that_of_welch(frame):
    [row] = pilots.analyse(frame, settings()).results
    found = theirs(frame, tt.Mean("revenue"))
    assert row.effect().estimate == pytest.approx(found.effect_size, rel=1e-10)
    assert (row.effect().low, row.effect().high) == pytest.approx(
        (found.effect_size_ci_lower, found.effect_size_ci_upper), rel=1e-4
    )
    assert row.effect().p == pytest.approx(found.pvalue, rel=1e-3)


def test_relative_change_is_theirs_and_the_interval_nearly(frame):
    """Theirs is by the delta method, ours by Fieller, which needs no large sample."""
    [row] = pilots.analyse(frame, settings()).results
    found = theirs(frame, tt.Mean("revenue"))
    assert row.relative.estimate == pytest.approx(found.rel_effect_size, rel=1e-10)
    assert row.relative.low == pytest.approx(found.rel_effect_size_ci_lower, abs=0.01)
    assert row.relative.high == pytest.approx(found.rel_effect_size_ci_upper, abs=0.01)


def test_ratios_of_totals_are_theirs(frame):
    read = settings(outcomes={"revenue": OutcomeSettings(role="primary", per="deals")})
    [row] = pilots.analyse(frame, read).results
    found = theirs(frame, tt.RatioOfMeans("revenue", "deals"))
    assert row.effect().estimate == pytest.approx(found.effect_size, rel=1e-10)
    assert row.effect().low == pytest.approx(found.effect_size_ci_lower, rel=2e-3)


def test_one_covariate_agrees_with_cuped_within_a_hundredth_of_the_interval(frame):
    """CUPED takes one slope for both arms, Lin one for each: the same in large samples."""
    [row] = pilots.analyse(frame, settings(covariates=("past",))).results
    found = theirs(frame, tt.Mean("revenue", "past"))
    width = row.effect().high - row.effect().low
    assert row.effect().estimate == pytest.approx(found.effect_size, abs=0.01 * width)
    assert row.effect().low == pytest.approx(found.effect_size_ci_lower, abs=0.02 * width)


def test_lin_is_the_regression_with_interactions_by_statsmodels(frame):
    [row] = pilots.analyse(frame, settings(covariates=("past",))).results
    centred = frame.assign(c=frame["past"] - frame["past"].mean(), t=(frame["arm"] == "mdf").astype(float))
    fitted = ols("revenue ~ t * c", centred).fit(cov_type="HC2")
    assert row.effect().estimate == pytest.approx(fitted.params["t"], rel=1e-9)
    assert row.effect().standard_error == pytest.approx(fitted.bse["t"], rel=1e-9)


def test_the_usual_cluster_error_is_near_ours_where_clusters_are_many():
    frame = clustered_frame(200, np.random.default_rng(2))
    [row] = pilots.analyse(frame, settings(cluster="distributor")).results
    fitted = ols("revenue ~ t", frame.assign(t=(frame["arm"] == "mdf").astype(float))).fit(
        cov_type="cluster", cov_kwds={"groups": frame["distributor"]}
    )
    assert row.effect().estimate == pytest.approx(fitted.params["t"], rel=1e-9)
    assert row.effect().standard_error == pytest.approx(fitted.bse["t"], rel=0.01)


def test_sample_ratio_is_theirs_up_to_the_correction_for_whole_numbers(frame):
    some = frame.drop(frame.index[frame["arm"] == "mdf"][:60])
    gate = pilots.analyse(some, settings()).sample_ratio
    found = theirs(some, tt.SampleRatio(method="norm", correction=False))
    assert gate.p == pytest.approx(found.pvalue, rel=1e-6)


def test_many_comparisons_are_those_of_both(frame):
    rows = frame.assign(cases=frame["deals"] % 2)
    outcomes = dict.fromkeys(("revenue", "deals", "cases"), PRIMARY)
    found = pilots.analyse(rows, settings(outcomes=outcomes)).results
    ps = [row.effect().p for row in found]
    assert [row.p_adjusted for row in found] == pytest.approx(list(multipletests(ps, method="holm")[1]))
    experiment = tt.Experiment({name: tt.Mean(name) for name in outcomes}, variant="arm")
    adjusted = tt.adjust_fwer(
        experiment.analyze(rows, control="control"), arbitrary_dependence=True, method="bonferroni"
    )
    table = adjusted.to_pandas().set_index("metric")["pvalue_adj"].astype(float)
    assert [row.p_adjusted for row in found] == pytest.approx([table[row.metric] for row in found], rel=1e-2)


def test_power_by_formula_is_that_of_statsmodels_and_of_tea_tasting(frame):
    spread = Spread(100.0, 150.0, 0.0, 0.0, 1.0, 400, None)
    asked = PowerSettings(outcome="revenue", arms={"control": 1, "mdf": 1}, effect=0.3)
    ours = power_by_formula(0.3, spread, asked, adjusted=False)
    assert ours == pytest.approx(TTestIndPower().power(30 / 150, 200, 0.05, 1.0), rel=1e-6)
    sample = frame.assign(revenue=stats.zscore(frame["revenue"], ddof=1) * 150 + 100)
    [row] = tt.Mean("revenue", rel_effect_size=0.3, n_obs=400).solve_power(sample, "power")
    assert ours == pytest.approx(row.power, abs=2e-3)


@pytest.fixture
def table(repository: Path) -> list[list[str]]:
    page = (repository / "docs" / "pilots.md").read_text(encoding="utf-8")
    lines = page.split("## Beside tea-tasting and statsmodels")[1].split("\n## ")[0].splitlines()
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]


def test_the_table_is_about_the_versions_that_were_compared(table):
    what, ours, tea, models = table[0]
    assert (what, ours) == ("what", "tierwise")
    for cell, package in ((tea, "tea-tasting"), (models, "statsmodels")):
        assert cell == f"{package} {'.'.join(version(package).split('.')[:2])}"


def test_every_name_in_the_table_is_there_to_be_called(table):
    import statsmodels.api as sm
    import statsmodels.stats.api as sms
    from statsmodels.discrete import discrete_model
    from statsmodels.stats import nonparametric

    rooms = {
        1: (pilots,),
        2: (tt, tt.Experiment),
        3: (sm, sms, discrete_model, nonparametric),
    }
    called = [(place, name) for row in table[2:] for place in rooms for name in re.findall(r"`(\w+)`", row[place])]
    assert len(called) > 30
    for place, name in called:
        assert any(hasattr(room, name) for room in rooms[place]), (place, name)


def test_nothing_that_tea_tasting_offers_is_left_out(table):
    """A new version may bring what the table denies: then it must be read again."""
    told = {name for row in table[2:] for name in re.findall(r"`(\w+)`", row[2])}
    metrics = {name for name in vars(tt) if isinstance(getattr(tt, name), type) and name[0].isupper()}
    assert metrics | {"adjust_fdr", "adjust_fwer"} <= told | {"Experiment"}
