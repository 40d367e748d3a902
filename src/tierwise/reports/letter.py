"""The letter to a partner: what may leave the house, and nothing else.

A letter is made from a page by naming every field that it takes. It never holds another partner, a score's points, a
potential, a model's factor, an internal role, or our cost; figures are shown only where they are the partner's own
figures of the metric catalog, against published criteria.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tierwise.explain.hidden import names_hidden
from tierwise.reports.letter_words import (
    CONDITION,
    CONDITIONS,
    CONDITIONS_MET,
    CORRECTIONS,
    DRAFT,
    ENOUGH,
    GREETING,
    KEEP,
    LETTERS,
    MET,
    MISSING,
    NEXT_TIER,
    NO_TIER,
    NO_WAY_FOUND,
    OUTLOOK,
    REACH,
    SIGNATURE,
    TRACKS,
    UNITS,
    Phrases,
)
from tierwise.reports.pages import render
from tierwise.reports.partner import Criterion, PartnerPage, Step

MODEL_OUTPUTS = frozenset({"potential", "potential_low", "potential_high", "headroom"})
NAME = re.compile(r"[A-Za-z_]\w*")
NUMBER = re.compile(r"\d[\d,.]*")
SAID_ALREADY = frozenset({"eligible_for_current_tier", "no_tier_history", "qualified", "below_threshold"})
"""Deciding reasons that say no more than the letter's opening."""
RISING = ("promotion_awaits_approval", "promotion_not_confirmed")
DATES: Mapping[str, str] = {
    "effective_on": "The change takes effect on",
    "notice_on": "We gave you notice on",
    "grace_until": "You keep your tier at least until",
}
MOST_CRITERIA = 12


@dataclass(frozen=True)
class Asked:
    """One published criterion: what it is about, the partner's figure, what is asked, and whether it is reached.

    The figure and what is asked are empty where they come from a score or a model.
    """

    title: str
    shown_value: str
    shown_threshold: str
    met: str
    in_words: str
    is_alternative: bool


@dataclass(frozen=True)
class Letter:
    """Everything that a letter holds.

    Attributes:
        name: The partner's name.
        partner_id: Its id.
        as_of: The day of the review.
        program: The name of the workspace.
        draft: A warning that the letter may not go out yet; empty where it may.
        subject: The heading.
        opening: The first sentence.
        sentences: The stored partner-safe sentences.
        dates: What happens when.
        tier: The tier from now on; empty where the partner leaves.
        asked: What that tier asks.
        next_tier: The tier above; empty at the top.
        next_asked: What it asks.
        tracks: Its tracks: what each is called, the tier or the move on it, and the next tier.
        units: The tier that each of its units has earned, and the next one; the one that decides first.
        unit_title: What a unit is called.
        way: The heading of the way: to keep the tier where it is at risk, else to the next one.
        way_words: What stands before the steps, or instead of them.
        steps: The way: figure, from, to.
        gains: What the next tier would bring.
        corrections: How to have a figure corrected.
        closing: The last sentence.
    """

    name: str
    partner_id: str
    as_of: date
    program: str
    draft: str
    subject: str
    opening: str
    sentences: tuple[str, ...]
    dates: tuple[tuple[str, str], ...]
    tier: str
    asked: tuple[Asked, ...]
    next_tier: str
    next_asked: tuple[Asked, ...]
    tracks: tuple[tuple[str, str, str], ...]
    units: tuple[tuple[str, str, str], ...]
    unit_title: str
    way: str
    way_words: str
    steps: tuple[Step, ...]
    gains: str
    corrections: str
    closing: str


def letter_of(
    page: PartnerPage, own_figures: Collection[str], scores: Collection[str], hidden: Collection[str] = ()
) -> Letter:
    """Take from a page what its partner may read.

    Args:
        page: The manager's page.
        own_figures: The metrics of the catalog that are not internal: figures that are the partner's own.
        scores: The policy's scores, which are not.
        hidden: What internal figures are called; no sentence and no title that holds one is taken.
    """
    at_risk = _is_at_risk(page)
    phrases, words = _phrases(page, at_risk), _words(page)
    tier = page.tier("recommended_tier")
    next_tier = "" if at_risk else page.tier("next_tier")
    public = _Public(frozenset(own_figures), frozenset(hidden))
    way = _way_to_keep(page, tier, own_figures) if at_risk else _way_up(page, next_tier, own_figures)
    return Letter(
        name=page.name,
        partner_id=page.partner_id,
        as_of=page.as_of,
        program=page.workspace,
        draft=DRAFT if _waits(page) else "",
        subject=phrases.subject.format_map(words),
        opening=phrases.opening.format_map(words),
        sentences=tuple(said for said in _safe_sentences(page, scores) if not names_hidden(said, hidden)),
        dates=tuple(
            (said, str(page.recommendation[name])) for name, said in DATES.items() if name in page.recommendation
        ),
        tier=tier,
        asked=_asked(page, tier, public),
        next_tier=next_tier,
        next_asked=_asked(page, next_tier, public),
        tracks=tuple((track.title, track.move or NO_TIER, track.next_tier) for track in page.ladders.tracks),
        units=tuple((unit.unit, unit.tier or NO_TIER, unit.next_tier) for unit in page.ladders.units[:MOST_CRITERIA]),
        unit_title=page.ladders.unit_title,
        way=way.title,
        way_words=way.words,
        steps=way.steps,
        gains=page.plans[0].gains if page.plans and next_tier else "",
        corrections=CORRECTIONS.format(day=page.as_of),
        closing=phrases.closing.format_map(words),
    )


@dataclass(frozen=True)
class _Public:
    """What may be told: the figures that are the partner's own; and the texts that may not."""

    own_figures: frozenset[str]
    hidden: frozenset[str]


@dataclass(frozen=True)
class _Way:
    title: str
    words: str
    steps: tuple[Step, ...]


def _waits(page: PartnerPage) -> bool:
    """Whether a change that the letter tells of still waits for approval, of the tier or on a track."""
    return "approval_role" in page.recommendation or any(track.approval_role for track in page.ladders.tracks)


def _is_at_risk(page: PartnerPage) -> bool:
    """Whether the partner is below the line of the tier that it keeps for now."""
    places = {tier: place for place, tier in enumerate(page.tiers)}
    kept = places.get(page.tier("recommended_tier"), -1)
    return page.action in ("watch", "hold") and places.get(page.tier("eligible_tier"), -1) < kept


def _way_to_keep(page: PartnerPage, tier: str, own_figures: Collection[str]) -> _Way:
    missed = [
        one
        for one in page.criteria
        if one.tier == tier and one.met == "false" and one.metric in own_figures and not one.is_alternative
    ]
    steps = tuple(Step(one.metric, one.title, one.shown_value, _in_words(one.shown_threshold), "") for one in missed)
    return _Way(KEEP.format(tier=tier) if steps else "", MISSING, steps)


def _in_words(threshold: str) -> str:
    return threshold.replace("≥", "at least").replace("≤", "at most")


def _way_up(page: PartnerPage, next_tier: str, own_figures: Collection[str]) -> _Way:
    if not next_tier:
        return _Way("", "", ())
    steps = page.plans[0].steps if page.plans else ()
    if not steps or any(step.metric not in own_figures for step in steps):
        return _Way(REACH.format(tier=next_tier), NO_WAY_FOUND.format(next=next_tier), ())
    return _Way(REACH.format(tier=next_tier), ENOUGH, steps)


def as_html(letter: Letter) -> str:
    """Render a letter as a page to print or to send."""
    titles = {"tracks": TRACKS, "units": UNITS.format(unit=letter.unit_title.lower())}
    return render("letter.html", letter=letter, greeting=GREETING, signature=SIGNATURE, titles=titles)


def as_text(letter: Letter) -> str:
    """Give a letter as plain text, for a terminal or an e-mail."""
    asked = [f"  {one.title}: {_said(one)}" for one in letter.next_asked]
    parts = [
        letter.draft,
        f"{letter.name}, {letter.as_of}\n{letter.subject}",
        f"{GREETING}\n{letter.opening}",
        "\n".join(letter.sentences),
        "\n".join(f"{words} {day}." for words, day in letter.dates),
        "\n".join([f"What {letter.next_tier} asks:", *asked]) if asked else "",
        _ladder_text(TRACKS, letter.tracks),
        _ladder_text(UNITS.format(unit=letter.unit_title.lower()), letter.units),
        _way_text(letter),
        f"{letter.corrections}\n{letter.closing}",
        SIGNATURE,
    ]
    return "\n\n".join(part for part in parts if part)


def as_payload(letter: Letter) -> dict[str, Any]:
    """Give a letter as plain values, for JSON."""
    return {**asdict(letter), "as_of": letter.as_of.isoformat()}


def _ladder_text(title: str, rows: Sequence[tuple[str, str, str]]) -> str:
    lines = [f"  {name}: {tier}{NEXT_TIER.format(tier=above) if above else ''}" for name, tier, above in rows]
    return "\n".join([f"{title}:", *lines]) if lines else ""


def _way_text(letter: Letter) -> str:
    steps = [f"  {step.title}: from {step.start} to {step.goal}" for step in letter.steps]
    return "\n".join([f"{letter.way}. {letter.way_words}", *steps]) if letter.way else ""


def _said(asked: Asked) -> str:
    figures = f"{asked.shown_value}, asked {asked.shown_threshold}; " if asked.shown_threshold else ""
    return f"{figures}{asked.in_words}"


def _phrases(page: PartnerPage, at_risk: bool) -> Phrases:
    if not page.tier("recommended_tier"):
        return LETTERS["gone"] if page.tier("current_tier") else LETTERS["insufficient_evidence"]
    if page.action == "watch":
        rising = page.recommendation.get("reason_code") in RISING
        return LETTERS["watch_rising" if rising else "watch_falling"]
    return LETTERS["hold_falling"] if at_risk else LETTERS.get(page.action, LETTERS["hold"])


def _words(page: PartnerPage) -> dict[str, str]:
    then = page.tier("recommended_tier") or "no tier yet"
    return {"now": page.tier("current_tier") or then, "then": then, "day": page.as_of.isoformat()}


def _asked(page: PartnerPage, tier: str, public: _Public) -> tuple[Asked, ...]:
    own = [criterion for criterion in page.criteria if tier and criterion.tier == tier]
    asked = [_one_asked(criterion, public) for criterion in own[:MOST_CRITERIA]]
    nameless = [one for one in asked if one.title == CONDITION]
    together = (_together(nameless),) if len(nameless) > 1 else tuple(nameless)
    return (*(one for one in asked if one.title != CONDITION), *together)


def _together(nameless: Sequence[Asked]) -> Asked:
    """Conditions that have no public name, as one line that says how many hold."""
    reached = sum(one.met == "true" for one in nameless)
    met = "true" if reached == len(nameless) else "false"
    said = CONDITIONS_MET.format(reached=reached, all=len(nameless))
    return Asked(CONDITIONS.format(count=len(nameless)), "", "", met, said, is_alternative=False)


def _one_asked(criterion: Criterion, public: _Public) -> Asked:
    shows_figures = _names_of(criterion) <= public.own_figures and criterion.operator != "is"
    return Asked(
        title=_public_title(criterion, public),
        shown_value=criterion.shown_value if shows_figures else "",
        shown_threshold=criterion.shown_threshold if shows_figures else "",
        met=criterion.met,
        in_words=MET.get(criterion.met, criterion.met),
        is_alternative=criterion.is_alternative,
    )


def _names_of(criterion: Criterion) -> frozenset[str]:
    """The figures that a criterion rests on: one, or those of its formula or condition."""
    return frozenset(NAME.findall(criterion.metric))


def _public_title(criterion: Criterion, public: _Public) -> str:
    """What a criterion is called outside the house.

    A condition or a formula is worded only where all its figures are the partner's own, unless the policy gives it a
    title; bare SQL is never shown.
    """
    names = _names_of(criterion)
    if names & MODEL_OUTPUTS:
        return OUTLOOK
    is_bare = criterion.operator == "is" and any(sign in criterion.title for sign in "=<>'")
    is_inside = bool(criterion.written) and not criterion.is_named and not names <= public.own_figures
    return CONDITION if is_bare or is_inside or names_hidden(criterion.title, public.hidden) else criterion.title


def _safe_sentences(page: PartnerPage, scores: Collection[str]) -> Iterator[str]:
    """The stored partner-safe sentences; one that still holds an internal title or number is dropped."""
    titles = {criterion.title.lower() for criterion in page.criteria if _names_of(criterion) & MODEL_OUTPUTS}
    numbers = set(_internal_numbers(page, scores))
    for reason in page.reasons:
        if reason.code in SAID_ALREADY:
            continue
        said = reason.partner_safe.lower()
        if any(title in said for title in titles) or numbers & set(_numbers_in(said)):
            continue
        yield reason.partner_safe


def _internal_numbers(page: PartnerPage, scores: Collection[str]) -> Iterator[str]:
    """Every internal figure of the page as people would read it."""
    potential = page.potential
    shown = [potential.shown, potential.shown_interval, potential.shown_headroom]
    inside = [one for one in page.criteria if _names_of(one) & (MODEL_OUTPUTS | set(scores))]
    shown += [text for one in inside for text in (one.shown_value, one.shown_margin)]
    shown += [f"{score.total:.1f}" for score in page.scores]
    for text in shown:
        yield from _numbers_in(text)


def _numbers_in(text: str) -> Iterator[str]:
    return (found.rstrip(".,") for found in NUMBER.findall(text))
