"""Computes the metric rows of every known partner at many as-of dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from tierwise.config.columns import attributes
from tierwise.config.load import Workspace
from tierwise.engine import Engine, quoted, render
from tierwise.errors import MAX_EXAMPLES, Fault, InvalidInput
from tierwise.metrics.event_query import FIRST_DAY, UNIT_UNIVERSE, UNIVERSE, table_query
from tierwise.metrics.plan import UNIT, Plan, plan_table
from tierwise.metrics.reading import Aggregate, Formula, ParsedCatalog, parse_catalog
from tierwise.metrics.units import Part, Parts, parts_of, unit_of, unit_universe_query
from tierwise.metrics.universe import universe_query

_BATCH = 60


def compute(
    engine: Engine,
    workspace: Workspace,
    as_of_dates: Sequence[date],
    unit: str | None = None,
    only: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Compute the metric rows of every partner known at each as-of date.

    An event counts at an as-of date only if it is dated, and where the table has `known_on` was known, on or before it.

    Args:
        engine: An engine that holds the accepted tables.
        workspace: The workspace; its catalog says what is computed.
        as_of_dates: The as-of dates, in any order; each is computed once.
        unit: A unit of the catalog, to get one row per partner and unit: a metric of a table that names units then
            counts the unit's rows alone (unless its `scope` is `partner`), every other one the partner's.
        only: These metrics alone, without the attributes, for a panel of many rows of which little is needed.

    Returns:
        One row per `as_of` (`datetime64[us]`) and `partner_id` (`str`), sorted by both; then `first_seen`
        (`datetime64[us]`, missing before the first sign of the partner), `tenure_days` (float64), the attributes
        (`str`, missing where unknown), and one float64 column per metric in the order of the catalog, NaN where
        unknown. With `unit` there is one row per unit too, named in a column of the unit's name after `partner_id`;
        rows that name none make up the unit `(none)`.

    Raises:
        InvalidInput: If the catalog is at fault, has no such unit, a figure does not fit the data, or a metric with
            `missing: fail` has no rows for a partner.
    """
    ordered = sorted(set(as_of_dates))
    if not ordered:
        raise InvalidInput(Fault("no as-of date is given", "metrics"))
    catalog = parse_catalog(workspace)
    catalog = catalog if only is None else catalog.needed_for(only)
    parts = parts_of(catalog, None if unit is None else unit_of(workspace, unit))
    batches = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]
    runs = [_Run(engine, workspace, parts, batch, unit, only) for batch in batches]
    return pd.concat([_computed(run) for run in runs], ignore_index=True)


@dataclass(frozen=True)
class _Run:
    """At most 60 as-of dates, computed at once: the query keeps a bit for each in one integer."""

    engine: Engine
    workspace: Workspace
    parts: Parts
    as_of_dates: Sequence[date]
    unit: str | None
    only: Sequence[str] | None

    @property
    def attributes(self) -> tuple[str, ...]:
        return () if self.only is not None else tuple(attributes(self.workspace.settings))

    @property
    def metrics(self) -> list[str]:
        return list(self.workspace.catalog.metrics if self.only is None else self.only)

    @property
    def partner_keys(self) -> str:
        """The columns by which tables of partners are joined: a single as-of date need not be compared."""
        return "partner_id" if len(self.as_of_dates) == 1 else "as_of, partner_id"

    @property
    def keys(self) -> str:
        """The same for tables of partners' units."""
        return self.partner_keys if self.unit is None else f"{self.partner_keys}, {UNIT}"


def _computed(run: _Run) -> pd.DataFrame:
    engine, workspace, ordered = run.engine, run.workspace, run.as_of_dates
    plans = [(part, _plan(workspace, part, ordered)) for part in run.parts.all]
    dated = [part for part, plan in plans if plan.first_day is not None]
    made = [UNIVERSE]
    try:
        engine.create_table(UNIVERSE, universe_query(workspace, ordered, [part.table for part in dated]))
        if run.unit is not None:
            made.append(UNIT_UNIVERSE)
            engine.create_table(UNIT_UNIVERSE, unit_universe_query(workspace, unit_of(workspace, run.unit), ordered))
        try:
            for part, plan in plans:
                made.append(part.stored)
                engine.create_table(part.stored, table_query(plan))
            frame = engine.frame(_final_query(run, dated))
        except InvalidInput as error:
            raise InvalidInput(_unsuited(run) or error.faults) from error
    finally:
        for table in made:
            engine.run(f"DROP TABLE IF EXISTS {quoted(table)}")
    _check_missing(frame, run.parts)
    return _as_contracted(frame, run)


def table_queries(workspace: Workspace, catalog: ParsedCatalog, as_of_dates: Sequence[date]) -> dict[str, str]:
    """Write the query of each event table that the catalog uses."""
    return {part.table: table_query(_plan(workspace, part, as_of_dates)) for part in parts_of(catalog, None).all}


def _plan(workspace: Workspace, part: Part, as_of_dates: Sequence[date]) -> Plan:
    table = workspace.table(part.table)
    return plan_table(part.aggregates, table, workspace.settings.calendar, as_of_dates, part.unit)


def _unsuited(run: _Run) -> list[Fault]:
    """The metrics that the data do not suit, each tried alone."""
    faults = []
    alone = [replace(part, aggregates=(one,)) for part in run.parts.all for one in part.aggregates]
    for part in alone:
        try:
            run.engine.arrow(table_query(_plan(run.workspace, part, run.as_of_dates)))
        except InvalidInput as error:
            what = f"it does not suit the data: {error.faults[0].what}"
            faults.append(Fault(what, f"metrics.yaml: metrics.{part.aggregates[0].name}"))
    return faults


def _final_query(run: _Run, dated: Sequence[Part]) -> str:
    """Join the tables' metrics to the universe and add the formulas, step by step; then the same for the units.

    Args:
        run: The run.
        dated: The parts that give each partner's first day in their table.
    """
    query = _with_first_seen(run, dated)
    query = _with_formulas(query, run.parts.whole_formulas, ["as_of"])
    if run.unit is not None:
        columns = f"n.{UNIT}, w.*"
        partners = f"(SELECT {columns} FROM {UNIT_UNIVERSE} AS n JOIN ({query}) AS w USING ({run.partner_keys}))"
        query = f"SELECT u.*{_metrics(run.parts.by_unit)} FROM {partners} AS u{_joins(run.parts.by_unit, run.keys)}"
        query = _with_formulas(query, run.parts.unit_formulas, ["as_of", UNIT])
    named = [] if run.unit is None else [f"{UNIT} AS {quoted(run.unit)}"]
    names = [*map(quoted, ["as_of", "partner_id"]), *named, *map(quoted, ["first_seen", "tenure_days"])]
    texts = [f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in run.attributes]
    selected = [*names, *texts, *map(quoted, [*run.metrics, *map(_count, _required(run.parts))])]
    return f"SELECT {', '.join(selected)}\nFROM ({query}) AS f ORDER BY {run.keys}"


def _with_first_seen(run: _Run, dated: Sequence[Part]) -> str:
    """The universe with the metrics of whole partners, and since when each partner is seen."""
    days = ["u.first_seen", *(f"{quoted(part.stored)}.{FIRST_DAY}" for part in dated)]
    first = f"least({', '.join(days)}) AS first_seen" if dated else days[0]
    columns = ["u.as_of", "u.partner_id", first, *(f"u.{quoted(name)}" for name in attributes(run.workspace.settings))]
    columns += [quoted(_count(one)) for one in _required(run.parts)]
    joins = _joins(run.parts.whole, run.partner_keys)
    rows = f"SELECT {', '.join(columns)}{_metrics(run.parts.whole)} FROM {UNIVERSE} AS u{joins}"
    return f"SELECT *, CAST(date_diff('day', first_seen, as_of) AS DOUBLE) AS tenure_days\nFROM ({rows}) AS s"


def _metrics(parts: Sequence[Part]) -> str:
    return "".join(f", {quoted(one.name)}" for part in parts for one in part.aggregates)


def _joins(parts: Sequence[Part], keys: str) -> str:
    return "".join(f" LEFT JOIN {quoted(part.stored)} USING ({keys})" for part in parts)


def _required(parts: Parts) -> list[Aggregate]:
    """The metrics of whole partners that may not be missing; a unit of a partner may have no rows."""
    return [one for part in parts.whole for one in part.aggregates if one.metric.missing == "fail"]


def _count(one: Aggregate) -> str:
    """The column that counts a metric's rows."""
    return f"_rows_{one.name}"


def _with_formulas(query: str, steps: Sequence[Sequence[Formula]], partition_by: Sequence[str]) -> str:
    for formulas in steps:
        added = ", ".join(_formula_column(formula, partition_by) for formula in formulas)
        query = f"SELECT *, {added}\nFROM ({query}) AS s"
    return query


def _formula_column(formula: Formula, partition_by: Sequence[str]) -> str:
    value = f"CAST({render(formula.expression, partition_by=partition_by)} AS DOUBLE)"
    value = f"coalesce({value}, 0)" if formula.metric.missing == 0 else value
    return f"{value} AS {quoted(formula.name)}"


def _check_missing(frame: pd.DataFrame, parts: Parts) -> None:
    """Refuse where a metric that must be there has no rows for a partner, or a formula no figure."""
    formulas = (formula for step in parts.whole_formulas for formula in step if formula.metric.missing == "fail")
    lacking = [
        *((one.name, one.table, frame[_count(one)] == 0) for one in _required(parts)),
        *((one.name, None, frame[one.name].isna()) for one in formulas if one.name in frame.columns),
    ]
    faults = [_missing_fault(name, table, frame[rows]) for name, table, rows in lacking if rows.any()]
    if faults:
        raise InvalidInput(faults)


def _missing_fault(name: str, table: str | None, frame: pd.DataFrame) -> Fault:
    rows = frame[["as_of", "partner_id"]].drop_duplicates()
    examples = tuple(sorted(rows["partner_id"].astype("str").unique())[:MAX_EXAMPLES])
    unknown = f"it is unknown for {len(rows)} partner rows"
    what = unknown if table is None else f"{len(rows)} partner rows have no rows of {table!r}"
    todo = "complete the data, or let the metric's 'missing' be 0 or unknown"
    where = f"metrics.yaml: metrics.{name}.missing"
    return Fault(f"the metric {name!r} may not be missing: {what}", where, examples, todo)


def _as_contracted(frame: pd.DataFrame, run: _Run) -> pd.DataFrame:
    texts = ["partner_id", *([run.unit] if run.unit is not None else []), *run.attributes]
    frame = frame.drop(columns=list(map(_count, _required(run.parts)))).astype(dict.fromkeys(texts, "str"))
    for name in run.metrics:  # one by one: a large channel's rows are not held three times
        values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        frame[name] = np.where(np.isfinite(values), values, np.nan)
    return frame
