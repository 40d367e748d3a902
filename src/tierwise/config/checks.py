"""Checks over more than one key or file: every name that is used is declared, and means the right thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tierwise.config.benefits import Benefits
from tierwise.config.catalog import Catalog, Metric
from tierwise.config.columns import DATE_COLUMNS, RESERVED_NAMES, ROLE_COLUMNS, ROLE_TYPES, attributes
from tierwise.config.durations import Duration, Window
from tierwise.config.names import hint, known_names
from tierwise.config.unit_checks import unit_faults
from tierwise.config.workspace import ColumnSettings, TableSettings, WorkspaceSettings
from tierwise.config.yaml_reader import Document, KeyPath
from tierwise.errors import Fault

ENGINE_TABLES = frozenset({"quarantine"})
_MONTHS = {"month": 1, "months": 1, "quarter": 3, "quarters": 3, "calendar_quarters": 3, "year": 12}
_METRIC_TABLES = ("events", "history", "tier_history")


def workspace_faults(document: Document, settings: WorkspaceSettings) -> Iterator[Fault]:
    """Check the names and rules within `tierwise.yaml`."""
    yield from _partner_table_faults(document, settings)
    for name, table in settings.tables.items():
        yield from _table_faults(document, settings, name, table)
    yield from _segment_faults(document, settings)


def catalog_faults(document: Document, catalog: Catalog, settings: WorkspaceSettings) -> Iterator[Fault]:
    """Check the metric catalog against the tables of the workspace."""
    tables = [name for name, table in settings.tables.items() if table.kind in _METRIC_TABLES]
    taken = attributes(settings)
    for name, metric in catalog.metrics.items():
        where = document.where(("metrics", name, "from"))
        if metric.from_ in settings.tables and metric.from_ not in tables:
            what = f"{metric.from_!r} is the partner table, whose rows have no dates; {known_names(tables)}"
            yield Fault(what, where)
        elif metric.from_ is not None and metric.from_ not in tables:
            yield Fault(f"{metric.from_!r} is no table; {hint(metric.from_, tables)}", where)
        if name in taken:
            what = f"the metric {name!r} has the name of a column of table {taken[name]!r}"
            yield Fault(what, document.where(("metrics", name)), todo="rename one of them")
        if name in RESERVED_NAMES:
            what = f"the metric name {name!r} is taken by a column that Tierwise makes itself"
            yield Fault(what, document.where(("metrics", name)), todo="rename the metric")
    yield from unit_faults(document, catalog, settings)


def target_faults(document: Document, settings: WorkspaceSettings, catalog: Catalog) -> Iterator[Fault]:
    """Check that the potential's metric is an aggregate whose window is as long as the horizon."""
    potential = settings.potential
    where = document.where(("potential", "metric"))
    metric = catalog.metrics.get(potential.metric)
    if metric is None:
        yield Fault(
            f"the metric {potential.metric!r} is not in the catalog; {hint(potential.metric, catalog.metrics)}", where
        )
        return
    if metric.formula is not None or metric.window is None:
        todo = "name a metric with 'from', 'value' and 'window'"
        yield Fault(f"the metric {potential.metric!r} is a formula; potential needs an aggregate", where, todo=todo)
        return
    yield from _horizon_faults(document, potential.horizon, potential.metric, metric, metric.window)


def archetype_faults(document: Document, settings: WorkspaceSettings, catalog: Catalog) -> Iterator[Fault]:
    """Check that archetypes are found by features of the catalog and attributes of partners."""
    features = [name for name, metric in catalog.metrics.items() if metric.feature]
    for index, name in enumerate(settings.archetypes.metrics):
        where = document.where(("archetypes", "metrics", index))
        if name not in catalog.metrics:
            yield Fault(f"{name!r} is no metric; {hint(name, features)}", where)
        elif name not in features:
            yield Fault(f"the metric {name!r} has 'feature: false', so the models may not use it", where)
    known = attributes(settings)
    for index, name in enumerate(settings.archetypes.attributes or ()):
        if name not in known:
            where = document.where(("archetypes", "attributes", index))
            yield Fault(f"{name!r} is no attribute of partners; {hint(name, known)}", where)


def benefits_faults(
    document: Document, benefits: Benefits, tiers: Iterable[str], catalog: Catalog | None
) -> Iterator[Fault]:
    """Check the benefits against the policies' tiers and the catalog; no tiers means no policy to check against."""
    known = sorted(set(tiers))
    for tier, benefit in benefits.tiers.items():
        if known and tier not in known:
            yield Fault(f"{tier!r} is a tier of no policy; {hint(tier, known)}", document.where(("tiers", tier)))
        for index, incentive in enumerate(benefit.incentives):
            if catalog is not None and incentive.on is not None and incentive.on not in catalog.metrics:
                where = document.where(("tiers", tier, "incentives", index, "on"))
                yield Fault(f"{incentive.on!r} is no metric; {hint(incentive.on, catalog.metrics)}", where)


def _partner_table_faults(document: Document, settings: WorkspaceSettings) -> Iterator[Fault]:
    partners = [name for name, table in settings.tables.items() if table.kind == "partners"]
    if not partners:
        yield Fault("no table has 'kind: partners'; exactly one must", document.where(("tables",)))
    for name in partners[1:]:
        what = f"a second table has 'kind: partners'; {partners[0]!r} has it already"
        yield Fault(what, document.where(("tables", name, "kind")))


def _table_faults(document: Document, settings: WorkspaceSettings, name: str, table: TableSettings) -> Iterator[Fault]:
    path: KeyPath = ("tables", name)
    if name in ENGINE_TABLES or name.startswith("raw_"):
        yield Fault(
            f"the table name {name!r} is taken by Tierwise itself", document.where(path), todo="rename the table"
        )
    for role in ROLE_COLUMNS[table.kind]:
        if role not in table.columns:
            what = f"a table of kind {table.kind!r} needs the column {role!r}; {hint(role, table.columns)}"
            yield Fault(what, document.where((*path, "columns")))
    if table.kind == "history" and not attributes(settings, only=name):
        yield Fault("a history table needs at least one attribute column", document.where((*path, "columns")))
    yield from _kind_faults(document, path, table)
    yield from _key_faults(document, path, table)
    for column, column_settings in table.columns.items():
        yield from _column_faults(document, settings, (*path, "columns", column), column_settings)
        yield from _attribute_faults(document, settings, name, column)


def _kind_faults(document: Document, path: KeyPath, table: TableSettings) -> Iterator[Fault]:
    if table.introduces_partners and table.kind != "history":
        what = f"only a history table can introduce partners, not a table of kind {table.kind!r}"
        yield Fault(what, document.where((*path, "introduces_partners")))
    if table.unknown_partner == "prospect" and table.kind == "partners":
        what = "the partner table says who is a partner; prospects are for the other kinds"
        yield Fault(what, document.where((*path, "unknown_partner")))
    for name, column in table.columns.items():
        has_role = name in DATE_COLUMNS or name in ROLE_COLUMNS[table.kind]
        allowed = ROLE_TYPES[name] if has_role else None
        if allowed is not None and column.type not in (None, *allowed):
            what = f"the column {name!r} is always {' or '.join(repr(kind) for kind in allowed)}, not {column.type!r}"
            yield Fault(what, document.where((*path, "columns", name, "type")))
        if column.static and table.kind != "partners":
            what = "'static' is for columns of the partner table; a history table dates its attributes itself"
            yield Fault(what, document.where((*path, "columns", name, "static")))


def _key_faults(document: Document, path: KeyPath, table: TableSettings) -> Iterator[Fault]:
    for index, column in enumerate(table.key):
        if column not in table.columns:
            where = document.where((*path, "key", index))
            yield Fault(f"the key column {column!r} is not a column of the table; {hint(column, table.columns)}", where)
    if table.money is None:
        return
    where = document.where((*path, "money"))
    column_settings = table.columns.get(table.money)
    if column_settings is None:
        yield Fault(
            f"the money column {table.money!r} is not a column of the table; {hint(table.money, table.columns)}", where
        )
    elif column_settings.type != "money":
        found = column_settings.type or "no type"
        yield Fault(f"the money column {table.money!r} has {found!r}; it needs 'type: money'", where)


def _column_faults(
    document: Document, settings: WorkspaceSettings, path: KeyPath, column: ColumnSettings
) -> Iterator[Fault]:
    for index, step in enumerate(column.via):
        lookup, dot, target = step.partition(".")
        where = document.where((*path, "via", index))
        if not dot or not target:
            yield Fault(f"found {step!r}; a step is written 'lookup.column'", where)
        elif lookup not in settings.lookups:
            yield Fault(f"{lookup!r} is no lookup of the workspace; {hint(lookup, settings.lookups)}", where)
    currencies = [settings.currency.program, *settings.currency.rates]
    if column.currency is not None and column.currency not in currencies:
        what = f"no rate for the currency {column.currency!r}; {hint(column.currency, currencies)}"
        yield Fault(what, document.where((*path, "currency")), todo="add it under currency.rates")


def _attribute_faults(document: Document, settings: WorkspaceSettings, table: str, column: str) -> Iterator[Fault]:
    own = attributes(settings, only=table)
    if column not in own:
        return
    owner = attributes(settings)[column]
    where = document.where(("tables", table, "columns", column))
    if owner != table:
        yield Fault(
            f"the attribute {column!r} is declared by table {owner!r} already", where, todo="rename one of them"
        )
    if column in RESERVED_NAMES:
        yield Fault(f"the column name {column!r} is taken by a column that Tierwise makes itself", where)


def _segment_faults(document: Document, settings: WorkspaceSettings) -> Iterator[Fault]:
    known = attributes(settings)
    segments = settings.segments.model_dump(exclude_none=True)
    uses: list[tuple[KeyPath, str]] = [(("segments", key), name) for key, name in segments.items()]
    uses += [
        (("potential", "comparable_by", index), name) for index, name in enumerate(settings.potential.comparable_by)
    ]
    undated = {column for table in settings.tables.values() if table.kind == "partners" for column in table.columns}
    for path, name in uses:
        if name in known:
            continue
        if name in undated:
            todo = "declare the column 'static: true' if it is true of all time, else give it a history table"
            yield Fault(f"the column {name!r} is for display only: it has no dates", document.where(path), todo=todo)
        else:
            yield Fault(f"{name!r} is no attribute of partners; {hint(name, known)}", document.where(path))


def _horizon_faults(
    document: Document, horizon: Duration, name: str, metric: Metric, window: Window
) -> Iterator[Fault]:
    where = document.where(("potential", "horizon"))
    if horizon.unit == "review":
        yield Fault("the horizon is a length of time, not a number of reviews", where)
    elif _length(window.count, window.kind) != _length(horizon.count, horizon.unit):
        what = f"the horizon is {horizon}, but the window of the metric {name!r} is {window}; they must be equally long"
        yield Fault(what, where)
    for key in ("offset", "lag"):
        if getattr(metric, key) is not None:
            what = f"the metric {name!r} has {key!r}; the metric of potential must end on the as-of date itself"
            yield Fault(what, document.where(("potential", "metric")))


def _length(count: int, unit: str) -> tuple[str, int]:
    return ("months", count * _MONTHS[unit]) if unit in _MONTHS else (unit.rstrip("s") + "s", count)
