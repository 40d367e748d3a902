"""Data that a pilot may really bring: every fault is named, and what cannot be computed is a row with its reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from tests.pilots.known_truth import settings
from tierwise import pilots
from tierwise.config.pilot import (
    AnalysisSettings,
    AssignmentSettings,
    MoneySettings,
    OffPolicySettings,
    OneRegionSettings,
    OutcomeSettings,
    PowerSettings,
    RolloutSettings,
    ThresholdSettings,
)
from tierwise.errors import InvalidInput

SCHEMA = Draft202012Validator(pilots.RESULT_SCHEMA)
COUNT = 60
MONEY = MoneySettings(revenue="revenue", margin=0.5, cost={"mdf": 1.0}, window_months=3)
OFF = OffPolicySettings(outcome="revenue")
STEPS = RolloutSettings(outcome="revenue")
ONE = OneRegionSettings(outcome="revenue", treated=("r00",), starts=4)


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"partner_id": np.arange(COUNT), "arm": np.where(np.arange(COUNT) % 2, "mdf", "control")})
    return rows.assign(
        revenue=rng.normal(5, 1, COUNT),
        past=rng.normal(3, 1, COUNT),
        dose=np.arange(COUNT) % 3,
        distributor=np.arange(COUNT) // 5,
        action="entry",
        alternative="entry",
        propensity=0.5,
        alternative_propensity=0.5,
    )


@pytest.fixture
def panel() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    unit, period = np.repeat(np.arange(12), 6), np.tile(np.arange(6), 12)
    rows = pd.DataFrame({"partner_id": unit, "region": [f"r{number:02d}" for number in unit], "period": period})
    return rows.assign(first_treated=np.where(unit < 6, 3, 0), revenue=rng.normal(5, 1, 72))


def with_infinity(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].astype(float).mask(rows.index == 7, np.inf)})


Call = Callable[[pd.DataFrame], object]
PARTNER_CALLS: dict[str, Call] = {
    "analyse": lambda rows: pilots.analyse(rows, settings()),
    "compare_observed": lambda rows: pilots.compare_observed(rows, settings()),
    "returns": lambda rows: pilots.returns(rows, settings(), MONEY),
    "dose_slope": lambda rows: pilots.dose_slope(rows, "dose", settings()),
    "before_after": lambda rows: pilots.before_after(rows, "past", "revenue"),
    "off_policy": lambda rows: pilots.off_policy(rows, OFF),
    "threshold_effect": lambda rows: pilots.threshold_effect(
        rows, ThresholdSettings(running="past", outcome="revenue", cutoff=3)
    ),
}
PANEL_CALLS: dict[str, Call] = {
    "staggered": lambda rows: pilots.staggered(rows, STEPS),
    "one_region": lambda rows: pilots.one_region(rows, ONE),
}


def faults_of(call: Call, rows: pd.DataFrame) -> str:
    with pytest.raises(InvalidInput) as caught:
        call(rows)
    return str(caught.value)


@pytest.mark.parametrize("name", PARTNER_CALLS)
def test_an_infinite_outcome_is_a_fault_with_its_column(frame, name):
    assert "revenue: " in (text := faults_of(PARTNER_CALLS[name], with_infinity(frame, "revenue")))
    assert "infinite" in text


@pytest.mark.parametrize("name", PARTNER_CALLS)
def test_text_for_an_outcome_is_a_fault_with_its_column(frame, name):
    assert "revenue: the column is not numeric" in faults_of(PARTNER_CALLS[name], frame.assign(revenue="much"))


@pytest.mark.parametrize("name", PARTNER_CALLS)
def test_a_misspelt_outcome_is_a_fault_with_the_near_name(frame, name):
    text = faults_of(PARTNER_CALLS[name], frame.rename(columns={"revenue": "revenues"}))
    assert "did you mean 'revenues'?" in text


@pytest.mark.parametrize("name", PANEL_CALLS)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: with_infinity(rows, "revenue"), "revenue: the value is infinite (1 of 72 rows)"),
        (lambda rows: rows.assign(period=rows["period"].astype(str)), "period: the column is not numeric"),
        (lambda rows: rows.rename(columns={"period": "periods"}), "did you mean 'periods'?"),
        (lambda rows: rows.assign(revenue=rows["revenue"].mask(rows.index < 2)), "revenue: 2 values are missing"),
    ],
    ids=["infinite", "text", "misspelt", "missing"],
)
def test_faults_of_panels(panel, name, change, says):
    assert says in faults_of(PANEL_CALLS[name], change(panel))


def test_a_panel_without_partners_has_faults_too(panel):
    text = faults_of(PANEL_CALLS["one_region"], with_infinity(panel.drop(columns="partner_id"), "revenue"))
    assert text == "revenue: the value is infinite (1 of 72 rows)"


def test_a_start_in_words_is_a_fault(panel):
    assert "first_treated: the column is not numeric" in faults_of(
        PANEL_CALLS["staggered"], panel.assign(first_treated="in spring")
    )


@pytest.mark.parametrize("name", PANEL_CALLS)
def test_a_panel_where_nothing_moves_has_a_reason(panel, name):
    found = PANEL_CALLS[name](panel.assign(revenue=1.0))
    [row] = found if isinstance(found, tuple) else (found,)
    assert (row.reason_code, row.value) == ("no_variation", None)
    SCHEMA.validate(row.row())


@pytest.mark.parametrize("name", ["analyse", "compare_observed", "returns", "dose_slope"])
def test_a_partner_that_stands_twice_as_text_and_as_number_is_found(frame, name):
    names = frame["partner_id"].astype(object).mask(frame.index == 3, "0")
    assert "a partner stands twice (2 of 60 rows)" in faults_of(PARTNER_CALLS[name], frame.assign(partner_id=names))


def test_numbers_and_text_may_both_name_partners(frame):
    names = frame["partner_id"].astype(object).mask(frame.index == 3, "p3")
    [row] = pilots.analyse(frame.assign(partner_id=names), settings()).results
    [plain] = pilots.analyse(frame, settings()).results
    assert row.effect().estimate == pytest.approx(plain.effect().estimate)


@pytest.mark.parametrize("left", [[np.nan, False] * 30, ["no"] * 60, [2] * 60])
def test_left_is_true_or_false_and_never_guessed(frame, left):
    """An empty cell, as a join leaves it, is true for Python; so is the text `false`."""
    assert "left: the value is neither true nor false" in faults_of(PARTNER_CALLS["analyse"], frame.assign(left=left))


@pytest.mark.parametrize("values", [[True, False], [1, 0], [1.0, 0.0]])
def test_left_may_be_flags_or_numbers(frame, values):
    assert pilots.analyse(frame.assign(left=values * 30), settings()).left == 30


def test_an_arm_that_sold_nothing_has_no_relative_change(frame):
    """Its mean is zero, not the rounding error of the regression, which would make five thousand billion percent."""
    [row] = pilots.analyse(
        frame.assign(revenue=np.where(frame["arm"] == "mdf", frame["revenue"], 0)), settings()
    ).results
    plain = row.row()
    SCHEMA.validate(plain)
    assert row.effect().estimate == pytest.approx(frame.loc[frame["arm"] == "mdf", "revenue"].mean())
    assert (plain["control_value"], plain["relative"], plain["relative_low"]) == (0, None, None)


def test_arms_without_any_spread_have_a_sure_difference_and_no_p(frame):
    [row] = pilots.analyse(frame.assign(revenue=np.where(frame["arm"] == "mdf", 3.0, 1.0)), settings()).results
    value = row.effect()
    assert (value.estimate, value.standard_error, value.p) == (pytest.approx(2), 0, None)
    SCHEMA.validate(row.row())


@pytest.mark.parametrize("column", ["revenue", "margin", "cost"])
def test_a_covariate_may_not_bear_the_name_of_an_amount(frame, column):
    """It would be replaced by the amount of the pilot itself, and explain all of its effect."""
    rows = frame.rename(columns={"revenue": "sales"}).assign(**{column: frame["past"]})
    money = MONEY.model_copy(update={"revenue": "sales"})
    read = AnalysisSettings(
        control="control", outcomes={"sales": OutcomeSettings(role="primary")}, covariates=(column,)
    )
    with pytest.raises(InvalidInput, match=f"the name '{column}' stands for the amounts of the pilot"):
        pilots.returns(rows, read, money)


def test_observed_groups_have_reasons_in_place_of_numbers(frame):
    def reasons(rows: pd.DataFrame, **more: object) -> list[str | None]:
        found = pilots.compare_observed(rows, settings(**more))
        for row in found:
            SCHEMA.validate(row.row())
        return [row.reason_code for row in found]

    few = frame.head(8)
    assert reasons(frame.assign(revenue=1.0)) == ["no_variation"]
    assert reasons(frame.assign(distributor=frame["arm"]), cluster="distributor") == ["too_few_clusters"]
    assert reasons(frame.head(3)) == ["too_few_units"]
    assert reasons(few.assign(own=few["partner_id"].astype(str)), covariates=("own",)) == [None, "estimator_failed"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows.assign(revenue=1.0), "no_variation"),
        (lambda rows: rows.assign(dose=2), "no_variation"),
        (lambda rows: rows.head(2), "too_few_units"),
        (lambda rows: rows.assign(revenue=np.nan), "too_few_units"),
        (lambda rows: rows.head(10).assign(distributor=[0, 1] * 5), "too_few_clusters"),
    ],
)
def test_a_slope_without_an_answer_has_a_reason(frame, change, reason):
    row = pilots.dose_slope(change(frame), "dose", settings(cluster="distributor"))
    assert (row.reason_code, row.value) == (reason, None)
    SCHEMA.validate(row.row())


def test_an_exact_slope_has_no_error_and_no_design_effect(frame):
    row = pilots.dose_slope(frame.assign(revenue=2.0 * frame["dose"] + 1), "dose", settings(cluster="distributor"))
    assert (row.effect().estimate, row.effect().standard_error) == (pytest.approx(2), 0)
    assert "design_effect" not in row.diagnostics


def test_a_slope_is_that_of_the_plain_formula(frame):
    row = pilots.dose_slope(frame, "dose", settings())
    assert row.effect().estimate == pytest.approx(np.polyfit(frame["dose"], frame["revenue"], 1)[0])
    with pytest.raises(InvalidInput, match="one outcome, found 2"):
        pilots.dose_slope(frame, "dose", settings(outcomes={"revenue": OutcomeSettings(), "past": OutcomeSettings()}))


def test_chances_in_words_are_a_fault_with_examples(frame):
    text = faults_of(PARTNER_CALLS["off_policy"], frame.assign(propensity="often"))
    assert "propensity: 60 chances are not between 0 and 1" in text
    assert "for example: 0, 1, 10" in text


def test_an_infinite_covariate_is_a_fault_everywhere(frame):
    rows = with_infinity(frame, "past")
    plan = PowerSettings(outcome="revenue", arms={"a": 1, "b": 1}, effect=0.1, covariates=("past",), simulations=50)
    assert "past: the value is infinite" in faults_of(lambda rows: pilots.plan(rows, plan), rows)
    assert "past: the value is infinite" in faults_of(
        lambda rows: pilots.analyse(rows, settings(covariates=("past",))), rows
    )
    read = OFF.model_copy(update={"covariates": ("past",)})
    assert "past: the value is infinite" in faults_of(lambda rows: pilots.off_policy(rows, read), rows)
    draw = AssignmentSettings(arms={"a": 1, "b": 1}, seed=1, match_on=("past",))
    assert "past: 1 values are missing or no numbers" in faults_of(lambda rows: pilots.assign(rows, draw), rows)


def test_a_threshold_at_the_largest_value_has_a_reason(frame):
    rows = frame.assign(points=frame["dose"])
    [row] = pilots.threshold_effect(
        rows, ThresholdSettings(running="points", outcome="revenue", cutoff=2, least_units=5)
    )
    assert row.reason_code == "estimator_failed"
    SCHEMA.validate(row.row())


MORE_CALLS: dict[str, Call] = {
    **PARTNER_CALLS,
    "plan": lambda rows: pilots.plan(
        rows, PowerSettings(outcome="revenue", arms={"a": 1, "b": 1}, effect=0.1, simulations=50)
    ),
    "assign": lambda rows: pilots.assign(
        rows, AssignmentSettings(arms={"a": 1, "b": 1}, seed=1, match_on=("revenue",))
    ),
}


@pytest.mark.parametrize("name", MORE_CALLS)
def test_two_columns_of_one_name_are_a_fault(frame, name):
    text = faults_of(MORE_CALLS[name], pd.concat([frame, frame[["revenue"]]], axis=1))
    assert "revenue: there are 2 columns of this name" in text


@pytest.mark.parametrize("name", MORE_CALLS)
def test_what_is_no_frame_is_a_fault(name):
    assert "the rows must be a pandas frame, found list" in faults_of(MORE_CALLS[name], [1, 2])


@pytest.mark.parametrize("name", MORE_CALLS)
def test_figures_whose_squares_leave_the_range_of_numbers_are_a_fault(frame, name):
    assert "revenue: " in faults_of(MORE_CALLS[name], frame.assign(revenue=frame["revenue"] * 1e160))


@pytest.mark.parametrize("name", PARTNER_CALLS)
def test_complex_figures_are_no_numbers_of_money(frame, name):
    text = faults_of(PARTNER_CALLS[name], frame.assign(revenue=frame["revenue"] + 1j))
    assert "revenue: the column is not numeric but complex128" in text


def test_a_cost_below_zero_is_a_fault_with_its_partners(frame):
    rows = frame.assign(paid=np.where(frame.index == 7, -1.0, 1.0))
    money = MONEY.model_copy(update={"cost": "paid"})
    assert "paid: 1 costs are below zero\n  for example: 7" in faults_of(
        lambda some: pilots.returns(some, settings(), money), rows
    )


def test_partners_without_an_archetype_are_a_group_of_their_own(frame):
    rows = frame.assign(kind=np.where(frame.index < 20, None, "regular"))
    found = pilots.analyse(rows, settings(archetype="kind")).results
    assert [row.scope for row in found] == ["all", "archetype: regular", "archetype: unknown"]


@pytest.mark.parametrize(
    ("arms", "control"), [([0, 1], "0"), ([False, True], "False"), (pd.Categorical(["a", "b"], ["a", "b", "c"]), "a")]
)
def test_arms_may_be_numbers_flags_or_categories(frame, arms, control):
    [row] = pilots.analyse(frame.assign(arm=list(arms) * 30), settings(control=control)).results
    [plain] = pilots.analyse(frame, settings()).results
    assert row.effect() == plain.effect()


def test_a_covariate_that_is_the_arm_explains_nothing(frame):
    rows = frame.assign(flag=(frame["arm"] == "mdf").astype(float))
    [row] = pilots.analyse(rows, settings(covariates=("flag",))).results
    [plain] = pilots.analyse(frame, settings()).results
    assert row.effect() == plain.effect()


def test_a_dose_is_not_its_own_outcome(frame):
    assert "the dose is the outcome itself" in faults_of(
        lambda rows: pilots.dose_slope(rows, "revenue", settings()), frame
    )


def test_a_start_before_the_first_period_leaves_nothing_to_compare_with(panel):
    [row] = PANEL_CALLS["staggered"](panel.assign(first_treated=np.where(panel["partner_id"] < 6, -3, 0)))
    assert row.reason_code == "no_pre_periods"


@pytest.mark.parametrize("name", PANEL_CALLS)
def test_outcomes_of_panels_may_be_flags(panel, name):
    flags = PANEL_CALLS[name](panel.assign(revenue=panel["revenue"] > 5))
    numbers = PANEL_CALLS[name](panel.assign(revenue=(panel["revenue"] > 5).astype(float)))
    assert flags == numbers


def test_a_panel_without_any_spread_beside_the_step_has_no_p(panel):
    step = np.where(panel["partner_id"] < 6, 1.0, 2.0) + (panel["period"] > 3)
    simple = PANEL_CALLS["staggered"](panel.assign(revenue=step))[0]
    assert (simple.effect().estimate, simple.effect().standard_error) == (pytest.approx(0), 0)
    SCHEMA.validate(simple.row())


def test_an_arm_that_gets_too_few_partners_detects_nothing(frame):
    plan = PowerSettings(outcome="revenue", arms={"a": 99, "b": 1}, effect=4.0, simulations=50)
    assert pilots.plan(frame, plan).rows[0].power_simulated == 0


def test_logged_decisions_without_an_action_are_a_fault_and_none_at_all_have_a_reason(frame):
    text = faults_of(PARTNER_CALLS["off_policy"], frame.assign(action=frame["action"].mask(frame.index < 2)))
    assert "action: 2 values are missing" in text
    assert pilots.off_policy(frame.head(0), OFF).reason_code == "too_few_units"
