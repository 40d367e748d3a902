"""The pilots of a workspace: which there are, where they stand, and what MLflow keeps of their readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput, Refused
from tierwise.jobs.pilot_files import open_pilot, pilot_slugs
from tierwise.jobs.pilot_page import story_of
from tierwise.reports.pilot_list import ComparedRow, PilotLine
from tierwise.reports.pilot_page import pilot_page
from tierwise.store.pilot_folder import Kept, KeptPilot, kept_slugs, read_pilot
from tierwise.store.pilot_parts import PilotRecord
from tierwise.store.pilot_records import AnalysisRecord
from tierwise.tracking import Registry
from tierwise.tracking.pilots import TrackedRun, tracked_runs

_VERDICT = "verdict."
_FIGURES = ("relative", "relative_low", "relative_high", "p_adjusted")


def list_pilots(workspace: Workspace, today: date, out: Path | None = None) -> tuple[PilotLine, ...]:
    """Tell where every pilot stands, by name; a file at fault is told, not raised.

    Raises:
        OutsideFailure: If a kept record is damaged or MLflow fails.
    """
    output = out or workspace.output_folder
    runs = tracked_runs(Registry.of(workspace))
    slugs = sorted({*pilot_slugs(workspace), *kept_slugs(output)})
    return tuple(_line(workspace, output, slug, today, [run for run in runs if run["pilot"] == slug]) for slug in slugs)


def compare_pilots(workspace: Workspace, slugs: Sequence[str]) -> tuple[ComparedRow, ...]:
    """Put readings side by side: the latest of each pilot, or all readings of a single one.

    Args:
        workspace: The workspace.
        slugs: The pilots; all that were read where none is named.

    Raises:
        InvalidInput: If MLflow keeps no reading of a named pilot.
        OutsideFailure: If MLflow fails.
    """
    readings = [run for run in tracked_runs(Registry.of(workspace)) if run["kind"] == "analysis"]
    by_pilot: dict[str, list[TrackedRun]] = {}
    for run in sorted(readings, key=lambda run: (run["pilot"], run["facts"].get("as_of", ""))):
        by_pilot.setdefault(run["pilot"], []).append(run)
    unknown = [slug for slug in slugs if slug not in by_pilot]
    if unknown:
        faults = [Fault(f"MLflow keeps no reading of {slug!r}; {hint(slug, by_pilot) or 'none is kept yet'}",
                        todo=f"read it first: tierwise pilot analyse {slug}") for slug in unknown]  # fmt: skip
        raise InvalidInput(faults)
    chosen = list(dict.fromkeys(slugs)) or sorted(by_pilot)
    kept = [run for slug in chosen for run in (by_pilot[slug] if len(chosen) == 1 else by_pilot[slug][-1:])]
    return tuple(row for run in kept for row in _compared(run))


def kept_reading(
    workspace: Workspace, slug: str, as_of: date | None = None, out: Path | None = None
) -> tuple[KeptPilot, Kept[AnalysisRecord]]:
    """A pilot as kept with one of its readings; the latest where no day is named.

    Raises:
        Refused: If the pilot was not read yet.
        InvalidInput: If there is no such pilot, or it was not read as of the day.
        OutsideFailure: If a kept record is damaged.
    """
    output = out or workspace.output_folder
    kept = read_pilot(output, slug) if slug in kept_slugs(output) else None
    if kept is None:
        open_pilot(workspace, slug)
    if kept is None or not kept.analyses:
        todo = f"read it first: tierwise pilot analyse {slug}"
        raise Refused(Fault(f"the pilot {slug!r} was not read yet", str(output), todo=todo))
    found = [one for one in kept.analyses if as_of in (None, one.record.source.as_of)]
    if not found:
        days = ", ".join(str(one.record.source.as_of) for one in kept.analyses)
        raise InvalidInput(Fault(f"the pilot {slug!r} was not read as of {as_of}; it was as of {days}", "--as-of"))
    return kept, found[-1]


def reading_page(kept: KeptPilot, reading: Kept[AnalysisRecord]) -> str:
    """The page of a reading, made again from the kept records."""
    return pilot_page(story_of(reading.record, kept, reading.tables))


def _line(workspace: Workspace, output: Path, slug: str, today: date, runs: list[TrackedRun]) -> PilotLine:
    kept = read_pilot(output, slug)
    readings = sorted((run for run in runs if run["kind"] == "analysis"), key=lambda run: run["facts"]["as_of"])
    last = readings[-1]["facts"] if readings else {}
    line = PilotLine(
        slug,
        runs=len(runs),
        read_as_of=last.get("as_of", ""),
        final=last.get("final") == "true",
        verdicts={name.removeprefix(_VERDICT): said for name, said in last.items() if name.startswith(_VERDICT)},
    )
    known = _known(kept)
    if known is not None and kept.assignment is not None:
        partners = kept.assignment.record.population.partners
        line = replace(line, title=known.title, starts=known.starts, ends=known.ends)
        return replace(line, state=_state(known, today), partners=partners)
    try:
        pilot = open_pilot(workspace, slug)
    except InvalidInput as error:
        return replace(line, state="at fault", fault=str(error.faults[0].what))
    state = "designed" if kept.designs else "planned"
    return replace(line, title=pilot.settings.title, state=state, starts=pilot.starts, ends=pilot.ends)


def _known(kept: KeptPilot) -> PilotRecord | None:
    """The pilot as last kept: of the latest reading, else of the draw."""
    if kept.analyses:
        return kept.analyses[-1].record.pilot
    return None if kept.assignment is None else kept.assignment.record.pilot


def _state(pilot: PilotRecord, today: date) -> str:
    if today < pilot.starts:
        return "drawn"
    return "running" if today <= pilot.ends else "ended"


def _compared(run: TrackedRun) -> Iterator[ComparedRow]:
    facts, metrics = run["facts"], run["metrics"]
    arms = [name.removeprefix(_VERDICT) for name in facts if name.startswith(_VERDICT)]
    for metric in run["params"].get("primary", "").split(", "):
        for arm in arms:
            relative, low, high, p = (metrics.get(f"{metric}/{arm}/{figure}") for figure in _FIGURES)
            yield ComparedRow(
                pilot=run["pilot"],
                as_of=facts.get("as_of", ""),
                final=facts.get("final") == "true",
                arm=arm,
                metric=metric,
                partners=metrics.get("partners"),
                relative=relative,
                low=low,
                high=high,
                p_adjusted=p,
                return_on_cost=metrics.get(f"return_on_cost/{arm}/estimate"),
                verdict=facts[f"{_VERDICT}{arm}"],
            )
