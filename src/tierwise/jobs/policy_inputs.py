"""The policy's inputs on several days: metric rows, and the models' outputs where a policy asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import pandas as pd

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.engine import Engine, quoted
from tierwise.metrics import compute
from tierwise.policy import needed_columns, with_flags
from tierwise.potential import PotentialModel
from tierwise.tracking import Registry
from tierwise.tracking.history import in_force_at
from tierwise.tracking.names import CHAMPION

FLAGS_TABLE = "flags"
ARCHETYPE_COLUMNS = frozenset({"archetype", "archetype_id", "archetype_strength", "archetype_status"})
POTENTIAL_COLUMNS = frozenset({"potential", "potential_low", "potential_high", "potential_source", "headroom"})


def asks_for_models(policies: Iterable[Policy]) -> bool:
    """Whether any of the policies uses an archetype or a potential."""
    needed = {name for policy in policies for name in needed_columns(policy)}
    return bool(needed & (ARCHETYPE_COLUMNS | POTENTIAL_COLUMNS))


def policy_inputs(
    engine: Engine,
    workspace: Workspace,
    days: Sequence[date],
    with_models: bool,
    versions: Mapping[date, str] | None = None,
) -> dict[date, pd.DataFrame]:
    """Compute the inputs of every day, one row per partner known on it.

    Args:
        engine: Holds the accepted tables.
        workspace: The workspace.
        days: The days.
        with_models: Whether the models' outputs are joined.
        versions: The model version of a day; the one in force today for every other, which on a past day knows more
            than was known then.

    Raises:
        Refused: If models are asked for and none is in force.
        InvalidInput: If a version does not fit the metrics.
    """
    if not days:
        return {}
    rows = compute(engine, workspace, sorted(days))
    panel = {day: rows[rows["as_of"] == pd.Timestamp(day)].reset_index(drop=True) for day in sorted(days)}
    known = {day: frame for day, frame in panel.items() if len(frame)}
    given = _with_models(workspace, known, versions or {}) if with_models else known
    return {day: with_recorded_flags(engine, workspace, frame, day) for day, frame in given.items()}


def versions_then(workspace: Workspace, days: Sequence[date]) -> dict[date, str]:
    """The model version that was in force at the end of each day; days before the first one are left out.

    Raises:
        OutsideFailure: If MLflow fails.
    """
    entries = Registry.of(workspace).history()
    found = {day: in_force_at(entries, day) for day in days}
    return {day: str(entry["version"]) for day, entry in found.items() if entry is not None}


def inputs_for(
    engine: Engine, workspace: Workspace, policy: Policy, panel: Mapping[date, pd.DataFrame]
) -> dict[date, pd.DataFrame]:
    """What a policy places on each day: the partners' rows, or one row per partner and unit for a policy with `per`.

    A unit's row has the unit's metrics; what says something of the whole partner (models' outputs, flags) is the same
    in all of them.

    Args:
        engine: Holds the accepted tables.
        workspace: The workspace.
        policy: The policy.
        panel: One row per partner by day, as `policy_inputs` gives.

    Raises:
        InvalidInput: If the policy's unit is none of the catalog's.
    """
    if policy.per is None or not panel:
        return dict(panel)
    by_unit = compute(engine, workspace, sorted(panel), policy.per.column)
    found = {}
    for day, partners in sorted(panel.items()):
        rows = by_unit[by_unit["as_of"] == pd.Timestamp(day)]
        added = [name for name in partners.columns if name not in by_unit.columns]
        found[day] = rows.merge(partners[["partner_id", *added]], on="partner_id", validate="many_to_one")
    return found


def with_recorded_flags(engine: Engine, workspace: Workspace, inputs: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Add the flags of the workspace's table `flags`, if it has one, as they stand on a day.

    The table has one row per flag given: `partner_id`, `flag`, the day from which it holds (`date` of an events table,
    `valid_from` of a history), `until` (empty: open) and `author`.

    Raises:
        InvalidInput: If the table lacks a column, or a flag has no author.
    """
    if FLAGS_TABLE not in workspace.settings.tables:
        return inputs
    since = "valid_from" if workspace.table(FLAGS_TABLE).kind == "history" else "date"
    flags = engine.frame(f"SELECT * FROM {quoted(FLAGS_TABLE)} ORDER BY ALL").rename(columns={since: "from"})
    return with_flags(inputs, flags, as_of)


def _with_models(
    workspace: Workspace, panel: Mapping[date, pd.DataFrame], versions: Mapping[date, str]
) -> dict[date, pd.DataFrame]:
    registry = Registry.of(workspace)
    used = {day: versions.get(day, CHAMPION) for day in panel}
    bundles = {
        version: (registry.load_champion() if version == CHAMPION else registry.load_version(version)).bundle
        for version in sorted(set(used.values()))
    }
    models = {
        version: (potential.from_parts(bundle.group("potential")), archetypes.from_parts(bundle.group("archetypes")))
        for version, bundle in bundles.items()
    }
    return {day: with_outputs(rows, *models[used[day]]) for day, rows in panel.items()}


def with_outputs(rows: pd.DataFrame, model: PotentialModel, found: ArchetypeModel) -> pd.DataFrame:
    """Join the metric rows of one day with what the models say about them."""
    outputs = archetypes.assign(found, rows).merge(potential.predict(model, rows), on="partner_id")
    return rows.merge(outputs, on="partner_id", validate="one_to_one")
