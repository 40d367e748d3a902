"""The guards against leaks in a training: what the back-test named, what follows the history on record, the tier."""

from __future__ import annotations

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.config.model_spec import ModelSpec
from tierwise.engine import Engine, quoted
from tierwise.potential import Leaks, attributes_from_history, leaks_frame, merged_leaks

_FACTS = ("first_day", "last_day", "row_count", "total")


def history_facts(engine: Engine, workspace: Workspace) -> pd.DataFrame:
    """Gather what every partner did on record, per event table: first and last day, rows, money.

    Everything that was accepted counts, also events after the as-of date: the guard judges columns of the sources,
    which are as of their extraction.

    Returns:
        One row per partner with `partner_id` and one column per fact; missing where the partner has no event.
    """
    facts = pd.DataFrame({"partner_id": pd.Series(dtype="str")})
    for table in workspace.tables_of("events"):
        facts = facts.merge(_facts_of(engine, workspace, table), on="partner_id", how="outer")
    return facts.sort_values("partner_id", ignore_index=True)


def _facts_of(engine: Engine, workspace: Workspace, table: str) -> pd.DataFrame:
    money = workspace.table(table).money
    total = f"sum(CAST({quoted(money)} AS DOUBLE))" if money else "NULL"
    query = (
        "SELECT partner_id, CAST(min(date) AS TIMESTAMP) AS first_day, CAST(max(date) AS TIMESTAMP) AS last_day, "
        f"CAST(count(*) AS DOUBLE) AS row_count, {total} AS total FROM {quoted(table)} "
        "GROUP BY partner_id ORDER BY partner_id"
    )
    frame = engine.frame(query).rename(columns={name: f"{name} in {table}" for name in _FACTS})
    return frame if money else frame.drop(columns=f"total in {table}")


def guard(
    workspace: Workspace, spec: ModelSpec, snapshots: pd.DataFrame, tested: pd.DataFrame, facts: pd.DataFrame
) -> Leaks:
    """Put together what all guards found.

    Args:
        workspace: The workspace.
        spec: When a column is named.
        snapshots: The snapshots, labelled and of the as-of date.
        tested: What the back-test's guards looked at.
        facts: The partners' history on record, see `history_facts`.
    """
    latest = snapshots[snapshots["as_of"] == snapshots["as_of"].max()].reset_index(drop=True)
    static = [
        name
        for name, table in workspace.attributes.items()
        if workspace.table(table).kind == "partners" and name in latest.columns
    ]
    followers = attributes_from_history(latest, static, facts, spec.potential.leaks)
    return Leaks(merged_leaks(tested, leaks_frame(followers)))
