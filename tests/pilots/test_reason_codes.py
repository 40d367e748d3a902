"""Each reason code is met by calling what users call, on data that deserve it, and its row keeps the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from tests.pilots.known_truth import settings
from tierwise import pilots
from tierwise.config.pilot import (
    MoneySettings,
    OffPolicySettings,
    OneRegionSettings,
    OutcomeSettings,
    RolloutSettings,
    ThresholdSettings,
)
from tierwise.errors import Refused

SCHEMA = Draft202012Validator(pilots.RESULT_SCHEMA)
READ = ThresholdSettings(running="points", outcome="revenue", cutoff=60)


def partners(count: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"partner_id": np.arange(count), "arm": np.where(np.arange(count) % 2, "mdf", "control")})
    return frame.assign(revenue=rng.normal(10, 1, count), deals=1, points=np.linspace(0, 100, count))


def panel(starts: int) -> pd.DataFrame:
    unit, period = np.repeat(np.arange(8), 6), np.tile(np.arange(6), 8)
    rows = pd.DataFrame({"partner_id": unit, "region": np.char.add("r", unit.astype(str)), "period": period})
    return rows.assign(revenue=np.random.default_rng(2).normal(0, 1, 48), first_treated=np.where(unit < 4, starts, 0))


def mismatched() -> Iterable[pilots.Result]:
    rows = partners(400)
    return pilots.analyse(rows[(rows["arm"] == "control") | (rows.index % 4 == 1)], settings()).results


def one_unit_in_an_arm() -> Iterable[pilots.Result]:
    rows = partners()
    return pilots.analyse(rows.assign(revenue=rows["revenue"].where(rows.index != 1)).iloc[:5], settings()).results


def one_cluster_in_an_arm() -> Iterable[pilots.Result]:
    rows = partners(4).assign(distributor=["a", "d", "b", "d"])
    return pilots.analyse(rows, settings(cluster="distributor")).results


def nothing_below_the_line() -> Iterable[pilots.Result]:
    rows = partners()
    read = settings(outcomes={"revenue": OutcomeSettings(role="primary", per="deals")})
    return pilots.analyse(rows.assign(deals=np.where(rows["arm"] == "mdf", 0, 1)), read).results


def free_incentive() -> Iterable[pilots.Result]:
    money = MoneySettings(revenue="revenue", margin=0.5, cost={"mdf": 0}, window_months=3)
    return [row for row in pilots.returns(partners(), settings(), money) if row.metric == "return_on_cost"]


def crowd_above() -> Iterable[pilots.Result]:
    points = np.concatenate([np.linspace(0, 100, 400), np.linspace(60, 64, 300)])
    rows = pd.DataFrame({"partner_id": np.arange(700), "points": points, "revenue": np.arange(700) % 7})
    return pilots.threshold_effect(rows, READ)


def never_the_other_way() -> Iterable[pilots.Result]:
    rows = partners().assign(action="entry", propensity=1.0, alternative="growth", alternative_propensity=0.0)
    return [pilots.off_policy(rows, OffPolicySettings(outcome="revenue"))]


def more_levels_than_partners() -> Iterable[pilots.Result]:
    rows = partners(8).assign(own=list("abcdefgh"))
    return pilots.compare_observed(rows, settings(covariates=("own",)))[1:]


def everyone_treated() -> Iterable[pilots.Result]:
    return pilots.staggered(panel(3).assign(first_treated=3), RolloutSettings(outcome="revenue"))


def a_single_period_before() -> Iterable[pilots.Result]:
    return [pilots.one_region(panel(3), OneRegionSettings(outcome="revenue", treated=("r0",), starts=1))]


CASES: dict[str, Callable[[], Iterable[pilots.Result]]] = {
    "sample_ratio_mismatch": mismatched,
    "too_few_units": one_unit_in_an_arm,
    "too_few_clusters": one_cluster_in_an_arm,
    "no_variation": lambda: pilots.analyse(partners().assign(revenue=5.0), settings()).results,
    "ratio_denominator_zero": nothing_below_the_line,
    "denominator_not_distinguishable": free_incentive,
    "manipulated_threshold": crowd_above,
    "too_few_near_threshold": lambda: pilots.threshold_effect(partners(20), READ),
    "no_overlap": never_the_other_way,
    "no_comparison_group": everyone_treated,
    "no_pre_periods": a_single_period_before,
    "estimator_failed": more_levels_than_partners,
}


# Codes of `tierwise attribute`, which reads a workspace: they are met in tests/jobs/test_attribute.py.
OF_A_WORKSPACE = {"no_history", "rule_not_followed", "no_model_then"}


def test_every_code_has_a_case():
    assert set(CASES) | OF_A_WORKSPACE == set(pilots.REASONS)


@pytest.mark.parametrize("code", CASES)
def test_the_code_is_met_and_the_row_has_words_and_no_number(code):
    rows = list(CASES[code]())
    assert rows
    for row in rows:
        plain = row.row()
        SCHEMA.validate(plain)
        assert (plain["reason_code"], plain["reason"]) == (code, pilots.REASONS[code])
        assert {plain[name] for name in ("estimate", "standard_error", "low", "high", "p", "p_adjusted")} == {None}


@pytest.mark.parametrize("code", CASES)
def test_no_row_without_a_number_passes_for_an_effect(code):
    row = next(iter(CASES[code]()))
    with pytest.raises(Refused) as caught:
        row.effect()
    assert caught.value.exit_code == 1
    assert row.claim != "effect" or pilots.REASONS[code] in str(caught.value)


@pytest.mark.parametrize("grade", pilots.GRADES)
def test_only_the_first_three_grades_are_effects(grade):
    value = pilots.analyse(partners(), settings()).results[0].value
    row = pilots.Result("m", "primary", "mdf", "control", "x", "y", grade, (), value=value)
    assert (row.claim == "effect") == (list(pilots.GRADES).index(grade) < 3)
    SCHEMA.validate(row.row())
    if row.claim == "effect":
        assert row.effect() is value
    else:
        with pytest.raises(Refused, match="run a randomised pilot"):
            row.effect()
