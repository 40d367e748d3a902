"""Attribution: the net effect of tiers and incentives on revenue, from the channel's own history, with its grade."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tierwise.config.load import Workspace
from tierwise.engine import Engine
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.attribute_alternatives import alternative_findings
from tierwise.jobs.attribute_history import read_history
from tierwise.jobs.attribute_rollouts import Channel, region_finding, rollout_finding
from tierwise.jobs.attribute_settings import Declared, load_declared
from tierwise.jobs.attribute_tiers import before_after_findings, compared_findings, threshold_findings
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.reports.attribution import AttributionReport
from tierwise.reports.attribution_findings import Finding
from tierwise.store.report_folder import Report, write_report
from tierwise.tables import fingerprint

STEPS = 7
FOLDER = "attribution"


@dataclass(frozen=True)
class AttributeRequest:
    """What to judge, and where to write it.

    Attributes:
        as_of: Nothing that happened later counts.
        today: The day of the run; later event dates are faults.
        out: The folder for tables and page; `attribution` in the output folder by default.
    """

    as_of: date
    today: date
    out: Path | None = None


def attribute(workspace: Workspace, request: AttributeRequest, notify: Notify = silent) -> AttributionReport:
    """Judge tiers, roll-outs, regions and other thresholds by the history; write tables and a page.

    The same history gives the same bytes.

    Raises:
        InvalidInput: If the workspace, `attribution.yaml` or the data is at fault, or the sources can say nothing
            about the date.
        Refused: If the data is unfit.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS)
    report, data = _judged(workspace, request, steps)
    steps.begin("write the page")
    facts = {"data_fingerprint": data, "outcome": report.outcome, "horizon": report.horizon}
    folder = request.out or workspace.output_folder / FOLDER
    return report.written_to(write_report(folder, Report(request.as_of, report.tables(), report.documents(), facts)))


def judge(workspace: Workspace, request: AttributeRequest, notify: Notify = silent) -> AttributionReport:
    """Judge in the same way, and write nothing.

    Raises:
        InvalidInput: As `attribute`.
        Refused: As `attribute`.
        OutsideFailure: If a source or MLflow fails.
    """
    return _judged(workspace, request, Steps(notify, STEPS - 1))[0]


def _judged(workspace: Workspace, request: AttributeRequest, steps: Steps) -> tuple[AttributionReport, str]:
    """The report, and the fingerprint of the data behind it."""
    refuse_unknowable_day(workspace, request.as_of, request.today)
    declared = load_declared(workspace)
    with accepted_tables(workspace, request.today, steps) as (engine, check):
        refuse_unfit(check)
        findings = _findings(engine, workspace, declared, request.as_of, steps)
        data = fingerprint(engine, workspace, request.as_of)
    name, horizon = workspace.settings.name, str(declared.horizon)
    return AttributionReport(name, request.as_of, declared.outcome, horizon, findings), data


def _findings(
    engine: Engine, workspace: Workspace, declared: Declared, as_of: date, steps: Steps
) -> tuple[Finding, ...]:
    steps.begin("read the recorded tiers")
    history = read_history(engine, workspace, declared, as_of)
    steps.begin("compare partners near each threshold")
    found = [*threshold_findings(history)]
    steps.begin("judge declared roll-outs")
    channel = Channel(engine, workspace, declared, as_of)
    found += [rollout_finding(channel, one) for one in declared.settings.rollouts.values()]
    found += [region_finding(channel, one) for one in declared.settings.regions.values()]
    steps.begin("look at other thresholds and at tiers side by side")
    found += [*alternative_findings(history), *compared_findings(history), *before_after_findings(history)]
    return tuple(found)
