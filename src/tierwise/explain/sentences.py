"""The reason catalog: every reason code with its meaning, the sentence for a manager and the one for the partner.

English. A translation is one more file like this. A placeholder in braces is filled by `tierwise.explain.reasons`;
a partner-safe sentence names no other partner, no score, weight or figure of a model, and no capacity of the company.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """A reason's meaning and its two wordings."""

    meaning: str
    manager: str
    partner_safe: str


DECIDING: dict[str, Sentence] = {
    "no_tier_history": Sentence(
        "first placement: no tier was held before",
        "First placement in {recommended}: this is what the criteria give, and no tier was held before.",
        "Your first tier is {recommended}.",
    ),
    "too_little_evidence": Sentence(
        "the evidence floor of the guardrails is not reached",
        "Too little evidence to change the tier: the guardrails ask for {evidence}. Stays in {recommended}.",
        "There is not enough activity yet to judge your tier anew; it stays {recommended}.",
    ),
    "frozen": Sentence(
        "a freeze of the policy is in force for this partner",
        "Tiers are frozen for this partner until the freeze ends; the criteria alone would give {eligible}.",
        "Tiers are not changed for you at present; yours stays {recommended}.",
    ),
    "left_program": Sentence(
        "the sunset rule: too long without qualifying",
        "Leaves the program: too long without qualifying for any tier above the lowest.",
        "You have not met the criteria for the time the policy allows; please talk to your partner manager.",
    ),
    "immediate_loss_trigger": Sentence(
        "the policy's trigger of immediate loss applies",
        "Falls to {recommended} at once: the policy's trigger of immediate loss applies.",
        "Your tier changes to {recommended}: a condition of the program no longer holds.",
    ),
    "eligible_for_current_tier": Sentence(
        "the criteria give the tier already held",
        "Stays in {recommended}: the criteria give the tier already held.",
        "You keep your tier {recommended}.",
    ),
    "inside_promotion_band": Sentence(
        "over the thresholds, but not by the promotion band",
        "Eligible for {eligible}, but not by the margin of {promotion_band} for a promotion. Stays in {recommended}.",
        "You are just over the line of {eligible}; a little more is needed to move up. Your tier stays {recommended}.",
    ),
    "inside_demotion_band": Sentence(
        "under the thresholds, but within the demotion band",
        "Just under the line of {current}, within the margin of {demotion_band}. Stays in {recommended}.",
        "You are just under the line of {current}; your tier is kept for now.",
    ),
    "tier_too_young": Sentence(
        "the current tier was given too recently to change",
        "The criteria give {eligible}, but {current} was given too recently to change. Stays in {recommended}.",
        "Your tier {recommended} is recent and is kept for now.",
    ),
    "promotion_not_confirmed": Sentence(
        "over the band, but not in enough reviews",
        "Eligible for {eligible}, to be confirmed in the next review.",
        "You qualify for {eligible}; the next review confirms it.",
    ),
    "no_promotions_on_this_day": Sentence(
        "the policy promotes on other days",
        "Eligible for {eligible}; the policy promotes on other days.",
        "You qualify for {eligible}; promotions are made at the next set date.",
    ),
    "promotion_awaits_approval": Sentence(
        "a promotion waits for approval",
        "Qualifies for {pending}; waits for approval by {approval_role}.",
        "You qualify for {pending}; the promotion waits for approval.",
    ),
    "qualified_for_more_steps": Sentence(
        "a promotion cut short by the allowed steps",
        "Rises from {current} to {recommended}; the criteria give {eligible}, the policy allows fewer steps at once.",
        "Your tier rises from {current} to {recommended}.",
    ),
    "qualified": Sentence(
        "a promotion",
        "Rises from {current} to {recommended}: meets its criteria, with the margin the policy asks for.",
        "Your tier rises from {current} to {recommended}.",
    ),
    "status_guaranteed": Sentence(
        "the tier held before this policy is guaranteed for a time",
        "Under the line of {current} by the new policy, which guarantees tiers held before for a time.",
        "Your tier {recommended} is guaranteed for a time after the change of the program.",
    ),
    "newcomer": Sentence(
        "a newcomer is not demoted",
        "Under the line of {current}, but new in the program and so protected.",
        "As a new partner you keep your tier {recommended} for now.",
    ),
    "demotion_not_confirmed": Sentence(
        "below the band, but not in enough reviews",
        "Below the line of {current}: if the next reviews find the same, the tier falls. Warn the partner now.",
        "You are below the line of {current}; if this holds at the next review your tier will change.",
    ),
    "in_grace": Sentence(
        "notice of a demotion was given, the grace still runs",
        "Below the line of {current}, confirmed; notice given, grace until {grace_until}, then {pending}.",
        "You have until {grace_until} to get back over the line of {current}; after that your tier is {pending}.",
    ),
    "no_demotions_on_this_day": Sentence(
        "the policy demotes on other days",
        "Below the line of {current}; the policy demotes on other days.",
        "You are below the line of {current}; changes are made at the next set date.",
    ),
    "demotion_awaits_approval": Sentence(
        "a demotion waits for approval",
        "Below the line of {current}; the move to {pending} waits for approval by {approval_role}.",
        "You are below the line of {current}; a change of tier is being considered.",
    ),
    "fell_more_steps": Sentence(
        "a demotion cut short by the allowed steps",
        "Falls from {current} to {recommended}; the criteria give {eligible}, the policy allows fewer steps at once.",
        "Your tier changes from {current} to {recommended}.",
    ),
    "below_threshold": Sentence(
        "a demotion",
        "Falls from {current} to {recommended}: below the line, confirmed as the policy asks.",
        "Your tier changes from {current} to {recommended}.",
    ),
    "tier_is_full": Sentence(
        "the tier's share or number is capped",
        "Qualifies for {eligible}, but that tier is full; higher-ranked partners went first.",
        "You qualify for {eligible}; places are limited at this review.",
    ),
    "higher_tier_is_full": Sentence(
        "the eligible tier is full, the one below is not",
        "Rises from {current} to {recommended}; {eligible} is full, higher-ranked partners went first.",
        "Your tier rises from {current} to {recommended}; places above are limited at this review.",
    ),
    "first_tier_is_full": Sentence(
        "first placement: the eligible tier is full",
        "First placement in {recommended}: qualifies for {eligible}, which is full; higher-ranked partners went first.",
        "Your first tier is {recommended}; places above are limited at this review.",
    ),
    "manager_has_no_capacity_yet": Sentence(
        "first placement: the partner manager has no room for another partner of the eligible tier",
        "First placement in {recommended}: qualifies for {eligible}, but partner manager {manager} has no capacity.",
        "Your first tier is {recommended}; we are making room for you above.",
    ),
    "manager_has_no_capacity": Sentence(
        "the partner manager has no room for another partner of that tier",
        "Qualifies for {eligible}, but partner manager {manager} has no capacity left.",
        "You qualify for {eligible}; we are making room for you.",
    ),
    "too_many_promotions": Sentence(
        "the cap on promotions of one review",
        "Qualifies for {eligible}, but this review's cap on promotions is reached; higher-ranked partners went first.",
        "You qualify for {eligible}; promotions are limited at this review.",
    ),
}

SUPPORTING: dict[str, Sentence] = {
    "closest_threshold": Sentence(
        "the criterion of the recommended tier that is met most narrowly",
        "The closest call for {tier} is {title}: {value} as of {as_of}, {asked} needed, {spare}.{median}",
        "The closest call for {tier} is {title}: {value} as of {as_of}, {asked} needed, {spare}.{median}",
    ),
    "missed_threshold": Sentence(
        "the criterion of the current tier that is missed most widely",
        "The widest gap to {tier} is {title}: {value} as of {as_of}, {asked} needed, {gap} short{more}.{median}",
        "The widest gap to {tier} is {title}: {value} as of {as_of}, {asked} needed, {gap} short{more}.{median}",
    ),
    "missing_for_next_tier": Sentence(
        "what the next tier asks for that is nearest to being met",
        "The nearest gap to {tier} is {title}: {value} as of {as_of}, {asked} needed, {gap} short{more}.{median}",
        "The nearest gap to {tier} is {title}: {value} as of {as_of}, {asked} needed, {gap} short{more}.{median}",
    ),
    "unknown_figure": Sentence(
        "a figure that a criterion needs is unknown",
        "Unknown for {tier}: {title} cannot be told from the data as of {as_of}; {asked} needed{more}.",
        "For {tier} we lack a figure of yours: {title}.",
    ),
    "condition_met": Sentence(
        "the recommended tier rests on conditions only; the first of them",
        "{tier} rests on a condition that holds as of {as_of}: {condition}.",
        "You meet the conditions of {tier}.",
    ),
    "condition_missed": Sentence(
        "a condition of the current tier that does not hold",
        "Missed for {tier}: a condition that does not hold as of {as_of}: {condition}{more}.",
        "A condition of {tier} does not hold at present; please talk to your partner manager.",
    ),
    "condition_missing": Sentence(
        "a condition of the next tier that does not hold",
        "Missing for {tier}: a condition that does not hold as of {as_of}: {condition}{more}.",
        "A condition of {tier} does not hold yet; please talk to your partner manager.",
    ),
    "score_parts": Sentence(
        "the parts of the score: the largest and the one with most room",
        "{score_title}: {points}; most from {best} ({best_points}), most room in {worst} ({worst_points}).",
        "What counts most for you is {best}; most room is in {worst}.",
    ),
    "score_of_one_part": Sentence(
        "a score whose points all come from, and are all missing in, the same part",
        "{score_title}: {points}; most from and most room in {best} ({best_points}).",
        "What counts most for you is {best}, and it has most room too.",
    ),
    "score_zero": Sentence(
        "no component of the score gives a point; the one with most room",
        "{score_title}: {points}; no component gives a point yet, most room in {worst} ({worst_points}).",
        "Most room is in {worst}.",
    ),
    "potential_families": Sentence(
        "the families of figures that the potential is most associated with",
        "Potential {potential} over the next {horizon}, associated with {families} against the whole channel{peers}.",
        "Our outlook for you is most associated with {family_names}.",
    ),
    "potential_unchanged": Sentence(
        "no model has proven better than the last period",
        "Potential {potential} over the next {horizon}: taken from the last period, no model has proven better.",
        "Our outlook for you is what you reached in the last period.",
    ),
    "potential_from_profile": Sentence(
        "too little history: the potential comes from the profile and the little done so far",
        "Potential {potential} over the next {horizon}, from the profile and the little history so far: a rough one.",
        "You are new, so our outlook rests on your profile and your first results.",
    ),
}

SENTENCES: dict[str, Sentence] = {**DECIDING, **SUPPORTING}

PARTNER_SAFE_OF_INTERNAL: dict[str, str] = {
    "closest_threshold": "You meet what {tier} asks of your {title}.",
    "missed_threshold": "Your {title} is below what {tier} asks.",
    "missing_for_next_tier": "For {tier}, your {title} is not there yet.",
}
"""Said instead where the criterion is about a score or what a model says, whose values are not told to partners."""

NAMELESS: dict[str, str] = {
    "closest_threshold": "You meet what the tier asks.",
    "missed_threshold": "You are below what your tier asks; please talk to your partner manager.",
    "missing_for_next_tier": "For the next tier something is not there yet; please talk to your partner manager.",
    "unknown_figure": "We lack a figure of yours; please talk to your partner manager.",
    "plan": "There is a way to the next tier; please ask your partner manager for it.",
}
"""Said instead where a sentence for the partner would name a figure that stays in the house."""
NAMELESS_OTHERWISE = "Your partner manager is glad to go through the details with you."

PHRASES: dict[str, str] = {
    "and": " and ",
    ">=": "at least {}",
    ">": "more than {}",
    "<=": "at most {}",
    "<": "less than {}",
    "=": "exactly {}",
    "<>": "other than {}",
    "no_tier": "no tier",
    "not_said": "-",
    "one_more": ", one more criterion is missing too",
    "many_more": ", {} more criteria are missing too",
    "median_in_group": " Median of {tier} partners in {group}: {median}.",
    "median_in_tier": " Median of {tier} partners: {median}.",
    "points": "{points} of {most}",
    "family": "{family} ({factor})",
    "against_region": "; against {count} {tier} partners in {group}, with {families}",
    "against_alike": "; against {count} {tier} partners of the same archetype, with {families}",
    "against_tier": "; against {count} {tier} partners, with {families}",
    "to_spare": "{} to spare",
    "met_exactly": "met exactly",
    "floor": "at least {asked} ({title})",
    "more_activity": "more activity",
}
"""The pieces that sentences are put together from."""

CONDITIONS: dict[str, str] = {
    "and": " and ",
    "or": " or ",
    "not": "not so: {}",
    ">=": "{} is at least {}",
    ">": "{} is more than {}",
    "<=": "{} is at most {}",
    "<": "{} is less than {}",
    "=": "{} is {}",
    "<>": "{} is not {}",
    "between": "{} is between {} and {}",
    "in": "{} is {}",
    "not_in": "{} is not {}",
    "is_null": "{} is unknown",
    "is_not_null": "{} is known",
    "holds": "{} holds",
    "holds_not": "{} does not hold",
    "+": "{} plus {}",
    "-": "{} minus {}",
    "*": "{} times {}",
    "/": "{} divided by {}",
    "least": "the least of {}",
    "greatest": "the greatest of {}",
    "coalesce": "{} (if unknown: {})",
}
"""How a condition or a formula of a policy is said; what these words do not cover is shown as it is written."""
