"""How figures, titles and sentences are put together: any value, any unit, any text of the user."""

from __future__ import annotations

import locale
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.config.benefits import TierBenefits
from tierwise.explain.figures import factor, figure, in_sentence
from tierwise.explain.plans_benefits import GainsText, costs_text
from tierwise.explain.reasons_scores import score_extremes, score_reasons
from tierwise.explain.reasons_words import COLUMNS, figures, filled, joined, said, texts
from tierwise.explain.sentences import SENTENCES
from tierwise.explain.wording import Wording

WORDING = Wording(
    titles={"sales": "Won sales, last 4 quarters", "mdf": "MDF claimed", "value": "Partner value"},
    units={"sales": "EUR", "value": "points"},
    tier_names=("entry", "growth"),
    target_unit="EUR",
    horizon="4 quarters",
    parts={"skills": "Skills", "empty": ""},
)
UNITS = ["EUR", "ratio", "deals", "people", "points", "", "%s {} units"]
MIDDLING = st.floats(1e-3, 1e11) | st.integers(0, 10**9).map(float)


@settings(max_examples=150, deadline=None)
@given(MIDDLING, st.sampled_from(["EUR", "ratio", "points", ""]))
def test_a_negative_figure_is_the_positive_one_with_a_sign(value: float, unit: str) -> None:
    assert figure(-value, unit).replace("-", "", 1) == figure(value, unit)


@settings(max_examples=150, deadline=None)
@given(MIDDLING, st.sampled_from(UNITS))
def test_no_figure_is_wrong_by_more_than_the_eye_allows(value: float, unit: str) -> None:
    said_so = figure(value, unit).replace(unit, "").replace(",", "")
    scale = {"k": 1e3, "m": 1e6, "bn": 1e9, "%": 0.01}
    words = said_so.split()
    number = float(words[0]) * (scale.get(words[1], 1.0) if len(words) > 1 else 1.0)
    assert number == pytest.approx(value, rel=0.055)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, None])
def test_what_is_no_number_is_unknown_in_any_unit(value: float | None, unit: str) -> None:
    assert figure(value, unit) == "unknown"


@pytest.mark.parametrize("unit", ["EUR", "ratio", "deals", ""])
def test_nothing_has_no_sign(unit: str) -> None:
    assert figure(-0.0, unit) == figure(0.0, unit)


def test_figures_do_not_follow_the_language_of_the_machine() -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "")
        assert [figure(1_234.5), figure(412_345.0, "EUR"), factor(1.5)] == ["1,234", "EUR 412 k", "× 1.50"]
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize(
    ("title", "said_as"),
    [
        ("Won sales", "won sales"),
        ("Partner Trailblazer Score", "Partner Trailblazer Score"),
        ("MDF claimed", "MDF claimed"),
        ("", ""),
        ("R2 score", "R2 score"),
    ],
)
def test_a_title_inside_a_sentence(title: str, said_as: str) -> None:
    assert in_sentence(title) == said_as


def test_a_name_without_a_title_is_shown_without_its_underscores() -> None:
    assert WORDING.title("sales") == "won sales over the last 4 quarters"
    assert WORDING.title("joint_deals") == "joint deals"
    assert [WORDING.part(name) for name in ("skills", "empty", "new_part")] == ["skills", "empty", "new part"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_words_are_filled_in_as_they_are(words: list[str]) -> None:
    found = filled("100 % of {name}, {name}!", {"name": words}, range(len(words)))
    assert found == [f"100 % of {word}, {word}!" for word in words]


def test_only_the_rows_asked_for_are_filled() -> None:
    assert filled("{a}-{b}", {"a": ["1", "2", "3"], "b": ["x", "y", "z"]}, [2, 0]) == ["3-z", "1-x"]
    assert filled("50 % off", {}, [4, 9]) == ["50 % off", "50 % off"]


def test_every_row_gets_its_own_sentence_in_the_order_given() -> None:
    codes = pd.Series(["score_zero", "condition_met", "score_zero"])
    words = {
        "score_title": ["S", "", "T"], "points": ["0", "", "0"], "worst": ["skills", "", "reach"],
        "worst_points": ["0 of 5", "", "0 of 9"], "tier": ["", "growth", ""], "as_of": ["", "2026-09-30", ""],
        "condition": ["", "country = 'DE'", ""],
    }  # fmt: skip
    found = said(pd.Series(["B", "A", "C"]), codes, words)
    assert tuple(found.columns) == COLUMNS
    assert found["partner_id"].tolist() == ["B", "A", "C"]
    assert found["sentence"].iloc[1] == "growth rests on a condition that holds as of 2026-09-30: country = 'DE'."
    assert found["partner_safe_sentence"].tolist() == [
        "Most room is in skills.",
        "You meet the conditions of growth.",
        "Most room is in reach.",
    ]


def test_missing_texts_of_any_kind_are_absent() -> None:
    column = pd.Series(["a", None, np.nan, pd.NA, 3], dtype="object")
    assert texts(column, "-") == ["a", "-", "-", "-", "3"]
    assert figures(pd.Series([1.0, np.nan]), ["deals", "EUR"]) == ["1 deal", "unknown"]
    assert [joined([]), joined(["a"]), joined(["a", "b"])] == ["", "a", "a and b"]


def _components(points: list[float], most: list[float]) -> pd.DataFrame:
    names = ["skills", "reach", "growth"][: len(points)]
    return pd.DataFrame({"partner_id": "P", "score": "value", "component": names, "points": points, "max_points": most})


def test_the_largest_part_and_the_one_with_most_room_by_hand() -> None:
    found = score_extremes(_components([4.0, 10.0, 4.0], [5.0, 12.0, 20.0])).iloc[0]
    assert (found["best"], found["best_points"], found["total"]) == ("reach", 10.0, 18.0)
    assert (found["worst"], found["worst_points"], found["worst_max"]) == ("growth", 4.0, 20.0)


def test_ties_go_to_the_first_name_whatever_the_order_of_rows() -> None:
    rows = _components([3.0, 3.0, 3.0], [9.0, 9.0, 9.0])
    for frame in (rows, rows.iloc[::-1]):
        assert score_extremes(frame)[["best", "worst"]].to_numpy().tolist() == [["growth", "growth"]]


@pytest.mark.parametrize(
    ("points", "most", "code"),
    [
        ([4.0, 1.0], [5.0, 9.0], "score_parts"),
        ([4.0], [9.0], "score_of_one_part"),
        ([0.0, 0.0], [5.0, 9.0], "score_zero"),
    ],
)
def test_a_score_is_told_by_its_parts(points: list[float], most: list[float], code: str) -> None:
    found = score_reasons(_components(points, most), WORDING).iloc[0]
    assert found["code"] == code
    assert "Partner value" in found["sentence"]
    assert not any(figure(value) in found["partner_safe_sentence"] for value in (*points, *most))
    assert SENTENCES[code].partner_safe.split("{")[0] in found["partner_safe_sentence"]


def test_without_a_known_limit_there_is_no_room_to_tell() -> None:
    assert score_reasons(_components([4.0], [np.nan]), WORDING).empty
    assert score_reasons(_components([np.nan], [5.0]), WORDING).empty
    assert score_reasons(_components([], []), WORDING).empty


def _tier(**settings_: object) -> TierBenefits:
    return TierBenefits.model_validate(settings_)


def test_a_fixed_amount_and_an_unchanged_service_are_told_plainly() -> None:
    tier = _tier(incentives=[{"name": "MDF", "amount": 5000}], sla={"first_response_hours": 4})
    text = GainsText.of(tier, _tier(sla={"first_response_hours": 4}), WORDING, "EUR").at({})
    assert text == "Incentives: MDF (EUR 5,000 a year). Service: first response within 4 working hours."


def test_a_tier_that_brings_nothing_more_says_nothing() -> None:
    same = _tier(supports=["Portal"])
    assert GainsText.of(same, same, WORDING, "EUR").at({}) == ""
    assert GainsText.of(same, None, WORDING, "EUR").at({}) == "Supports: Portal."


@pytest.mark.parametrize("base", [0.0, -100.0, math.nan])
def test_no_sales_give_no_amount_of_a_rebate(base: float) -> None:
    tier = _tier(incentives=[{"name": "Rebate", "rate": 0.03, "on": "sales"}])
    text = GainsText.of(tier, None, WORDING, "EUR").at({"sales": base})
    assert text == "Incentives: Rebate (3 % of won sales over the last 4 quarters)."


def test_costs_name_only_what_is_needed() -> None:
    assert costs_text(_tier(capacity={"engineer_hours": 2.5, "desk": 1}), "EUR") == "Needs 2.5 engineer hours, 1 desk."
    assert costs_text(_tier(capacity={"engineer_hours": 0}), "EUR") == ""
