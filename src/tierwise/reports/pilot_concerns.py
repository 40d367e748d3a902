"""What could be wrong with a reading of a pilot: each doubt with what was found, and whether it weighs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tierwise.reports.pages import count, percent
from tierwise.reports.pilot_plots import WORTH_A_LOOK
from tierwise.reports.pilot_story import PilotStory, Row

State = Literal["fine", "look", "wrong"]
STATE_WORDS = {"fine": "✓ fine", "look": "! have a look", "wrong": "✕ wrong"}
# Below this p-value the arms differ in who has no value or who left.
_UNEQUAL = 0.05
_HIGH_COMPLIANCE = 0.9


@dataclass(frozen=True)
class Concern:
    """One doubt.

    Attributes:
        title: What might be wrong.
        state: How it stands.
        says: What was found.
    """

    title: str
    state: State
    says: str

    @property
    def word(self) -> str:
        """The state as a sign with a word, which needs no colour."""
        return STATE_WORDS[self.state]


def concerns(story: PilotStory) -> tuple[Concern, ...]:
    """List the doubts of a reading, always the same ones in the same order."""
    return tuple(_all(story))


def _all(story: PilotStory) -> Iterator[Concern]:
    yield _sample_ratio(story)
    yield _attrition(story)
    yield _imbalance(story)
    yield _compliance(story)
    yield _peeking(story)
    yield _amendments(story)
    yield _interference(story)
    yield _size(story)


def _sample_ratio(story: PilotStory) -> Concern:
    found = story.analysis.sample_ratio
    units = ", ".join(f"{story.title_of(arm)} {number:,}" for arm, number in found.observed.items())
    if found.passed:
        return Concern("Sizes of the arms", "fine", f"As drawn, within chance (p = {found.p:.3f}): {units}.")
    return Concern(
        "Sizes of the arms", "wrong",
        f"Not as drawn (p = {found.p:.1e}): {units}. Something chose who stayed in, so no figure is shown.",
    )  # fmt: skip


def _attrition(story: PilotStory) -> Concern:
    title = "Partners that left or have no value"
    rows = [row for row in story.rows() if row["role"] == "primary"]
    missing = sum(row["missing_arm_units"] for row in rows)
    unequal = [p for row in rows if (p := row["diagnostics"].get("missing_p")) is not None and p < _UNEQUAL]
    gone = count(story.analysis.left, "partner") + f" of {story.analysis.partners:,} left"
    unknown = f", {story.analysis.unknown:,} are no longer known" if story.analysis.unknown else ""
    if unequal:
        text = f"More values are missing in one arm than in the other (p = {min(unequal):.3f})."
        return Concern(title, "wrong", text + _worst_and_best(rows))
    state: State = "look" if story.analysis.unknown or missing else "fine"
    text = f"{gone}{unknown}; they are counted in the arm they were drawn into."
    lacking = f" {count(missing, 'value')} of primary metrics are missing, alike in both arms." if missing else ""
    return Concern(title, state, text + lacking)


def _worst_and_best(rows: list[Row]) -> str:
    """Lee's bounds of the first metric that has them, in words."""
    for row in rows:
        low, high = (row["diagnostics"].get(name) for name in ("bound_low", "bound_high"))
        if low is not None and high is not None:
            return f" At worst the effect is {low:,.4g}, at best {high:,.4g}."
    return ""


def _imbalance(story: PilotStory) -> Concern:
    title = "Arms unlike before the start"
    if not len(story.balance):
        return Concern(title, "look", "The balance of the draw is not on record.")
    gaps = story.balance.assign(gap=story.balance["standardised_difference"].abs()).sort_values(
        ["gap", "column"], ascending=[False, True], kind="stable"
    )
    gap, column = float(gaps["gap"].iloc[0]), str(gaps["column"].iloc[0]).replace("_", " ")
    if not np.isfinite(gap):
        return Concern(title, "look", "No column known before the start varies.")
    says = f"The largest difference is {gap:.2f} standard deviations, in {column}"
    if gap <= WORTH_A_LOOK:
        return Concern(title, "fine", f"{says}: small.")
    adjusted = "the estimate is adjusted for it" if story.pilot.covariates else "chance does that in small pilots"
    return Concern(title, "look", f"{says}; {adjusted}.")


def _compliance(story: PilotStory) -> Concern:
    title = "Partners that did not get what they were drawn for"
    known = [one for one in story.analysis.compliance if one.share is not None]
    if not known:
        return Concern(
            title, "look", "What partners really got is not recorded; the effect is that of being offered it."
        )
    shares = ", ".join(f"{story.title_of(one.arm)} {percent(one.share)}" for one in known)
    least = min(one.share or 0.0 for one in known)
    text = f"Got what was drawn: {shares}. All count in the arm they were drawn into."
    return Concern(title, "fine" if least >= _HIGH_COMPLIANCE else "look", text)


def _peeking(story: PilotStory) -> Concern:
    title = "Looking before the end"
    planned, early = len(story.pilot.looks), sum(not read.final for read in story.earlier)
    if story.analysis.look is not None:
        share = "" if story.analysis.final else f" {percent(story.analysis.look)} of the time is in."
        return Concern(
            title, "fine", f"{count(planned, 'look')} planned; intervals and p-values are valid at every look.{share}"
        )
    if not story.analysis.final:
        return Concern(title, "wrong", "The pilot still runs and plans no looks: these figures must decide nothing.")
    if early:
        text = f"The pilot plans no looks but was read {count(early, 'time')} before its end: p-values are too small."
        return Concern(title, "look", text)
    return Concern(title, "fine", "Read once, at its end, as planned.")


def _amendments(story: PilotStory) -> Concern:
    title = "Changes after the start"
    made = story.analysis.amendments
    late = [one for one in made if one.results_known]
    if late:
        return Concern(title, "wrong", f"{count(len(late), 'change')} made when results were known; see below.")
    if made:
        return Concern(
            title, "look", f"{count(len(made), 'change')} on record, before any result was known; see below."
        )
    return Concern(title, "fine", "None: the file is as it was when arms were drawn.")


def _interference(story: PilotStory) -> Concern:
    title = "Partners that influence one another"
    if story.pilot.unit != "partner":
        text = f"Whole groups were drawn ({story.pilot.unit}), so partners that share one are in one arm."
        return Concern(title, "fine", text)
    told = [note for note in _notes(story) if "groups that share" in note]
    if told:
        return Concern(title, "look", " ".join(told))
    return Concern(
        title, "look", "Partners were drawn one by one; that one's arm does not change another's outcome is assumed."
    )


def _notes(story: PilotStory) -> tuple[str, ...]:
    return () if story.assignment is None else story.assignment.notes


def _size(story: PilotStory) -> Concern:
    title = "Too small to show what matters"
    if story.design is None:
        return Concern(title, "look", "No design is on record, so nobody said what it can show.")
    weak = [plan for plan in story.design.plans if not plan.can_detect]
    if weak:
        return Concern(title, "look", " ".join(plan.sentences[0] for plan in weak if plan.sentences))
    said = [plan.sentences[0] for plan in story.design.plans if plan.sentences]
    return Concern(title, "fine", " ".join(said) or "The design reaches the power asked for.")
