from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from tests.pilots.known_truth import settings
from tierwise import pilots
from tierwise.config.pilot import MoneySettings
from tierwise.errors import InvalidInput

MONEY = MoneySettings(revenue="sales", margin=0.5, cost={"mdf": 2.0}, window_months=6)


def partners(count: int = 400, gain: float = 6.0, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = np.arange(count) % 2
    frame = pd.DataFrame({"partner_id": np.arange(count), "arm": np.where(arm, "mdf", "control")})
    return frame.assign(sales=rng.normal(50, 4, count) + gain * arm, spent=arm * rng.uniform(1, 3, count))


def rows_of(frame: pd.DataFrame, money: MoneySettings = MONEY) -> dict[str, pilots.Result]:
    rows = pilots.returns(frame, settings(), money)
    for row in pilots.to_rows(rows):
        Draft202012Validator(pilots.RESULT_SCHEMA).validate(row)
    return {row.metric: row for row in rows}


def test_a_fixed_cost_gives_a_scaled_interval():
    rows = rows_of(partners())
    margin, back, months = (rows[name].effect() for name in ("margin", "return_on_cost", "payback_months"))
    assert rows["revenue"].effect().estimate == pytest.approx(6.0, abs=1)
    assert margin.estimate == pytest.approx(rows["revenue"].effect().estimate / 2)
    assert (rows["cost"].effect().estimate, rows["cost"].effect().p) == (pytest.approx(2.0), None)
    assert back.estimate == pytest.approx(margin.estimate / 2 - 1)
    assert (back.low, back.high) == (pytest.approx(margin.low / 2 - 1), pytest.approx(margin.high / 2 - 1))
    assert months.estimate == pytest.approx(6 * 2 / margin.estimate)


def test_a_cost_that_varies_is_measured():
    rows = rows_of(partners(), MONEY.model_copy(update={"cost": "spent"}))
    assert rows["cost"].effect().estimate == pytest.approx(2.0, abs=0.2)
    assert rows["return_on_cost"].effect().low < 0.5 < rows["return_on_cost"].effect().high


def test_a_payback_without_an_end_says_so():
    rows = rows_of(partners(gain=0.0))
    months = rows["payback_months"]
    assert (months.value.low, months.value.high) == (None, None)
    assert months.reason_code == "denominator_not_distinguishable"


def test_an_incentive_that_costs_nothing_has_no_return():
    rows = rows_of(partners(), MONEY.model_copy(update={"cost": {"mdf": 0.0}}))
    assert rows["return_on_cost"].value is None
    assert rows["return_on_cost"].reason_code == "denominator_not_distinguishable"


def test_arms_of_the_wrong_size_have_no_return():
    frame = partners()
    kept = frame[(frame["arm"] == "control") | (np.arange(400) % 4 == 1)]
    assert {row.reason_code for row in rows_of(kept).values()} == {"sample_ratio_mismatch"}


def test_an_arm_without_a_cost_is_a_fault():
    with pytest.raises(InvalidInput, match="the arm 'mdf' has no cost"):
        pilots.returns(partners(), settings(), MONEY.model_copy(update={"cost": {"other": 1.0}}))
    with pytest.raises(InvalidInput, match="did you mean 'sales'"):
        pilots.returns(partners(), settings(), MONEY.model_copy(update={"revenue": "sale"}))


def test_what_is_published_is_rounded_and_names_nobody():
    rows = tuple(rows_of(partners()).values())
    text = pilots.published_summary(rows, "mdf", MONEY)
    margin = rows[1].effect()
    assert text.startswith("In a randomised pilot with 400 partners")
    assert f"{margin.estimate:.4f}" not in text
    assert "Return on cost:" in text


def test_small_arms_are_not_published():
    rows = pilots.returns(partners(12), settings(), MONEY)
    assert pilots.published_summary(rows, "mdf", MONEY) == "Fewer than 10 partners took part; no figure is published."


def test_no_valid_comparison_is_not_published():
    frame = partners()
    kept = frame[(frame["arm"] == "control") | (np.arange(400) % 4 == 1)]
    rows = pilots.returns(kept, settings(), MONEY)
    assert "no valid comparison" in pilots.published_summary(rows, "mdf", MONEY)


def test_a_return_without_an_end_is_said_in_words():
    rows = pilots.returns(partners(gain=0.0), settings(), MONEY.model_copy(update={"cost": {"mdf": 0.0}}))
    assert "cannot be told" in pilots.published_summary(rows, "mdf", MONEY)


def test_at_a_look_every_interval_is_one_of_a_confidence_sequence():
    """Wider by the same factor everywhere, the ratios too: an end that moves with the look, at the end as well."""
    frame = partners()
    once = rows_of(frame)
    for share in (0.5, 1.0):
        rows = {row.metric: row for row in pilots.returns(frame, settings(look=share), MONEY)}
        value, plain = rows["margin"].effect(), once["margin"].effect()
        reach = (value.high - value.estimate) / (plain.high - plain.estimate)
        back = rows["return_on_cost"].effect()
        assert value.estimate == pytest.approx(plain.estimate)
        assert reach > 1.3
        assert (back.low, back.high) == (pytest.approx(value.low / 2 - 1), pytest.approx(value.high / 2 - 1))
        assert "confidence sequence" in rows["return_on_cost"].method


def test_the_return_is_not_told_too_early_by_chance():
    """Reading the return at each of six looks, a true return of nothing is seldom excluded by any of them."""
    wrong = 0
    money = MoneySettings(revenue="sales", margin=0.5, cost="paid", window_months=6)
    for seed in range(25):
        rng = np.random.default_rng(seed)
        arm = np.arange(120) % 2
        monthly = rng.normal(50, 8, (120, 6)) + 2.0 * arm[:, None]
        frame = pd.DataFrame({"partner_id": np.arange(120), "arm": np.where(arm, "mdf", "control")})
        excluded = False
        for look in range(1, 7):
            rows = frame.assign(sales=monthly[:, :look].sum(axis=1), paid=1.0 * look * arm)
            found = {row.metric: row for row in pilots.returns(rows, settings(look=look / 6), money)}
            value = found["return_on_cost"].value
            excluded |= value is not None and value.low is not None and not value.low <= 0 <= value.high
        wrong += excluded
    assert wrong <= 4
