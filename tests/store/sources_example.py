"""What the tests of sources share: one table read from files that a test writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tierwise.config.catalog import Catalog
from tierwise.config.load import Workspace
from tierwise.config.workspace import WorkspaceSettings
from tierwise.engine import Engine, open_engine
from tierwise.store.sources import SourcesRead, read_tables

REVENUE = {
    "title": "Revenue",
    "unit": "USD",
    "from": "deals",
    "value": "sum(amount)",
    "window": "4 quarters",
    "missing": 0,
}
COLUMNS = {"deal_id": "id", "partner_id": "partner", "date": "day", "amount": {"from": "price", "type": "money"}}


def workspace_of(
    folder: Path, source: Mapping[str, object], columns: Mapping[str, object] = COLUMNS, **changes: object
) -> Workspace:
    """A workspace whose only table `deals` comes from a source in the folder."""
    deals = {"kind": "events", "source": dict(source), "columns": dict(columns)}
    settings = WorkspaceSettings.model_validate(
        {
            "tierwise": 1,
            "name": "sources",
            "tables": {"deals": deals, **changes.pop("tables", {})},
            "potential": {"metric": "revenue", "horizon": "4 quarters"},
            **changes,
        }
    )
    return Workspace(folder, folder, settings, Catalog.model_validate({"metrics": {"revenue": REVENUE}}))


def read(workspace: Workspace, query: str = "SELECT * FROM raw_deals ORDER BY _row") -> list[tuple[object, ...]]:
    """Read the workspace's tables and return the rows of a query over them."""
    return read_all(workspace, query)[1]


def read_all(workspace: Workspace, query: str) -> tuple[SourcesRead, list[tuple[object, ...]]]:
    """Likewise, with the record of what was read."""
    with open_engine() as engine:
        record = read_tables(engine, workspace)
        return record, engine.rows(query)


def table_names(engine: Engine) -> list[object]:
    """The tables in the engine."""
    return [name for (name,) in engine.rows("SELECT table_name FROM information_schema.tables ORDER BY 1")]
