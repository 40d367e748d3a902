"""Drift: hold the partners to be scored against the rows that a version was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pandas as pd

from tierwise import potential
from tierwise.audit import Drift, detect_drift, reference_rows
from tierwise.config.load import Workspace
from tierwise.config.model_spec import FeatureSet
from tierwise.errors import Fault, Refused
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.learned import Learned
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.metrics import compute
from tierwise.reports.drift import DriftReport
from tierwise.store import Part, write_frame, write_text
from tierwise.tracking import Champion, Registry

STEPS = 5
GROUP = "drift"
Against = Literal["last_review", "all_reviews"]
FOLDER, PAGE = "drift", "drift.html"


@dataclass(frozen=True)
class DriftRequest:
    """What to compare, and where to write it.

    Attributes:
        as_of: The day of the rows to be scored.
        today: The day of the run; later event dates are faults.
        out: The folder for tables and page; `drift/DAY` in the output folder by default.
        against: The training rows of the last review, or of all; a young channel's early rows differ by their age.
    """

    as_of: date
    today: date
    out: Path | None = None
    against: Against = "last_review"


def drift(workspace: Workspace, request: DriftRequest, notify: Notify = silent) -> DriftReport:
    """Compare the partners of a day with those that the version in force was trained on; write tables and a page.

    Raises:
        InvalidInput: If the workspace or its data is at fault, or the sources can say nothing about the date.
        Refused: If no version is in force, it keeps no training rows, or the data is unfit.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS)
    refuse_unknowable_day(workspace, request.as_of, request.today)
    steps.begin("load the version in force")
    champion = Registry.of(workspace).load_champion()
    reference, features = _reference_of(champion, request.against)
    with accepted_tables(workspace, request.today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the metrics")
        rows = compute(engine, workspace, [request.as_of])
    steps.begin("compare")
    current = rows[rows["first_seen"].notna()].reset_index(drop=True)
    found = detect_drift(reference, current, features, workspace.settings.seed)
    report = DriftReport(workspace.settings.name, request.as_of, champion.version, found, _days(reference))
    folder = request.out or workspace.output_folder / FOLDER / request.as_of.isoformat()
    for name, table in found.tables().items():
        write_frame(table, folder / f"{name}.parquet")
    write_text(folder / PAGE, report.page())
    return report.written_to(folder)


def drift_parts(learned: Learned) -> dict[str, Part]:
    """Return what a version keeps for later comparisons: one training row each of at most 2,000 partners, twice."""
    seed = learned.workspace.settings.seed
    return {
        "last_review": reference_rows(_last_review(learned), learned.features, seed),
        "all_reviews": reference_rows(learned.labelled, learned.features, seed),
    }


def _last_review(learned: Learned) -> pd.DataFrame:
    rows = learned.labelled
    last: pd.DataFrame = rows[rows["as_of"] == rows["as_of"].max()]
    return last


def training_drift(learned: Learned, registry: Registry) -> Drift:
    """Compare the new rows with those of the version in force, or with the training's own where there is none yet."""
    if any("champion" in version["aliases"] for version in registry.versions()):
        champion = registry.load_champion()
        if champion.bundle.group(GROUP):
            reference, features = _reference_of(champion, "last_review")
            return detect_drift(reference, learned.current, features, learned.workspace.settings.seed)
    own = reference_rows(_last_review(learned), learned.features, learned.workspace.settings.seed)
    return detect_drift(own, learned.current, learned.features, learned.workspace.settings.seed)


def _reference_of(champion: Champion, against: Against) -> tuple[pd.DataFrame, FeatureSet]:
    parts: Mapping[str, Part] = champion.bundle.group(GROUP)
    if against not in parts:
        what = f"version {champion.version} keeps no training rows, so drift cannot be told"
        raise Refused(Fault(what, todo="train again with this version of Tierwise, and promote the result"))
    return parts[against], potential.from_parts(champion.bundle.group("potential")).features


def _days(reference: pd.DataFrame) -> tuple[date, date] | None:
    if reference.empty:
        return None
    return reference["as_of"].min().date(), reference["as_of"].max().date()
