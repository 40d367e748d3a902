"""What a pilot's page and pictures are made from: the kept records and tables, nothing computed anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tierwise.store.pilot_parts import OutcomeRecord, PilotRecord
from tierwise.store.pilot_records import AnalysisRecord, AssignmentRecord, DesignRecord, MoneyRecord

Row = Mapping[str, Any]
ARCHETYPE = "archetype: "


@dataclass(frozen=True)
class PilotStory:
    """One reading of a pilot with all that came before it.

    Attributes:
        analysis: The reading that is told.
        tables: Its tables (`results`, `over_time`) and those of the draw (`balance`).
        assignment: The draw, if it is known.
        design: The latest design before the draw, if there was one.
        earlier: Earlier readings, oldest first.
    """

    analysis: AnalysisRecord
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    assignment: AssignmentRecord | None = None
    design: DesignRecord | None = None
    earlier: tuple[AnalysisRecord, ...] = ()

    @property
    def pilot(self) -> PilotRecord:
        """The pilot as in force."""
        return self.analysis.pilot

    @property
    def balance(self) -> pd.DataFrame:
        """The balance table of the draw; empty where it is not known."""
        return self.tables.get("balance", pd.DataFrame())

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms beside the control."""
        return tuple(arm.name for arm in self.pilot.arms[1:])

    def outcomes(self, *roles: str) -> tuple[OutcomeRecord, ...]:
        """The outcomes of some roles, in the order of the file."""
        return tuple(one for one in self.pilot.outcomes if one.role in roles)

    def rows(self, analysis: AnalysisRecord | None = None, *, archetypes: bool = False) -> Iterator[Row]:
        """The result rows of the whole population, or those by archetype."""
        for row in (analysis or self.analysis).results:
            if row["scope"].startswith(ARCHETYPE) if archetypes else row["scope"] == "all":
                yield row

    def row(self, metric: str, arm: str, analysis: AnalysisRecord | None = None) -> Row | None:
        """The row of one outcome and arm over the whole population."""
        return next((row for row in self.rows(analysis) if (row["metric"], row["arm"]) == (metric, arm)), None)

    def money(self, arm: str) -> MoneyRecord | None:
        """What an arm cost and brought, where the file declares money."""
        return next((one for one in self.analysis.money if one.arm == arm), None)

    def in_words(self, sentence: str) -> str:
        """A sentence of the analysis with the titles of metrics in place of their names."""
        names = {outcome.name: outcome.title for outcome in self.pilot.outcomes if outcome.title}
        if not names:
            return sentence
        longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        return re.sub(rf"(?<!\w)({longest_first})(?!\w)", lambda found: names[found[1]], sentence)

    def title_of(self, arm: str) -> str:
        """What people call an arm."""
        return self.pilot.arm(arm).title or arm


def money_row(money: MoneyRecord | None, metric: str) -> Row | None:
    """One figure of the money of an arm."""
    return None if money is None else next((row for row in money.rows if row["metric"] == metric), None)
