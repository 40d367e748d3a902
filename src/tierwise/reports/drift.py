"""What the drift command answers: text for a terminal, plain values for machines, a page with the plot."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from tierwise.audit import Drift, figure
from tierwise.reports.pages import count
from tierwise.reports.plots_drift import drift_plot
from tierwise.reports.policy import records
from tierwise.reports.sections import Section, sections_html, sections_text

_MOST_ROWS = 15
_KINDS = {"value": "values", "missing": "unknown or not", "level": "levels", "together": "all together"}


@dataclass(frozen=True)
class DriftReport:
    """What was compared and found.

    Attributes:
        workspace: The workspace's name.
        as_of: The day of the rows to be scored.
        version: The version whose training rows they are compared with.
        drift: What was found.
        trained: The first and last as-of date of the training rows compared; missing where there are none.
        folder: Where tables and page were written, if anywhere.
    """

    workspace: str
    as_of: date
    version: int
    drift: Drift
    trained: tuple[date, date] | None
    folder: Path | None = None

    def written_to(self, folder: Path) -> DriftReport:
        """The same with the folder that holds it."""
        return replace(self, folder=folder)

    @property
    def title(self) -> str:
        """The report's heading."""
        first, last = self.trained or ("", "")
        rows = "" if not first else f", rows of {first}" if first == last else f", rows of {first} to {last}"
        return f"Drift as of {self.as_of} beside the training of version {self.version}{rows}"

    def sections(self, most: int | None = None) -> tuple[Section, ...]:
        """What was found, the tests, and the pairs; at most so many rows each."""
        verdict = Section("What was found", text=(self.drift.sentence, self.drift.todo))
        if self.drift.verdict == "not_enough_evidence":
            return (verdict,)
        return (verdict, _tests(self.drift.tests, most), _pairs(self.drift, most))

    def as_text(self) -> str:
        """Render for a terminal."""
        where = [] if self.folder is None else [Section("Written to", text=(str(self.folder),))]
        return sections_text(self.title, [*self.sections(_MOST_ROWS), *where])

    def as_payload(self) -> dict[str, Any]:
        """Give as plain values."""
        return {
            "as_of": self.as_of.isoformat(),
            "version": self.version,
            "trained": None if self.trained is None else [day.isoformat() for day in self.trained],
            "verdict": self.drift.verdict,
            "sentence": self.drift.sentence,
            "todo": self.drift.todo,
            "tests": records(self.drift.tests),
            "pairs": records(self.drift.pairs),
            "folder": None if self.folder is None else str(self.folder),
        }

    def page(self) -> str:
        """Render as a page of HTML with the plot."""
        plot = drift_plot(self.drift.tests, self.drift.sentence)
        first, *rest = self.sections()
        return sections_html(self.title, [replace(first, picture=plot.inline), *rest])


def _tests(tests: pd.DataFrame, most: int | None) -> Section:
    ordered = tests.sort_values(
        ["drifted", "psi", "feature"], ascending=[False, False, True], kind="stable", na_position="last"
    )
    rows = tuple(
        (
            str(row.title), _KINDS[str(row.kind)], f"{row.level}", _figure(row.before), _figure(row.after),
            _figure(row.psi), str(row.size), _p_value(row.p_adjusted), _answer(row),
        )
        for row in ordered.head(most or len(ordered)).itertuples()
    )  # fmt: skip
    left = len(tests) - len(rows)
    text = (
        "Before and after are medians or, where a level or value is named, shares of partners. The size is the "
        "population stability index without its bias (slight, moderate from .1, large from .25) and decides nothing.",
        *([f"{count(left, 'further test')} {'is' if left == 1 else 'are'} in the table."] if left else []),
    )
    header = ("feature", "of its", "level", "before", "after", "size", "in words", "p (adjusted)", "drift")
    return Section("Tests", header, rows, frozenset({3, 4, 5, 7}), text)


def _pairs(drift: Drift, most: int | None) -> Section:
    pairs, titles = drift.pairs, dict(zip(drift.tests["feature"], drift.tests["title"], strict=True))
    rows = tuple(
        (
            titles.get(row.feature, str(row.feature)),
            titles.get(row.other, str(row.other)),
            f"{row.before:.2f}",
            f"{row.after:.2f}",
            f"{row.change:+.2f}",
        )
        for row in pairs.head(most or len(pairs)).itertuples()
    )
    header = ("metric", "with", "before", "after", "change")
    text = ("Rank correlations that changed most; whether any of it is beyond chance says the test of all together.",)
    return Section("How features go together", header, rows, frozenset({2, 3, 4}), text)


def _answer(row: Any) -> str:
    if row.outcome != "tested":
        return f"not tested: {row.outcome.replace('_', ' ')}"
    return "shown" if row.drifted else "not beyond chance"


def _figure(value: Any) -> str:
    return "-" if value is None or math.isnan(value) else figure(value)


def _p_value(value: Any) -> str:
    if value is None or math.isnan(value):
        return "-"
    return "< .001" if value < 0.001 else f"{value:.3f}"
