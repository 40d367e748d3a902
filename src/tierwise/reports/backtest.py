"""The back-test as text for a terminal, a page, and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from tierwise.reports.backtest_sections import backtest_sections
from tierwise.reports.numbers import number
from tierwise.reports.pages import count
from tierwise.reports.sections import sections_html, sections_markdown
from tierwise.reports.text_table import text_table

MARKDOWN, HTML = "backtest.md", "backtest.html"
POOLED = "all"
SHOWN = ("persistence", "run_rate", "glm", "trees", "model", "chosen")


@dataclass(frozen=True)
class BacktestReport:
    """What one back-test found.

    Attributes:
        workspace: The workspace's name.
        as_of: Only labels closed by this date were used.
        target: What is predicted, as people read it.
        unit: Its unit.
        horizon: How far ahead.
        tables: The back-test's tables, by name; see `tierwise.potential.Backtest`.
        alarm: What the guards against leaks say: `fired`, `quiet` or `not_tested`.
        alarms: What they named, in words.
        folder: Where the tables were written.
        run_id: The MLflow run.
    """

    workspace: str
    as_of: date
    target: str
    unit: str
    horizon: str
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    alarm: str
    alarms: tuple[str, ...]
    folder: Path | None = None
    run_id: str = ""

    @property
    def title(self) -> str:
        """What it is about."""
        return f"Back-test of {self.workspace} as of {self.as_of}"

    def stored(self, folder: Path, run_id: str) -> BacktestReport:
        """The report with the places where it is kept."""
        return replace(self, folder=folder, run_id=run_id)

    def documents(self, pictures: Mapping[str, str]) -> dict[str, str]:
        """Render the pages by file name; pictures are SVG elements, by the name of the plot."""
        sections = backtest_sections(self.summary(), self.tables, pictures, self.alarm)
        return {MARKDOWN: sections_markdown(self.title, sections), HTML: sections_html(self.title, sections)}

    def summary(self) -> tuple[str, ...]:
        """The answer in a few sentences."""
        said = (self._gate(), self._gain(), self._intervals(), self._level(), self._stability(), self._leaks())
        return tuple(sentence for sentence in said if sentence)

    def as_text(self) -> str:
        """Render for a terminal; readable in ten seconds."""
        days = self.tables["gate"]["origin"]
        head = (
            f"{self.title}\nPotential: {self.target} over {self.horizon}; {count(len(days), 'past review')}, "
            f"{days.min()} to {days.max()}, each predicted by a model trained on what had closed by then"
        )
        parts = [head, self._ranking(), "\n".join(self.summary())]
        if self.folder is not None:
            parts.append(f"Tables and page: {self.folder}\nMLflow run: {self.run_id}")
        return "\n\n".join(parts)

    def as_payload(self) -> dict[str, Any]:
        """Give the back-test as plain values; predictions by partner stay in the files."""
        tables = {name: records(table) for name, table in self.tables.items() if name != "predictions"}
        return {
            "workspace": self.workspace, "as_of": self.as_of, "target": self.target, "unit": self.unit,
            "horizon": self.horizon, "summary": list(self.summary()), "alarm": self.alarm, "alarms": list(self.alarms),
            "folder": None if self.folder is None else str(self.folder), "run_id": self.run_id, "tables": tables,
        }  # fmt: skip

    def _ranking(self) -> str:
        scores, gate = self.tables["scores"], self.tables["gate"].set_index("origin")
        own = scores[scores["score"] == "gini"]
        gini = {(row.origin, row.candidate): row.value for row in own.itertuples()}
        shown = [name for name in SHOWN if name in set(own["candidate"])]
        partners = scores.groupby("origin")["partners"].max()
        rows = [
            (
                "mean" if origin == POOLED else str(origin), number(partners[origin]),
                *(_three(gini.get((origin, name))) for name in shown),
                "" if origin == POOLED else f"{gate.loc[origin, 'chosen']}: {gate.loc[origin, 'reason']}",
            )
            for origin in sorted(own["origin"].unique(), key=lambda name: (name == POOLED, name))
        ]  # fmt: skip
        header = ("origin", "partners", *shown, "gate")
        return "Normalised Gini out of time:\n" + text_table(header, rows, right=set(range(1, len(shown) + 2)))

    def _gate(self) -> str:
        gate = self.tables["gate"]
        accepted = int((gate["chosen"] == "model").sum())
        return f"Gate: the model was in use in {accepted} of {len(gate)} past reviews."

    def _gain(self) -> str:
        gains = self.tables["gains"]
        chosen = gains[gains["candidate"] == "chosen"]
        pooled, single = chosen[chosen["origin"] == POOLED], chosen[chosen["origin"] != POOLED]
        single = single.dropna(subset=["gain"])
        if single.empty:
            return ""
        worst = single.sort_values(["gain", "origin"]).iloc[0]
        least = "worst loss" if worst["gain"] < 0 else "least gain"
        mean = f"{single['gain'].mean():+.3f}"
        if len(pooled) and pooled["gain"].notna().all():
            row = pooled.iloc[0]
            mean = f"{row['gain']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        return (
            f"Chosen against persistence: {mean} of normalised Gini on average; {least} {worst['gain']:+.3f} "
            f"({worst['origin']})."
        )

    def _intervals(self) -> str:
        held = self._pooled("coverage")
        if held is None:
            return "Intervals: none could be tested."
        nominal = float(self.tables["coverage"]["nominal"].max())
        width = self._pooled("relative_width")
        wide = "" if width is None else f"; their mean width is {width['value']:.1f} times the mean prediction"
        return (
            f"Intervals: {held['value']:.0%} ({held['low']:.0%} to {held['high']:.0%}) held, {nominal:.0%} were "
            f"promised{wide}."
        )

    def _level(self) -> str:
        level, error = self._pooled("total_ratio"), self._pooled("mae", "median")
        if level is None or pd.isna(level["value"]):
            return ""
        median = "" if error is None else f"; mean absolute error of the median {number(error['value'])} {self.unit}"
        return f"Level: predicted total is {level['value']:.2f} of the actual{median}."

    def _stability(self) -> str:
        table = self.tables["stability"]
        known = table[table["candidate"] == "chosen"]["spearman"].dropna()
        if known.empty:
            return ""
        return f"Retrains: successive ones rank the same partners with a correlation of at least {known.min():.3f}."

    def _leaks(self) -> str:
        if self.alarm != "fired":
            told = {"quiet": "no column and no model knew more of the future than it can", "not_tested": "not testable"}
            return f"Leaks: {told[self.alarm]}."
        return "ALARM, too good to be true: " + "; ".join(self.alarms) + "."

    def _pooled(self, score: str, candidate: str = "chosen") -> pd.Series | None:
        scores = self.tables["scores"]
        wanted = (scores["score"] == score) & (scores["candidate"] == candidate)
        pooled, single = scores[wanted & (scores["origin"] == POOLED)], scores[wanted]
        found = pooled if len(pooled) else single.tail(1)
        return found.iloc[0] if len(found) else None


def _three(value: Any) -> str:
    return "-" if pd.isna(value) else f"{value:.3f}"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows as plain values; missing ones are None."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in record.items()}
        for record in frame.to_dict(orient="records")
    ]
