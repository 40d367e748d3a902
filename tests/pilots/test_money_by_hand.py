"""Cost, margin, return and payback against figures that were worked out by their formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from scipy import stats

from tests.pilots.known_truth import settings as reading
from tierwise import pilots
from tierwise.config.pilot import DecisionSettings, MoneySettings, OutcomeSettings
from tierwise.errors import InvalidInput

MONEY = MoneySettings(revenue="sales", margin=0.5, cost={"mdf": 2.0}, window_months=6)
SPENT = MoneySettings(revenue="sales", margin="earned", cost="spent", window_months=6)
ROWS = ("revenue", "margin", "cost", "return_on_cost", "payback_months")


def partners(count: int = 80, gain: float = 8.0, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = np.arange(count) % 2
    frame = pd.DataFrame({"partner_id": np.arange(count), "arm": np.where(arm, "mdf", "control")})
    sales = rng.normal(50, 4, count) + gain * arm
    spent = arm * (2 + 0.05 * (sales - 50)) + rng.uniform(0, 0.1, count)
    return frame.assign(sales=sales, earned=0.4 * sales + rng.normal(0, 1, count), spent=spent)


def by_metric(frame: pd.DataFrame, money: MoneySettings, **more: object) -> dict[str, pilots.Result]:
    rows = pilots.returns(frame, reading(**more), money)
    for row in pilots.to_rows(rows):
        Draft202012Validator(pilots.RESULT_SCHEMA).validate(row)
    return {row.metric: row for row in rows}


def joint(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Differences of mean margin and cost, and the covariance: that of each arm by its size, summed."""
    parts = {arm: part[["earned", "spent"]].to_numpy() for arm, part in frame.groupby("arm")}
    differences = parts["mdf"].mean(axis=0) - parts["control"].mean(axis=0)
    return differences, sum(np.cov(part.T) / len(part) for part in parts.values())


def ends(above: float, below: float, covariance: np.ndarray, critical: float) -> list[float]:
    square = critical**2
    curve = [
        below**2 - square * covariance[1, 1],
        -2 * (above * below - square * covariance[0, 1]),
        above**2 - square * covariance[0, 0],
    ]
    return np.sort(np.real(np.roots(curve))).tolist()


def test_eight_partners_on_paper():
    """Sales rise from 100 to 120: margin 10 at 50 %, cost 4, so 1.5 back per unit of cost, and 6 x 4 / 10 months."""
    frame = pd.DataFrame({"partner_id": np.arange(8), "arm": ["control", "mdf"] * 4})
    frame = frame.assign(sales=[98.0, 118, 99, 119, 101, 121, 102, 122])
    rows = by_metric(frame, MONEY.model_copy(update={"cost": {"mdf": 4.0}}))
    assert [rows[name].effect().estimate for name in ROWS] == pytest.approx([20, 10, 4, 1.5, 2.4])
    assert rows["cost"].effect().standard_error == 0


def test_return_and_payback_solve_fiellers_quadratic_with_the_covariance_of_margin_and_cost():
    frame = partners()
    (margin, cost), covariance = joint(frame)
    critical = stats.t.ppf(0.975, 78)
    rows = by_metric(frame, SPENT)
    back, months = rows["return_on_cost"].effect(), rows["payback_months"].effect()
    assert back.estimate == pytest.approx(margin / cost - 1)
    assert [1 + back.low, 1 + back.high] == pytest.approx(ends(margin, cost, covariance, critical))
    assert months.estimate == pytest.approx(6 * cost / margin)
    assert [months.low / 6, months.high / 6] == pytest.approx(ends(cost, margin, covariance[::-1, ::-1], critical))


def test_an_incentive_that_loses_money_says_so():
    frame = partners(400, gain=2.0)
    rows = by_metric(frame, MONEY.model_copy(update={"cost": {"mdf": 10.0}}))
    back = rows["return_on_cost"].effect()
    assert -1 < back.estimate < back.high < 0
    assert rows["payback_months"].effect().estimate > 6
    read = reading(outcomes={"sales": OutcomeSettings(role="primary")})
    [verdict] = pilots.decide(
        pilots.analyse(frame, read), read, DecisionSettings(least_return=0.0), tuple(rows.values())
    )
    assert verdict.answer == "do_not_roll_out"
    assert "The return on cost is below 0%." in verdict.because


def test_an_incentive_that_harms_has_a_return_below_minus_one():
    rows = by_metric(partners(400, gain=-8.0), MONEY)
    assert rows["return_on_cost"].effect().high < -1
    assert rows["payback_months"].effect().estimate < 0


def test_the_return_is_one_less_than_margin_by_cost_and_the_payback_its_inverse():
    rows = by_metric(partners(), SPENT)
    ratio = 1 + rows["return_on_cost"].effect().estimate
    assert ratio == pytest.approx(rows["margin"].effect().estimate / rows["cost"].effect().estimate)
    assert rows["payback_months"].effect().estimate == pytest.approx(6 / ratio)


@settings(max_examples=20)
@given(st.floats(0.01, 1000))
def test_the_currency_does_not_change_return_and_payback(rate):
    frame = partners()
    scaled = frame.assign(**{name: rate * frame[name] for name in ("sales", "earned", "spent")})
    one, other = by_metric(frame, SPENT), by_metric(scaled, SPENT)
    for name in ("return_on_cost", "payback_months"):
        before, after = one[name].effect(), other[name].effect()
        assert [after.estimate, after.low, after.high] == pytest.approx([before.estimate, before.low, before.high])
    assert other["margin"].effect().estimate == pytest.approx(rate * one["margin"].effect().estimate)


def test_the_order_of_rows_does_not_matter():
    frame = partners()
    shuffled = frame.sample(frac=1, random_state=2)
    assert pilots.returns(shuffled, reading(), SPENT) == pilots.returns(frame, reading(), SPENT)


def test_a_longer_window_only_stretches_the_payback():
    rows, longer = (by_metric(partners(), SPENT.model_copy(update={"window_months": months})) for months in (6, 12))
    assert longer["payback_months"].effect().high == pytest.approx(2 * rows["payback_months"].effect().high)
    assert longer["return_on_cost"] == rows["return_on_cost"]


def test_each_arm_has_its_own_cost_and_rows():
    frame = partners(90).assign(arm=np.array(["control", "mdf", "sla"])[np.arange(90) % 3])
    rows = pilots.returns(frame, reading(), MONEY.model_copy(update={"cost": {"mdf": 2.0, "sla": 5.0}}))
    assert [(row.arm, row.metric) for row in rows if row.arm == "sla"] == [("sla", name) for name in ROWS]
    costs = {row.arm: row.effect().estimate for row in rows if row.metric == "cost"}
    assert costs == {"mdf": pytest.approx(2), "sla": pytest.approx(5)}


def test_a_cost_of_the_control_counts_against_it():
    rows = by_metric(partners(), MONEY.model_copy(update={"cost": {"control": 0.5, "mdf": 2.0}}))
    assert rows["cost"].effect().estimate == pytest.approx(1.5)


def test_partners_without_money_are_counted_as_missing():
    frame = partners()
    rows = by_metric(frame.assign(sales=frame["sales"].mask(frame.index < 4)), MONEY)
    assert (rows["margin"].counts.missing_arm, rows["margin"].counts.missing_control) == (2, 2)


def test_every_arm_without_a_cost_is_named_at_once():
    frame = partners(90).assign(arm=np.array(["control", "mdf", "sla"])[np.arange(90) % 3])
    with pytest.raises(InvalidInput) as caught:
        pilots.returns(frame, reading(), MONEY.model_copy(update={"cost": {"mfd": 1.0}}))
    assert [fault.what for fault in caught.value.faults] == ["the arm 'mdf' has no cost", "the arm 'sla' has no cost"]
    assert caught.value.faults[0].todo == "did you mean 'mfd'?"
