"""What is said about plans, and about having none: each code with its meaning and both wordings.

English, beside the reasons in `sentences`; a translation is one more file like each. No wording promises a tier: a plan
says what would meet today's criteria, and until when it stands. A partner-safe sentence names no other partner.
"""

from __future__ import annotations

from tierwise.explain.sentences import Sentence

PLAN = "plan"

PLAN_SENTENCES: dict[str, Sentence] = {
    PLAN: Sentence(
        "a plan that would meet today's criteria",
        "Would meet today's criteria of {tier} with {steps}: about {effort} of work at the pace of comparable partners,"
        " by {by_when} at the earliest{robustness}.",
        "With {steps} you would meet today's criteria of {tier}, by {by_when} at the earliest. This is no promise of a"
        " tier: it stands until {expires_on} and is worked out anew at every review.",
    ),
    "criteria_met_already": Sentence(
        "the criteria are met, with the margin of a promotion; the movement rules or guardrails decide when",
        "Already meets today's criteria of {tier} with the margin of a promotion; the movement rules and guardrails"
        " decide when it counts.",
        "You already meet today's criteria of {tier}; the rules of the program say when that counts.",
    ),
    "no_realistic_plan": Sentence(
        "further away than comparable partners ever came within the quarters looked at",
        "No realistic plan to {tier} within {quarters} quarters: it would take more than comparable partners achieved.",
        "We see no realistic way to {tier} within {quarters} quarters yet; your partner manager can say what helps.",
    ),
    "not_by_these_figures": Sentence(
        "something is missing that no actionable figure can make good: a condition, an invitation, another figure",
        "No plan to {tier}: what is missing cannot be made good by the figures that a partner can move ({levers}).",
        "For {tier} something is missing that these figures do not make good; please talk to your partner manager.",
    ),
    "no_robust_plan": Sentence(
        "plans hold by the model in force, but not by models trained again on drawn partners",
        "No plan to {tier} that can be relied on: those found hold by the model in force only.",
        "We see no way to {tier} yet that we could rely on; your partner manager can say what helps most.",
    ),
    "no_actionable_metric": Sentence(
        "the metric catalog marks no figure as actionable with a direction",
        "No plan to {tier}: the metric catalog marks no figure that a partner can move.",
        "For a way to {tier} please talk to your partner manager.",
    ),
    "policy_places_units": Sentence(
        "the policy places units of a partner one by one, for which no plans are made",
        "No plan to {tier}: the policy places each unit of a partner, and plans are made for whole partners only.",
        "For a way to {tier} please talk to your partner manager.",
    ),
}
