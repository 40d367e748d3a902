"""What the pages say around the stored sentences. English; a translation is one more file like this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACTION_WORDS: Mapping[str, str] = {
    "place": "First placement",
    "promote": "Promote",
    "demote": "Demote",
    "hold": "Hold",
    "watch": "Watch",
    "insufficient_evidence": "Not enough evidence",
}
MEANINGS: Mapping[str, str] = {
    "place": "gets its first tier",
    "promote": "rises to a higher tier",
    "demote": "falls to a lower tier",
    "hold": "keeps its tier",
    "watch": "keeps its tier for now; warn or encourage it",
    "insufficient_evidence": "too little activity to judge; keeps its tier",
}
SHAPES: Mapping[str, str] = {
    "place": "●",
    "promote": "▲",
    "demote": "▼",
    "hold": "■",
    "watch": "◆",
    "insufficient_evidence": "○",
}
SOURCES: Mapping[str, str] = {
    "model": "from the potential model",
    "persistence": "taken from the last period, because no model has proven better",
    "cold_start": "from the profile alone, because there is too little history",
}
BASELINES: Mapping[str, str] = {"channel": "the whole channel", "peers": "the next tier's peers"}
NO_PLAN = "no plan was found that reaches the next tier by the figures a partner can raise."
ARCHETYPE_NOTES: Mapping[str, str] = {
    "tentative": "The archetype is tentative: bootstrap samples do not always find it again.",
    "unstable": "No archetype is told: bootstrap samples do not find the groups again.",
    "too_few_partners": "No archetype is told: there are too few partners to look for groups.",
    "no_usable_features": "No archetype is told: no figure varies between partners.",
    "one_blob": "No archetype is told: the partners do not fall into groups.",
    "tiny_clusters": "No archetype is told: every way to group the partners leaves a group that is too small.",
}
NOT_SPLIT: Mapping[str, str] = {"split": ""}

LADDER_DATES: Mapping[str, str] = {
    "effective_on": "from",
    "notice_on": "notice given on",
    "grace_until": "kept at least until",
}

_NEXT: Mapping[str, str] = {
    "place": "Tell the partner its first tier and what the next one asks.",
    "promote": "Tell the partner.",
    "demote": "Talk to the partner before it hears otherwise, and show the way back up.",
    "hold": "Nothing to decide.",
    "watch": "Talk to the partner before the next review.",
    "insufficient_evidence": "Nothing to decide: wait for more activity; no figure is made up.",
}
_BY_REASON: Mapping[str, str] = {
    "demotion_not_confirmed": "Warn the partner now: one more review below the line would lower the tier.",
    "in_grace": "Warn the partner now: the tier falls when the grace ends, unless it is back over the line.",
    "demotion_awaits_approval": "Decide on the demotion, and talk to the partner first.",
    "promotion_awaits_approval": "Decide on the promotion.",
    "promotion_not_confirmed": "Tell the partner to keep it up: the next review confirms the promotion.",
    "inside_demotion_band": "Point the partner to what is missing: it is below the line, but inside the margin.",
    "inside_promotion_band": "Nothing to decide; a little more makes the next tier lasting.",
    "tier_is_full": "Nothing to decide: the next tier is full at this review.",
    "manager_has_no_capacity": "Make room, or agree on another partner manager.",
}


def next_step(recommendation: Mapping[str, Any]) -> str:
    """What a manager does about a recommendation, in one or two short sentences."""
    usual = _NEXT.get(str(recommendation["action"]), "Look at the reasons.")
    step = _BY_REASON.get(str(recommendation.get("reason_code", "")), usual)
    role, day = recommendation.get("approval_role"), recommendation.get("effective_on")
    approval = f"Needs approval by {role}. " if role else ""
    effect = f" Takes effect on {day}." if day and recommendation["action"] in ("promote", "demote", "place") else ""
    return f"{approval}{step}{effect}"


def move_words(recommendation: Mapping[str, Any]) -> str:
    """The move as people say it: `growth to strategic`, or the tier alone where nothing moves."""
    now, then = recommendation.get("current_tier"), recommendation.get("recommended_tier", "no tier")
    return f"{now} -> {then}" if now and now != then else str(then)


def action_words(action: str) -> str:
    """An action as a person says it."""
    return ACTION_WORDS.get(action, action.replace("_", " "))


def archetype_note(status: str) -> str:
    """What to know about a partner's archetype, by its status."""
    return ARCHETYPE_NOTES.get(status, f"The archetype is {status.replace('_', ' ')}.")
