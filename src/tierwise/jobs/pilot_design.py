"""Design a pilot: who could take part, and what it can detect, from the workspace's own history."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tierwise import pilots
from tierwise.config.load import Workspace
from tierwise.config.pilot import OutcomeSettings, PowerSettings
from tierwise.config.pilot_checks import MODEL_FIGURES
from tierwise.config.pilot_file import PilotFile
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.accept import refuse_unknowable_day
from tierwise.jobs.pilot_channel import champion_for_design, newest_day, open_channel
from tierwise.jobs.pilot_files import OpenPilot, open_pilot
from tierwise.jobs.pilot_metrics import KEY, Stretch, count_over
from tierwise.jobs.pilot_movers import mover_notes
from tierwise.jobs.pilot_population import CLUSTER, Population, filled, population, refuse_too_few
from tierwise.jobs.pilot_record import covariate_names, pilot_record, source_record
from tierwise.jobs.pilot_snapshot import Channel
from tierwise.jobs.pilot_tracking import track_design
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import first_event_date
from tierwise.pilots.intervals import critical_value
from tierwise.pilots.power import Power
from tierwise.pilots.units import Units, outcome_values
from tierwise.store.pilot_folder import DESIGN, Kept, Step, write_step
from tierwise.store.pilot_records import DesignRecord, PlanRecord, PowerRow

STEPS = 5
LONGER = "longer_"
MATCH = "match_"
LEAST_PER_ARM = 4
_WITHOUT_COVARIATES, _WITHOUT_LOOKS = "without covariates", "without looks"


@dataclass(frozen=True)
class DesignRequest:
    """What to design.

    Attributes:
        slug: The pilot.
        today: The day of the run; later event dates are faults.
        as_of: The last day whose events count; the day before the start, or the last that is known, by default.
        out: The output folder; the workspace's by default.
    """

    slug: str
    today: date
    as_of: date | None = None
    out: Path | None = None


@dataclass(frozen=True)
class _History:
    """A time before the pilot, as long as it: its partners with what was known before, and what came then."""

    rows: pd.DataFrame
    first: date
    until: date
    has_longer: bool


def design(workspace: Workspace, request: DesignRequest, notify: Notify = silent) -> Kept[DesignRecord]:
    """Say who could take part in a pilot and what it can detect; write it, and log it to MLflow.

    Raises:
        InvalidInput: If the pilot's file, the workspace or its data is at fault, or the history is too short.
        Refused: If the data is unfit, too few units take part, or a model that the population needs is not in force.
        OutsideFailure: If a source, the disk or MLflow fails.
    """
    steps = Steps(notify, STEPS)
    pilot = open_pilot(workspace, request.slug)
    output = request.out or workspace.output_folder
    as_of = request.as_of or min(pilot.eve, newest_day(workspace, request.today))
    refuse_unknowable_day(workspace, as_of, request.today)
    champion, notes = champion_for_design(workspace, pilot)
    with open_channel(workspace, output, request.today, champion, steps) as channel:
        steps.begin("find who could take part")
        now = population(channel, pilot, as_of)
        refuse_too_few(pilot, now)
        steps.begin("simulate pilots on the history")
        history = _history(channel, pilot, as_of)
        plans = tuple(_plan(channel, pilot, history, now, name) for name in pilot.settings.named("primary"))
        record = DesignRecord(
            pilot=pilot_record(workspace, pilot),
            source=source_record(channel, as_of),
            population=now.record,
            plans=plans,
            notes=(*notes, *now.notes, *mover_notes(channel, pilot, now.rows, as_of), *_planning_notes(pilot)),
        )
    steps.begin("write the design")
    tables = {"power": _power_table(record)}
    folder = write_step(output, Step(DESIGN, record, tables))
    track_design(workspace, record, tables, pilot.text)
    return Kept(record, tables, folder)


def planned_alpha(settings: PilotFile) -> float:
    """The error rate of one comparison: shared among all primary ones, and smaller where looks are planned.

    An interval that holds at every look at once is wider than a plain one; the same width belongs to a plain test at
    this error rate.
    """
    comparisons = (len(settings.arms) - 1) * len(settings.named("primary"))
    alpha = settings.alpha / comparisons
    if not settings.looks:
        return alpha
    return math.erfc(critical_value(math.inf, alpha, 1.0) / math.sqrt(2))


def _planning_notes(pilot: OpenPilot) -> list[str]:
    settings = pilot.settings
    comparisons = (len(settings.arms) - 1) * len(settings.named("primary"))
    notes = []
    if comparisons > 1:
        notes.append(f"{comparisons} comparisons share the error rate {settings.alpha:g}; planned with Holm's first.")
    unknown = [name for name in settings.match_on if name in MODEL_FIGURES]
    if unknown:
        notes.append(
            f"The simulated pilots are not matched on {', '.join(unknown)}, which knows what came after; matched on "
            "it, the pilot should detect somewhat more."
        )
    if settings.looks:
        notes.append("Looks before the end cost power: every interval holds at all looks at once.")
    return notes


def _history(channel: Channel, pilot: OpenPilot, as_of: date) -> _History:
    """The two last times of the pilot's length before a day; the last one alone where the data begins later.

    Raises:
        InvalidInput: If too few partners were known before that too.
    """
    first = first_event_date(channel.engine, channel.workspace)
    least, found = LEAST_PER_ARM * len(pilot.settings.arms), 0
    for back in (2, 1):
        known = as_of - timedelta(days=back * pilot.days)
        if first is not None and known >= first:
            history = _history_after(channel, pilot, known, as_of, has_longer=back == 2)
            found = len(history.rows)
            if found >= least:
                return history
    what = (
        f"the history is too short to plan from: {pilot.days} days before {as_of} the rule held for {found} partners, "
        f"and {least} are needed"
    )
    raise InvalidInput(
        Fault(what, pilot.document.where(("lasts",)), todo="plan a shorter pilot, or bring older events")
    )


def _history_after(channel: Channel, pilot: OpenPilot, known: date, as_of: date, *, has_longer: bool) -> _History:
    settings, length = pilot.settings, timedelta(days=pilot.days)
    there = population(channel, pilot, known, limited=False).rows
    groups = tuple(name for name in settings.strata if name in there)
    matched = _matched(settings)
    there, _ = filled(there, groups, matched)
    before = {f"before_{name}": there[name] for name in settings.covariates if name in there}
    match = {f"{MATCH}{name}": there[name] for name in matched}
    rows = there[list(dict.fromkeys([KEY, CLUSTER, *groups]))].assign(**before, **match)
    stretches = {"": Stretch(pilot.days, known + length, as_of), "before_": Stretch(pilot.days, known, known)}
    if has_longer:
        stretches[LONGER] = Stretch(2 * pilot.days, known + 2 * length, as_of)
    for prefix, stretch in stretches.items():
        found = _outcomes(channel, pilot, stretch, prefix)
        rows = rows.drop(columns=[name for name in found if name != KEY and name in rows])
        rows = rows.merge(found, on=KEY, how="left", validate="one_to_one")
    return _History(rows, known + timedelta(days=1), known + length, has_longer)


def _outcomes(channel: Channel, pilot: OpenPilot, stretch: Stretch, prefix: str) -> pd.DataFrame:
    """The primary outcomes over a stretch, one value per partner; a ratio as each partner's part of it."""
    settings = pilot.settings
    names = settings.named("primary")
    metrics = [name for key in names for name in (settings.metric_of(key), settings.outcomes[key].per) if name]
    found = count_over(channel.engine, channel.workspace, metrics, stretch)
    nobody = np.zeros(len(found), dtype=np.int64)
    units = Units(found, ("all",), nobody, None, nobody.astype(bool))
    values = {
        f"{prefix}{key}": outcome_values(
            units,
            settings.metric_of(key),
            OutcomeSettings(per=settings.outcomes[key].per, missing=settings.outcomes[key].missing),
        )
        for key in names
    }
    return pd.DataFrame({KEY: found[KEY], **values})


def _plan(channel: Channel, pilot: OpenPilot, history: _History, now: Population, name: str) -> PlanRecord:
    settings = pilot.settings
    effect = settings.outcomes[name].minimum_effect
    assert effect is not None, "the checks of the file ask for it"
    rows = history.rows[history.rows[name].notna()].reset_index(drop=True)
    request = PowerSettings(
        outcome=name,
        arms={arm: one.share for arm, one in settings.arms.items()},
        covariates=tuple(name for name in _covariates(settings) if name in rows),
        strata=tuple(name for name in settings.strata if name in rows),
        match_on=tuple(f"{MATCH}{name}" for name in _matched(settings)),
        cluster=CLUSTER if settings.cluster else None,
        effect=effect,
        units=now.record.partners,
        alpha=planned_alpha(settings),
        power=settings.design.power,
        simulations=settings.design.simulations,
        seed=pilot.seed(channel.workspace),
    )
    twice = settings.lasts.model_copy(update={"count": 2 * settings.lasts.count})
    longer = {str(twice): f"{LONGER}{name}"} if history.has_longer else {}
    rows = rows.fillna({f"{LONGER}{name}": 0.0}) if history.has_longer else rows
    found = pilots.plan(rows, request, longer)
    others = tuple(_other_readings(rows, request, settings))
    return PlanRecord(
        metric=name,
        effect=effect,
        alpha=request.alpha,
        power=request.power,
        history_from=history.first,
        history_until=history.until,
        history_partners=len(rows),
        mean=found.spread.mean,
        explained=found.spread.explained,
        can_detect=found.can_detect,
        sentences=(*found.sentences, *_sentences(others, found, request)),
        rows=tuple(PowerRow.model_validate(_plain(row)) for row in _by_option((*found.rows, *others))),
    )


def _other_readings(rows: pd.DataFrame, request: PowerSettings, settings: PilotFile) -> Iterator[Power]:
    """The same pilot read otherwise, simulated as well: without covariates, and without the looks that are planned."""
    if request.covariates:
        plain = request.model_copy(update={"covariates": ()})
        yield replace(pilots.plan(rows, plain).rows[0], option=_WITHOUT_COVARIATES)
    if settings.looks:
        once = request.model_copy(update={"alpha": planned_alpha(settings.model_copy(update={"looks": ()}))})
        yield replace(pilots.plan(rows, once).rows[0], option=_WITHOUT_LOOKS)


def _by_option(rows: Sequence[Power]) -> list[Power]:
    """One row per option, in the order in which options come first; what was simulated replaces a formula alone."""
    return list({row.option: row for row in rows}.values())


def _sentences(others: Sequence[Power], found: pilots.Plan, request: PowerSettings) -> Iterator[str]:
    for row in others:
        if row.option == _WITHOUT_LOOKS and not found.can_detect:
            power = row.power_formula if row.power_simulated is None else row.power_simulated
            able = "is enough" if power >= request.power else "is not enough"
            yield f"{_WITHOUT_LOOKS.capitalize()} before the end the chance is {power:.0%}: that {able}."


def _covariates(settings: PilotFile) -> tuple[str, ...]:
    """What is known of a past partner before its time: never the model's figures, which know what came after."""
    unknown = {f"before_{name}" for name in MODEL_FIGURES}
    return tuple(name for name in (*covariate_names(settings), *settings.strata) if name not in unknown)


def _matched(settings: PilotFile) -> tuple[str, ...]:
    """What a past pilot could have been matched on: never the model's figures, which know what came after."""
    return tuple(name for name in settings.match_on if name not in MODEL_FIGURES)


def _plain(row: Power) -> dict[str, object]:
    infinite = [name for name, value in vars(row).items() if isinstance(value, float) and not math.isfinite(value)]
    return {**vars(row), **dict.fromkeys(infinite)}


def _power_table(record: DesignRecord) -> pd.DataFrame:
    rows = [{"metric": plan.metric, **row.model_dump()} for plan in record.plans for row in plan.rows]
    return pd.DataFrame(rows)
