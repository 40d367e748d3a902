"""The statistics behind the leak alarm and the tables they make: exact cases, and what must not change them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tierwise.config.leak_spec import LeakSpec
from tierwise.potential.leak_statistics import level_shares, partial_shares, ranks
from tierwise.potential.leaks import CODES, COLUMNS, Leaks, leaks_frame, merged_leaks, model_leak
from tierwise.potential.leaks_history import attributes_from_history

COLUMN = arrays(float, 30, elements=st.integers(-20, 20).map(float))
ONCE = np.ones((1, 30))
SPEC = LeakSpec()


def test_ranks_are_centred_with_unknown_values_last_and_ties_together() -> None:
    assert ranks(np.array([5.0, np.nan, 5.0, 90.0])).tolist() == [0, -1.5, 0, 1.5]


@settings(max_examples=40, deadline=None)
@given(COLUMN, COLUMN, COLUMN)
def test_a_partial_share_is_a_share_and_only_ranks_count(first: np.ndarray, second: np.ndarray, given_: np.ndarray):
    share = partial_shares(first, second, given_, ONCE)
    assert 0 <= share[0] <= 1 + 1e-9
    np.testing.assert_allclose(partial_shares(np.exp(first / 9), second * 3 + 7, given_**3, ONCE), share, atol=1e-9)
    np.testing.assert_allclose(partial_shares(second, first, given_, ONCE), share, atol=1e-9)


def test_a_copy_tells_all_and_what_is_known_anyway_tells_nothing() -> None:
    rng = np.random.default_rng(2)
    value, given_ = rng.normal(size=30), rng.normal(size=30)
    assert partial_shares(value, value, given_, ONCE)[0] == pytest.approx(1)
    assert partial_shares(given_, value, given_, ONCE)[0] == 0
    assert partial_shares(np.full(30, 4.0), value, given_, ONCE)[0] == 0


def test_a_weight_of_two_is_a_partner_twice_with_the_ranks_of_all() -> None:
    value = np.arange(30.0)
    other = np.roll(value, 3)
    weights = np.vstack([np.ones(30), np.full(30, 5.0)])
    found = partial_shares(value, other, np.tile([0.0, 1.0, 2.0], 10), weights)
    assert found[0] == pytest.approx(found[1])


def test_levels_that_are_rare_or_alone_tell_nothing() -> None:
    value, nothing = np.arange(30.0), np.zeros(30)
    alone = pd.Series(["x"] * 30)
    each = pd.Series([f"level {number}" for number in range(30)])
    assert level_shares(alone, value, nothing, ONCE)[0] == 0
    assert level_shares(each, value, nothing, ONCE)[0] == 0
    assert level_shares(pd.Series([None] * 30, dtype="str"), value, nothing, ONCE)[0] == 0


def test_levels_that_cut_the_value_tell_most_of_it_whatever_they_are_called() -> None:
    value, nothing = np.arange(30.0), np.zeros(30)
    thirds = pd.Series(np.repeat(["a", "b", "c"], 10))
    share = level_shares(thirds, value, nothing, ONCE)[0]
    assert 0.85 < share < 1
    renamed = thirds.map({"a": None, "b": "Z", "c": "A"})
    assert level_shares(renamed, value, nothing, ONCE)[0] == pytest.approx(share)


def _leak(subject: str, share: float, fired: bool, code: str = "metric_ahead") -> dict[str, object]:
    return {
        "subject": subject, "kind": "metric", "code": code, "share": share, "yardstick": 0.1,
        "probability": float("nan"), "reviews": 2, "partners": 60, "fired": fired,
    }  # fmt: skip


def test_what_fired_comes_first_then_the_strongest_then_the_name() -> None:
    rows = [_leak("b", 0.2, False), _leak("a", 0.2, False), _leak("d", 0.9, False), _leak("c", 0.3, True)]
    table = leaks_frame(rows)
    assert table["subject"].tolist() == ["c", "d", "a", "b"]
    pd.testing.assert_frame_equal(merged_leaks(table.iloc[2:], table.iloc[:2]), table)


def test_the_alarm_says_whether_anything_was_tested() -> None:
    assert Leaks(leaks_frame([])).alarm == "not_tested"
    assert Leaks(leaks_frame([_leak("a", 0.2, False)])).alarm == "quiet"
    fired = Leaks(leaks_frame([_leak("a", 0.62, True), _leak("b", 0.05, False)]))
    assert fired.alarm == "fired"
    assert fired.sentences == (
        f"a: {CODES['metric_ahead']} (62% of what persistence leaves open, at most 10% would be honest)",
    )


def test_an_attribute_of_the_history_is_told_in_its_own_words() -> None:
    found = Leaks(leaks_frame([_leak("segment", 0.97, True, "attribute_from_history")]))
    assert found.sentences[0].endswith("(97% of what chance leaves open follows from it)")


def test_no_prediction_to_compare_leaves_a_table_without_rows() -> None:
    columns = ["origin", "partner_id", "actual", "persistence", "model", "moved"]
    assert model_leak(pd.DataFrame(columns=columns), SPEC, 1).empty
    few = pd.DataFrame({name: np.arange(5.0) for name in columns}).assign(partner_id=list("abcde"), origin="2025-01-01")
    assert model_leak(few, SPEC, 1).empty
    assert tuple(model_leak(few, SPEC, 1).columns) == COLUMNS


def _history(exceptions: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Thirty partners whose level says whether they bought much, but for so many of those who bought least."""
    names = [f"P{number:02d}" for number in range(30)]
    level = np.where((np.arange(30) < 15) & (np.arange(30) >= exceptions), "small", "large")
    return pd.DataFrame({"partner_id": names, "segment": level}), pd.DataFrame(
        {"partner_id": names, "amount": np.arange(30.0)}
    )


@pytest.mark.parametrize(("exceptions", "share"), [(0, 1.0), (3, (27 / 30 - 18 / 30) / (12 / 30))])
def test_closeness_to_the_history_by_hand(exceptions: int, share: float) -> None:
    rows, facts = _history(exceptions)
    (found,) = attributes_from_history(rows, ["segment"], facts, SPEC)
    assert found["share"] == pytest.approx(share)
    assert found["fired"] == (exceptions == 0)


def test_the_order_of_partners_and_the_unit_of_money_change_nothing() -> None:
    rows, facts = _history(3)
    others = [
        (rows.sample(frac=1, random_state=1), facts.sample(frac=1, random_state=2)),
        (rows, facts.assign(amount=facts["amount"] * 1e6)),
    ]
    expected = leaks_frame(attributes_from_history(rows, ["segment"], facts, SPEC))
    for other_rows, other_facts in others:
        found = leaks_frame(attributes_from_history(other_rows, ["segment"], other_facts, SPEC))
        pd.testing.assert_frame_equal(found, expected)


def test_few_partners_no_facts_and_a_level_for_everyone_are_not_judged() -> None:
    rows, facts = _history(0)
    assert attributes_from_history(rows.head(5), ["segment"], facts, SPEC) == []
    assert attributes_from_history(rows, ["segment"], facts[["partner_id"]], SPEC) == []
    each = rows.assign(segment=rows["partner_id"])
    (found,) = attributes_from_history(each, ["segment"], facts, SPEC)
    assert (found["share"], found["fired"]) == (0.0, False)
