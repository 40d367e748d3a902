"""Small workspaces for metric tests, and tables of any workspace filled with made-up rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from sqlglot import exp

from tierwise.config.catalog import Catalog
from tierwise.config.load import Workspace
from tierwise.config.workspace import TableSettings, WorkspaceSettings
from tierwise.engine import Engine, open_engine, quoted
from tierwise.metrics import compute
from tierwise.metrics.checking import make_empty_tables
from tierwise.metrics.reading import ParsedCatalog, parse_catalog
from tierwise.tables.reading import SQL_TYPES, column_type

SOURCE = {"csv": "none.csv"}
TEXT: dict[str, object] = {}
STATIC = {"static": True}
TABLES = {
    "partners": {
        "kind": "partners",
        "columns": {"partner_id": TEXT, "joined_on": TEXT, "region": STATIC, "staff": STATIC | {"type": "integer"}},
    },
    "segments": {"kind": "history", "columns": {"partner_id": TEXT, "valid_from": TEXT, "segment": TEXT}},
    "deals": {
        "kind": "events",
        "columns": {
            "partner_id": TEXT, "date": TEXT, "known_on": TEXT, "status": TEXT, "customer": TEXT,
            "amount": {"type": "money"}, "quantity": {"type": "integer"}, "joint": {"type": "boolean"}, "country": TEXT,
        },
    },
    "certifications": {
        "kind": "events",
        "columns": {"partner_id": TEXT, "date": TEXT, "person": TEXT, "expires_on": {"type": "date"}},
    },
}  # fmt: skip
Rows = Mapping[str, Iterable[Mapping[str, object]]]


def make_workspace(
    metrics: Mapping[str, object],
    tables: Mapping[str, object] | None = None,
    units: Mapping[str, object] | None = None,
    **settings: object,
) -> Workspace:
    """A workspace with these metrics and units over the tables above (or others)."""
    declared = {name: {"source": SOURCE} | table for name, table in (tables or TABLES).items()}
    document = {
        "tierwise": 1,
        "name": "small",
        "tables": declared,
        "potential": {"metric": "x", "horizon": "4 quarters"},
    }
    catalog = Catalog.model_validate({"metrics": metrics, "units": units or {}})
    return Workspace(Path(), Path(), WorkspaceSettings.model_validate(document | settings), catalog)


def fill(engine: Engine, workspace: Workspace, rows: Rows) -> None:
    """Make the accepted tables of a workspace with the given rows; a column that a row leaves out is null."""
    make_empty_tables(engine, workspace)
    for name, records in rows.items():
        columns = workspace.table(name).columns
        frame = pd.DataFrame(list(records), columns=list(columns)).astype("object")
        add_rows(engine, workspace.table(name), name, frame.where(frame.notna(), None).map(as_text))


def as_text(value: object) -> str | None:
    return None if value is None else str(value)


def add_rows(engine: Engine, table: TableSettings, name: str, rows: pd.DataFrame) -> None:
    """Append rows given as text."""
    casts = ", ".join(
        f"CAST({quoted(column)} AS {SQL_TYPES[column_type(column, settings)]}) AS {quoted(column)}"
        for column, settings in table.columns.items()
    )
    if len(rows):
        engine.add_table("incoming", rows.astype("str"))
        engine.run(f"INSERT INTO {quoted(name)} SELECT {casts} FROM incoming")


def metric_rows(
    metrics: Mapping[str, object], rows: Rows, as_of: date | list[date], unit: str | None = None, **settings: object
) -> pd.DataFrame:
    """Compute metrics over a few rows; partners that no table names are added to the partner table."""
    workspace = make_workspace(metrics, **settings)  # type: ignore[arg-type]
    known = {str(row["partner_id"]) for records in rows.values() for row in records}
    given = {str(row["partner_id"]) for row in rows.get("partners", ())}
    partners = [*rows.get("partners", ()), *({"partner_id": name} for name in sorted(known - given))]
    with open_engine() as engine:
        fill(engine, workspace, {**rows, "partners": partners})
        return compute(engine, workspace, [as_of] if isinstance(as_of, date) else as_of, unit)


def made_up_rows(workspace: Workspace, seed: int, partners: int = 40, events: int = 60) -> dict[str, pd.DataFrame]:
    """Fill every table of a workspace with rows that fit its declared columns, as text.

    Texts are drawn from the column's allowed values and from the texts that the catalog compares with, so that filters
    let some rows through.
    """
    rng = np.random.default_rng(seed)
    texts = [*literal_texts(parse_catalog(workspace)), "k1", "k2", "k3"]
    names = np.array([f"P{number:03d}" for number in range(partners)])
    found = {}
    for name, table in workspace.settings.tables.items():
        size = partners if table.kind == "partners" else partners * (events if table.kind == "events" else 3)
        frame = pd.DataFrame({column: _values(rng, column, table, size, texts) for column in table.columns})
        frame["partner_id"] = names if table.kind == "partners" else rng.choice(names, size)
        if "known_on" in frame:
            late = pd.to_timedelta(np.where(rng.random(size) < 0.2, rng.integers(1, 400, size), 0), unit="D")
            frame["known_on"] = (pd.to_datetime(frame["date"]) + late).dt.strftime("%Y-%m-%d")
        found[name] = frame
    return found


def literal_texts(catalog: ParsedCatalog) -> list[str]:
    """Every text that a catalog's expressions compare with."""
    parsed = [part for ones in catalog.aggregates.values() for one in ones for part in (one.value, one.where, one.then)]
    literals = [literal for part in parsed if part is not None for literal in part.tree.find_all(exp.Literal)]
    return sorted({literal.name for literal in literals if literal.is_string and len(literal.name) > 1})


def _values(rng: np.random.Generator, column: str, table: TableSettings, size: int, texts: list[str]) -> pd.Series:
    kind = column_type(column, table.columns[column])
    if kind in ("date", "timestamp"):
        days = np.datetime64("2019-01-01") + rng.integers(0, 2700, size)
        return pd.Series(days.astype(str))
    if kind == "text":
        return pd.Series(rng.choice([*(table.columns[column].allowed or texts)], size))
    if kind == "boolean":
        return pd.Series(rng.choice(["true", "false"], size))
    numbers = rng.integers(1, 2000, size)
    text = pd.Series(numbers if kind == "integer" else numbers * rng.choice([1.25, 10.5, 1000.01], size)).astype(str)
    return text.mask(rng.random(size) < 0.05) if kind == "integer" else text


def compute_over(
    workspace: Workspace, tables: Mapping[str, pd.DataFrame], as_of_dates: list[date], only: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compute the metric rows over tables given as text."""
    with open_engine() as engine:
        make_empty_tables(engine, workspace)
        for name, rows in tables.items():
            add_rows(engine, workspace.table(name), name, rows)
        return compute(engine, workspace, as_of_dates, only=only)
