"""The rows and settings by which a pilot is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.config.pilot import AnalysisSettings, MoneySettings, OutcomeSettings
from tierwise.config.pilot_file import PilotFile
from tierwise.engine import quoted
from tierwise.jobs.pilot_assign import ARCHETYPE, with_before
from tierwise.jobs.pilot_files import OpenPilot
from tierwise.jobs.pilot_metrics import KEY, Stretch, count_over
from tierwise.jobs.pilot_population import CLUSTER
from tierwise.jobs.pilot_record import covariate_names, direction_of
from tierwise.jobs.pilot_snapshot import Channel, snapshot
from tierwise.jobs.snapshots import departed

DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Reading:
    """When a pilot is read.

    Attributes:
        as_of: The last day whose events are known.
        until: The last day that counts.
        final: Whether the pilot had ended by then.
        look: The share of its time that was in, where the file plans looks; None where it is read once.
    """

    as_of: date
    until: date
    final: bool
    look: float | None


def pilot_rows(channel: Channel, pilot: OpenPilot, units: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """One row per drawn partner: its arm and what was known before, its outcomes, whether it left, what it received.

    A partner that the sources no longer know stays, without outcomes; the column `known` tells.
    """
    rows = _with_covariates(channel, pilot, units)
    outcomes = outcome_rows(
        channel, pilot, Stretch((reading.until - pilot.starts).days + 1, reading.until, reading.as_of)
    )
    named = [name for name in outcomes if name != KEY]
    rows = rows.drop(columns=[name for name in named if name in rows])
    rows = rows.merge(outcomes.assign(known=True), on=KEY, how="left", validate="one_to_one")
    gone = departed(channel.engine, channel.workspace, reading.until)
    rows = rows.assign(known=rows["known"].notna(), left=rows[KEY].isin(gone))
    return rows.assign(received=_received(channel, pilot, rows, reading)) if pilot.settings.received else rows


def outcome_rows(channel: Channel, pilot: OpenPilot, stretch: Stretch) -> pd.DataFrame:
    """Every outcome of every partner over a stretch of days, by the outcomes' names; the lower parts of ratios too."""
    settings = pilot.settings
    found = count_over(channel.engine, channel.workspace, settings.read_metrics(), stretch)
    columns = {name: found[settings.metric_of(name)] for name in settings.outcomes}
    below = {outcome.per: found[outcome.per] for outcome in settings.outcomes.values() if outcome.per}
    return pd.DataFrame({KEY: found[KEY], **below, **columns})


def analysis_settings(workspace: Workspace, pilot: OpenPilot, reading: Reading) -> AnalysisSettings:
    """How the pilot is read."""
    settings = pilot.settings
    return AnalysisSettings(
        control=settings.control,
        shares={name: arm.share for name, arm in settings.arms.items()},
        outcomes={name: outcome_settings(workspace, settings, name) for name in settings.outcomes},
        covariates=covariate_names(settings),
        strata=settings.strata,
        pair="block" if settings.match_on else None,
        cluster=CLUSTER if settings.cluster else None,
        archetype=ARCHETYPE if settings.by_archetype else None,
        alpha=settings.alpha,
        look=reading.look,
        seed=pilot.seed(workspace),
    )


def outcome_settings(workspace: Workspace, settings: PilotFile, name: str) -> OutcomeSettings:
    """How one outcome is read."""
    outcome = settings.outcomes[name]
    return OutcomeSettings(
        role=outcome.role,
        per=outcome.per,
        direction=direction_of(workspace, settings, name),
        minimum_effect=outcome.minimum_effect,
        tolerance=outcome.tolerance,
        missing=outcome.missing,
        left=outcome.left,
    )


def money_settings(workspace: Workspace, pilot: OpenPilot) -> MoneySettings | None:
    """What tells cost and return, if the file says."""
    money, arms = pilot.settings.money, pilot.settings.arms
    if money is None:
        return None
    return MoneySettings(
        revenue=money.revenue,
        margin=money.margin,
        cost=money.cost or {name: arm.cost_per_partner or 0.0 for name, arm in arms.items()},
        window_months=pilot.days / DAYS_PER_MONTH,
        currency=pilot.settings.currency or workspace.settings.currency.program,
    )


def _with_covariates(channel: Channel, pilot: OpenPilot, units: pd.DataFrame) -> pd.DataFrame:
    """The drawn units; a covariate that an amendment added is read as of the eve of the pilot."""
    missing = [name for name in covariate_names(pilot.settings) if name not in units]
    if not missing:
        return units
    found = with_before(channel, pilot, snapshot(channel, pilot, pilot.eve))
    return units.merge(found[[KEY, *missing]], on=KEY, how="left", validate="one_to_one")


def _received(channel: Channel, pilot: OpenPilot, rows: pd.DataFrame, reading: Reading) -> pd.Series:
    """The arm whose treatment each partner got last, by the table that records it."""
    received = pilot.settings.received
    assert received is not None, "the caller asks for it"
    table = quoted(received.table)
    known = " AND known_on <= ?" if "known_on" in channel.workspace.table(received.table).columns else ""
    query = (
        f"SELECT {KEY}, CAST({quoted(received.arm)} AS VARCHAR) AS arm FROM {table} "
        f"WHERE date >= ? AND date <= ?{known} AND {quoted(received.arm)} IS NOT NULL ORDER BY {KEY}, date, arm"
    )
    days = [pilot.starts, reading.until, *([reading.as_of] if known else [])]
    last = channel.engine.frame(query, days).groupby(KEY)["arm"].last()
    got = rows[KEY].map(last).astype("str")
    return got if received.otherwise is None else got.fillna(received.otherwise)
