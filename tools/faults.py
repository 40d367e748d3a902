"""The page docs/faults.md, made from the cases under tests/cases/faults that a test injects one by one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

CASES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "faults"

_HEAD = """# Faults and what is left

For the operator: what a run says and leaves when something outside goes wrong. Each row of the table is injected into
`tierwise score` by a test, which compares the message and the exit code, and holds every file of the output folder
against what it was before.

In every row the earlier reviews are unchanged and readable, nothing of the new one is there, and the same command
finishes the work once the cause is gone.

| fault | exit code | the message holds |
| --- | --- | --- |
"""
_OTHERS = (
    (
        "the run is killed (SIGKILL) at any moment",
        "the earlier output, whole; the next run finishes, with the bytes of an undisturbed one",
    ),
    ("a reader looks while a run writes", "the earlier output or the new one, never a mixture"),
    (
        "the disk is full, or a limit lets no more be written, in the middle of a table",
        'exit code 3, "could not write the output"; the earlier output, whole',
    ),
    ("the output folder is read-only", "exit code 3, likewise"),
    (
        "a source file is written or replaced while it is read",
        'exit code 3, "the file changed while it was read"; nothing is written',
    ),
    (
        "PostgreSQL ends the connection in the middle of a table",
        'exit code 3, "the database answered"; nothing is written',
    ),
    (
        "PostgreSQL refuses an output table in the middle of a load",
        "exit code 3; the schema as it was, since one transaction holds all tables",
    ),
    ("the file of a run's figures cannot be written", "exit code 3; the review itself is there"),
)


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        name: The injection's name.
        order: Its place on the page.
        fault: What goes wrong.
        exit_code: The exit code of `score`.
        said: A part of the message.
    """

    name: str
    order: int
    fault: str
    exit_code: int
    said: str


def cases() -> list[Case]:
    """All cases in the order of the page."""
    read = [Case(path.stem, **yaml.safe_load(path.read_text(encoding="utf-8"))) for path in CASES.glob("*.yaml")]
    return sorted(read, key=lambda case: (case.order, case.name))


def page() -> str:
    """The whole page."""
    rows = [f"| {case.fault} | {case.exit_code} | {case.said} |" for case in cases()]
    others = [f"| {fault} | {left} |" for fault, left in _OTHERS]
    beside = ["", "Tested beside these:", "", "| fault | what is left |", "| --- | --- |", *others]
    return _HEAD + "\n".join([*rows, *beside]) + "\n"
