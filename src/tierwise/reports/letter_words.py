"""What a letter says around the stored partner-safe sentences. English; a translation is one more file like this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """How a letter begins, what its heading is and how it ends; `{now}`, `{then}` and `{day}` are filled in."""

    subject: str
    opening: str
    closing: str


LETTERS: Mapping[str, Phrases] = {
    "place": Phrases(
        "Welcome: your tier is {then}",
        "Thank you for joining our partner program. Your first tier is {then}.",
        "We look forward to working with you.",
    ),
    "promote": Phrases(
        "Your tier rises to {then}",
        "Congratulations: your tier in our partner program rises from {now} to {then}. You have earned it.",
        "Thank you for the work behind it. Your partner manager will call you about what comes with the new tier.",
    ),
    "demote": Phrases(
        "Your tier changes to {then}",
        "Your tier in our partner program changes from {now} to {then}. We know that this matters to you, so below is "
        "exactly what it rests on, and the way back.",
        "We value working with you and want to see you back. Please call your partner manager: if a figure is wrong, "
        "we correct it; if it is right, we plan the way up together.",
    ),
    "hold": Phrases(
        "Your tier stays {then}",
        "Thank you for working with us. At this review your tier stays {then}.",
        "Your partner manager is glad to go through this with you.",
    ),
    "insufficient_evidence": Phrases(
        "Your tier stays {then}",
        "Thank you for working with us. There has been too little activity to look at your tier anew, so it stays "
        "{then}.",
        "Your partner manager is glad to help you get going.",
    ),
    "watch_rising": Phrases(
        "A higher tier is within reach",
        "Thank you for working with us. Your tier is {then} for now, and you are on the way up.",
        "Keep it up; your partner manager will tell you as soon as it is decided.",
    ),
    "watch_falling": Phrases(
        "Please read: your tier {now} is at risk",
        "Your tier is still {now}. We write early, because it would change if nothing else does, and there is time to "
        "act.",
        "Please call your partner manager soon: if a figure is wrong, we correct it; if it is right, we plan together "
        "how to keep your tier.",
    ),
    "hold_falling": Phrases(
        "Your tier stays {then}, for now",
        "Thank you for working with us. At this review your tier stays {then}, although you are below what it asks. We "
        "write early, so that there is time to act.",
        "Your partner manager is glad to plan with you how to keep your tier.",
    ),
    "gone": Phrases(
        "Your place in our partner program",
        "By the rules of our partner program your tier {now} ends with this review.",
        "Please call your partner manager if you want to take part again, or if a figure is wrong.",
    ),
}
DRAFT = "Draft: this change waits for approval. Send the letter only once it is given."
CORRECTIONS = "The figures are those that we held on {day}. If one looks wrong to you, tell us, and we will check it."
NO_WAY_FOUND = "We would like to plan the way to {next} with you: please ask your partner manager for a talk."
OUTLOOK = "Our outlook for your business"
CONDITION = "A condition of the program"
CONDITIONS, CONDITIONS_MET = "{count} conditions of the program", "{reached} of {all} reached"
TRACKS, UNITS = "Your tracks", "Your tier by {unit}"
NO_TIER, NEXT_TIER = "no tier yet", "; the next one is {tier}"
KEEP, REACH = "To keep {tier}", "The way to {tier}"
ENOUGH = "One way that, by the figures of today, would be enough:"
MISSING = "By the figures of today, this is what is missing:"
GREETING = "Dear partner team,"
SIGNATURE = "Your partner program team"
MET: Mapping[str, str] = {"true": "reached", "false": "not yet", "unknown": "we lack this figure"}
