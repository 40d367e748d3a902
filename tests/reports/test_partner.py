"""One partner's page: every part that is known, nothing that is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.reports.partner_example import LADDERS, PAGE
from tierwise.reports.partner import as_payload
from tierwise.reports.partner_text import as_text
from tierwise.reports.partner_words import next_step


def test_the_page_reads_from_the_placement_to_the_way_up() -> None:
    parts = [part.splitlines()[0] for part in as_text(PAGE).split("\n\n")]
    assert parts == [
        "Linden Inc as of 2026-09-30: hold (growth)",
        "Why:",
        "Dates and approvals: approval by partner-ops",
        "Potential over the next 4 quarters: USD 412 k (interval USD 300 k to USD 600 k); from the potential model",
        "Associated with the potential, against the whole channel:",
        "Associated with the potential, against peers in strategic:",
        "Criteria:",
        "Partner value:",
        "What changed since 2026-06-30, and from what:",
        "Way up to strategic:",
        "Similar partners one tier up, and what they raised:",
        "note: 12 rows of all partners' data did not keep the contract and were left out.",
    ]


def test_tracks_and_units_stand_beside_the_criteria() -> None:
    text = as_text(replace(PAGE, ladders=LADDERS))
    assert "Cloud skills  none → skilled  Promote" in text
    assert "By country:" in text
    assert "Germany  growth               yes" in text


def test_sentences_and_steps_are_shown_as_stored() -> None:
    text = as_text(PAGE)
    assert "  2. Sales grew [fast]." in text
    assert "plan 1, step 1: People certified from 4 people to 6 people" in text


def test_a_criterion_is_shown_with_its_margin() -> None:
    lines = [line.split("  ") for line in as_text(PAGE).splitlines() if line.startswith(("growth", "strategic"))]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert ["growth", "Won revenue", "USD 62 k", "≥ USD 50 k", "true", "+USD 12 k"] in cells
    assert ["strategic", "People certified", "4 people", "≥ 6 people", "false", "−2 people"] in cells


def test_at_the_top_there_is_no_word_of_a_way_up() -> None:
    top = replace(PAGE, recommendation={"partner_id": "P1", "action": "hold"}, plans=())
    assert "Way up" not in as_text(top)


def test_a_way_up_that_was_not_found_is_said() -> None:
    assert "Way up: nothing realistic." in as_text(replace(PAGE, plans=(), no_plan="nothing realistic."))


@pytest.mark.parametrize(
    ("part", "title"),
    [
        ("criteria", "Criteria:"), ("comparisons", "Associated"), ("scores", "Partner value:"),
        ("changes", "What changed"), ("peers", "Similar partners"), ("notes", "note:"),
    ],
)  # fmt: skip
def test_an_empty_part_has_no_title(part: str, title: str) -> None:
    assert title in as_text(PAGE)
    assert title not in as_text(replace(PAGE, **{part: ()}))


def test_machines_get_the_same_figures() -> None:
    payload = json.loads(json.dumps(as_payload(PAGE)))
    assert payload["as_of"] == "2026-09-30"
    assert payload["recommendation"]["potential"] == 412_345.5
    assert [reason["sentence"] for reason in payload["reasons"]] == [each.sentence for each in PAGE.reasons]
    assert payload["plans"][0]["steps"][0]["goal"] == "6 people"
    assert payload["criteria"][-1]["met"] == "false"


@pytest.mark.parametrize("action", ["place", "promote", "demote", "hold", "watch", "insufficient_evidence", "other"])
def test_every_action_has_a_next_step(action: str) -> None:
    assert next_step({"action": action}).endswith(".")


def test_a_warning_goes_before_what_the_action_usually_asks() -> None:
    said = next_step({"action": "watch", "reason_code": "in_grace", "approval_role": "director"})
    assert said.startswith("Needs approval by director. Warn the partner now")
