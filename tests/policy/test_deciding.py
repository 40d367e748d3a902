"""For which partners one comparison decides by itself, held against the placement with the figure changed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.policy import Placement, place
from tierwise.policy.deciding import deciding_criteria

HEAD = {"policy": "x", "effective_from": "2020-01-01", "owner": "o", "reason": "r", "movement": {}}
RULES = (
    "sales >= 10 and people >= 2",
    "sales >= 10 or people >= 2",
    {"all": ["sales >= 10", {"any": ["people >= 2", "deals > 3"]}]},
    {"at_least": {"count": 2, "of": ["sales >= 10", "people >= 2", "deals > 3"]}},
    {"all": ["sales >= 10", {"check": "people >= 2", "unknown": "skip"}]},
    {"all": [{"check": "sales >= 10", "applies_if": "region = 'EMEA'"}, "people >= 2"]},
    "sales >= 10 and not people < 2",
    "sales between 10 and 20",
)
FAR = {">=": (1e9, -1e9), ">": (1e9, -1e9), "<=": (-1e9, 1e9), "<": (-1e9, 1e9)}
figure = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 9.0, 10.0, 15.0, 20.0, 21.0]))
partners = st.lists(
    st.tuples(figure, figure, figure, st.sampled_from(["EMEA", "AMER"])), min_size=1, max_size=12
)  # fmt: skip


def policy(rule: object, **more: object) -> Policy:
    return Policy.model_validate({**HEAD, "tiers": [{"name": "low"}, {"name": "top", "when": rule}], **more})


def inputs(rows: list[tuple[float | None, float | None, float | None, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["sales", "people", "deals", "region"])
    frame.insert(0, "partner_id", [f"P{number:02d}" for number in range(len(frame))])
    return frame.astype({"sales": "float64", "people": "float64", "deals": "float64"})


def reached(engine: Engine, rule: object, frame: pd.DataFrame) -> np.ndarray:
    return place(engine, policy(rule), frame).ranks()["eligible"] == 1


@settings(max_examples=12, deadline=None)
@given(partners, st.sampled_from(RULES[:-1]))
def test_a_comparison_decides_where_changing_its_figure_alone_changes_the_tier(
    engine: Engine, rows: list, rule: object
) -> None:
    frame = inputs(rows)
    for one in deciding_criteria(place(engine, policy(rule), frame)):
        met, unmet = FAR[one.operator]
        # An unknown figure counts as asked: what matters is what the comparison would say if it were known.
        changed = [reached(engine, rule, frame.assign(**{one.metric: value})) for value in (met, unmet)]
        skipped = frame["people"].isna().to_numpy() & (isinstance(rule, dict) and "skip" in str(rule))
        same = one.alone == (changed[0] & ~changed[1])
        assert same[~skipped].all(), (rule, one.name)


def test_a_range_has_two_thresholds_of_one_figure(engine: Engine) -> None:
    found = deciding_criteria(
        place(engine, policy(RULES[-1]), inputs([(15.0, 1.0, 1.0, "EMEA"), (25.0, 1.0, 1.0, "EMEA")]))
    )
    assert [(one.metric, one.operator, one.threshold.tolist()) for one in found] == [
        ("sales", ">=", [10.0, 10.0]), ("sales", "<=", [20.0, 20.0])
    ]  # fmt: skip
    assert [one.alone.tolist() for one in found] == [[True, False], [True, True]]


def test_what_compares_no_numbers_decides_by_no_figure(engine: Engine) -> None:
    found = deciding_criteria(
        place(
            engine,
            policy("region = 'EMEA' and sales >= 10"),
            inputs([(12.0, 0.0, 0.0, "EMEA"), (12.0, 0.0, 0.0, "AMER")]),
        )
    )
    assert [(one.metric, one.alone.tolist()) for one in found] == [("sales", [True, False])]


def test_thresholds_of_parameters_are_each_partners_own(engine: Engine) -> None:
    made = policy("sales >= least", parameters={"least": {"by": "region", "EMEA": 5, "default": 7}})
    placement: Placement = place(engine, made, inputs([(6.0, 0.0, 0.0, "EMEA"), (6.0, 0.0, 0.0, "AMER")]))
    (found,) = deciding_criteria(placement)
    assert found.threshold.tolist() == [5.0, 7.0]
    assert (found.tier, found.rank, found.alone.tolist()) == ("top", 1, [True, True])


@pytest.mark.parametrize("per", [{"column": "country"}])
def test_a_policy_that_places_units_gives_none(engine: Engine, per: dict) -> None:
    frame = pd.DataFrame({"partner_id": ["P1"], "country": ["DE"], "sales": [12.0]})
    made = Policy.model_validate(
        {**HEAD, "tiers": [{"name": "low"}, {"name": "top", "when": "sales >= 10"}], "per": per}
    )
    assert deciding_criteria(place(engine, made, frame)) == ()
