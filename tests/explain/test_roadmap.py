"""Plans reach the next tier when scored again, raise only what they may, and hold no needless step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.explain.roadmap import RoadmapProblem, find_plans

LEVERS = ("revenue", "certified", "logins")


def _problem(values: list[tuple[float, float, float]], **changes: object) -> RoadmapProblem:
    """Growth asks for revenue >= 100 and for certified + logins >= 8."""
    inputs = pd.DataFrame(values, columns=list(LEVERS)).assign(partner_id=[f"P{n:03d}" for n in range(len(values))])
    given_parts: dict[str, object] = {
        "inputs": inputs,
        "next_tier": np.array(["growth"] * len(values), dtype=object),
        "levers": LEVERS,
        "targets": np.tile([100.0, 4.0, 6.0], (len(values), 1)),
        "asked": np.tile([True, False, False], (len(values), 1)),
        "pace": np.tile([50.0, 1.0, 4.0], (len(values), 1)),
        "max_quarters": 4.0,
        "rescore": _reaches_growth,
    }
    return RoadmapProblem(**{**given_parts, **changes})  # type: ignore[arg-type]


def _reaches_growth(rows: pd.DataFrame) -> np.ndarray:
    return ((rows["revenue"] >= 100) & (rows["certified"] + rows["logins"] >= 8)).to_numpy()


def _steps(plans: pd.DataFrame) -> list[tuple[str, float, float]]:
    return list(plans[["metric", "from", "to"]].itertuples(index=False, name=None))


def test_the_criterion_that_is_asked_for_is_the_only_step_when_it_is_all_that_lacks() -> None:
    plans = find_plans(_problem([(40.0, 4.0, 5.0)]))
    assert _steps(plans) == [("revenue", 40.0, 100.0)]
    assert plans.loc[0, "effort"] == pytest.approx(60 / 50)


def test_the_cheapest_levers_are_added_and_needless_ones_taken_back() -> None:
    plans = find_plans(_problem([(40.0, 3.0, 0.0)]))
    assert _steps(plans) == [("revenue", 40.0, 100.0), ("logins", 0.0, 6.0)]


def test_no_realistic_plan_is_an_answer() -> None:
    far = _problem([(40.0, 0.0, 0.0)], pace=np.array([[5.0, 1.0, 4.0]]))
    assert find_plans(far).empty


def test_an_unknown_figure_counts_from_zero_and_nobody_ever_lowers_one() -> None:
    plans = find_plans(_problem([(float("nan"), 9.0, 0.0)]))
    assert plans["metric"].tolist() == ["revenue"]
    assert np.isnan(plans.loc[0, "from"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0, 120)] * 3), min_size=1, max_size=12))
def test_every_plan_is_valid_minimal_and_only_raises(values: list[tuple[float, float, float]]) -> None:
    problem = _problem(values)
    plans = find_plans(problem)
    assert (plans["to"] > plans["from"]).all()
    assert (plans["effort"] <= 4.0).all()
    for partner_id, steps in plans.groupby("partner_id"):
        row = problem.inputs[problem.inputs["partner_id"] == partner_id]
        raised = row.assign(**dict(zip(steps["metric"], steps["to"], strict=True)))
        assert _reaches_growth(raised).all()
        for metric in steps["metric"]:
            if len(steps) > 1:
                assert not _reaches_growth(raised.assign(**{metric: row[metric]})).all()
