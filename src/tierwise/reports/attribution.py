"""What `attribute` answers: a summary for a terminal, plain values, tables, and a page that prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from tierwise.pilots import ASSUMPTIONS, GRADES
from tierwise.reports.attribution_findings import (
    ANALYSES,
    STATUSES,
    Finding,
    answers_table,
    results_table,
    signed_amount,
)
from tierwise.reports.attribution_plots import finding_plots, overview_plot
from tierwise.reports.pages import render, source
from tierwise.reports.sections import Section, sections_text

PAGE, RESULTS = "attribution.html", "attribution.json"
_EFFECTS = ("threshold", "rollout", "region", "alternative_policy")


@dataclass(frozen=True)
class AttributionReport:
    """What the history answers.

    Attributes:
        workspace: The workspace's name.
        as_of: Nothing later counted.
        outcome: The metric that tiers should change.
        horizon: How long after a review it was read.
        findings: The questions and answers, those that may be effects first.
        folder: Where tables and page were written, if anywhere.
    """

    workspace: str
    as_of: date
    outcome: str
    horizon: str
    findings: tuple[Finding, ...]
    folder: Path | None = None

    def written_to(self, folder: Path) -> AttributionReport:
        """The same with the folder that holds it."""
        return replace(self, folder=folder)

    @property
    def title(self) -> str:
        """The report's heading."""
        return f"What tiers and incentives caused in {self.workspace}, as of {self.as_of}"

    def of(self, *analyses: str) -> tuple[Finding, ...]:
        """The findings of some ways of looking."""
        return tuple(finding for finding in self.findings if finding.analysis in analyses)

    @property
    def in_short(self) -> tuple[str, ...]:
        """The answer in a few sentences: what is shown, what is not, and what would help."""
        asked = self.of(*_EFFECTS)
        shown = [finding for finding in asked if finding.status in ("shown_up", "shown_down")]
        sentences = [f"{finding.subject[:1].upper()}{finding.subject[1:]}: {finding.answer}" for finding in shown]
        if not shown:
            sentences.append(
                "Not enough evidence: nothing in this history shows that a tier or an incentive changed it."
            )
        open_questions = [finding for finding in asked if finding.status == "not_enough_evidence"]
        if open_questions:
            sentences.append(f"{_count(len(open_questions))} without an answer either way.")
        doubtful = [finding.subject for finding in asked if finding.status == "doubtful"]
        if doubtful:
            sentences.append(f"Not to be trusted by their own checks: {', '.join(doubtful)}.")
        missing = [finding.subject for finding in asked if finding.status == "not_computed"]
        if missing:
            sentences.append(f"Not computed, with the reason beside each: {', '.join(missing)}.")
        if len(shown) < len(asked) or not asked:
            sentences.append(
                "Only a pilot that draws partners by chance answers what stays open (tierwise pilot design)."
            )
        return tuple(sentences)

    def sections(self) -> tuple[Section, ...]:
        """The tables that people read at a terminal."""
        return (Section("In short", text=self.in_short), *_tables(self))

    def as_text(self) -> str:
        """Render for a terminal."""
        where = [] if self.folder is None else [Section("Written to", text=(str(self.folder),))]
        return sections_text(self.title, [*self.sections(), *where])

    def as_payload(self) -> dict[str, Any]:
        """Give as plain values; the rows of each finding keep the schema of result rows."""
        return {
            "workspace": self.workspace,
            "as_of": self.as_of.isoformat(),
            "outcome": self.outcome,
            "horizon": self.horizon,
            "in_short": list(self.in_short),
            "findings": [finding.payload() for finding in self.findings],
            "folder": None if self.folder is None else str(self.folder),
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name: `answers`, one row per question, and `results`, every row behind them."""
        return {"answers": answers_table(self.findings), "results": results_table(self.findings)}

    def documents(self) -> dict[str, str]:
        """The page and the plain values, by file name."""
        plain = {name: value for name, value in self.as_payload().items() if name != "folder"}
        text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return {PAGE: self.page(), RESULTS: text}

    def page(self) -> str:
        """Render as one page of HTML that needs nothing else."""
        parts = [
            {
                "id": name,
                "title": title,
                "findings": [(finding, finding_plots(finding)) for finding in self.of(name)],
            }
            for name, title in ANALYSES.items()
            if self.of(name)
        ]
        used = {finding.main.grade for finding in self.findings}
        held = [code for code in ASSUMPTIONS if any(code in finding.main.assumptions for finding in self.findings)]
        return render(
            "attribution.html",
            report=self,
            parts=parts,
            overview=overview_plot(self.findings),
            statuses=STATUSES,
            signed=signed_amount,
            grades=[(grade.replace("_", " "), text) for grade, text in GRADES.items() if grade in used],
            assumptions=[(code.replace("_", " "), ASSUMPTIONS[code]) for code in held],
            style=source("page.css") + source("pilot.css"),
        )


def _count(number: int) -> str:
    return "One question is" if number == 1 else f"{number} questions are"


def _tables(report: AttributionReport) -> Iterable[Section]:
    for name, title in ANALYSES.items():
        found = report.of(name)
        if found:
            yield Section(
                title, ("of", "review", "grade", "estimate", "interval", "p", "answer"), _rows(found), frozenset({3, 5})
            )


def _rows(findings: Sequence[Finding]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            finding.subject,
            "-" if finding.review is None else finding.review.isoformat(),
            finding.main.grade.replace("_", " "),
            *_numbers(finding),
            STATUSES[finding.status] if finding.main.value else finding.answer,
        )
        for finding in findings
    )


def _numbers(finding: Finding) -> tuple[str, str, str]:
    value = finding.main.value
    if value is None:
        return "-", "-", "-"
    p = value.p if finding.main.p_adjusted is None else finding.main.p_adjusted
    between = f"{signed_amount(value.low, '')} to {signed_amount(value.high, '')}"
    return signed_amount(value.estimate, finding.unit), between, "-" if p is None else f"{p:.3f}"
