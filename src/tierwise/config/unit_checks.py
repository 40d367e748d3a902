"""Checks of the units that a catalog declares: their tables, columns and names."""

from __future__ import annotations

from collections.abc import Iterator

from tierwise.config.catalog import Catalog
from tierwise.config.columns import DATE_COLUMNS, RESERVED_NAMES, attributes
from tierwise.config.names import hint
from tierwise.config.workspace import WorkspaceSettings
from tierwise.config.yaml_reader import Document
from tierwise.errors import Fault

UNIT_TABLES = ("events", "history", "tier_history")
_NEVER_UNITS = DATE_COLUMNS | {"partner_id"}


def unit_faults(document: Document, catalog: Catalog, settings: WorkspaceSettings) -> Iterator[Fault]:
    """Check the units of a catalog against the tables of the workspace."""
    own = attributes(settings)
    for name, unit in catalog.units.items():
        where = document.where(("units", name))
        yield from _name_faults(name, where, catalog, own)
        if unit.home is not None and unit.home not in own:
            what = f"{unit.home!r} is no attribute of partners; {hint(unit.home, own)}"
            yield Fault(what, document.where(("units", name, "home")))
        for table, column in unit.columns.items():
            at = document.where(("units", name, "columns", table))
            yield from _column_faults(at, settings, table, column)


def _name_faults(name: str, where: str, catalog: Catalog, own: dict[str, str]) -> Iterator[Fault]:
    if name in own:
        what = f"the unit {name!r} has the name of a column of table {own[name]!r}, which says something of the partner"
        yield Fault(what, where, todo=f"give the unit a name of its own, such as 'sales_{name}'")
    elif name in catalog.metrics or name in RESERVED_NAMES or name == "unit":
        yield Fault(f"the unit name {name!r} is taken", where, todo="rename the unit")


def _column_faults(where: str, settings: WorkspaceSettings, table: str, column: str) -> Iterator[Fault]:
    tables = [name for name, found in settings.tables.items() if found.kind in UNIT_TABLES]
    if table not in tables:
        yield Fault(f"{table!r} is no table of dated rows; {hint(table, tables)}", where)
        return
    columns = [name for name in settings.tables[table].columns if name not in _NEVER_UNITS]
    if column not in columns:
        yield Fault(f"{column!r} is no column of {table!r} that can name a unit; {hint(column, columns)}", where)
