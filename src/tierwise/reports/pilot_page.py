"""The page of a pilot, for whoever decides about the money: the answer first, what could be wrong, how it was made."""

from __future__ import annotations

from dataclasses import dataclass

from tierwise.pilots.results import ASSUMPTIONS
from tierwise.reports import pilot_words
from tierwise.reports.pages import render, source
from tierwise.reports.pilot_concerns import Concern, concerns
from tierwise.reports.pilot_plots import pilot_plots
from tierwise.reports.pilot_story import PilotStory, Row
from tierwise.reports.plots_canvas import Plot


@dataclass(frozen=True)
class PilotPage:
    """What the template shows beside the records themselves.

    Attributes:
        story: The reading.
        concerns: What could be wrong.
        plots: The pictures by the start of their names.
        primary: The rows of the primary metrics.
        guardrails: Those of the guardrails.
        exploratory: Those that only suggest.
        by_archetype: The rows by archetype.
        assumptions: What the rows assume, in words.
    """

    story: PilotStory
    concerns: tuple[Concern, ...]
    plots: tuple[Plot, ...]
    primary: tuple[Row, ...]
    guardrails: tuple[Row, ...]
    exploratory: tuple[Row, ...]
    by_archetype: tuple[Row, ...]
    assumptions: tuple[str, ...]

    def drawn(self, start: str) -> tuple[Plot, ...]:
        """The pictures whose name starts so."""
        return tuple(plot for plot in self.plots if plot.name.startswith(start))

    @property
    def stands(self) -> str:
        """Where the pilot stands."""
        analysis = self.story.analysis
        if analysis.final:
            return f"Final reading; outcomes count until {analysis.until}."
        in_time = (
            "" if analysis.look is None else f" with {pilot_words.share(analysis.look, signed=False)} of its time in"
        )
        return f"A look before the end{in_time}; outcomes count until {analysis.until}."


def pilot_page(story: PilotStory, plots: tuple[Plot, ...] | None = None) -> str:
    """Render the page of a reading: one file that needs no network and no script.

    Args:
        story: The reading.
        plots: Its pictures, where they are drawn already.
    """
    rows = tuple(story.rows())
    held = {code for row in rows for code in row["assumptions"]}
    page = PilotPage(
        story=story,
        concerns=concerns(story),
        plots=pilot_plots(story) if plots is None else plots,
        primary=_of(rows, "primary"),
        guardrails=_of(rows, "guardrail"),
        exploratory=_of(rows, "exploratory"),
        by_archetype=tuple(story.rows(archetypes=True)),
        assumptions=tuple(text for code, text in ASSUMPTIONS.items() if code in held),
    )
    return render("pilot.html", page=page, words=pilot_words, style=source("page.css") + source("pilot.css"))


def published_text(story: PilotStory) -> str:
    """What may be told outside about the return of every arm: rounded, nobody named, small arms silent."""
    return "\n".join(f"{story.title_of(money.arm)}: {money.published}" for money in story.analysis.money)


def _of(rows: tuple[Row, ...], role: str) -> tuple[Row, ...]:
    return tuple(row for row in rows if row["role"] == role)
