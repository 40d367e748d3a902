"""Draw a pilot's arms and freeze its file; record a later change of the file as an amendment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from tierwise import pilots
from tierwise.config.load import Workspace
from tierwise.config.pilot import AssignmentSettings
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.pilot_amend import refuse_changed
from tierwise.jobs.pilot_channel import champion_for, late_model_note, newest_day, open_channel
from tierwise.jobs.pilot_files import OpenPilot, open_pilot
from tierwise.jobs.pilot_metrics import KEY, Stretch, count_over
from tierwise.jobs.pilot_movers import mover_notes
from tierwise.jobs.pilot_population import CLUSTER, Population, filled, population, refuse_too_few
from tierwise.jobs.pilot_record import covariate_names, pilot_record, source_record
from tierwise.jobs.pilot_snapshot import UNKNOWN, Channel
from tierwise.jobs.pilot_tracking import track_assignment
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.store import lock_output
from tierwise.store.pilot_folder import ASSIGNMENT, FROZEN_FILE, Kept, Step, pilot_folder, read_pilot, write_step
from tierwise.store.pilot_records import AssignmentRecord

STEPS = 4
ARCHETYPE = "archetype"


@dataclass(frozen=True)
class AssignRequest:
    """What to draw.

    Attributes:
        slug: The pilot.
        today: The day of the run, which the record keeps.
        by: Who draws.
        out: The output folder; the workspace's by default.
    """

    slug: str
    today: date
    by: str
    out: Path | None = None


@dataclass(frozen=True)
class Drawn:
    """A draw; `is_new` tells whether it was made now or found as it was made before."""

    kept: Kept[AssignmentRecord]
    is_new: bool


def assign(workspace: Workspace, request: AssignRequest, notify: Notify = silent) -> Drawn:
    """Draw the arms of a pilot as of the day before its start, freeze its file, and log both to MLflow.

    A pilot is drawn once: where it was drawn before, nothing is drawn and the file is held against the frozen one.

    Raises:
        InvalidInput: If the pilot's file, the workspace or its data is at fault, or the start is not known of yet.
        Refused: If the file was changed since it was frozen, the data is unfit, or too few units take part.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS)
    pilot = open_pilot(workspace, request.slug)
    output = request.out or workspace.output_folder
    with lock_output(pilot_folder(output, pilot.slug)):
        kept = read_pilot(output, pilot.slug, analyses=False)
        if kept.assignment is not None:
            refuse_changed(pilot, kept)
            track_assignment(workspace, kept.assignment)
            return Drawn(kept.assignment, is_new=False)
        _refuse_unknown_start(workspace, pilot, request.today)
        champion = champion_for(workspace, pilot)
        with open_channel(workspace, output, request.today, champion, steps) as channel:
            steps.begin("draw the arms")
            found = population(channel, pilot, pilot.eve)
            refuse_too_few(pilot, found)
            record, tables = _draw(channel, pilot, found, request)
        steps.begin("write the assignment")
        place = write_step(output, Step(ASSIGNMENT, record, tables, {FROZEN_FILE: pilot.text}))
    drawn = Kept(record, tables, place)
    track_assignment(workspace, drawn)
    return Drawn(drawn, is_new=True)


def _refuse_unknown_start(workspace: Workspace, pilot: OpenPilot, today: date) -> None:
    newest = newest_day(workspace, today)
    if pilot.eve > newest:
        what = (
            f"the pilot starts on {pilot.starts}, but the sources can tell of no day after {newest}: who takes part "
            f"is known on {pilot.eve}"
        )
        todo = "draw it on the day before its start, with fresh sources, or let it start earlier"
        raise InvalidInput(Fault(what, pilot.document.where(("starts",)), todo=todo))


def _draw(
    channel: Channel, pilot: OpenPilot, found: Population, request: AssignRequest
) -> tuple[AssignmentRecord, dict[str, pd.DataFrame]]:
    settings, seed = pilot.settings, pilot.seed(channel.workspace)
    figures = tuple(dict.fromkeys((*settings.match_on, *settings.draw.balance)))
    rows = with_before(channel, pilot, found.rows)
    primary = tuple(f"before_{name}" for name in settings.named("primary"))
    rows, notes = filled(rows, settings.strata, (*figures, *primary))
    drawn = pilots.assign(
        rows,
        AssignmentSettings(
            arms={name: arm.share for name, arm in settings.arms.items()},
            strata=settings.strata,
            match_on=settings.match_on,
            cluster=CLUSTER if settings.cluster else None,
            balance=tuple(dict.fromkeys((*primary, *settings.draw.balance))),
            acceptance=settings.draw.acceptance,
            seed=seed,
        ),
    )
    units = _units(drawn.rows, rows, settings.strata, (*figures, *covariate_names(settings)))
    spills = list(_spills(rows.merge(units[[KEY, "arm"]], on=KEY), settings.spills_over))
    movers = tuple(mover_notes(channel, pilot, units, pilot.eve))
    numeric = [name for name in (*figures, *covariate_names(settings)) if pd.api.types.is_numeric_dtype(units[name])]
    record = AssignmentRecord(
        pilot=pilot_record(channel.workspace, pilot, units),
        source=source_record(channel, pilot.eve),
        population=found.record,
        sha256=drawn.hash,
        seed=seed,
        draws=drawn.draws,
        imbalance=drawn.imbalance,
        by=request.by,
        on=request.today,
        settings=pilot.canonical,
        metrics=pilot.metrics,
        notes=(
            *_late(pilot, request),
            *found.notes,
            *notes,
            *movers,
            *spills,
            *late_model_note(channel.champion, pilot),
        ),
    )
    arms = list(settings.arms)
    balance = pilots.balance_table(units, list(dict.fromkeys(numeric)), arms)
    return record, {"units": units, "balance": balance, "excluded": found.excluded}


def _late(pilot: OpenPilot, request: AssignRequest) -> Iterator[str]:
    if request.today > pilot.starts:
        yield (
            f"The arms were drawn on {request.today}, after the first day {pilot.starts}: nobody can have been treated "
            "by them before that, so this is a rehearsal on past data, or a pilot that starts too late."
        )


def with_before(channel: Channel, pilot: OpenPilot, rows: pd.DataFrame) -> pd.DataFrame:
    """Add what each primary outcome was in an equally long time before, and every covariate as of the eve."""
    settings = pilot.settings
    names = settings.named("primary")
    metrics = [settings.metric_of(name) for name in names]
    stretch = Stretch(pilot.days, pilot.eve, pilot.eve)
    found = count_over(channel.engine, channel.workspace, metrics, stretch).set_index(KEY)
    before = {f"before_{name}": rows[KEY].map(found[settings.metric_of(name)]) for name in names}
    others = {f"before_{name}": rows[name] for name in settings.covariates if name not in settings.strata}
    return rows.assign(**{**others, **before})


def _units(drawn: pd.DataFrame, rows: pd.DataFrame, strata: tuple[str, ...], columns: tuple[str, ...]) -> pd.DataFrame:
    """One row per drawn partner: its arm, block and drawn unit, then what was known of it before the start."""
    kept = [KEY, "arm", "stratum", "block"]
    also = [*strata, *([ARCHETYPE] if ARCHETYPE in rows else []), *columns]
    known = rows[list(dict.fromkeys([KEY, CLUSTER, *also]))]
    if ARCHETYPE in known:
        known = known.assign(archetype=known[ARCHETYPE].astype("str").where(known[ARCHETYPE].notna(), UNKNOWN))
    return drawn[kept].merge(known, on=KEY, validate="one_to_one").sort_values(KEY, ignore_index=True)


def _spills(rows: pd.DataFrame, columns: tuple[str, ...]) -> Iterator[str]:
    """How many groups of partners that may tell one another have partners in more than one arm."""
    for name in columns:
        shared = rows[rows[name].notna()].groupby(name)
        arms, sizes = shared["arm"].nunique(), shared.size()
        several = int((sizes > 1).sum())
        mixed = int((arms > 1).sum())
        if mixed:
            yield (
                f"{mixed} of {several} groups that share a {name} have partners in more than one arm: if they tell one "
                f"another, the effect found is too small. Drawing by {name} ('unit: {name}') would avoid it."
            )
