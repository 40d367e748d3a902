"""Read a pilot: effects, gate, verdict and return, as of a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from tierwise import pilots
from tierwise.config.load import Workspace
from tierwise.config.pilot import AnalysisSettings, MoneySettings
from tierwise.errors import Fault, InvalidInput, Refused
from tierwise.jobs.accept import refuse_unknowable_day
from tierwise.jobs.pilot_amend import drawn_of, refuse_changed
from tierwise.jobs.pilot_channel import open_channel
from tierwise.jobs.pilot_files import OpenPilot, open_pilot
from tierwise.jobs.pilot_metrics import final_until
from tierwise.jobs.pilot_over_time import over_time
from tierwise.jobs.pilot_page import story_of
from tierwise.jobs.pilot_reading import Reading, analysis_settings, money_settings, pilot_rows
from tierwise.jobs.pilot_record import pilot_record, source_record
from tierwise.jobs.pilot_snapshot import Channel
from tierwise.jobs.pilot_stop import stop_answer
from tierwise.jobs.pilot_tracking import track_analysis
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import first_event_date
from tierwise.pilots import Analysis, Result
from tierwise.pilots.gates import sample_ratio
from tierwise.pilots.units import read_units
from tierwise.reports.pilot_page import pilot_page
from tierwise.reports.pilot_plots import pilot_plots
from tierwise.store.pilot_folder import ANALYSIS, PAGE, Kept, KeptPilot, Step, read_pilot, write_step
from tierwise.store.pilot_records import (
    AnalysisRecord,
    ComplianceRecord,
    MoneyRecord,
    SampleRatioRecord,
    VerdictRecord,
)

STEPS = 5


@dataclass(frozen=True)
class AnalyseRequest:
    """What to read.

    Attributes:
        slug: The pilot.
        today: The day of the run; later event dates are faults.
        as_of: The last day whose events are known; the pilot's last day, or the last that is known, by default.
        out: The output folder; the workspace's by default.
    """

    slug: str
    today: date
    as_of: date | None = None
    out: Path | None = None


@dataclass(frozen=True)
class _Read:
    """What was read: the analysis, the money rows, the verdicts."""

    settings: AnalysisSettings
    analysis: Analysis
    money: tuple[Result, ...]
    verdicts: tuple[pilots.Verdict, ...]


def analyse(workspace: Workspace, request: AnalyseRequest, notify: Notify = silent) -> Kept[AnalysisRecord]:
    """Read a pilot as of a day; write the record, the tables and the page, and log them to MLflow.

    The same data, file and draw give the same bytes.

    Raises:
        InvalidInput: If the pilot's file, the workspace or its data is at fault, or nothing can be read yet.
        Refused: If the pilot is not drawn, its file was changed since, the data is unfit, or the file plans no look
            before the end.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS)
    pilot = open_pilot(workspace, request.slug)
    output = request.out or workspace.output_folder
    kept = read_pilot(output, pilot.slug)
    drawn_of(kept)
    refuse_changed(pilot, kept)
    reading = _reading(workspace, pilot, request)
    assert kept.assignment is not None, "drawn_of has refused otherwise"
    units = kept.assignment.tables["units"]
    with open_channel(workspace, output, request.today, None, steps) as channel:
        steps.begin("count the outcomes")
        rows = pilot_rows(channel, pilot, units, reading)
        periods = over_time(channel, pilot, units, reading, first_event_date(channel.engine, workspace))
        steps.begin("estimate the effects")
        read = _read(workspace, pilot, rows, reading)
        record = _record(channel, pilot, kept, (rows, reading, read))
    steps.begin("write the analysis")
    tables = {"results": _results_table(read), "over_time": periods}
    story = story_of(record, kept, tables)
    plots = pilot_plots(story)
    place = write_step(output, Step(ANALYSIS, record, tables, {PAGE: pilot_page(story, plots)}))
    written = Kept(record, tables, place)
    track_analysis(workspace, kept.assignment, written, plots)
    return written


def _reading(workspace: Workspace, pilot: OpenPilot, request: AnalyseRequest) -> Reading:
    newest = workspace.settings.extracted_on or request.today
    as_of = request.as_of or min(pilot.ends, newest)
    refuse_unknowable_day(workspace, as_of, request.today)
    until = final_until(workspace, pilot.settings.read_metrics(), as_of, pilot.ends)
    if until < pilot.starts:
        what = f"there is nothing to read as of {as_of}: the pilot starts on {pilot.starts}"
        if as_of >= pilot.starts:
            what += f" and its figures are final only up to {until} (the metrics' lag)"
        raise InvalidInput(Fault(what, "--as-of", todo="take a later as-of date"))
    final, looks = until >= pilot.ends, pilot.settings.looks
    if not final and not looks:
        todo = (
            f"wait for its end on {pilot.ends}; a look can be added to the file as an amendment, and then every "
            "interval is wider, the last one too"
        )
        what = f"as of {as_of} the pilot runs until {pilot.ends}, and its file plans no look before its end"
        raise Refused(Fault(what, pilot.document.file, todo=todo))
    share = ((until - pilot.starts).days + 1) / pilot.days
    return Reading(as_of, until, final, share if looks else None)


def _read(workspace: Workspace, pilot: OpenPilot, rows: pd.DataFrame, reading: Reading) -> _Read:
    settings = analysis_settings(workspace, pilot, reading)
    analysis = _gated(pilots.analyse(rows, settings), rows, settings)
    money = money_settings(workspace, pilot) if reading.final else None
    returns = pilots.returns(rows, settings, money) if money else ()
    if not analysis.sample_ratio.passed:
        returns = tuple(row.without_value("sample_ratio_mismatch") for row in returns)
    # The return is told at the end, so at a look the rule is applied without it.
    rule = pilot.settings.decision
    rule = rule if reading.final else rule.model_copy(update={"least_return": None})
    return _Read(settings, analysis, returns, pilots.decide(analysis, settings, rule, returns))


def _gated(analysis: Analysis, rows: pd.DataFrame, settings: AnalysisSettings) -> Analysis:
    """Hold the arms of the partners that the sources still know against the draw as well: a gap there is a gap too."""
    there = rows[rows["known"]]
    if there["arm"].nunique() < len(settings.shares) or not analysis.sample_ratio.passed:
        return analysis
    gate = sample_ratio(read_units(there, settings), settings)
    if gate.passed:
        return replace(analysis, sample_ratio=gate)
    gone = tuple(row.without_value("sample_ratio_mismatch") for row in analysis.results)
    return replace(analysis, sample_ratio=gate, results=gone)


def _record(
    channel: Channel, pilot: OpenPilot, kept: KeptPilot, found: tuple[pd.DataFrame, Reading, _Read]
) -> AnalysisRecord:
    rows, reading, read = found
    analysis, drawn = read.analysis, drawn_of(kept)
    money = money_settings(channel.workspace, pilot)
    stop, because = (
        (None, ()) if reading.final else stop_answer(pilot.settings.stop, read.settings, analysis, read.verdicts)
    )
    return AnalysisRecord(
        pilot=pilot_record(channel.workspace, pilot, rows),
        source=source_record(channel, reading.as_of),
        assignment_sha256=drawn.sha256,
        until=reading.until,
        final=reading.final,
        look=reading.look,
        partners=analysis.units,
        left=analysis.left,
        unknown=int((~rows["known"]).sum()),
        sample_ratio=SampleRatioRecord(**asdict(analysis.sample_ratio), passed=analysis.sample_ratio.passed),
        compliance=tuple(ComplianceRecord(**asdict(one)) for one in analysis.compliance),
        results=tuple(pilots.to_rows(analysis.results)),
        verdicts=tuple(VerdictRecord(**asdict(one)) for one in read.verdicts),
        money=tuple(_money(read.money, money)) if money else (),
        stop=stop,
        stop_because=because,
        amendments=kept.amendments,
        notes=tuple(_notes(pilot, kept, rows, reading)),
    )


def _money(rows: Sequence[Result], money: MoneySettings) -> Iterator[MoneyRecord]:
    for arm in dict.fromkeys(row.arm for row in rows):
        own = [row for row in rows if row.arm == arm]
        yield MoneyRecord(arm=arm, rows=tuple(pilots.to_rows(own)), published=pilots.published_summary(own, arm, money))


def _notes(pilot: OpenPilot, kept: KeptPilot, rows: pd.DataFrame, reading: Reading) -> Iterator[str]:
    yield from drawn_of(kept).notes
    unknown = int((~rows["known"]).sum())
    if unknown:
        yield f"{unknown} drawn partners are no longer in the sources; they count as partners without an outcome."
    if not reading.final:
        yield f"The pilot runs until {pilot.ends}: this is a look, valid together with every other look."
        if pilot.settings.money is not None:
            yield "Return on cost is told at the end: the cost is that of the whole pilot."
    if not reading.final and reading.as_of not in drawn_of(kept).pilot.looks:
        yield "This look was not planned for this day; a confidence sequence holds at every day."
    late = [one for one in kept.amendments if one.results_known]
    if late:
        yield f"{len(late)} amendments were made when results were known: read the verdict with that in mind."


def _results_table(read: _Read) -> pd.DataFrame:
    effects = pilots.to_frame(read.analysis.results).assign(kind="effect")
    money = pilots.to_frame(read.money).assign(kind="money") if read.money else effects.iloc[:0]
    both = pd.concat([effects, money], ignore_index=True) if len(money) else effects
    return both[["kind", *[name for name in both if name != "kind"]]]
