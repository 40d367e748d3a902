"""Errors where a few very large partners have most of the say: covariates are capped, and HC3 or CR3 is taken."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.pilots.known_truth import settings
from tests.pilots.test_known_truth import near
from tests.pilots.test_raised_fit import differences
from tierwise import pilots
from tierwise.pilots.libraries import robust_covariance
from tierwise.pilots.regression import Design, choose_design, fit

UNITS = 150


def large_partners(seed: int, count: int = UNITS) -> pd.DataFrame:
    """Revenue that follows the year before, with one partner in twenty many times as large as the rest."""
    rng = np.random.default_rng(seed)
    past = rng.lognormal(0, 0.5, count) * np.where(rng.random(count) < 0.05, 12, 1)
    frame = pd.DataFrame({"partner_id": np.arange(count), "past": past, "revenue": past * rng.lognormal(0, 0.5, count)})
    return frame.assign(arm=np.where(rng.permutation(count) % 2, "mdf", "control"), block=np.arange(count) // 2)


def capped_design(frame: pd.DataFrame) -> Design:
    return choose_design((frame["arm"] == "mdf").to_numpy(dtype=np.int64), 1, frame[["past"]].to_numpy(), None)


@pytest.fixture
def frame() -> pd.DataFrame:
    return large_partners(3)


def test_the_error_with_capped_covariates_is_hc3_by_statsmodels(frame):
    design, outcome = capped_design(frame), frame["revenue"].to_numpy()
    [row] = pilots.analyse(frame, settings(covariates=("past",))).results
    theirs = sm.OLS(outcome, design.columns).fit(cov_type="HC3")
    assert design.cap is not None
    assert row.effect().estimate == pytest.approx(theirs.params[1])
    assert row.effect().standard_error == pytest.approx(theirs.bse[1])
    assert row.method.startswith(
        f"Lin regression adjustment, covariates capped at their {design.cap:.0%} quantile, HC3,"
    )


def test_by_block_it_is_the_jackknife_over_blocks(frame):
    """CR3 is the sum of squares of what leaving out one block changes."""
    design, outcome, block = capped_design(frame), frame["revenue"].to_numpy(), frame["block"].to_numpy()
    found = fit(design, outcome, block)
    changes = []
    for number in range(int(block.max()) + 1):
        kept = block != number
        changes.append(np.linalg.lstsq(design.columns[kept], outcome[kept])[0] - found.coefficients)
    assert found.variance == "CR3"
    assert np.array(changes).T @ np.array(changes) == pytest.approx(found.covariance)


@pytest.mark.parametrize("groups", [4, 12, 50, 75])
@pytest.mark.parametrize("adjustment", ["none", "additive"])
def test_errors_and_degrees_by_cluster_are_those_of_the_library(frame, groups, adjustment):
    codes = np.sort(np.random.default_rng(groups).permutation(np.arange(UNITS) % groups))
    arm = (codes % 2).astype(float)
    columns = [np.ones(UNITS), arm, *([np.log(frame["past"])] if adjustment == "additive" else [])]
    design = Design(np.column_stack(columns), 1, adjustment)
    found = fit(design, frame["revenue"].to_numpy(), codes)
    covariance, degrees = robust_covariance(design.columns, found.residuals, codes)
    assert found.variance == "CR2"
    assert found.covariance == pytest.approx(covariance)
    assert found.degrees == pytest.approx(degrees)


def test_without_large_partners_nothing_is_capped_and_the_error_is_hc2():
    frame = large_partners(3).assign(past=np.linspace(1, 2, UNITS))
    [row] = pilots.analyse(frame, settings(covariates=("past",))).results
    assert row.method == "Lin regression adjustment, HC2, t with Bell-McCaffrey degrees of freedom"


@pytest.mark.parametrize("by_block", [False, True])
def test_the_planner_reads_capped_covariates_as_the_analysis_does(frame, by_block):
    arm = (frame["arm"] == "mdf").to_numpy(dtype=np.int64)
    groups = frame["block"].to_numpy() if by_block else None
    assert differences(frame["revenue"].to_numpy(), frame[["past"]].to_numpy(), arm, None, groups) == []


def test_large_partners_make_no_effects():
    shown = []
    for seed in range(150):
        [row] = pilots.analyse(large_partners(seed), settings(covariates=("past",))).results
        shown.append(row.effect().p < 0.05)
    assert near(np.mean(shown), 0, 0.05, 150)
