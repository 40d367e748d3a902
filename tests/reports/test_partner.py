"""One partner's page: every part that is known, nothing that is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from tierwise.reports.partner import PartnerPage, as_payload, as_text

PAGE = PartnerPage(
    as_of=date(2026, 9, 30),
    recommendation={"partner_id": "P1", "next_tier": "strategic", "potential": 1200.5},
    reasons=pd.DataFrame(
        [(1, "rises", "It meets growth."), (2, "grew", "Sales grew [fast].")], columns=["rank", "code", "sentence"]
    ),
    criteria=pd.DataFrame(
        [
            ("growth", "revenue", "USD 62 k", "USD 50 k", "true", ""),
            ("strategic", "certified", "4 people", "6 people", "false", "2 people"),
        ],
        columns=["tier", "criterion", "shown_value", "shown_threshold", "met", "shown_gap"],
    ),
    contributions=pd.DataFrame([("sales", 1.8, "× 1.80")], columns=["family", "factor", "shown_factor"]),
    roadmap=pd.DataFrame(
        [(1, 1, "People certified", "4 people", "6 people", "strategic", True)],
        columns=["plan", "step", "title", "shown_from", "shown_to", "reaches_tier", "valid"],
    ),
    headline="Linden Inc as of 2026-09-30: hold (growth)",
    potential_line="Potential over the next 4 quarters: USD 1,200",
)


def test_the_page_reads_from_the_placement_to_the_way_up() -> None:
    text = as_text(PAGE)
    parts = [part.splitlines()[0] for part in text.split("\n\n")]
    assert parts == [
        "Linden Inc as of 2026-09-30: hold (growth)",
        "Why:",
        "Potential over the next 4 quarters: USD 1,200",
        "Associated with the potential, against the whole channel:",
        "Criteria:",
        "Way up to strategic:",
    ]
    assert "  2. Sales grew [fast]." in text
    assert "plan 1, step 1: People certified from 4 people to 6 people" in text


def test_what_a_met_criterion_misses_is_left_empty() -> None:
    lines = [line.split() for line in as_text(PAGE).splitlines()]
    assert ["growth", "revenue", "USD", "62", "k", "USD", "50", "k", "true"] in lines
    assert ["strategic", "certified", "4", "people", "6", "people", "false", "2", "people"] in lines


def test_at_the_top_there_is_no_word_of_a_way_up() -> None:
    top = replace(PAGE, recommendation={"partner_id": "P1"}, roadmap=PAGE.roadmap.head(0))
    assert "Way up" not in as_text(top)


def test_a_way_up_that_was_not_found_is_said() -> None:
    assert "no plan was found" in as_text(replace(PAGE, roadmap=PAGE.roadmap.head(0)))


@pytest.mark.parametrize(("part", "title"), [("criteria", "Criteria:"), ("contributions", "Associated")])
def test_an_empty_part_has_no_title(part: str, title: str) -> None:
    assert title in as_text(PAGE)
    assert title not in as_text(replace(PAGE, **{part: getattr(PAGE, part).head(0)}))


def test_machines_get_the_same_rows() -> None:
    payload = as_payload(PAGE)
    assert payload["as_of"] == "2026-09-30"
    assert payload["recommendation"]["potential"] == 1200.5
    assert [reason["sentence"] for reason in payload["reasons"]] == ["It meets growth.", "Sales grew [fast]."]
    assert payload["roadmap"][0]["shown_to"] == "6 people"
    assert payload["criteria"][1]["met"] == "false"
