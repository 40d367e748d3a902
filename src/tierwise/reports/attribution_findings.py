"""One question put to a channel's history, its rows, and the answer in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from tierwise.pilots import GRADES, REASONS, Result, to_frame, to_rows
from tierwise.pilots.results import Estimate

Analysis = Literal["threshold", "alternative_policy", "rollout", "region", "tiers_compared", "before_after"]
Status = Literal[
    "shown_up", "shown_down", "not_enough_evidence", "doubtful", "not_computed", "association", "description"
]

ANALYSES: Mapping[str, str] = MappingProxyType(
    {
        "threshold": "At a tier's threshold",
        "rollout": "Roll-outs in steps",
        "region": "One region",
        "alternative_policy": "Other thresholds",
        "tiers_compared": "Tiers side by side",
        "before_after": "Before and after",
    }
)
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "shown_up": "shown: more",
        "shown_down": "shown: less",
        "not_enough_evidence": "not enough evidence",
        "doubtful": "doubtful",
        "not_computed": "not computed",
        "association": "association, no effect",
        "description": "description, no effect",
    }
)
# A diagnostic below this p-value takes away the trust in an effect: what should be near zero is not.
SUSPICIOUS = 0.05
_SUSPICIONS: Mapping[str, str] = MappingProxyType(
    {
        "placebo_p": "a placebo threshold or a figure from before the review jumps too",
        "pre_trend_p": "the groups moved apart before the start already",
        "pre_fit_p": "the other regions do not follow the treated one before the start",
    }
)


@dataclass(frozen=True)
class Money:
    """What the thing that is judged costs for the same partners and time as the estimate.

    Attributes:
        cost: The cost per partner, in the program currency.
        margin: The share of revenue that is margin; None where nobody said.
        says: What the cost is made of.
    """

    cost: float
    margin: float | None
    says: str


@dataclass(frozen=True)
class Finding:
    """One question and what the history answers.

    Attributes:
        analysis: How it was looked at, a key of `ANALYSES`.
        subject: What is judged: a tier and its criterion, a roll-out, a region, a policy.
        question: The question in words.
        rows: The result rows, the answer first; the others are placebos, parts and checks.
        unit: The unit of the estimates.
        review: The review that placed the partners, where there is one.
        notes: What a reader must know, in sentences.
        picture: The figures to be drawn, by name: means of many partners, never single ones.
        money: What it costs, where that is known.
    """

    analysis: Analysis
    subject: str
    question: str
    rows: tuple[Result, ...]
    unit: str
    review: date | None = None
    notes: tuple[str, ...] = ()
    picture: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    money: Money | None = None

    @property
    def main(self) -> Result:
        """The row that answers the question."""
        return self.rows[0]

    def with_main(self, row: Result) -> Finding:
        """The same with another first row."""
        return replace(self, rows=(row, *self.rows[1:]))

    @property
    def suspicions(self) -> tuple[str, ...]:
        """Why an estimate should not be trusted, by its own diagnostics."""
        found = self.main.diagnostics
        return tuple(
            f"{words} (p = {found[name]:.3f})"
            for name, words in _SUSPICIONS.items()
            if name in found and found[name] < SUSPICIOUS
        )

    @property
    def status(self) -> Status:
        """The answer as a code of `STATUSES`."""
        row = self.main
        if row.value is None:
            return "not_computed"
        if row.claim != "effect":
            return "association" if row.claim == "association" else "description"
        if self.suspicions:
            return "doubtful"
        p = row.value.p if row.p_adjusted is None else row.p_adjusted
        if p is None or p > 1 - row.level:
            return "not_enough_evidence"
        return "shown_up" if row.value.estimate > 0 else "shown_down"

    @property
    def answer(self) -> str:
        """The answer in a sentence or two."""
        row, value = self.main, self.main.value
        if value is None:
            reason = REASONS[row.reason_code or "estimator_failed"]
            return " ".join([f"Not computed: {reason}.", *(self.notes if row.reason_code == "no_history" else ())])
        number = signed_amount(value.estimate, self.unit)
        between = f"{signed_amount(value.low, self.unit)} to {signed_amount(value.high, self.unit)}"
        if self.status == "association":
            return f"{number} between the groups ({between}). An association: who differs in this differs in much else."
        if self.status == "description":
            return f"{number} from before to after ({between}). A description: whatever else changed is in it."
        if self.status == "doubtful":
            return f"Doubtful: {'; '.join(self.suspicions)}. The estimate {number} ({between}) is no evidence."
        if self.status == "not_enough_evidence":
            return _open(value, number, between)
        return f"An effect is shown: {number} ({between})."

    @property
    def net(self) -> tuple[float, float | None, float | None] | None:
        """Margin brought less cost, with its ends; None where cost, margin or estimate is unknown."""
        money, value = self.money, self.main.value
        if money is None or money.margin is None or value is None or self.main.claim != "effect":
            return None
        ends = [None if end is None else end * money.margin - money.cost for end in (value.low, value.high)]
        return value.estimate * money.margin - money.cost, ends[0], ends[1]

    @property
    def money_text(self) -> str:
        """Cost and what is left, in a sentence; empty where no cost is known."""
        if self.money is None:
            return ""
        said = f"Cost: {signed_amount(self.money.cost, self.unit)[1:]} per partner ({self.money.says})."
        if self.net is None:
            return f"{said} The estimate is revenue, not margin: they do not compare without a margin."
        low, high = (signed_amount(end, self.unit) for end in self.net[1:])
        return f"{said} Net of it {signed_amount(self.net[0], self.unit)} ({low} to {high})."

    def payload(self) -> dict[str, Any]:
        """The finding as plain values; `rows` keep the schema of result rows."""
        return {
            "analysis": self.analysis,
            "subject": self.subject,
            "question": self.question,
            "review": None if self.review is None else self.review.isoformat(),
            "unit": self.unit,
            "grade": self.main.grade,
            "status": self.status,
            "answer": self.answer,
            "notes": list(self.notes),
            "money": None if self.money is None else {**vars(self.money), "net": self.net and list(self.net)},
            "rows": to_rows(self.rows),
        }


def _open(value: Estimate, number: str, between: str) -> str:
    """Say that nothing is shown; an interval beside zero is told, where another test than its own decides."""
    beside_zero = value.low is not None and value.high is not None and value.low * value.high > 0
    if beside_zero and value.p is not None:
        return f"Not enough evidence: chance alone often gives as much (p = {value.p:.3f}) as {number} ({between})."
    return f"Not enough evidence: the effect may lie anywhere from {between}."


def results_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """All result rows under one another, with `analysis`, `subject` and `review` before the columns of result rows."""
    parts = []
    for finding in findings:
        part = to_frame(finding.rows)
        part.insert(0, "analysis", finding.analysis)
        part.insert(1, "subject", finding.subject)
        part.insert(2, "review", pd.Series([finding.review] * len(part)).astype("datetime64[us]"))
        parts.append(part.astype(_TYPES))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def answers_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """One row per finding: what was asked, the grade, the answer, the estimate with its interval, cost and net."""
    rows = []
    for finding in findings:
        value, net = finding.main.value, finding.net or (None, None, None)
        rows.append(
            {
                "analysis": finding.analysis,
                "subject": finding.subject,
                "grade": finding.main.grade,
                "claim": GRADES[finding.main.grade],
                "status": finding.status,
                "answer": finding.answer,
                "unit": finding.unit,
                "estimate": None if value is None else value.estimate,
                "low": None if value is None else value.low,
                "high": None if value is None else value.high,
                "cost": None if finding.money is None else finding.money.cost,
                "net": net[0],
                "net_low": net[1],
                "net_high": net[2],
                "reason_code": finding.main.reason_code,
            }
        )
    numbers = dict.fromkeys(("estimate", "low", "high", "cost", "net", "net_low", "net_high"), "float64")
    return pd.DataFrame(rows).astype({**numbers, "reason_code": "str"}) if rows else pd.DataFrame()


_TYPES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "estimate", "standard_error", "low", "high", "p", "degrees", "relative", "relative_low", "relative_high",
            "control_value", "p_adjusted", "clusters",
        ),
        "float64",
    )
    | dict.fromkeys(("reason_code", "reason"), "str")
)  # fmt: skip


def signed_amount(value: float | None, unit: str) -> str:
    """Write a change with its sign, in three digits and its unit: `+12,300 USD`; unknown as `without end`."""
    if value is None or value != value:
        return "without end"
    rounded = float(f"{value:.3g}")
    digits = f"{rounded:+,.0f}" if abs(rounded) >= 10 else f"{rounded:+.3g}"
    return f"{digits} {unit}".strip()
