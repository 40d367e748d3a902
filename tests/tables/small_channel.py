"""A small channel whose raw rows a test writes by hand: partners, deals, and what a test adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path

import pyarrow as pa

from tierwise.config.catalog import Catalog
from tierwise.config.load import Workspace
from tierwise.config.workspace import WorkspaceSettings
from tierwise.engine import Engine
from tierwise.tables import CheckResult, check_tables

TODAY = date(2026, 10, 1)
RawRow = Mapping[str, str | None]

TABLES = {
    "partners": {
        "kind": "partners",
        "source": {"csv": "partners.csv"},
        "columns": {"partner_id": {}, "region": {}, "joined_on": {}, "left_on": {}},
    },
    "deals": {
        "kind": "events",
        "source": {"csv": "deals.csv"},
        "key": ["deal_id"],
        "money": "amount",
        "columns": {
            "deal_id": {},
            "partner_id": {},
            "date": {},
            "known_on": {},
            "amount": {"type": "money"},
            "units": {"type": "integer"},
        },
    },
}
REVENUE = {
    "title": "Revenue",
    "unit": "USD",
    "from": "deals",
    "value": "sum(amount)",
    "window": "4 quarters",
    "missing": 0,
}
CATALOG = Catalog.model_validate({"metrics": {"revenue_4q": REVENUE}})
PARTNERS = ({"partner_id": "P1"}, {"partner_id": "P2"})


def deal(number: int = 1, **values: str | None) -> dict[str, str | None]:
    """A deal that keeps the contract, but for the values given."""
    return {"deal_id": f"D{number}", "partner_id": "P1", "date": "2026-05-01", "amount": "100", **values}


def small_workspace(**changes: object) -> Workspace:
    """A workspace of these tables; `tables` adds or replaces tables, other names replace settings."""
    tables = {**deepcopy(TABLES), **changes.pop("tables", {})}
    settings = {
        "tierwise": 1,
        "name": "small",
        "tables": tables,
        "potential": {"metric": "revenue_4q", "horizon": "4 quarters"},
        **changes,
    }
    return Workspace(Path(), Path("data"), WorkspaceSettings.model_validate(settings), CATALOG)


def add_raw(engine: Engine, workspace: Workspace, rows: Mapping[str, Sequence[RawRow]]) -> None:
    """Put raw rows into the engine as the reading of sources would; a `_fault` marks an unreadable row."""
    for name, table in workspace.settings.tables.items():
        columns = ["_fault", *table.columns]
        columns += [f"_currency_of_{column}" for column, own in table.columns.items() if own.currency_from]
        given = rows.get(name, ())
        arrays = [pa.array([row.get(column) for row in given], pa.string()) for column in columns]
        numbers = pa.array(range(1, len(given) + 1), pa.int64())
        engine.add_table(f"raw_{name}", pa.table([numbers, *arrays], names=["_row", *columns]))


def check(engine: Engine, workspace: Workspace, rows: Mapping[str, Sequence[RawRow]]) -> CheckResult:
    """Hold the rows to the contract; partners P1 and P2 are given unless the rows name partners."""
    add_raw(engine, workspace, {"partners": PARTNERS, **rows})
    return check_tables(engine, workspace, TODAY)


def quarantined(engine: Engine) -> list[tuple[object, ...]]:
    """The quarantine as `(table, row, rule, column)`."""
    return engine.rows('SELECT "table", "row", rule, "column" FROM quarantine ORDER BY ALL')
