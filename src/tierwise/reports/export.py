"""What the export command answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from tierwise.reports.pages import count
from tierwise.reports.text_table import text_table

_MOST_NAMED = 3


@dataclass(frozen=True)
class Failures:
    """Rows that a CRM gave back.

    Attributes:
        rows: How many.
        codes: Error code, rows, first message and at most three keys; most frequent first.
        unknown: Keys among them that the review does not have, and which are therefore not exported again.
    """

    rows: int
    codes: tuple[tuple[str, int, str, tuple[str, ...]], ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class ExportReport:
    """What was exported.

    Attributes:
        name: The export.
        kind: What reads it.
        object: The CRM's object or the database table.
        as_of: The review.
        rows: Partners exported.
        place: Where they went.
        files: The files, in order.
        size: Their bytes together.
        failures: What a CRM gave back, where that was read.
    """

    name: str
    kind: str
    object: str
    as_of: date
    rows: int
    place: str = ""
    files: tuple[str, ...] = ()
    size: int = 0
    failures: Failures | None = None

    def as_payload(self) -> dict[str, Any]:
        """The answer for machines."""
        payload: dict[str, Any] = {
            "export": self.name, "kind": self.kind, "object": self.object, "as_of": self.as_of, "rows": self.rows,
            "place": self.place, "files": list(self.files), "bytes": self.size,
        }  # fmt: skip
        if self.failures is not None:
            payload["failed_rows"] = self.failures.rows
            payload["failures"] = [
                {"code": code, "rows": rows, "message": message, "examples": list(keys)}
                for code, rows, message, keys in self.failures.codes
            ]
            payload["not_in_the_review"] = list(self.failures.unknown)
        return payload

    def as_text(self) -> str:
        """The answer for people."""
        lines = [f"{count(self.rows, 'partner')} of the review as of {self.as_of} for {self.kind} {self.object}"]
        if self.failures is not None:
            lines = [_failures_text(self.failures), "", f"{lines[0]}, to be loaded again"]
        if self.files:
            lines.append(f"written: {self.place} ({count(len(self.files), 'file')}, {self.size:,} bytes)")
        else:
            lines.append(f"written: {self.place}")
        return "\n".join(lines)


def _failures_text(failures: Failures) -> str:
    rows = [(code, f"{number:,}", message, ", ".join(keys)) for code, number, message, keys in failures.codes]
    lines = [f"{count(failures.rows, 'row')} came back:"]
    if rows:
        lines += ["", text_table(("error", "rows", "what it says", "for example"), rows, {1})]
    if failures.unknown:
        named = ", ".join(failures.unknown[:_MOST_NAMED])
        lines += ["", f"{count(len(failures.unknown), 'key')} of them not in this review, left out: {named}"]
    return "\n".join(lines)
