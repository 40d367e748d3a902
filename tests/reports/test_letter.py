"""A letter holds what its partner may read and nothing else: no other partner, no internal number, no weight."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.pages.written_review import HOSTILE
from tests.reports.partner_example import LADDERS, PAGE
from tierwise.reports.letter import as_html, as_payload, as_text, letter_of
from tierwise.reports.letter_words import CONDITION, LETTERS, OUTLOOK
from tierwise.reports.partner import Criterion, PartnerPage, Potential, Reason

OWN, SCORES = ("revenue_4q", "certified"), ("value",)


def _letter(page: PartnerPage = PAGE) -> str:
    """Everything that a letter shows, in all its forms."""
    letter = letter_of(page, OWN, SCORES)
    return as_html(letter) + as_text(letter) + str(as_payload(letter))


def _internal(metric: str, title: str) -> Criterion:
    return Criterion(
        "strategic", metric, title, metric, ">=", 31_415.0, 27_182.0, 4_233.0, "true", False, "USD 31.4 k",
        "≥ USD 27.2 k", "+USD 4,233",
    )  # fmt: skip


def test_the_partners_own_figures_stand_against_the_published_criteria() -> None:
    text = as_text(letter_of(PAGE, OWN, SCORES))
    assert "Won revenue: USD 62 k, asked ≥ USD 420 k; not yet" in text
    assert "People certified: from 4 people to 6 people" in text
    assert "Your sales grew." in text
    assert "You keep your tier growth." not in text, "the opening has said so"


@pytest.mark.parametrize(
    "metric", ["potential", "potential_low", "potential_high", "headroom", "value", "secret_index"]
)
def test_a_figure_of_the_model_or_a_score_is_never_a_number(metric: str) -> None:
    page = replace(PAGE, criteria=(*PAGE.criteria, _internal(metric, "Inner figure")))
    said = _letter(page)
    assert "31" not in re.sub(r"#\w+|2026-12-31", "", said.split("<body>")[1])
    assert "27.2" not in said
    assert (
        OUTLOOK if metric in ("potential", "potential_low", "potential_high", "headroom") else "Inner figure"
    ) in said


@pytest.mark.parametrize(
    "sentence",
    [
        "Our outlook for you is USD 412 k.", "It lies between USD 300 k and more.", "You have 61.0 points.",
        "Closest: cautious outlook USD 31.4 k.", "Headroom USD 90 k is left.",
    ],
)  # fmt: skip
def test_a_stored_sentence_that_holds_an_internal_figure_is_dropped(sentence: str) -> None:
    reasons = (PAGE.reasons[0], Reason(2, "code", "For the manager.", sentence))
    page = replace(PAGE, reasons=reasons, criteria=(*PAGE.criteria, _internal("potential_low", "Cautious outlook")))
    letter = letter_of(page, OWN, SCORES)
    assert letter.sentences == ()


def test_an_internal_figure_is_neither_named_nor_shown() -> None:
    reasons = (PAGE.reasons[0], Reason(2, "code", "For the manager.", "Your churn risk is high."))
    page = replace(PAGE, reasons=reasons, criteria=(*PAGE.criteria, _internal("churn_risk", "Churn risk")))
    letter = letter_of(page, OWN, SCORES, {"churn risk"})
    said = as_html(letter) + as_text(letter) + str(as_payload(letter))
    assert "hurn risk" not in said
    assert "27.2" not in said
    assert CONDITION in said


def test_a_way_up_with_a_step_that_may_not_be_told_is_left_out_as_a_whole() -> None:
    told = letter_of(PAGE, OWN, SCORES)
    assert told.steps
    letter = letter_of(PAGE, [name for name in OWN if name != told.steps[0].metric], SCORES)
    assert letter.steps == ()
    assert "ask your partner manager" in letter.way_words


@pytest.mark.parametrize(
    ("metric", "title"),
    [
        ("certified, revenue_4q", "Certified people is at least 2 people"),
        ("certified, status", CONDITION),
        ("potential, certified", OUTLOOK),
        ("revenue_4q + certified", "Certified people is at least 2 people"),
        ("revenue_4q + headroom", OUTLOOK),
    ],
)
def test_a_condition_in_words_is_shown_where_all_its_figures_are_the_partners_own(metric: str, title: str) -> None:
    words = "Certified people is at least 2 people"
    criterion = replace(PAGE.criteria[0], title=words, metric=metric, operator="is", written="certified >= 2")
    letter = letter_of(replace(PAGE, criteria=(criterion,)), OWN, SCORES)
    assert [asked.title for asked in (*letter.asked, *letter.next_asked)] == [title]


def test_a_condition_that_the_policy_names_keeps_its_name() -> None:
    named = replace(
        PAGE.criteria[0], title="In the program", metric="status", written="status <> 'left'", is_named=True
    )
    letter = letter_of(replace(PAGE, criteria=(named, replace(named, met="false"))), OWN, SCORES)
    assert [asked.title for asked in letter.asked] == ["In the program"] * 2


def test_conditions_without_a_public_name_are_one_line() -> None:
    inner = replace(PAGE.criteria[0], metric="status", title="Status is not left", written="status <> 'left'")
    page = replace(PAGE, criteria=(inner, PAGE.criteria[1], replace(inner, met="false"), replace(inner, met="unknown")))
    (own, nameless) = letter_of(page, OWN, SCORES).asked
    assert own.title == "Won revenue"
    assert (nameless.title, nameless.met) == ("3 conditions of the program", "false")
    assert nameless.in_words == "1 of 3 reached"


def test_a_partner_reads_its_tier_on_every_track_and_in_every_unit() -> None:
    letter = letter_of(replace(PAGE, ladders=LADDERS), OWN, SCORES)
    assert letter.tracks == (("Cloud skills", "none → skilled", ""), ("Reach <b>", "broad", "very broad"))
    text = as_text(letter)
    assert "Your tracks:\n  Cloud skills: none → skilled\n  Reach <b>: broad; the next one is very broad" in text
    assert "Your tier by country:\n  Germany: growth; the next one is strategic\n  (none): no tier yet" in text
    said = as_html(letter)
    assert "Reach &lt;b&gt;" in said
    assert "skills-board" not in said + text


def test_a_move_on_a_track_that_waits_for_approval_makes_a_draft() -> None:
    free = {name: value for name, value in PAGE.recommendation.items() if name != "approval_role"}
    assert letter_of(replace(PAGE, recommendation=free, ladders=LADDERS), OWN, SCORES).draft


def _other_insides(page: PartnerPage) -> PartnerPage:
    """The same partner with everything else inside the house changed."""
    return replace(
        page,
        recommendation=page.recommendation | {"potential": 1.0, "approval_role": "somebody else", "headroom": 3.0},
        profile=(("Partner manager", "Ada"),),
        headline="other",
        next_step="other",
        reasons=tuple(replace(reason, sentence="other") for reason in page.reasons),
        scores=(),
        potential=Potential(9.9, 8.8, 7.7, 6.6, "other", "EUR 9.9", "8.8 to 7.7", "6.6", "other", "5.5", "other"),
        comparisons=(),
        changes=(),
        moved=(),
        peers=(),
        plans=tuple(replace(plan, costs="other", robustness=0.1, sentence="other") for plan in page.plans),
        notes=("other",),
        versions=(("Model", "9"),),
    )


def test_whatever_is_inside_the_house_changes_no_byte_of_a_letter() -> None:
    assert _letter(_other_insides(PAGE)) == _letter(PAGE)


def test_no_peer_no_manager_no_cost_and_no_role_is_in_a_letter() -> None:
    said = _letter()
    for secret in ("Oak Ltd", "P2", "partner-ops", "USD 12 k", "for the manager", "0.875", "fingerprint", "run-1"):
        assert secret not in said, secret


def test_a_change_that_waits_for_approval_is_a_draft() -> None:
    assert "Draft" in _letter()
    free = {name: value for name, value in PAGE.recommendation.items() if name != "approval_role"}
    assert "Draft" not in _letter(replace(PAGE, recommendation=free))


def _page(action: str, **tiers: str) -> PartnerPage:
    known = {"partner_id": "P1", "action": action, "current_tier": "growth", "recommended_tier": "growth"}
    return replace(PAGE, recommendation={**known, "eligible_tier": "growth", **tiers})


@pytest.mark.parametrize(
    ("page", "subject"),
    [
        (_page("promote", current_tier="entry"), "promote"),
        (_page("demote", recommended_tier="entry", next_tier="growth"), "demote"),
        (_page("hold", next_tier="strategic"), "hold"),
        (_page("hold", eligible_tier="entry", next_tier="strategic"), "hold_falling"),
        (_page("watch", eligible_tier="entry", reason_code="in_grace", grace_until="2026-12-29"), "watch_falling"),
        (_page("watch", reason_code="promotion_not_confirmed"), "watch_rising"),
        (_page("insufficient_evidence"), "insufficient_evidence"),
        (_page("place", current_tier=""), "place"),
        (_page("demote", recommended_tier=""), "gone"),
    ],
)  # fmt: skip
def test_every_case_has_its_own_words(page: PartnerPage, subject: str) -> None:
    letter = letter_of(page, OWN, SCORES)
    words = {"now": page.tier("current_tier") or letter.tier, "then": letter.tier, "day": "2026-09-30"}
    assert letter.subject == LETTERS[subject].subject.format_map(words)
    assert letter.closing
    assert "{" not in as_text(letter)


def test_a_partner_at_risk_is_warned_with_the_day_and_shown_what_is_missing() -> None:
    page = replace(
        _page("watch", eligible_tier="entry", reason_code="in_grace", grace_until="2026-12-29", next_tier="strategic"),
        criteria=(replace(PAGE.criteria[1], met="false"), *PAGE.criteria[2:]),
    )
    text = as_text(letter_of(page, OWN, SCORES))
    assert "at risk" in text
    assert "You keep your tier at least until 2026-12-29." in text
    assert "To keep growth" in text
    assert "strategic" not in text


def test_a_demoted_partner_is_offered_the_way_back() -> None:
    page = _page("demote", recommended_tier="entry", next_tier="growth")
    text = as_text(letter_of(replace(page, plans=()), OWN, SCORES))
    assert "We would like to plan the way to growth with you" in text


def test_a_bare_condition_is_not_shown_as_code() -> None:
    criterion = replace(PAGE.criteria[0], title="status <> 'left'", metric="status")
    said = _letter(replace(PAGE, criteria=(criterion,)))
    assert "status" not in said
    assert "A condition of the program" in said


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    html = as_html(letter_of(replace(PAGE, name=name), OWN, SCORES))
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("<h1>") == 1
