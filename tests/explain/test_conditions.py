"""Conditions and formulas in words: titles, comparisons, values with units; never an error, whatever the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.explain.conditions import condition_words, figure_title, figure_unit, is_about
from tierwise.explain.wording import Wording

WORDING = Wording(
    titles={
        "rev": "Won revenue, last 4 quarters",
        "prev": "Revenue before",
        "people": "Certified people",
        "win": "Wins",
    },
    units={"rev": "USD", "prev": "USD", "people": "people", "win": "ratio"},
    tier_names=("entry", "growth"),
    target_unit="USD",
    horizon="4 quarters",
)
REVENUE = "won revenue over the last 4 quarters"
SAID = {
    "status <> 'left'": "status is not left",
    "country in ('US', 'GB', 'DE')": "country is US, GB or DE",
    "not country in ('US')": "country is not US",
    "country is null": "country is unknown",
    "country is not null": "country is known",
    "is_active": "is active holds",
    "not is_active": "is active does not hold",
    "is_active = false": "is active does not hold",
    "joined_on < date '2025-01-01'": "joined on is less than 2025-01-01",
    "rev >= 1500000": f"{REVENUE} is at least USD 1.50 m",
    "rev >= -5": f"{REVENUE} is at least USD -5",
    "win > 0.3 and people >= 2": "wins is more than 30 % and certified people is at least 2 people",
    "win > 0.3 and (people >= 2 or rev > 9)": "wins is more than 30 % and (certified people is at least 2 people or "
    f"{REVENUE} is more than USD 9)",
    "people between 1 and 5": "certified people is between 1 person and 5 people",
    "rev + prev >= 10000": f"{REVENUE} plus revenue before is at least USD 10.0 k",
    "rev / nullif(prev, 0) - 1 >= 0.1": f"{REVENUE} divided by revenue before minus 1 is at least 0.1",
    "coalesce(rev, 0) <= 5": f"{REVENUE} (if unknown: USD 0) is at most USD 5",
    "least(rev, prev) >= 5": f"the least of {REVENUE}, revenue before is at least USD 5",
    "not (people = 2)": "not so: certified people is 2 people",
}


@pytest.mark.parametrize("written", SAID)
def test_a_condition_is_said_with_titles_and_units(written: str) -> None:
    assert condition_words(written, WORDING) == SAID[written]


@pytest.mark.parametrize(
    "written", ["name like 'A%'", "case when rev > 1 then true else false end", "rev > (select 1)", "not sql (", ""]
)
def test_what_has_no_plain_words_stays_as_it_is_written(written: str) -> None:
    assert condition_words(written, WORDING) == written


@pytest.mark.parametrize(
    ("metric", "title", "unit"),
    [
        ("rev", "Won revenue, last 4 quarters", "USD"),
        ("joint_deals", "joint deals", ""),
        ("rev + prev", f"{REVENUE} plus revenue before", "USD"),
        ("rev / people", f"{REVENUE} divided by certified people", ""),
        ("rev + people", f"{REVENUE} plus certified people", ""),
        ("year(joined_on)", "year(joined_on)", ""),
    ],
)
def test_the_figure_of_a_criterion_may_be_a_formula(metric: str, title: str, unit: str) -> None:
    assert (figure_title(metric, WORDING), figure_unit(metric, WORDING)) == (title, unit)


def test_a_formula_is_about_each_of_its_figures_and_about_no_part_of_a_name() -> None:
    assert is_about(frozenset({"risk"}), "rev * risk")
    assert is_about(frozenset({"risk"}), "region, risk")
    assert not is_about(frozenset({"risk"}), "risk_free")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab01 ()<>=+-*/.,'\"%{}andornotis", max_size=40))
def test_any_text_gives_a_text(text: str) -> None:
    assert isinstance(condition_words(text, WORDING), str)
    assert isinstance(figure_title(text, WORDING), str)
    assert isinstance(figure_unit(text, WORDING), str)
