"""The page of a pilot: the answer with its interval in money, the rule, what could be wrong, and nothing made up."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from tests.reports.pilot_example import AMENDMENT, PilotStory, analysis_record, partners, story
from tierwise.reports import pilot_words as words
from tierwise.reports.pilot_concerns import Concern, concerns
from tierwise.reports.pilot_page import pilot_page, published_text
from tierwise.store.pilot_records import ComplianceRecord

MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def told() -> PilotStory:
    return story()


@pytest.fixture(scope="module")
def page(told: PilotStory) -> str:
    return pilot_page(told)


def _text(page: str) -> str:
    """What a reader sees, without the pictures."""
    plain = re.sub(r"<(svg|style).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_page_is_one_small_file_that_asks_for_nothing_else(page: str) -> None:
    assert len(page.encode()) < MOST_BYTES
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "default-src 'none'" in page


def test_the_answer_stands_with_its_interval_in_money_and_the_rule(told: PilotStory, page: str) -> None:
    text = _text(page)
    row = told.row("revenue_2q", "mdf")
    assert row is not None
    assert "MDF budget: Roll out" in text
    assert words.figure(row["estimate"], "USD", signed=True) in text
    assert words.between(row["low"], row["high"], "USD") in text
    assert "Rebate: Not decided: the evidence does not suffice" in text
    assert text.index("The answer") < text.index("What could be wrong") < text.index("How it was made")


def test_people_read_titles_and_never_the_names_of_columns(page: str) -> None:
    text = _text(page)
    assert "Won revenue is shown to be better (Holm)." in text
    assert "revenue_2q" not in text


def test_the_whole_arm_is_the_partner_times_its_partners(told: PilotStory) -> None:
    row = told.row("revenue_2q", "mdf")
    assert row is not None
    total = words.figure(row["estimate"] * row["arm_units"], "USD", signed=True)
    assert f"Over all {row['arm_units']:,} partners of the arm: {total}" in words.whole_arm(told, "mdf")


def test_money_shows_return_and_payback_and_what_may_be_told_outside(told: PilotStory, page: str) -> None:
    text = _text(page)
    for title in ("Incremental revenue", "Incremental margin", "Cost", "Return on cost", "Payback"):
        assert title in text
    assert told.analysis.money[0].published in text
    assert published_text(told).startswith("MDF budget: In a randomised pilot with ")


def test_a_small_arm_publishes_no_figure() -> None:
    frame, _ = partners(count=24)
    small = replace(story(), analysis=analysis_record(frame))
    assert published_text(small).count("no figure is published") == 2


def test_no_partner_is_named_on_the_page(page: str) -> None:
    assert re.findall(r"\bp\d{4}\b", page) == []


def test_a_failed_gate_leaves_no_figure_anywhere(told: PilotStory) -> None:
    frame, _ = partners()
    keep = (frame["arm"] != "mdf") | (frame["partner_id"].str[-1].astype(int) < 4)
    broken = replace(told, analysis=analysis_record(frame[keep]), earlier=())
    text = _text(pilot_page(broken, ()))
    assert "MDF budget: No verdict" in text
    assert "Not as drawn" in text
    assert "No figure: the arms are not of the sizes drawn" in text
    assert not re.findall(r"[+\N{MINUS SIGN}]\d[\d,.]* USD", text)


def test_a_pilot_that_still_runs_says_so(told: PilotStory) -> None:
    text = _text(pilot_page(replace(told, analysis=told.earlier[0], earlier=()), ()))
    assert "(the pilot still runs)" in text
    assert "The stop rule says: go on. No harm is shown." in text
    assert "A look before the end with 50.0 % of its time in" in text


def test_a_story_of_the_reading_alone_is_told_without_the_rest(told: PilotStory) -> None:
    text = _text(pilot_page(PilotStory(told.analysis.model_copy(update={"money": (), "look": None})), ()))
    assert "What it cost and brought" not in text
    assert "No design is on record" in text
    assert "The balance of the draw is not on record." in text


def test_hostile_words_are_escaped_and_cut(told: PilotStory) -> None:
    hostile = "<script>alert(1)</script>" + "x" * 400
    pilot = told.pilot.model_copy(update={"title": hostile, "owner": hostile, "hypothesis": hostile})
    page = pilot_page(replace(told, analysis=told.analysis.model_copy(update={"pilot": pilot})), ())
    assert "<script" not in page
    assert "&lt;script&gt;" in page


# --- What could be wrong ----------------------------------------------------------------------------------------------


def _concern(told: PilotStory, start: str) -> Concern:
    return next(one for one in concerns(told) if one.title.startswith(start))


def test_every_doubt_is_listed_in_the_same_order(told: PilotStory) -> None:
    bare = PilotStory(told.analysis)
    assert [one.title for one in concerns(told)] == [one.title for one in concerns(bare)]
    assert len(concerns(told)) == 8


def test_a_clean_pilot_has_no_wrong_state(told: PilotStory) -> None:
    assert {one.state for one in concerns(told)} == {"fine", "look"}


def test_values_missing_in_one_arm_are_wrong_and_come_with_bounds(told: PilotStory) -> None:
    frame, _ = partners()
    lacking = (frame["arm"] == "mdf") & (frame["partner_id"].str[-1] == "3")
    unequal = analysis_record(frame.assign(revenue_2q=frame["revenue_2q"].where(~lacking)))
    found = _concern(replace(told, analysis=unequal), "Partners that left")
    assert found.state == "wrong"
    assert "At worst the effect is" in found.says


def test_partners_that_are_no_longer_known_ask_for_a_look(told: PilotStory) -> None:
    found = _concern(replace(told, analysis=told.analysis.model_copy(update={"unknown": 3})), "Partners that left")
    assert (found.state, "3 are no longer known" in found.says) == ("look", True)


@pytest.mark.parametrize(("gap", "state"), [(0.02, "fine"), (0.3, "look")])
def test_unlike_arms_are_told_with_the_column(told: PilotStory, gap: float, state: str) -> None:
    table = told.balance.assign(standardised_difference=[gap, 0.0])
    found = _concern(replace(told, tables={**told.tables, "balance": table}), "Arms unlike")
    assert found.state == state
    assert f"{gap:.2f} standard deviations, in before revenue 2q" in found.says


def test_a_balance_table_without_spread_is_no_proof_of_balance(told: PilotStory) -> None:
    table = pd.DataFrame({"column": ["tier"], "arm": ["mdf"], "standardised_difference": [float("nan")]})
    assert _concern(replace(told, tables={"balance": table}), "Arms unlike").state == "look"


@pytest.mark.parametrize(("share", "state"), [(0.95, "fine"), (0.6, "look"), (None, "look")])
def test_compliance_is_judged_by_the_least_arm(told: PilotStory, share: float | None, state: str) -> None:
    rows = (ComplianceRecord(arm="mdf", units=200, received={"mdf": 190}, share=share),)
    changed = told.analysis.model_copy(update={"compliance": rows})
    assert _concern(replace(told, analysis=changed), "Partners that did not get").state == state


def test_reading_a_pilot_without_looks_before_its_end_is_wrong(told: PilotStory) -> None:
    running = told.analysis.model_copy(update={"final": False, "look": None})
    assert _concern(replace(told, analysis=running, earlier=()), "Looking").state == "wrong"
    ended = told.analysis.model_copy(update={"look": None})
    assert _concern(replace(told, analysis=ended), "Looking").state == "look"
    assert _concern(replace(told, analysis=ended, earlier=()), "Looking").state == "fine"


def test_a_change_made_when_results_were_known_is_wrong(told: PilotStory) -> None:
    late = AMENDMENT.model_copy(update={"results_known": (date(2025, 12, 31),)})
    changed = replace(told, analysis=told.analysis.model_copy(update={"amendments": (late,)}))
    assert _concern(changed, "Changes").state == "wrong"
    assert "Results of 2025-12-31 were known." in _text(pilot_page(changed, ()))
    none = replace(told, analysis=told.analysis.model_copy(update={"amendments": ()}))
    assert _concern(none, "Changes").state == "fine"


def test_groups_that_were_drawn_whole_keep_their_partners_together(told: PilotStory) -> None:
    pilot = told.pilot.model_copy(update={"unit": "distributor_id"})
    changed = replace(told, analysis=told.analysis.model_copy(update={"pilot": pilot}))
    assert _concern(changed, "Partners that influence").state == "fine"


# --- Words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(12345.6, "USD", "12,300 USD"), (-0.4567, "", "\N{MINUS SIGN}0.457"), (None, "USD", "–"), (0.0, "USD", "0 USD"),
     (9.994, "months", "9.99 months"), (-31250.0, "USD", "\N{MINUS SIGN}31,200 USD")],
)  # fmt: skip
def test_figures_have_three_digits_and_a_unit(value: float | None, unit: str, text: str) -> None:
    assert words.figure(value, unit) == text


def test_an_interval_without_an_end_says_so() -> None:
    assert words.between(None, None, "USD") == "no end on either side"
    assert words.between(-5.0, None) == "\N{MINUS SIGN}5 to without end"
    assert words.share_between(None, 0.2) == "without end to +20.0 %"
    assert words.share_between(None, None) == "no end on either side"


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< .001"), (0.0481, ".048"), (1.0, "1.000"), (None, "–")])
def test_p_values_have_three_decimals(value: float | None, text: str) -> None:
    assert words.p_value(value) == text


def test_a_name_inside_a_longer_name_is_left_alone(told: PilotStory) -> None:
    assert told.in_words("revenue_2q and before_revenue_2q") == "Won revenue and before_revenue_2q"
    assert words.whole_share(None) == "–"
