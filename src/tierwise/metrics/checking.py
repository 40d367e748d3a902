"""Checks a metric catalog before any data is read: names, types, and what people need to trust a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tierwise.config.columns import DATE_COLUMNS, attributes
from tierwise.config.load import Workspace
from tierwise.engine import Engine, Expression, is_exact, open_engine, quoted, render, to_tree
from tierwise.errors import Fault, InvalidInput
from tierwise.metrics.pieces import sql
from tierwise.metrics.reading import Aggregate, Formula, ParsedCatalog, read_catalog
from tierwise.tables.reading import SQL_TYPES, column_type

_TOLD = ("title", "unit", "owner")
_ADVICE = {
    "DATE": "count days instead: date_diff('day', max(date), as_of)",
    "TIMESTAMP": "count days instead: date_diff('day', max(date), as_of)",
    "VARCHAR": "count or compare texts: count_if(status = 'won')",
}
_NUMBERS = (
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "HUGEINT",
    "BIGINT",
    "INTEGER",
    "SMALLINT",
    "TINYINT",
    "UBIGINT",
    "BOOLEAN",
    '"NULL"',
)


def check_catalog(workspace: Workspace) -> tuple[Fault, ...]:
    """Check every metric of a workspace, without data.

    Returns:
        Warnings: what is missing for people to trust a figure (title, unit, owner).

    Raises:
        InvalidInput: With every fault of every metric: expressions outside the language, unknown names and tables,
            formulas in a circle, values that are not numbers, conditions that are not true or false.
    """
    catalog, faults = read_catalog(workspace)
    with open_engine() as engine:
        make_empty_tables(engine, workspace)
        for one in (one for aggregates in catalog.aggregates.values() for one in aggregates):
            faults += _aggregate_faults(engine, one)
        faults += _formula_faults(engine, workspace, catalog)
    if faults:
        raise InvalidInput(faults)
    return tuple(_warnings(workspace))


def make_empty_tables(engine: Engine, workspace: Workspace) -> None:
    """Make the accepted tables of a workspace, without rows."""
    for name, table in workspace.settings.tables.items():
        columns = {column: SQL_TYPES[column_type(column, settings)] for column, settings in table.columns.items()}
        declared = ", ".join(f"{quoted(column)} {sql_type}" for column, sql_type in columns.items())
        engine.run(f"CREATE OR REPLACE TABLE {quoted(name)} ({declared})")


def _aggregate_faults(engine: Engine, one: Aggregate) -> Iterator[Fault]:
    where = f"metrics.yaml: metrics.{one.name}"
    rows = f"(SELECT *, DATE '2000-01-01' AS as_of FROM {quoted(one.table)}) AS rows"
    if one.where is not None:
        condition = f"SELECT {render(one.where)} AS v FROM {rows}"
        yield from _type_faults(engine, condition, f"{where}.where", ("BOOLEAN",))
    inner = f"SELECT {render(one.value)} AS value FROM {rows} GROUP BY partner_id, as_of"
    if one.then is None:
        yield from _type_faults(engine, inner, f"{where}.value")
        return
    outer = f"SELECT {_outer(one.value, one.then)} AS v FROM ({inner}) AS v"
    yield from _type_faults(engine, outer, f"{where}.then")


def _outer(value: Expression, then: Expression) -> str:
    return sql(to_tree(then, inexact_names=() if is_exact(to_tree(value)) else ("value",)))


def _formula_faults(engine: Engine, workspace: Workspace, catalog: ParsedCatalog) -> Iterator[Fault]:
    columns = {"as_of": "DATE", "partner_id": "VARCHAR", "first_seen": "DATE", "tenure_days": "DOUBLE"}
    columns |= {name: attribute_type(workspace, name) for name in attributes(workspace.settings)}
    columns |= dict.fromkeys(workspace.catalog.metrics, "DOUBLE")
    declared = ", ".join(f"CAST(NULL AS {sql_type}) AS {quoted(name)}" for name, sql_type in columns.items())
    for formula in (formula for step in catalog.formulas for formula in step):
        query = f"SELECT {_formula_sql(formula)} AS v FROM (SELECT {declared}) AS f WHERE false"
        yield from _type_faults(engine, query, f"metrics.yaml: metrics.{formula.name}.formula")


def attribute_type(workspace: Workspace, name: str) -> str:
    """The SQL type of an attribute."""
    table = workspace.table(attributes(workspace.settings)[name])
    return "DATE" if name in DATE_COLUMNS else SQL_TYPES[column_type(name, table.columns[name])]


def _formula_sql(formula: Formula) -> str:
    return render(formula.expression, partition_by=["as_of"])


def _type_faults(engine: Engine, query: str, where: str, wanted: Sequence[str] = _NUMBERS) -> Iterator[Fault]:
    """What speaks against the type of a query's value; the query is not run."""
    try:
        found = str(engine.rows(f"DESCRIBE {query}")[0][1])
    except InvalidInput as error:
        yield Fault(f"it does not suit the columns' types: {error.faults[0].what}", where)
        return
    if not found.startswith(tuple(wanted)):
        must_be = "a number" if wanted is _NUMBERS else "true or false"
        yield Fault(
            f"it must be {must_be}; it is of type {found}",
            where,
            todo=_ADVICE.get(found, "") if wanted is _NUMBERS else "",
        )


def _warnings(workspace: Workspace) -> Iterator[Fault]:
    for name, metric in workspace.catalog.metrics.items():
        lacking = [key for key in _TOLD if not getattr(metric, key)]
        if lacking:
            yield Fault(f"the metric {name!r} has no {', no '.join(lacking)}", f"metrics.yaml: metrics.{name}")
