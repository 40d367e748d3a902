from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.pilots.known_truth import settings
from tierwise import pilots
from tierwise.config.pilot import AnalysisSettings, DecisionSettings, MoneySettings, OutcomeSettings


def partners(gain: float, complaints: float = 0.0, count: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    arm = np.arange(count) % 2
    frame = pd.DataFrame({"partner_id": np.arange(count), "arm": np.where(arm, "mdf", "control")})
    revenue = rng.normal(100, 20, count) * (1 + gain * arm)
    return frame.assign(revenue=revenue, complaints=rng.normal(10, 2, count) * (1 + complaints * arm))


def reading(**more: object) -> AnalysisSettings:
    return settings(
        outcomes={
            "revenue": OutcomeSettings(role="primary", minimum_effect=0.05),
            "complaints": OutcomeSettings(role="guardrail", direction="down", tolerance=0.05),
        },
        **more,
    )


def answer(frame: pd.DataFrame, rule: DecisionSettings | None = None) -> str:
    [verdict] = pilots.decide(pilots.analyse(frame, reading()), reading(), rule or DecisionSettings())
    assert len(verdict.because) >= 1
    return verdict.answer


@pytest.mark.parametrize(
    ("gain", "complaints", "expected"),
    [
        (0.15, 0.0, "roll_out"),
        (-0.15, 0.0, "do_not_roll_out"),
        (-0.02, 0.0, "do_not_roll_out"),
        (0.15, 0.3, "do_not_roll_out"),
    ],
)
def test_the_rule_by_what_is_shown(gain, complaints, expected):
    assert answer(partners(gain, complaints)) == expected


def test_few_partners_are_inconclusive():
    assert answer(partners(0.0, count=30)) == "inconclusive"


def test_better_is_less_than_better_by_what_matters():
    frame = partners(0.06)
    assert answer(frame) == "roll_out"
    assert answer(frame, DecisionSettings(show="minimum_effect")) == "inconclusive"
    assert answer(partners(0.2), DecisionSettings(show="minimum_effect")) == "roll_out"


def test_a_guardrail_may_have_to_be_shown_safe():
    frame = partners(0.15, 0.04)
    assert answer(frame) == "roll_out"
    assert answer(frame, DecisionSettings(guardrails="shown_safe")) == "inconclusive"


@pytest.mark.parametrize(("cost", "expected"), [(2.0, "roll_out"), (7.0, "inconclusive"), (40.0, "do_not_roll_out")])
def test_the_money_must_come_back(cost, expected):
    frame, rule = partners(0.15), DecisionSettings(least_return=0.0)
    money = MoneySettings(revenue="revenue", margin=0.5, cost={"mdf": cost}, window_months=6)
    rows = pilots.returns(frame, reading(), money)
    [verdict] = pilots.decide(pilots.analyse(frame, reading()), reading(), rule, rows)
    assert verdict.answer == expected
    [without] = pilots.decide(pilots.analyse(frame, reading()), reading(), rule)
    assert without.answer == "inconclusive"


def test_no_primary_metric_no_verdict():
    read = settings(outcomes={"revenue": OutcomeSettings()})
    [verdict] = pilots.decide(pilots.analyse(partners(0.1), read), read, DecisionSettings())
    assert (verdict.answer, verdict.because) == ("no_verdict", ("The pilot has no primary metric.",))


def test_a_primary_metric_without_an_estimate_has_no_verdict():
    [verdict] = pilots.decide(
        pilots.analyse(partners(0.1).assign(revenue=1.0), reading()), reading(), DecisionSettings()
    )
    assert verdict.answer == "no_verdict"
    assert "every unit has the same value" in verdict.because[0]


def met_by(control: int, arm: int, count: int = 600) -> pd.DataFrame:
    """Complaints of so many partners in either arm, and of nobody else."""
    frame = partners(0.15, count=count)
    place = np.arange(count) // 2
    return frame.assign(complaints=(place < np.where(frame["arm"] == "mdf", arm, control)).astype(float))


@pytest.mark.parametrize(
    ("control", "arm", "rule", "expected", "says"),
    [
        (0, 0, "no_harm_shown", "roll_out", "cannot be told (every unit has the same value)"),
        (0, 0, "shown_safe", "inconclusive", "cannot be told (every unit has the same value)"),
        (0, 40, "no_harm_shown", "do_not_roll_out", "is worse, and not above zero in the control arm"),
        (0, 1, "no_harm_shown", "roll_out", "whether it is worse cannot be told."),
        (40, 0, "shown_safe", "roll_out", "is not worse by more than 5%"),
    ],
    ids=["nobody", "nobody, must be safe", "many in the arm alone", "one in the arm alone", "control alone"],
)
def test_a_guardrail_that_nobody_met_in_the_control_arm(control, arm, rule, expected, says):
    frame = met_by(control, arm)
    analysis = pilots.analyse(frame, reading())
    [verdict] = pilots.decide(analysis, reading(), DecisionSettings(guardrails=rule))
    assert verdict.answer == expected
    assert says in verdict.because[1]
    assert [row.metric for row in analysis.results] == ["revenue", "complaints"]
