"""Partners placed unit by unit: what must hold whatever the units' figures are, and input that cannot be placed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.errors import InvalidInput
from tierwise.policy import place

HEAD = {"policy": "x", "effective_from": "2020-01-01", "owner": "o", "reason": "r", "movement": {}}
NAMES = ("low", "mid", "top", "world")
BOUNDS = (0, 100, 200)
TIERS = [
    {"name": "low"},
    {"name": "mid", "when": "sales >= 100"},
    {"name": "top", "when": "sales >= 200"},
    {"name": "world", "when": "country <> 'ZZ'", "reached_in": {"top": 2, "mid": 3}},
]
UNITS = ("AA", "BB", "CC", "DD", "ZZ", "(none)")
channels = st.lists(
    st.dictionaries(st.sampled_from(UNITS), st.sampled_from([0, 90, 95, 100, 110, 185, 200, 220, None]), min_size=1),
    min_size=1,
    max_size=30,
)


def policy(**per: object) -> Policy:
    return Policy.model_validate({**HEAD, "tiers": TIERS, "per": {"column": "country", **per}})


def inputs_of(channel: list[dict], home: str = "AA") -> pd.DataFrame:
    rows = [
        (f"P{number:02d}", unit, sales, home) for number, units in enumerate(channel) for unit, sales in units.items()
    ]
    return pd.DataFrame(rows, columns=["partner_id", "country", "sales", "home"]).astype({"sales": "float64"})


def unit_place(sales: float | None, factor: float = 1.0) -> int:
    return 0 if sales is None else max(place for place, bound in enumerate(BOUNDS) if sales >= round(bound * factor, 6))


def best_by_hand(units: dict, factor: float) -> int:
    """Read plainly: the best named unit, or the world when enough units that count reached enough."""
    named = {unit: sales for unit, sales in units.items() if unit != "(none)"} or units
    places = {unit: min(unit_place(sales, factor), 2) for unit, sales in named.items()}
    counted = [place for unit, place in places.items() if unit != "ZZ"]
    is_world = sum(place >= 2 for place in counted) >= 2 and sum(place >= 1 for place in counted) >= 3
    return 3 if is_world else max(places.values())


@settings(max_examples=40, deadline=None)
@given(channels)
def test_the_partners_tier_is_read_from_its_units(engine: Engine, channel: list[dict]) -> None:
    placement = place(engine, policy(), inputs_of(channel))
    for variant, factor in (("eligible", 1.0), ("gain", 1.05), ("keep", 0.9)):
        assert placement.ranks()[variant].tolist() == [best_by_hand(units, factor) for units in channel]
    units = placement.units.merge(
        inputs_of(channel), left_on=["partner_id", "unit"], right_on=["partner_id", "country"]
    )
    expected = [NAMES[unit_place(None if np.isnan(sales) else sales)] for sales in units["sales"]]
    assert units["eligible_tier"].tolist() == expected
    assert placement.units.groupby("partner_id")["decides"].sum().tolist() == [1] * len(channel)


@settings(max_examples=20, deadline=None)
@given(channels, st.sampled_from(UNITS))
def test_the_home_unit_decides_alone_below_the_world(engine: Engine, channel: list[dict], home: str) -> None:
    placement = place(engine, policy(then="home", home="home"), inputs_of(channel, home))
    for place_, units in zip(placement.ranks()["eligible"].tolist(), channel, strict=True):
        own = unit_place(units[home]) if home in units else -1
        assert place_ in ({own, 3} if best_by_hand(units, 1.0) == 3 else {own})


@settings(max_examples=10, deadline=None)
@given(channels, st.randoms(use_true_random=False))
def test_order_of_rows_is_irrelevant(engine: Engine, channel: list[dict], random) -> None:
    inputs = inputs_of(channel)
    order = list(range(len(inputs)))
    random.shuffle(order)
    first, second = place(engine, policy(), inputs), place(engine, policy(), inputs.iloc[order].reset_index(drop=True))
    pd.testing.assert_frame_equal(first.tiers, second.tiers)
    pd.testing.assert_frame_equal(first.units, second.units)
    pd.testing.assert_frame_equal(first.unit_criteria, second.unit_criteria)
    pd.testing.assert_frame_equal(first.criteria, second.criteria)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows.assign(country=None), "rows of the policy's inputs have no country"),
        (lambda rows: pd.concat([rows, rows]), "more than one row for the same partner_id and country"),
        (lambda rows: rows.drop(columns="country"), "unknown name 'country'"),
    ],
)
def test_units_that_cannot_be_told_apart_are_refused(engine: Engine, change, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        place(engine, policy(), change(inputs_of([{"AA": 1, "BB": 2}])))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"per": None, "tiers": TIERS}, "there is no 'per'"),
        (
            {"tracks": {"t": {"tiers": [{"name": "n"}, {"name": "m", "reached_in": {"n": 1}}]}}},
            "a track has none of its own",
        ),
        ({"tiers": [*TIERS, {"name": "more", "reached_in": {"world": 1}}]}, "itself made from the tiers of units"),
        ({"tiers": [{"name": "a"}, {"name": "b", "reached_in": {"c": 1}}]}, "which is no lower tier"),
    ],
)
def test_tiers_of_units_that_make_no_sense_are_refused(body: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Policy.model_validate({**HEAD, "per": {"column": "country"}, "tiers": TIERS, **body})


def test_a_channel_without_partners_has_no_units(engine: Engine) -> None:
    placement = place(engine, policy(), inputs_of([{"AA": 1}]).iloc[:0])
    assert [
        len(table) for table in (placement.tiers, placement.units, placement.criteria, placement.unit_criteria)
    ] == [0] * 4
