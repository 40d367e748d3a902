"""What the policy commands answer, as text for a terminal and as plain values for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from tierwise.config.policy import Policy
from tierwise.errors import Fault
from tierwise.policy import Change, Finding, Preview, Replay, compare_replays, worst
from tierwise.reports.sections import Section, sections_text

_THEN = "The policy uses the models' outputs; each review took the version that was in force on its day."
_HINDSIGHT = (
    "The policy uses the models' outputs. In {reviews} no version was in force yet, so today's was applied, which knew "
    "more than was known then: judge moves and shares by it, not the accuracy."
)


@dataclass(frozen=True)
class LintReport:
    """What lint found, by policy version."""

    workspace: str
    findings: Mapping[str, tuple[Finding, ...]]

    @property
    def refusal(self) -> tuple[Fault, ...] | None:
        """The errors, which make the answer "no"; None without errors."""
        errors = [
            Fault(finding.message, f"{version} ({finding.place})", todo=finding.todo)
            for version, found in self.findings.items()
            for finding in found
            if finding.severity == "error"
        ]
        return tuple(errors) or None

    def as_text(self) -> str:
        """Render for a terminal."""
        parts = []
        for version, found in self.findings.items():
            verdict = worst(found)
            title = f"{version}: {'nothing found' if verdict is None else f'{_findings(len(found))}, worst: {verdict}'}"
            parts.append("\n".join([title, *(str(finding) for finding in found)]))
        return "\n\n".join(parts)

    def as_payload(self) -> dict[str, Any]:
        """Give as plain values."""
        listed = {version: [_finding(item) for item in found] for version, found in self.findings.items()}
        return {"workspace": self.workspace, "policies": listed, "accepted": self.refusal is None}


def _findings(number: int) -> str:
    return "1 finding" if number == 1 else f"{number:,} findings"


def _finding(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "example": dict(finding.example)}


@dataclass(frozen=True)
class DiffReport:
    """What changed from one policy to another."""

    before: str
    after: str
    changes: tuple[Change, ...]

    def as_text(self) -> str:
        """Render for a terminal."""
        lines = [change.sentence for change in self.changes] or ["nothing changed"]
        return "\n".join([f"{self.before} → {self.after}", *(f"  {line}" for line in lines)])

    def as_payload(self) -> dict[str, Any]:
        """Give as plain values."""
        return {"before": self.before, "after": self.after, "changes": [asdict(change) for change in self.changes]}


@dataclass(frozen=True)
class PreviewReport:
    """What a new policy would do on a day.

    Attributes:
        workspace: The workspace's name.
        as_of: The day.
        new: The new policy.
        current: The policy in force, if there is one.
        preview: The comparison.
        currency: The currency of revenue and cost.
        page: The page written, if any.
    """

    workspace: str
    as_of: date
    new: Policy
    current: Policy | None
    preview: Preview
    currency: str
    page: Path | None = None

    def with_page(self, page: Path) -> PreviewReport:
        """The same with the page that shows it."""
        return replace(self, page=page)

    @property
    def title(self) -> str:
        """The report's heading."""
        beside = "no policy in force" if self.current is None else self.current.version
        return f"Preview of {self.new.version} beside {beside}, as of {self.as_of}"

    def sections(self) -> tuple[Section, ...]:
        """The tables that people read."""
        return (_changes_section(self), _cuts_section(self))

    def as_text(self) -> str:
        """Render for a terminal."""
        return sections_text(self.title, [*self.sections(), *_page_section(self.page)])

    def as_payload(self) -> dict[str, Any]:
        """Give as plain values."""
        return {
            "as_of": self.as_of.isoformat(),
            "new": self.new.version,
            "in_force": None if self.current is None else self.current.version,
            "changes": records(self.preview.changes),
            "cuts": records(self.preview.cuts),
            "page": None if self.page is None else str(self.page),
        }


@dataclass(frozen=True)
class ReplayReport:
    """What policies would have done over past reviews.

    Attributes:
        workspace: The workspace's name.
        days: The reviews.
        replays: The replays by the policy's version.
        with_models: Whether the policies use the models' outputs.
        in_hindsight: The reviews that took today's model version, because none was in force then.
        page: The page written, if any.
    """

    workspace: str
    days: tuple[date, ...]
    replays: Mapping[str, Replay]
    with_models: bool
    in_hindsight: tuple[date, ...] = ()
    page: Path | None = None

    def with_page(self, page: Path) -> ReplayReport:
        """The same with the page that shows it."""
        return replace(self, page=page)

    @property
    def title(self) -> str:
        """The report's heading."""
        if len(self.days) == 1:
            return f"Replay of one review, {self.days[0]}"
        return f"Replay of {len(self.days)} reviews, {self.days[0]} to {self.days[-1]}"

    def sections(self) -> tuple[Section, ...]:
        """The tables that people read."""
        return (_summary_section(self), _shares_section(self))

    def as_text(self) -> str:
        """Render for a terminal."""
        return sections_text(self.title, [*self.sections(), *_page_section(self.page)])

    def as_payload(self) -> dict[str, Any]:
        """Give as plain values."""
        return {
            "days": [day.isoformat() for day in self.days],
            "summary": records(compare_replays(self.replays)),
            "shares": {name: records(replayed.shares) for name, replayed in self.replays.items()},
            "matrix": {name: records(replayed.matrix) for name, replayed in self.replays.items()},
            "with_models": self.with_models,
            "in_hindsight": [day.isoformat() for day in self.in_hindsight],
            "page": None if self.page is None else str(self.page),
        }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain values; a missing value is null."""
    return [
        {str(name): None if pd.isna(value) else _plain(value) for name, value in row.items()}
        for row in frame.to_dict(orient="records")
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return value.item() if hasattr(value, "item") else value


def _page_section(page: Path | None) -> list[Section]:
    return [] if page is None else [Section("Page", text=(str(page),))]


def _changes_section(report: PreviewReport) -> Section:
    moved = report.preview.changes[report.preview.changes["change"] != "same"]
    same = int(report.preview.changes.loc[report.preview.changes["change"] == "same", "partners"].sum())
    rows = tuple(
        (
            shown_tier(row.tier_in_force),
            shown_tier(row.tier_new),
            str(row.change),
            f"{row.partners:,}",
            f"{row.revenue:,.0f}",
            f"{row.cost_change:+,.0f}",
        )
        for row in moved.itertuples()
    )
    header = ("in force", "new", "change", "partners", f"revenue {report.currency}", f"benefit cost {report.currency}")
    text = f"{same:,} of {len(report.preview.partners):,} partners would be in the same tier by either policy."
    return Section("Who would be elsewhere", header if rows else (), rows, frozenset({3, 4, 5}), (text,))


def _cuts_section(report: PreviewReport) -> Section:
    rows = tuple(
        (
            str(row.cut),
            str(row.value),
            str(row.change),
            f"{row.partners:,}",
            f"{row.share:.1%}",
            f"{row.revenue:,.0f}",
            f"{row.cost_change:+,.0f}",
        )
        for row in report.preview.cuts.itertuples()
    )
    header = ("by", "of", "change", "partners", "share", f"revenue {report.currency}", f"cost {report.currency}")
    return Section("What is at stake", header, rows, frozenset({3, 4, 5, 6}))


def shown_tier(tier: object) -> str:
    """A tier's name; `(no tier)` for a missing one."""
    return "(no tier)" if pd.isna(tier) else str(tier)  # type: ignore[call-overload]


def _or_dash(value: Any, shape: str) -> str:
    """A figure, or a dash where too few reviews have passed to tell."""
    return "-" if pd.isna(value) else format(value, shape)


def _summary_section(report: ReplayReport) -> Section:
    rows = tuple(
        (
            str(row.policy),
            f"{row.reviews:,}",
            f"{row.partner_years:,.0f}",
            f"{row.promotions:,}",
            f"{row.demotions:,}",
            _or_dash(row.moves_per_partner_year, ".3f"),
            _or_dash(row.reversal_share, ".1%"),
            _or_dash(row.mis_tiered_share, ".1%"),
        )
        for row in compare_replays(report.replays).itertuples()
    )
    header = (
        "policy", "reviews", "partner-years", "promotions", "demotions", "moves per partner-year", "reversed in a year",
        "mis-tiered",
    )  # fmt: skip
    text = (
        "A move is reversed when one in the other direction follows within a year. A placement is mis-tiered when the "
        "partner's figures at the next review earned another tier.",
        *_about_models(report),
    )
    return Section("Moves and errors", header, rows, frozenset(range(1, 8)), text)


def _about_models(report: ReplayReport) -> list[str]:
    if not report.with_models:
        return []
    if not report.in_hindsight:
        return [_THEN]
    some = f"{len(report.in_hindsight)} of {len(report.days)} reviews"
    return [_HINDSIGHT.format(reviews="all reviews" if len(report.in_hindsight) == len(report.days) else some)]


def _shares_section(report: ReplayReport) -> Section:
    rows = []
    for name, replayed in report.replays.items():
        shares = replayed.shares
        for day in dict.fromkeys((shares["as_of"].min(), shares["as_of"].max())):
            of_day = shares[shares["as_of"] == day]
            listed = ", ".join(f"{row.tier} {row.share:.1%}" for row in of_day.itertuples())
            rows.append((name, day.date().isoformat(), listed))
    return Section("Tier shares at the first and the last review", ("policy", "review", "shares"), tuple(rows))
