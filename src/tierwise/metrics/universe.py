"""Who is known at each as-of date, since when, and with which attributes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from tierwise.config.columns import attributes
from tierwise.config.load import Workspace
from tierwise.engine import quoted
from tierwise.metrics.event_query import as_of_rows, known_days

_ALWAYS = "DATE '0001-01-01'"


def universe_query(workspace: Workspace, as_of_dates: Sequence[date], without: Collection[str] = ()) -> str:
    """Write the query of all partners known at each as-of date.

    Args:
        workspace: The workspace.
        as_of_dates: The as-of dates, oldest first.
        without: Tables in which no partner's first day is looked up, because it is found with their metrics.

    Returns:
        SQL with the columns `as_of`, `partner_id`, `first_seen`, then the attributes with their types.
    """
    tables = [table for table in workspace.tables_of("events", "history") if table not in without]
    firsts = [_first_days(workspace, table) for table in tables]
    steps = [("_reviews", as_of_rows(as_of_dates))]
    steps += [(f"_known_{table}", query) for table, query in _known_steps(workspace, tables)]
    steps += [
        ("_arrivals", _arrivals(workspace)),
        ("_partners", "SELECT DISTINCT as_of, partner_id FROM _arrivals JOIN _reviews ON known_from <= as_of"),
        ("_first_days", " UNION ALL ".join([*_joined_days(workspace), *firsts])),
        ("_first_seen", _first_seen()),
    ]
    histories = _attributes_by_table(workspace)
    steps += [(f"_of_{table}", _latest(workspace, table, names)) for table, names in histories.items()]
    named = ",\n".join(f"{quoted(name)} AS ({query})" for name, query in steps)
    keys = "partner_id" if len(as_of_dates) == 1 else "as_of, partner_id"
    return f"WITH {named}\n{_all(workspace, histories, keys)}"


def _arrivals(workspace: Workspace) -> str:
    partners = workspace.partner_table
    has_date = "joined_on" in workspace.table(partners).columns
    since = f"coalesce(joined_on, {_ALWAYS})" if has_date else _ALWAYS
    queries = [f"SELECT partner_id, {since} AS known_from FROM {quoted(partners)}"]
    queries += [
        f"SELECT partner_id, min(valid_from) AS known_from FROM {quoted(table)} GROUP BY partner_id"
        for table in workspace.tables_of("history")
        if workspace.table(table).introduces_partners
    ]
    return " UNION ALL ".join(queries)


def _joined_days(workspace: Workspace) -> list[str]:
    """The day on which a partner joined; an empty row set where the partner table has no such column."""
    table = workspace.partner_table
    if "joined_on" not in workspace.table(table).columns:
        return [f"SELECT partner_id, {_ALWAYS} AS day, 0 AS _known FROM {quoted(table)} WHERE false"]
    return [f"SELECT partner_id, joined_on AS day, 0 AS _known FROM {quoted(table)} WHERE joined_on IS NOT NULL"]


def _known_steps(workspace: Workspace, tables: Sequence[str]) -> list[tuple[str, str]]:
    return [
        (table, known_days(table, "known_on", _dated_by(workspace, table)))
        for table in tables
        if "known_on" in workspace.table(table).columns
    ]


def _dated_by(workspace: Workspace, table: str) -> str:
    return "date" if workspace.table(table).kind == "events" else "valid_from"


def _first_days(workspace: Workspace, table: str) -> str:
    day = quoted(_dated_by(workspace, table))
    if "known_on" not in workspace.table(table).columns:
        return f"SELECT partner_id, min({day}) AS day, 0 AS _known FROM {quoted(table)} GROUP BY partner_id"
    known = quoted(f"_known_{table}")
    return (
        f"SELECT t.partner_id, min(t.{day}) AS day, k._known FROM {quoted(table)} AS t"
        f" JOIN {known} AS k ON coalesce(t.known_on, t.{day}) = k.known_on GROUP BY t.partner_id, k._known"
    )


def _first_seen() -> str:
    return (
        "SELECT f.partner_id, r.as_of, min(f.day) AS first_seen FROM _first_days AS f"
        " JOIN _reviews AS r ON f.day <= r.as_of AND f._known <= r.review GROUP BY f.partner_id, r.as_of"
    )


def _attributes_by_table(workspace: Workspace) -> dict[str, list[str]]:
    by_table: dict[str, list[str]] = {}
    for name, table in attributes(workspace.settings).items():
        by_table.setdefault(table, []).append(name)
    return by_table


def _latest(workspace: Workspace, table: str, names: Sequence[str]) -> str:
    """The attributes of a table at each as-of date: static ones as they are, others by the last row by then."""
    columns = ", ".join(quoted(name) for name in names)
    if workspace.table(table).kind == "partners":
        return f"SELECT as_of, partner_id, {columns} FROM {quoted(table)} CROSS JOIN _reviews"
    row = f"row_number() OVER (PARTITION BY r.as_of, h.partner_id ORDER BY h.valid_from DESC, {columns})"
    reach = "h.valid_from <= r.as_of"
    if "known_on" in workspace.table(table).columns:
        reach += " AND coalesce(h.known_on, h.valid_from) <= r.as_of"
    joined = f"{quoted(table)} AS h JOIN _reviews AS r ON {reach}"
    dated = f"SELECT r.as_of, h.partner_id, {columns}, {row} AS _rank FROM {joined}"
    return f"SELECT as_of, partner_id, {columns} FROM ({dated}) AS d WHERE _rank = 1"


def _all(workspace: Workspace, histories: dict[str, list[str]], keys: str) -> str:
    """Join what is found of each partner; at a single as-of date the partner alone is compared."""
    columns = "".join(f", {quoted(name)}" for name in attributes(workspace.settings))
    steps = ["_first_seen", *(quoted(f"_of_{table}") for table in histories)]
    joins = "".join(f" LEFT JOIN {step} USING ({keys})" for step in steps)
    return f"SELECT p.as_of, p.partner_id, first_seen{columns} FROM _partners AS p{joins}"
