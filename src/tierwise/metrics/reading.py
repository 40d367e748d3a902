"""Reads a metric catalog into checked expressions, all faults at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from tierwise.config.catalog import Metric
from tierwise.config.columns import attributes
from tierwise.config.load import Workspace
from tierwise.config.workspace import TableSettings
from tierwise.engine import Expression, ExpressionKind, check_names, parse_expression
from tierwise.errors import Fault, InvalidInput

BUILT_IN_NAMES = ("as_of", "first_seen", "tenure_days")


@dataclass(frozen=True)
class Aggregate:
    """A metric that aggregates the rows of one table."""

    name: str
    metric: Metric
    table: str
    value: Expression
    where: Expression | None = None
    then: Expression | None = None


@dataclass(frozen=True)
class Formula:
    """A metric computed from other metrics and attributes."""

    name: str
    metric: Metric
    expression: Expression


@dataclass(frozen=True)
class ParsedCatalog:
    """A catalog whose expressions are parsed and whose names are known.

    Attributes:
        aggregates: The aggregate metrics by table, tables and metrics in the order of the file.
        formulas: The formulas in steps: each step needs only metrics of earlier ones.
    """

    aggregates: Mapping[str, tuple[Aggregate, ...]]
    formulas: tuple[tuple[Formula, ...], ...]

    def needed_for(self, names: Collection[str]) -> ParsedCatalog:
        """The part of the catalog that some metrics need: themselves, and what their formulas are made of."""
        wanted, steps = set(names), []
        for step in reversed(self.formulas):
            kept = tuple(formula for formula in step if formula.name in wanted)
            wanted.update(*(formula.expression.names for formula in kept))
            steps.append(kept)
        tables = {table: tuple(one for one in own if one.name in wanted) for table, own in self.aggregates.items()}
        kept_tables = {table: own for table, own in tables.items() if own}
        return ParsedCatalog(kept_tables, tuple(step for step in reversed(steps) if step))


@dataclass
class _Reading:
    """Parses expressions one by one and keeps the faults of those that fail."""

    faults: list[Fault] = field(default_factory=list)

    def expression(
        self, text: str | None, where: str, kind: ExpressionKind, known: Collection[str]
    ) -> Expression | None:
        if text is None:
            return None
        try:
            parsed = parse_expression(text, where=where, kind=kind)
        except InvalidInput as error:
            self.faults += error.faults
            return None
        unknown = check_names(parsed, known, where)
        self.faults += unknown
        return None if unknown else parsed


def parse_catalog(workspace: Workspace) -> ParsedCatalog:
    """Parse every metric of a workspace.

    Raises:
        InvalidInput: With every fault of every metric: an expression outside the language, an unknown column or
            metric, an unknown table, formulas that depend on one another in a circle.
    """
    catalog, faults = read_catalog(workspace)
    if faults:
        raise InvalidInput(faults)
    return catalog


def read_catalog(workspace: Workspace) -> tuple[ParsedCatalog, list[Fault]]:
    """Parse every metric of a workspace: those without fault, and the faults of the others."""
    reading = _Reading()
    aggregates = list(_aggregates(workspace, reading))
    steps = _steps(list(_formulas(workspace, reading)), reading)
    tables = dict.fromkeys(one.table for one in aggregates)
    by_table = {table: tuple(one for one in aggregates if one.table == table) for table in tables}
    return ParsedCatalog(by_table, steps), reading.faults


def date_column(table: TableSettings) -> str:
    """The column that dates a table's rows."""
    return "date" if table.kind == "events" else "valid_from"


def _key(name: str, part: str) -> str:
    return f"metrics.yaml: metrics.{name}.{part}"


def _aggregates(workspace: Workspace, reading: _Reading) -> Iterator[Aggregate]:
    tables = {name: workspace.table(name) for name in workspace.tables_of("events", "history", "tier_history")}
    for name, metric in workspace.catalog.metrics.items():
        if metric.from_ is None:
            continue
        if metric.from_ not in tables:
            reading.faults += _unknown_table(name, metric.from_, tables)
            continue
        known = {*tables[metric.from_].columns, "as_of"}
        before = len(reading.faults)
        value = reading.expression(metric.value, _key(name, "value"), "aggregate", known)
        where = reading.expression(metric.where, _key(name, "where"), "scalar", known)
        then = reading.expression(metric.then, _key(name, "then"), "aggregate", {"value"})
        reading.faults += _own_as_of(name, metric.from_, tables[metric.from_])
        if value is not None and len(reading.faults) == before:
            yield Aggregate(name, metric, metric.from_, value, where, then)


def _unknown_table(name: str, table: str, tables: Collection[str]) -> Iterator[Fault]:
    yield Fault(
        f"{table!r} is not a table of events; there are {', '.join(sorted(tables)) or 'none'}", _key(name, "from")
    )


def _own_as_of(name: str, table: str, settings: TableSettings) -> Iterator[Fault]:
    if "as_of" in settings.columns:
        what = f"the table {table!r} has a column 'as_of', which in a metric means the as-of date"
        yield Fault(what, _key(name, "from"), todo="rename the column in tierwise.yaml")


def _formulas(workspace: Workspace, reading: _Reading) -> Iterator[Formula]:
    known = {*workspace.catalog.metrics, *attributes(workspace.settings), *BUILT_IN_NAMES}
    for name, metric in workspace.catalog.metrics.items():
        parsed = reading.expression(metric.formula, _key(name, "formula"), "window", known)
        if parsed is not None:
            yield Formula(name, metric, parsed)


def _steps(formulas: list[Formula], reading: _Reading) -> tuple[tuple[Formula, ...], ...]:
    by_name = {formula.name: formula for formula in formulas}
    needs = {name: sorted(formula.expression.names & by_name.keys()) for name, formula in by_name.items()}
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        what = f"formulas depend on one another in a circle: {circle}"
        reading.faults.append(Fault(what, _key(error.args[1][0], "formula")))
        return (tuple(formulas),)
    return tuple(_ready(sorter, by_name.__getitem__))


def _ready(sorter: TopologicalSorter[str], formula_of: Callable[[str], Formula]) -> Iterator[tuple[Formula, ...]]:
    while sorter.is_active():
        names = sorted(sorter.get_ready())
        yield tuple(formula_of(name) for name in names)
        sorter.done(*names)
