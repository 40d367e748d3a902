"""Holding a pilot's file against the frozen one, and recording a change of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tierwise.config.load import Workspace
from tierwise.errors import Fault, InvalidInput, Refused
from tierwise.jobs.pilot_files import OpenPilot, open_pilot
from tierwise.jobs.pilot_tracking import track_amendment
from tierwise.store import lock_output
from tierwise.store.pilot_folder import KeptPilot, pilot_folder, read_pilot, write_amendment
from tierwise.store.pilot_freeze import changes_between, undoes_the_draw
from tierwise.store.pilot_records import AmendmentRecord, AssignmentRecord, ChangeRecord

MOST_SHOWN = 60


@dataclass(frozen=True)
class AmendRequest:
    """What to record.

    Attributes:
        slug: The pilot.
        today: The day of the change, which the record keeps.
        by: Who changed the file.
        because: Why; not empty.
        out: The output folder; the workspace's by default.
    """

    slug: str
    today: date
    by: str
    because: str
    out: Path | None = None


def amend(workspace: Workspace, request: AmendRequest) -> AmendmentRecord:
    """Record the change of a pilot's file after it was frozen: who, when, why, what, and whether results were known.

    Raises:
        InvalidInput: If the file is at fault, or no reason is given.
        Refused: If the pilot was never drawn, the file did not change, or the change would need another draw.
        OutsideFailure: If the disk or MLflow fails.
    """
    if not request.because.strip() or not request.by.strip():
        raise InvalidInput(Fault("an amendment needs who and why", "--because", todo='give --because "..."'))
    pilot = open_pilot(workspace, request.slug)
    output = request.out or workspace.output_folder
    with lock_output(pilot_folder(output, pilot.slug)):
        kept = read_pilot(output, pilot.slug)
        drawn = drawn_of(kept)
        changes = changes_since(pilot, kept)
        if not changes:
            raise Refused(
                Fault("the file says what is in force already; there is nothing to amend", pilot.document.file)
            )
        _refuse_another_draw(pilot, changes)
        record = AmendmentRecord(
            number=len(kept.amendments) + 1,
            on=request.today,
            by=request.by,
            because=request.because,
            changes=changes,
            results_known=tuple(one.record.source.as_of for one in kept.analyses),
            before_sha256=in_force_sha256(kept),
            sha256=pilot.sha256,
            settings=pilot.canonical,
            metrics=pilot.metrics,
        )
        write_amendment(output, pilot.slug, record)
    track_amendment(workspace, drawn, record)
    return record


def drawn_of(kept: KeptPilot) -> AssignmentRecord:
    """The draw of a pilot.

    Raises:
        Refused: If there is none.
    """
    if kept.assignment is None:
        todo = f"draw it first: tierwise pilot assign {kept.slug}"
        raise Refused(Fault(f"the arms of the pilot {kept.slug!r} are not drawn yet", str(kept.folder), todo=todo))
    return kept.assignment.record


def refuse_changed(pilot: OpenPilot, kept: KeptPilot) -> None:
    """Stop where the file, or a metric that it reads, is not what was frozen or amended.

    Raises:
        Refused: With each field that changed.
    """
    changes = changes_since(pilot, kept)
    if not changes:
        return
    drawn = drawn_of(kept)
    frozen_on = kept.amendments[-1].on if kept.amendments else drawn.on
    what = (
        f"{_count(changes)} changed since {'the amendment of' if kept.amendments else 'it was frozen on'} {frozen_on}"
    )
    faults = [Fault(f"the pilot's file: {what}", pilot.document.file, todo=_todo(pilot, changes))]
    raise Refused([*(_shown(pilot, change) for change in changes), *faults])


def changes_since(pilot: OpenPilot, kept: KeptPilot) -> tuple[ChangeRecord, ...]:
    """Every field that differs from what is in force."""
    settings, metrics = in_force(kept)
    return changes_between(settings, pilot.canonical, (metrics, pilot.metrics))


def in_force(kept: KeptPilot) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The settings and the metrics' definitions in force: as frozen, or as last amended."""
    last = kept.amendments[-1] if kept.amendments else drawn_of(kept)
    return last.settings, last.metrics


def in_force_sha256(kept: KeptPilot) -> str:
    """The hash of the settings in force."""
    return kept.amendments[-1].sha256 if kept.amendments else drawn_of(kept).pilot.sha256


def _refuse_another_draw(pilot: OpenPilot, changes: Sequence[ChangeRecord]) -> None:
    faults = [_shown(pilot, change) for change in changes if undoes_the_draw(change)]
    if faults:
        what = "the arms are drawn by what the file said; a change of that is another pilot"
        todo = "put these fields back, and write another file for another pilot"
        raise Refused([*faults, Fault(what, pilot.document.file, todo=todo)])


def _todo(pilot: OpenPilot, changes: Sequence[ChangeRecord]) -> str:
    if any(undoes_the_draw(change) for change in changes):
        return "put the file back as it was; what decides the draw cannot be amended, so write another pilot for it"
    return (
        f'put the file back as it was, or record the change: tierwise pilot assign {pilot.slug} --amend --because "..."'
    )


def _shown(pilot: OpenPilot, change: ChangeRecord) -> Fault:
    path = tuple(change.field.split("."))
    is_metric = change.field.startswith("metrics.yaml")
    where = change.field if is_metric else pilot.document.where(path)
    return Fault(f"it was {_value(change.before)} and is now {_value(change.after)}", where)


def _value(value: object) -> str:
    text = "nothing" if value in (None, "", [], {}) else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


def _count(changes: Sequence[ChangeRecord]) -> str:
    return "one field" if len(changes) == 1 else f"{len(changes)} fields"
