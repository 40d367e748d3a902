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
from tierwise.metrics.event_query import UNIT_UNIVERSE, UNIVERSE, table_query
from tierwise.metrics.plan import UNIT, plan_table
from tierwise.metrics.reading import Formula, ParsedCatalog, parse_catalog
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
    run = _Run(engine, workspace, parts, unit, only)
    batches = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]
    return pd.concat([_batch(run, batch) for batch in batches], ignore_index=True)


@dataclass(frozen=True)
class _Run:
    engine: Engine
    workspace: Workspace
    parts: Parts
    unit: str | None
    only: Sequence[str] | None

    @property
    def attributes(self) -> tuple[str, ...]:
        return () if self.only is not None else tuple(attributes(self.workspace.settings))

    @property
    def metrics(self) -> list[str]:
        return list(self.workspace.catalog.metrics if self.only is None else self.only)

    @property
    def keys(self) -> str:
        return "as_of, partner_id" if self.unit is None else f"as_of, partner_id, {UNIT}"


def _batch(run: _Run, ordered: Sequence[date]) -> pd.DataFrame:
    """Compute at most 60 as-of dates at once: the query keeps a bit for each in one integer."""
    engine, workspace = run.engine, run.workspace
    made = [UNIVERSE]
    try:
        engine.create_table(UNIVERSE, universe_query(workspace, ordered))
        if run.unit is not None:
            made.append(UNIT_UNIVERSE)
            engine.create_table(UNIT_UNIVERSE, unit_universe_query(workspace, unit_of(workspace, run.unit), ordered))
        for part in run.parts.all:
            made.append(part.stored)
            _store_metrics(engine, workspace, part, ordered)
        _check_missing_rows(engine, run.parts)
        frame = engine.frame(_final_query(run))
        _check_missing_formulas(frame, run.parts)
    finally:
        for table in made:
            engine.run(f"DROP TABLE IF EXISTS {quoted(table)}")
    return _as_contracted(frame, run)


def table_queries(workspace: Workspace, catalog: ParsedCatalog, as_of_dates: Sequence[date]) -> dict[str, str]:
    """Write the query of each event table that the catalog uses."""
    return {part.table: _query(workspace, part, as_of_dates) for part in parts_of(catalog, None).all}


def _query(workspace: Workspace, part: Part, as_of_dates: Sequence[date]) -> str:
    table = workspace.table(part.table)
    return table_query(plan_table(part.aggregates, table, workspace.settings.calendar, as_of_dates, part.unit))


def _store_metrics(engine: Engine, workspace: Workspace, part: Part, as_of_dates: Sequence[date]) -> None:
    """Compute the metrics of one event table; where the data do not suit them, name those at fault."""
    try:
        engine.create_table(part.stored, _query(workspace, part, as_of_dates))
    except InvalidInput as error:
        faults = []
        for one in part.aggregates:
            try:
                engine.create_table(part.stored, _query(workspace, replace(part, aggregates=(one,)), as_of_dates))
            except InvalidInput as alone:
                faults.append(
                    Fault(f"it does not suit the data: {alone.faults[0].what}", f"metrics.yaml: metrics.{one.name}")
                )
        raise InvalidInput(faults or error.faults) from error


def _final_query(run: _Run) -> str:
    """Join the tables' metrics to the universe and add the formulas, step by step; then the same for the units."""
    query = _joined(f"{UNIVERSE}", run.parts.whole, "as_of, partner_id")
    query = _with_formulas(query, run.parts.whole_formulas, ["as_of"])
    if run.unit is not None:
        partners = f"(SELECT * FROM {UNIT_UNIVERSE} JOIN ({query}) AS w USING (as_of, partner_id))"
        query = _joined(partners, run.parts.by_unit, run.keys)
        query = _with_formulas(query, run.parts.unit_formulas, ["as_of", UNIT])
    named = [] if run.unit is None else [f"{UNIT} AS {quoted(run.unit)}"]
    names = [*map(quoted, ["as_of", "partner_id"]), *named, *map(quoted, ["first_seen", "tenure_days"])]
    texts = [f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" for name in run.attributes]
    selected = [*names, *texts, *map(quoted, run.metrics)]
    return f"SELECT {', '.join(selected)}\nFROM ({query}) AS f ORDER BY {run.keys}"


def _joined(rows: str, parts: Sequence[Part], keys: str) -> str:
    columns = ["u.*", *(quoted(one.name) for part in parts for one in part.aggregates)]
    joins = "".join(f" LEFT JOIN {quoted(part.stored)} USING ({keys})" for part in parts)
    return f"SELECT {', '.join(columns)} FROM {rows} AS u{joins}"


def _with_formulas(query: str, steps: Sequence[Sequence[Formula]], partition_by: Sequence[str]) -> str:
    for formulas in steps:
        added = ", ".join(_formula_column(formula, partition_by) for formula in formulas)
        query = f"SELECT *, {added}\nFROM ({query}) AS s"
    return query


def _formula_column(formula: Formula, partition_by: Sequence[str]) -> str:
    value = f"CAST({render(formula.expression, partition_by=partition_by)} AS DOUBLE)"
    value = f"coalesce({value}, 0)" if formula.metric.missing == 0 else value
    return f"{value} AS {quoted(formula.name)}"


def _check_missing_rows(engine: Engine, parts: Parts) -> None:
    """Refuse where a metric whose rows must exist has none for a partner; a unit of a partner may have none."""
    faults = []
    for part in parts.whole:
        for one in part.aggregates:
            if one.metric.missing != "fail":
                continue
            lacking = f"FROM {quoted(part.stored)} WHERE {quoted('_rows_' + one.name)} = 0"
            count = engine.rows(f"SELECT count(*) {lacking}")[0][0]
            examples = engine.rows(f"SELECT DISTINCT partner_id {lacking} ORDER BY partner_id LIMIT {MAX_EXAMPLES}")
            if count:
                faults.append(
                    _missing_fault(one.name, f"{count} partner rows have no rows of {part.table!r}", examples)
                )
    if faults:
        raise InvalidInput(faults)


def _check_missing_formulas(frame: pd.DataFrame, parts: Parts) -> None:
    faults = []
    formulas = [formula for step in parts.whole_formulas for formula in step if formula.name in frame.columns]
    for formula in (formula for formula in formulas if formula.metric.missing == "fail"):
        lacking = frame.loc[frame[formula.name].isna(), "partner_id"]
        if len(lacking):
            examples = [(name,) for name in sorted(set(lacking))]
            faults.append(_missing_fault(formula.name, f"it is unknown for {len(lacking)} partner rows", examples))
    if faults:
        raise InvalidInput(faults)


def _missing_fault(name: str, what: str, examples: Sequence[tuple[object, ...]]) -> Fault:
    todo = "complete the data, or let the metric's 'missing' be 0 or unknown"
    where = f"metrics.yaml: metrics.{name}.missing"
    return Fault(f"the metric {name!r} may not be missing: {what}", where, tuple(str(row[0]) for row in examples), todo)


def _as_contracted(frame: pd.DataFrame, run: _Run) -> pd.DataFrame:
    texts = ["partner_id", *([run.unit] if run.unit is not None else []), *run.attributes]
    frame = frame.astype(dict.fromkeys(texts, "str"))
    for name in run.metrics:  # one by one: a large channel's rows are not held three times
        values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        frame[name] = np.where(np.isfinite(values), values, np.nan)
    return frame
