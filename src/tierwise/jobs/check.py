"""The job `check`: read every table, hold it to its contract, and write the data report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tierwise.config.load import Workspace
from tierwise.engine import open_engine
from tierwise.errors import Fault
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.metrics import check_catalog
from tierwise.reports.data_report import DataReport, as_html, as_payload
from tierwise.store.sources import read_tables
from tierwise.store.writer import write_frame, write_text
from tierwise.store.writer_formats import without_formulas
from tierwise.tables import check_tables

REPORT_FOLDER = "check"


@dataclass(frozen=True)
class CheckedData:
    """The outcome of the job.

    Attributes:
        summary: The data report.
        files: The files written.
    """

    summary: DataReport
    files: tuple[Path, ...]

    @property
    def refusal(self) -> tuple[Fault, ...] | None:
        """Why the data must not be scored; None when it may."""
        return self.summary.refusals or None


def check(workspace: Workspace, today: date, *, out: Path | None = None, notify: Notify = silent) -> CheckedData:
    """Read and check every table, and write the report and the quarantine.

    Args:
        workspace: The workspace.
        today: The day of the run; nothing later can have happened, unless the workspace names the day of extraction.
        out: The folder for the files; `check` in the output folder by default.
        notify: Told of each step.

    Returns:
        The report, also when its verdict is that the data must not be scored.

    Raises:
        InvalidInput: If the metric catalog is at fault, or sources are missing or cannot be read as declared.
        OutsideFailure: If a disk or server fails.
    """
    steps = Steps(notify, 4)
    steps.begin("read the metric catalog")
    catalog_warnings = check_catalog(workspace)
    with open_engine(workspace.settings.engine) as engine:
        steps.begin("read the tables")
        sources = read_tables(engine, workspace)
        steps.begin("hold the tables to their contract")
        result = check_tables(engine, workspace, today)
        settings = workspace.settings
        summary = DataReport(settings.name, settings.currency.program, sources, result, catalog_warnings)
        steps.begin("write the data report")
        quarantine = engine.arrow('SELECT * FROM quarantine ORDER BY "table", "row"')
    folder = out or workspace.output_folder / REPORT_FOLDER
    page, data = folder / "data_report.html", folder / "data_report.json"
    rows, sheet = folder / "quarantine.parquet", folder / "quarantine.csv"
    write_text(page, as_html(summary))
    write_text(data, json.dumps(as_payload(summary), indent=2, ensure_ascii=False) + "\n")
    write_frame(quarantine, rows)
    write_frame(without_formulas(quarantine), sheet)
    return CheckedData(summary, (page, data, rows, sheet))
