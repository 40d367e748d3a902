"""The words around stored sentences: every action has its own, every placeholder is filled, no move is invented."""

from __future__ import annotations

import string

import pytest

from tierwise.reports.letter_words import CORRECTIONS, KEEP, LETTERS, MET, NO_WAY_FOUND, REACH
from tierwise.reports.partner_text import points
from tierwise.reports.partner_words import _BY_REASON, ACTION_WORDS, SHAPES, action_words, move_words, next_step


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ("growth", "strategic", "growth -> strategic"), ("growth", "growth", "growth"), (None, "entry", "entry"),
        ("", "entry", "entry"),
    ],
)  # fmt: skip
def test_a_move_is_told_with_two_tiers_only_where_there_are_two(now: str | None, then: str, said: str) -> None:
    assert move_words({"current_tier": now, "recommended_tier": then}) == said


def test_a_partner_that_leaves_moves_to_no_tier() -> None:
    assert move_words({"current_tier": "growth"}) == "growth -> no tier"
    assert move_words({}) == "no tier"


@pytest.mark.parametrize("action", ["promote", "demote", "place"])
def test_a_move_says_when_it_takes_effect(action: str) -> None:
    assert next_step({"action": action, "effective_on": "2026-10-01"}).endswith(" Takes effect on 2026-10-01.")


@pytest.mark.parametrize("action", ["hold", "watch", "insufficient_evidence"])
def test_where_nothing_moves_no_day_is_given(action: str) -> None:
    assert "2026-10-01" not in next_step({"action": action, "effective_on": "2026-10-01"})


@pytest.mark.parametrize("reason", sorted(_BY_REASON))
def test_a_deciding_reason_replaces_the_usual_step(reason: str) -> None:
    for action in ACTION_WORDS:
        assert next_step({"action": action, "reason_code": reason}) == _BY_REASON[reason]


def test_a_reason_without_words_of_its_own_leaves_the_usual_step() -> None:
    assert next_step({"action": "promote", "reason_code": "x"}) == next_step({"action": "promote"})


def test_every_action_has_a_word_and_a_shape_and_an_unknown_one_is_readable() -> None:
    assert set(ACTION_WORDS) == set(SHAPES)
    assert len(set(ACTION_WORDS.values())) == len(ACTION_WORDS)
    assert action_words("wait_and_see") == "wait and see"


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("case", sorted(LETTERS))
def test_a_letters_words_ask_only_for_what_is_filled_in(case: str) -> None:
    phrases = LETTERS[case]
    assert _fields(phrases.subject) | _fields(phrases.opening) | _fields(phrases.closing) <= {"now", "then", "day"}
    assert phrases.opening.endswith(".")
    assert phrases.closing.endswith(".")
    assert not phrases.subject.endswith(".")


def test_every_action_but_the_watch_has_its_letter_and_the_watch_has_two() -> None:
    assert set(ACTION_WORDS) - set(LETTERS) == {"watch"}
    assert {"watch_rising", "watch_falling"} < set(LETTERS)
    assert len({phrases.opening for phrases in LETTERS.values()}) == len(LETTERS)


def test_a_letter_that_lowers_a_tier_asks_for_a_correction_of_wrong_figures() -> None:
    for case in ("demote", "watch_falling", "gone"):
        assert "wrong" in LETTERS[case].closing


def test_the_other_sentences_take_what_they_are_given() -> None:
    assert [_fields(text) for text in (CORRECTIONS, NO_WAY_FOUND, KEEP, REACH)] == [
        {"day"}, {"next"}, {"tier"}, {"tier"},
    ]  # fmt: skip
    assert len(set(MET.values())) == 3


@pytest.mark.parametrize(("value", "shown"), [(None, "-"), (0.0, "0.0"), (61.04, "61.0"), (100, "100.0")])
def test_unknown_points_are_a_dash_and_none_are_a_zero(value: float | None, shown: str) -> None:
    assert points(value) == shown
