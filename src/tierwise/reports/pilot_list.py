"""The pilots of a workspace and their readings side by side, as text for a terminal and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from tierwise.reports.pilots import ANSWERS, percent
from tierwise.reports.text_table import text_table

_UNKNOWN = "-"


@dataclass(frozen=True)
class PilotLine:
    """One pilot as it stands.

    Attributes:
        slug: The pilot.
        title: What people read.
        state: `at fault`, `planned`, `designed`, `drawn`, `running` or `ended`.
        starts: The first day, if known.
        ends: The last day, if known.
        partners: Partners drawn; 0 before.
        runs: How many runs MLflow keeps of it.
        read_as_of: The day of the latest reading that MLflow keeps.
        final: Whether that was the final one.
        verdicts: Its answer by arm.
        fault: What is wrong with its file.
    """

    slug: str
    title: str = ""
    state: str = ""
    starts: date | None = None
    ends: date | None = None
    partners: int = 0
    runs: int = 0
    read_as_of: str = ""
    final: bool = False
    verdicts: dict[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class ComparedRow:
    """What one reading of one pilot says of one arm's primary metric, as MLflow keeps it."""

    pilot: str
    as_of: str
    final: bool
    arm: str
    metric: str
    partners: float | None
    relative: float | None
    low: float | None
    high: float | None
    p_adjusted: float | None
    return_on_cost: float | None
    verdict: str


def list_text(lines: Sequence[PilotLine]) -> str:
    """One line per pilot: where it stands, and what its latest reading says."""
    if not lines:
        return "there is no pilot yet; write pilots/<name>.yaml, see docs/pilots.md"
    rows = [
        (
            line.slug,
            line.state,
            line.starts or _UNKNOWN,
            line.ends or _UNKNOWN,
            f"{line.partners:,}" if line.partners else _UNKNOWN,
            line.runs,
            _read(line),
            line.fault or line.title,
        )
        for line in lines
    ]
    header = ("pilot", "state", "starts", "ends", "partners", "runs", "latest reading", "title")
    return text_table(header, rows, right={4, 5})


def compare_text(rows: Sequence[ComparedRow]) -> str:
    """Readings side by side: one line per reading, arm and primary metric."""
    if not rows:
        return "no pilot was read yet; run `tierwise pilot analyse NAME` first"
    cells = [
        (
            row.pilot,
            row.as_of,
            "final" if row.final else "look",
            row.arm,
            row.metric,
            _UNKNOWN if row.partners is None else f"{row.partners:,.0f}",
            percent(row.relative),
            f"{percent(row.low)} to {percent(row.high)}",
            _UNKNOWN if row.p_adjusted is None else f"{row.p_adjusted:.3f}",
            _UNKNOWN if row.return_on_cost is None else f"{row.return_on_cost:+.0%}",
            ANSWERS.get(row.verdict, row.verdict),
        )
        for row in rows
    ]
    header = ("pilot", "as of", "reading", "arm", "primary metric", "partners", "change", "interval", "p, adjusted",
              "return", "verdict")  # fmt: skip
    return text_table(header, cells, right={5, 6, 8, 9})


def list_payload(lines: Sequence[PilotLine]) -> dict[str, Any]:
    """The pilots for a machine."""
    return {"pilots": [asdict(line) for line in lines]}


def compare_payload(rows: Sequence[ComparedRow]) -> dict[str, Any]:
    """The readings for a machine."""
    return {"readings": [asdict(row) for row in rows]}


def _read(line: PilotLine) -> str:
    if not line.read_as_of:
        return _UNKNOWN
    said = ", ".join(f"{arm}: {ANSWERS.get(answer, answer)}" for arm, answer in line.verdicts.items())
    return f"{line.read_as_of} ({'final' if line.final else 'look'}) {said}"
