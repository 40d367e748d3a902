"""The first steps of every job on data: open the engine, read the sources, hold them to their contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from tierwise.config.load import Workspace
from tierwise.engine import EmbeddedEngine, open_engine
from tierwise.errors import Fault, InvalidInput, Refused
from tierwise.jobs.progress import Steps
from tierwise.store.sources import read_tables, source_bytes
from tierwise.tables import CheckResult, check_tables

TIMES_IN_MEMORY = 8
"""How many times the size of Parquet files their tables take in memory, where they are not compressed."""


@contextmanager
def accepted_tables(workspace: Workspace, today: date, steps: Steps) -> Iterator[tuple[EmbeddedEngine, CheckResult]]:
    """Read every table of the workspace into a new engine and check it.

    Args:
        workspace: The workspace.
        today: The day of the run; event dates after it (or after `extracted_on`) are faults.
        steps: Told of two steps.

    Yields:
        The engine, holding the accepted tables and `quarantine`, and what the check found.
    """
    settings = workspace.settings.engine
    with open_engine(settings) as engine:
        steps.begin("read the tables")
        if source_bytes(workspace) * TIMES_IN_MEMORY > settings.memory_bytes:
            engine.keep_on_disk()
        read_tables(engine, workspace)
        steps.begin("hold the tables to their contract")
        yield engine, check_tables(engine, workspace, today)


def refuse_unknowable_day(workspace: Workspace, as_of: date, today: date) -> None:
    """Stop a run as of a day that the sources can say nothing about.

    Raises:
        InvalidInput: If the as-of date is before the earliest date of the workspace, or later than the day on which
            the sources were extracted, or than the day of the run.
    """
    earliest, newest = workspace.settings.earliest_date, workspace.settings.extracted_on or today
    if earliest <= as_of <= newest:
        return
    limit = f"later than {newest}, the last day the sources can tell of" if as_of > newest else f"before {earliest}"
    todo = f"take a day from {earliest} to {newest}; a review's day is normally the last of its quarter or month"
    raise InvalidInput(Fault(f"the as-of date {as_of} is {limit}", "--as-of", todo=todo))


def refuse_unfit(check: CheckResult) -> None:
    """Stop a run whose data lost more than the workspace tolerates, or has no partner at all.

    Raises:
        Refused: With what was lost in each table, and examples.
    """
    if check.refusals:
        raise Refused(list(check.refusals))
