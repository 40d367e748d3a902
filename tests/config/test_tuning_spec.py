"""What a search may be asked for, and what is said of a search that cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tierwise.config.names import hint, known_names, nearest_name
from tierwise.config.tuning_spec import SearchRange, TuningSpec, search_faults, with_values

DEFAULTS = {"glm": {"features": 8, "penalty": 0.1}, "trees": {"leaves": 15, "depth": 4, "ridge": 1.0, "threads": 2}}


def faults(path: str, low: float, high: float) -> list[str]:
    return search_faults({path: SearchRange(low=low, high=high)}, DEFAULTS)


@pytest.mark.parametrize(
    ("low", "high", "log", "says"),
    [(5, 5, False, "'low' is 5, not below 'high' 5"), (6, 5, False, "not below"), (0, 5, True, "needs more than 0")],
)
def test_bounds_are_in_order_and_above_zero_on_the_log_scale(low, high, log, says):
    with pytest.raises(ValidationError, match=says):
        SearchRange(low=low, high=high, log=log)


def test_a_known_path_with_suitable_bounds_has_no_fault():
    assert faults("trees.leaves", 4, 31) == []
    assert faults("glm.penalty", 0.001, 1) == []


def test_an_unknown_path_gets_a_hint():
    assert faults("trees.leafs", 4, 31) == ["'tuning.search' names 'trees.leafs'; did you mean 'trees.leaves'?"]


def test_threads_are_no_matter_of_taste():
    [fault] = faults("trees.threads", 1, 2)
    assert fault.startswith("'tuning.search' names 'trees.threads'; ")


def test_whole_numbers_are_named_once_however_many_bounds_are_fractions():
    assert faults("trees.depth", 1.5, 4.5) == ["'tuning.search.trees.depth' takes whole numbers"]
    assert faults("trees.depth", 2.0, 4.0) == []


@given(st.integers(2, 100), st.floats(0.01, 10))
def test_other_values_take_their_place_and_leave_the_rest_alone(leaves, ridge):
    found = with_values(DEFAULTS, {"trees.leaves": leaves, "trees.ridge": ridge})
    assert found["trees"] == {**DEFAULTS["trees"], "leaves": leaves, "ridge": ridge}
    assert found["glm"] == DEFAULTS["glm"]
    assert DEFAULTS["trees"]["leaves"] == 15


@pytest.mark.parametrize(("key", "value"), [("folds", 0), ("rows", 99), ("confidence", 0), ("confidence", 1.1)])
def test_a_search_has_bounds_of_its_own(key, value):
    with pytest.raises(ValidationError):
        TuningSpec.model_validate({key: value})


@given(st.lists(st.sampled_from(["deals", "leads", "window", "region"]), min_size=1, unique=True))
def test_a_known_name_is_its_own_nearest_whatever_its_case(names):
    assert nearest_name(names[0].upper(), names) == names[0]
    assert hint(names[0], names) == f"did you mean {names[0]!r}?"


def test_names_that_are_not_alike_are_listed_twelve_at_most():
    many = [f"m{number:02d}" for number in range(15)]
    assert known_names(many).endswith("'m11' and 3 more")
    assert hint("qqqqqq", ["deals"]) == "known is 'deals'"
    assert hint("qqqqqq", []) == ""
