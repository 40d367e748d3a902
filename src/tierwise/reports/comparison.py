"""Two model versions side by side: the verdict in a sentence, the figures, how far their archetypes agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from tierwise.reports.backtest import records
from tierwise.reports.numbers import SCORE_TITLES, number
from tierwise.reports.sections import Section, sections_html, sections_markdown
from tierwise.reports.text_table import text_table

MARKDOWN, HTML = "comparison.md", "comparison.html"
POOLED = "all"
VERDICTS = {"better": "better", "not_shown_better": "not shown better", "worse": "worse"}
MODES = {
    "as_trained": "as they were trained, on reviews that lie after both trainings: neither has seen any of the labels",
    "refitted": "no review after both trainings has completed, so both recipes were trained again at each past review, "
    "on what had closed by then, the older one as much earlier as it is older",
    "nothing": "no past review has completed, so nothing could be compared out of time",
}


@dataclass(frozen=True)
class ComparisonReport:
    """What the comparison of two versions found.

    Attributes:
        workspace: The workspace's name.
        first: The version in force, or the first one named.
        second: The version that would replace it.
        trained: The days both were trained as of.
        as_of: Only labels closed by this date were used.
        verdict: `better`, `not_shown_better` or `worse`: how the second ranks partners, out of time.
        mode: How it was tested: `as_trained`, `refitted` or `nothing`.
        origins: The past reviews.
        scores: `origin, score, persistence, first, second, difference, low, high, probability, partners`.
        potential_correlation: Rank correlation of the two potentials of today's partners; None without partners.
        archetypes_ari: Adjusted Rand index of the archetypes of today's partners; None where either has none.
        label_change: Share of today's partners whose archetype differs; None likewise.
        archetypes: How many archetypes each has.
        alarms: What the alarm of the guards against leaks said in each training.
        run_id: The MLflow run that keeps the comparison.
        least_difference: Differences of normalised Gini below this count as none.
    """

    workspace: str
    first: int
    second: int
    trained: tuple[date, date]
    as_of: date
    verdict: str
    mode: str
    origins: tuple[str, ...]
    scores: pd.DataFrame = field(repr=False)
    potential_correlation: float | None = None
    archetypes_ari: float | None = None
    label_change: float | None = None
    archetypes: tuple[int, int] = (0, 0)
    alarms: tuple[str, str] = ("", "")
    run_id: str = ""
    least_difference: float = 0.0

    @property
    def title(self) -> str:
        """What it is about."""
        return f"Version {self.second} against version {self.first} of {self.workspace}"

    @property
    def sentence(self) -> str:
        """The verdict with the figure it rests on."""
        said = f"Version {self.second} is {VERDICTS[self.verdict]}"
        pooled = self.scores[(self.scores["origin"] == POOLED) & (self.scores["score"] == "gini")]
        if pooled.empty or pd.isna(pooled.iloc[0]["difference"]):
            return f"{said}: {MODES['nothing']}."
        row = pooled.iloc[0]
        return (
            f"{said} at ranking partners than version {self.first}: normalised Gini {row['second']:.3f} against "
            f"{row['first']:.3f}, difference {row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f}), "
            f"P(better) {row['probability']:.2f}, over {_reviews(len(self.origins))}.{self._too_small(row)}"
        )

    def _too_small(self, pooled: pd.Series) -> str:
        """Say that the difference counts as none, unless the two are equal."""
        small = 0 < abs(float(pooled["difference"])) < self.least_difference
        return f" A difference below {self.least_difference:.3f} counts as none." if small else ""

    def as_text(self) -> str:
        """Render for a terminal; readable in ten seconds."""
        days = f"trained as of {self.trained[0]} and {self.trained[1]}"
        head = f"{self.title}, {days}\n{self.sentence}\nHow: {MODES[self.mode]}"
        pooled = self.scores[self.scores["origin"] == POOLED]
        tables = [_text(pooled, "Mean over the past reviews:", self)]
        tables.append(_text(self.scores[(self.scores["score"] == "gini")], "Normalised Gini by review:", self))
        said = "\n".join(self._more())
        kept = f"MLflow run: {self.run_id}" if self.run_id else ""
        return "\n\n".join(part for part in (head, *tables, said, kept) if part)

    def documents(self) -> dict[str, str]:
        """Render the pages by file name."""
        text = (self.sentence, f"How: {MODES[self.mode]}.", *self._more())
        sections = [Section("In short", text=text)]
        for score in [name for name in SCORE_TITLES if (self.scores["score"] == name).any()]:
            own = self.scores[self.scores["score"] == score]
            header, rows = _rows(own, self)
            title = SCORE_TITLES[score]
            sections.append(
                Section(title[0].upper() + title[1:], header, tuple(rows), frozenset(range(1, len(header))))
            )
        return {MARKDOWN: sections_markdown(self.title, sections), HTML: sections_html(self.title, sections)}

    def as_payload(self) -> dict[str, Any]:
        """Give the comparison as plain values."""
        plain = {name: value for name, value in vars(self).items() if name != "scores"}
        return {**plain, "sentence": self.sentence, "scores": records(self.scores)}

    @property
    def _alike(self) -> bool:
        """Whether no score differs at any review, not even by chance."""
        moved = self.scores[["difference", "low", "high"]].fillna(0.0)
        return bool(len(moved)) and not moved.to_numpy().any()

    def _more(self) -> list[str]:
        said = []
        if self._alike:
            said.append(
                "At these reviews both would have shown the same figures for every partner. That is usual where the "
                "gate kept persistence for both: recipes then differ in nothing that is scored."
            )
        if self.potential_correlation is not None:
            value = f"{self.potential_correlation:.3f}"
            said.append(f"Potential of today's partners: the two rank them with a correlation of {value}.")
        if self.archetypes_ari is not None and self.label_change is not None:
            counts = f"{self.archetypes[0]} and {self.archetypes[1]} archetypes"
            said.append(
                f"Archetypes of today's partners: {counts}, agreement (ARI) {self.archetypes_ari:.2f}, "
                f"{self.label_change:.0%} of the partners change theirs."
            )
        else:
            said.append(f"Archetypes: {self.archetypes[0]} and {self.archetypes[1]}; nothing to compare.")
        alarmed = [str(v) for v, alarm in zip((self.first, self.second), self.alarms, strict=True) if alarm == "fired"]
        if alarmed:
            said.append(f"ALARM: the guards against leaks fired in the training of version {' and '.join(alarmed)}.")
        return said


def _reviews(count: int) -> str:
    return "1 past review" if count == 1 else f"{count} past reviews"


def _text(scores: pd.DataFrame, title: str, report: ComparisonReport) -> str:
    if scores.empty:
        return ""
    header, rows = _rows(scores, report)
    return f"{title}\n" + text_table(header, rows, right=set(range(1, len(header))))


def _rows(scores: pd.DataFrame, report: ComparisonReport) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One line per review of one score, or per score of the mean."""
    single = scores["score"].nunique() == 1
    rows = [
        (
            _origin(row["origin"]) if single else SCORE_TITLES[row["score"]],
            *(number(row[name]) for name in ("persistence", "first", "second")), _signed(row["difference"]),
            _interval(row["low"], row["high"]), number(row["probability"]),
        )
        for row in records(scores)
    ]  # fmt: skip
    versions = (f"version {report.first}", f"version {report.second}")
    return ("origin" if single else "score", "persistence", *versions, "difference", "interval", "P(higher)"), rows


def _origin(origin: str) -> str:
    return "mean" if origin == POOLED else origin


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{_signed(low)} to {_signed(high)}"


def _signed(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:+.3f}" if abs(value) < 10 else f"{value:+,.0f}"
