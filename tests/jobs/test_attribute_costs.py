"""What a tier costs for the partners near its threshold, by hand; and the figures that pictures are drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.config.benefits import TierBenefits
from tierwise.config.durations import Duration
from tierwise.config.pilot import ThresholdSettings
from tierwise.jobs.attribute_costs import yearly_cost, years
from tierwise.jobs.attribute_pictures import LEAST_IN_DOT, threshold_picture

FIGURES = pd.DataFrame({"revenue_4q": [1_000.0, 50_000.0, np.nan]})
READ = ThresholdSettings(running="figure", outcome="revenue", cutoff=100)


@pytest.mark.parametrize(
    ("count", "unit", "review", "expected"),
    [
        (4, "quarter", "quarter", 1.0),
        (6, "month", "quarter", 0.5),
        (2, "review", "quarter", 0.5),
        (3, "review", "month", 0.25),
        (1, "year", "quarter", 1.0),
    ],
)
def test_lengths_are_turned_into_years(count: int, unit: str, review: str, expected: float) -> None:
    assert years(Duration(count=count, unit=unit), review) == pytest.approx(expected)


def test_a_tier_costs_its_service_its_amounts_and_its_rates_up_to_the_cap() -> None:
    tier = TierBenefits.model_validate(
        {
            "unit_cost": 100,
            "incentives": [
                {"name": "Rebate", "rate": "0.05", "on": "revenue_4q", "cap": 1_500},
                {"name": "Funds", "amount": 250},
                "Early access",
            ],
        }
    )
    assert yearly_cost(tier, FIGURES).tolist() == pytest.approx(
        [100 + 50 + 250, 100 + 1_500 + 250, np.nan], nan_ok=True
    )


def test_a_rate_on_a_metric_that_is_not_there_costs_nothing_known() -> None:
    tier = TierBenefits.model_validate({"incentives": [{"name": "Rebate", "rate": "0.05", "on": "gear_revenue"}]})
    assert yearly_cost(tier, FIGURES).tolist() == [0.0, 0.0, 0.0]


def frame(partners: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    figure = rng.uniform(50, 150, partners)
    return pd.DataFrame({"figure": figure, "revenue": 2 * figure + 30 * (figure >= 100) + rng.normal(0, 1, partners)})


def test_no_dot_stands_for_fewer_partners_than_may_be_shown() -> None:
    for partners in (25, 90, 700):
        dots = threshold_picture(frame(partners), READ, 20.0)["dots"]
        assert (dots["partners"] >= LEAST_IN_DOT).all()
        assert ((dots["low"] <= dots["mean"]) & (dots["mean"] <= dots["high"])).all()


def test_dots_lie_on_their_side_and_within_reach_of_the_threshold() -> None:
    dots = threshold_picture(frame(700), READ, 10.0)["dots"]
    assert ((dots["figure"] >= 100) == (dots["side"] > 0)).all()
    assert dots["figure"].between(70, 130).all()


def test_the_lines_meet_the_threshold_at_the_planted_jump() -> None:
    lines = threshold_picture(frame(2_000), READ, 25.0)["lines"]
    at = lines[lines["figure"] == 100].set_index("side")["value"]
    assert at[1] - at[-1] == pytest.approx(30, abs=1)


def test_without_an_estimate_there_are_dots_and_no_lines() -> None:
    picture = threshold_picture(frame(300), READ, None)
    assert len(picture["dots"]) > 0
    assert picture["lines"].empty
    assert np.isnan(picture["cutoff"]["bandwidth"].iloc[0])


def test_too_few_partners_are_not_drawn() -> None:
    picture = threshold_picture(frame(8), READ, 20.0)
    assert picture["dots"].empty
    assert picture["lines"].empty
