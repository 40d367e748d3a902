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
        "the run is killed (SIGKILL) at any moment, on DuckDB or on Spark",
        "the earlier output, whole; the next run finishes, with the bytes of an undisturbed one, and does not "
        "make the blocks again that were finished (below)",
    ),
    (
        "what a killed run had spilled, or handed over to Spark",
        "folders `tierwise-spill-…` among the temporary files and `tierwise-spark-…` there or in "
        "`engine.spark.scratch`; the next run on the same machine deletes those that no run uses",
    ),
    (
        "a worker of Spark is killed in mid-job",
        "the run completes, with the same figures",
    ),
    (
        "a reader looks while a run writes",
        "the earlier output or the new one, never a mixture",
    ),
    (
        "the disk is full, or a limit lets no more be written, in the middle of a table",
        'exit code 3, "could not write the output"; the earlier output, whole, and the finished blocks',
    ),
    (
        "a file or a marker of a finished block is damaged before the next run",
        "that block and all after it are made again",
    ),
    (
        "data, model, policy, settings or engine changed since the killed run",
        "its blocks are deleted, and all are made again",
    ),
    (
        "the output folder is read-only",
        "exit code 3, likewise",
    ),
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
    (
        "the file of a run's figures cannot be written",
        "exit code 3; the review itself is there",
    ),
)
_BLOCKS = """
## What a killed run had finished

A review of more partners than `engine.partners_at_once` is explained and written block by block. The files of
finished blocks stand in `<output>/.<as_of>.<run_id>.tmp`. For each block a marker in
`<output>/.<as_of>.<run_id>.blocks` names its files with their rows and hashes; it is written when they are safe on
the disk.

* The same command again computes metrics, models, placement and movement anew, since they name the run. Blocks whose
  marker and files are whole are then taken as they are, the others are made; the bytes are those of an undisturbed
  run.
* Commands that only take the output's lock leave both folders. The next review that is written into the output
  deletes them if they are of another run, so at most one unfinished review takes space.
* CSV and Excel files are made from the Parquet files at the end, so a table too long for Excel, or another choice of
  formats, costs no block.
* To free the space at once, delete both folders while no run is at work. A review of one block leaves nothing.
"""


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
    return _HEAD + "\n".join([*rows, *beside]) + "\n" + _BLOCKS
