"""Who takes part in a pilot, and why others do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from tierwise.errors import Fault, Refused
from tierwise.jobs.pilot_files import OpenPilot
from tierwise.jobs.pilot_metrics import KEY
from tierwise.jobs.pilot_snapshot import UNKNOWN, Channel, holds, is_yes, snapshot
from tierwise.jobs.snapshots import departed
from tierwise.store.pilot_folder import kept_slugs, read_pilot
from tierwise.store.pilot_parts import PopulationRecord

CLUSTER = "cluster"
_ORDER = ("left", "opted_out", "in_other_pilot", "over_the_limit")


@dataclass(frozen=True)
class Population:
    """Who takes part.

    Attributes:
        rows: The partners that take part, with all that a snapshot knows and the column `cluster`.
        excluded: `partner_id, reason, detail`, sorted: those for whom the rule holds and who do not take part.
        record: How many there are.
        notes: What a reader should know, in sentences.
    """

    rows: pd.DataFrame
    excluded: pd.DataFrame
    record: PopulationRecord
    notes: tuple[str, ...] = ()


def population(channel: Channel, pilot: OpenPilot, day: date, *, limited: bool = True) -> Population:
    """Find who takes part, as known on a day.

    Args:
        channel: What snapshots are made from.
        pilot: The pilot.
        day: The day; the day before the start for a draw, an earlier one for a design.
        limited: Whether other pilots and the greatest number count; a history of the channel has neither.
    """
    rows = snapshot(channel, pilot, day)
    known = len(rows)
    rows = rows[holds(channel, pilot, rows)].reset_index(drop=True)
    rows[CLUSTER] = _clusters(rows, pilot)
    reasons = _reasons(channel, pilot, rows, day)
    others = others_on(channel, pilot) if limited else {}
    leave_out = pilot.settings.population.in_other_pilots == "leave_out"
    if leave_out:
        reasons = {**{key: ("in_other_pilot", slug) for key, slug in others.items()}, **reasons}
    taking = rows[~rows[KEY].isin(reasons)].reset_index(drop=True)
    if limited:
        over = _over_the_limit(channel, pilot, taking)
        reasons |= over
        taking = taking[~taking[KEY].isin(over)].reset_index(drop=True)
    excluded = _excluded({key: reasons[key] for key in rows[KEY] if key in reasons})
    record = PopulationRecord(
        rule=pilot.settings.population.where or "",
        known=known,
        matched=len(rows),
        excluded={name: int((excluded["reason"] == name).sum()) for name in _ORDER if name in set(excluded["reason"])},
        partners=len(taking),
        units=int(taking[CLUSTER].nunique()),
    )
    return Population(taking, excluded, record, tuple(_notes(pilot, taking, {} if leave_out else others)))


def refuse_too_few(pilot: OpenPilot, found: Population) -> None:
    """Stop where too few units take part to be drawn into the arms.

    Raises:
        Refused: With how many there are and why others are left out.
    """
    arms = len(pilot.settings.arms)
    if found.record.units >= 2 * arms:
        return
    gone = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.record.excluded.items())
    what = (
        f"{found.record.units} units cannot be drawn into {arms} arms of two or more: the rule holds for "
        f"{found.record.matched} of {found.record.known} partners{f', of whom {gone}' if gone else ''}"
    )
    todo = "widen population.where, take fewer arms, or draw partners in place of clusters"
    raise Refused(Fault(what, pilot.document.where(("population",)), todo=todo))


def others_on(channel: Channel, pilot: OpenPilot) -> dict[str, str]:
    """The partners that are in another pilot at the same time, with that pilot."""
    found: dict[str, str] = {}
    for slug in kept_slugs(channel.output):
        kept = read_pilot(channel.output, slug, analyses=False) if slug != pilot.slug else None
        if kept is None or kept.assignment is None:
            continue
        other = kept.assignment.record.pilot
        if other.starts <= pilot.ends and pilot.starts <= other.ends:
            found |= {str(key): slug for key in kept.assignment.tables["units"][KEY] if str(key) not in found}
    return found


def _clusters(rows: pd.DataFrame, pilot: OpenPilot) -> pd.Series:
    """The drawn unit of each partner; one that belongs to nobody is drawn alone."""
    if pilot.settings.cluster is None:
        return rows[KEY].astype("str")
    named = rows[pilot.settings.cluster]
    alone = named.isna() | (named.astype("str").str.strip() == "")
    return named.astype("str").where(~alone, "alone: " + rows[KEY].astype("str"))


def _reasons(channel: Channel, pilot: OpenPilot, rows: pd.DataFrame, day: date) -> dict[str, tuple[str, str]]:
    settings = pilot.settings.population
    gone = departed(channel.engine, channel.workspace, day)
    found = {key: ("left", "left the programme") for key in rows[KEY] if key in gone}
    for name, is_out in (("opt_out", True), ("consent", False)):
        column = getattr(settings, name)
        if column is not None:
            said = is_yes(rows, column, pilot.document.where(("population", name)))
            out = rows.loc[said if is_out else ~said, KEY]
            found |= {key: ("opted_out", f"{column} says no") for key in out if key not in found}
    return found


def _over_the_limit(channel: Channel, pilot: OpenPilot, rows: pd.DataFrame) -> dict[str, tuple[str, str]]:
    most = pilot.settings.population.at_most
    names = sorted(set(rows[CLUSTER]))
    if most is None or len(names) <= most:
        return {}
    order = np.random.default_rng([pilot.seed(channel.workspace), 1]).permutation(len(names))
    kept = {names[place] for place in order[:most]}
    out = rows.loc[~rows[CLUSTER].isin(kept), KEY]
    return dict.fromkeys(out, ("over_the_limit", f"at most {most} units, chosen by chance"))


def _excluded(reasons: dict[str, tuple[str, str]]) -> pd.DataFrame:
    rows = [(key, reason, detail) for key, (reason, detail) in sorted(reasons.items())]
    return pd.DataFrame(rows, columns=[KEY, "reason", "detail"], dtype="str")


def _notes(pilot: OpenPilot, rows: pd.DataFrame, others: dict[str, str]) -> Iterator[str]:
    both = sorted({others[key] for key in rows[KEY] if key in others})
    if both:
        count = int(rows[KEY].isin(others).sum())
        yield (
            f"{count} partners are in another pilot at the same time ({', '.join(both)}): its arms are drawn apart "
            "from these, so it adds noise and no bias, unless the two change one another's effect."
        )
    if pilot.settings.cluster is not None:
        alone = int(rows[CLUSTER].astype("str").str.startswith("alone: ").sum())
        if alone:
            yield f"{alone} partners have no {pilot.settings.cluster} and are drawn one by one."


def filled(rows: pd.DataFrame, groups: tuple[str, ...], figures: tuple[str, ...]) -> tuple[pd.DataFrame, list[str]]:
    """Give the unknown a name and a middle: a draw needs a value of every column that it goes by.

    Returns:
        The rows, and what was filled in, in sentences.
    """
    said: list[str] = []
    changed: dict[str, pd.Series] = {}
    for name in groups:
        changed[name] = rows[name].astype("str").where(rows[name].notna(), UNKNOWN)
    for name in figures:
        missing = int(rows[name].isna().sum())
        middle = float(rows[name].median()) if missing < len(rows) else 0.0
        changed[name] = rows[name].astype("float64").fillna(middle)
        if missing:
            said.append(f"{missing} partners have no {name}; for the draw they take its median, {middle:,.4g}.")
    return rows.assign(**changed), said
