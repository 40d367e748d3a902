"""The partners on a day as a pilot sees them: metrics, attributes, tier, whom they belong to, archetype, potential."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.columns import attributes
from tierwise.config.load import Workspace
from tierwise.config.pilot_checks import TIER, needed_metrics, partner_columns
from tierwise.engine import Engine, parse_expression, quoted, render
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.pilot_files import OpenPilot, names_in
from tierwise.jobs.pilot_metrics import KEY, only
from tierwise.jobs.policy_inputs import with_outputs
from tierwise.jobs.tier_history import history_before
from tierwise.metrics import compute
from tierwise.potential import PotentialModel
from tierwise.tracking import Champion

UNKNOWN = "unknown"
_ROWS = "pilot_snapshot"
_YES, _NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


@dataclass(frozen=True)
class Channel:
    """What snapshots are made from: the accepted tables, the workspace, its output folder, and the models in force."""

    engine: Engine
    workspace: Workspace
    output: Path
    champion: Champion | None = None

    @property
    def models(self) -> tuple[PotentialModel, ArchetypeModel] | None:
        """The models in force, loaded; None where none is asked for."""
        if self.champion is None:
            return None
        bundle = self.champion.bundle
        return potential.from_parts(bundle.group("potential")), archetypes.from_parts(bundle.group("archetypes"))


def snapshot(channel: Channel, pilot: OpenPilot, day: date) -> pd.DataFrame:
    """The partners known on a day, one row each, sorted by `partner_id`.

    Columns of the partner table that are not true of all time (a distributor, a consent) are as the source has them
    now: of a draw made at the start that is what holds then.
    """
    workspace = channel.workspace
    named = {*needed_metrics(pilot.settings), *names_in(pilot.settings.population.where)}
    wanted = workspace if channel.champion is not None else only(workspace, _metrics(named, workspace))
    rows = compute(channel.engine, wanted, [day])
    rows = rows[rows["first_seen"].notna()].reset_index(drop=True)
    rows = rows.merge(_people(channel), on=KEY, how="left", validate="one_to_one")
    rows[TIER] = rows[KEY].map(_tiers(channel, day)).astype("str")
    models = channel.models
    return rows if models is None else with_outputs(rows, *models)


def _metrics(named: Iterable[str], workspace: Workspace) -> list[str]:
    """The metrics among some names; at least one, for a catalog is never empty."""
    found = [name for name in workspace.catalog.metrics if name in set(named)]
    return found or list(workspace.catalog.metrics)[:1]


def _people(channel: Channel) -> pd.DataFrame:
    """The columns of the partner table that are no attributes."""
    settings, table = channel.workspace.settings, channel.workspace.partner_table
    own = [name for name in partner_columns(settings) if name not in attributes(settings)]
    columns = [f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in own]
    found = channel.engine.frame(f"SELECT {', '.join([KEY, *columns])} FROM {quoted(table)} ORDER BY {KEY}")
    return found.astype(dict.fromkeys([KEY, *own], "str"))


def _tiers(channel: Channel, day: date) -> pd.Series:
    history = history_before(channel.engine, channel.workspace, channel.output, day + timedelta(days=1))
    return history.dropna(subset=["tier"]).groupby(KEY)["tier"].last()


def holds(channel: Channel, pilot: OpenPilot, rows: pd.DataFrame) -> pd.Series:
    """For whom the condition on the population holds; unknown is never true.

    Raises:
        InvalidInput: If the condition does not suit the data.
    """
    condition = pilot.settings.population.where
    if condition is None:
        return pd.Series(True, index=rows.index)
    where = pilot.document.where(("population", "where"))
    parsed = parse_expression(condition, where=where)
    channel.engine.add_table(_ROWS, rows)
    try:
        query = f"SELECT {KEY} FROM {quoted(_ROWS)} WHERE coalesce({render(parsed)}, false)"
        found = {row[0] for row in channel.engine.rows(query)}
    except InvalidInput as error:
        raise InvalidInput(Fault(f"it does not suit the data: {error.faults[0].what}", where)) from error
    finally:
        channel.engine.run(f"DROP TABLE IF EXISTS {quoted(_ROWS)}")
    return rows[KEY].isin(found)


def is_yes(rows: pd.DataFrame, column: str, where: str) -> pd.Series:
    """Whether a column says yes; a missing value says no.

    Raises:
        InvalidInput: If a value is neither yes nor no.
    """
    said = rows[column].astype("str").str.strip().str.lower()
    given = rows[column].notna() & (said != "")
    unclear = given & ~said.isin([*_YES, *_NO])
    if unclear.any():
        examples = tuple(f"{key}: {value}" for key, value in rows.loc[unclear, [KEY, column]].head(3).to_numpy())
        what = f"{int(unclear.sum())} values of {column!r} are neither true nor false"
        raise InvalidInput(Fault(what, where, examples, "write true or false"))
    return given & said.isin(_YES)
