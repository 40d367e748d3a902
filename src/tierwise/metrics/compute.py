"""Computes the metric rows of every known partner at many as-of dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pandas as pd

from tierwise.config.columns import attributes
from tierwise.config.load import Workspace
from tierwise.engine import Engine, quoted, render
from tierwise.errors import MAX_EXAMPLES, Fault, InvalidInput
from tierwise.metrics.event_query import UNIVERSE, table_query
from tierwise.metrics.plan import plan_table
from tierwise.metrics.reading import Aggregate, Formula, ParsedCatalog, parse_catalog
from tierwise.metrics.universe import universe_query

_BATCH = 60


def compute(engine: Engine, workspace: Workspace, as_of_dates: Sequence[date]) -> pd.DataFrame:
    """Compute the metric rows of every partner known at each as-of date.

    An event counts at an as-of date only if it is dated, and where the table has `known_on` was known, on or before it.

    Args:
        engine: An engine that holds the accepted tables.
        workspace: The workspace; its catalog says what is computed.
        as_of_dates: The as-of dates, in any order; each is computed once.

    Returns:
        One row per `as_of` (`datetime64[us]`) and `partner_id` (`str`), sorted by both; then `first_seen`
        (`datetime64[us]`, missing before the first sign of the partner), `tenure_days` (float64), the attributes
        (`str`, missing where unknown), and one float64 column per metric in the order of the catalog, NaN where
        unknown.

    Raises:
        InvalidInput: If the catalog is at fault, a figure does not fit the data, or a metric with `missing: fail` has
            no rows for a partner.
    """
    catalog = parse_catalog(workspace)
    ordered = sorted(set(as_of_dates))
    if not ordered:
        raise InvalidInput(Fault("no as-of date is given", "metrics"))
    batches = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]
    return pd.concat([_batch(engine, workspace, catalog, batch) for batch in batches], ignore_index=True)


def _batch(engine: Engine, workspace: Workspace, catalog: ParsedCatalog, ordered: Sequence[date]) -> pd.DataFrame:
    """Compute at most 60 as-of dates at once: the query keeps a bit for each in one integer."""
    made = [UNIVERSE]
    try:
        engine.create_table(UNIVERSE, universe_query(workspace, ordered))
        for table, aggregates in catalog.aggregates.items():
            made.append(_stored(table))
            _store_metrics(engine, workspace, aggregates, ordered)
        _check_missing_rows(engine, catalog)
        frame = engine.frame(_final_query(workspace, catalog))
        _check_missing_formulas(frame, catalog)
    finally:
        for table in made:
            engine.run(f"DROP TABLE IF EXISTS {quoted(table)}")
    return _as_contracted(frame, workspace)


def table_queries(workspace: Workspace, catalog: ParsedCatalog, as_of_dates: Sequence[date]) -> dict[str, str]:
    """Write the query of each event table that the catalog uses."""
    return {table: _query(workspace, aggregates, as_of_dates) for table, aggregates in catalog.aggregates.items()}


def _query(workspace: Workspace, aggregates: Sequence[Aggregate], as_of_dates: Sequence[date]) -> str:
    table = workspace.table(aggregates[0].table)
    return table_query(plan_table(aggregates, table, workspace.settings.calendar, as_of_dates))


def _store_metrics(
    engine: Engine, workspace: Workspace, aggregates: Sequence[Aggregate], as_of_dates: Sequence[date]
) -> None:
    """Compute the metrics of one event table; where the data do not suit them, name those at fault."""
    stored = _stored(aggregates[0].table)
    try:
        engine.create_table(stored, _query(workspace, aggregates, as_of_dates))
    except InvalidInput as error:
        faults = []
        for one in aggregates:
            try:
                engine.create_table(stored, _query(workspace, [one], as_of_dates))
            except InvalidInput as alone:
                faults.append(
                    Fault(f"it does not suit the data: {alone.faults[0].what}", f"metrics.yaml: metrics.{one.name}")
                )
        raise InvalidInput(faults or error.faults) from error


def _stored(table: str) -> str:
    return f"_metrics_{table}"


def _final_query(workspace: Workspace, catalog: ParsedCatalog) -> str:
    """Join the tables' metrics to the universe and add the formulas, step by step."""
    columns = ["u.*"]
    columns += [quoted(one.name) for aggregates in catalog.aggregates.values() for one in aggregates]
    joins = "".join(f" LEFT JOIN {quoted(_stored(table))} USING (as_of, partner_id)" for table in catalog.aggregates)
    query = f"SELECT {', '.join(columns)} FROM {UNIVERSE} AS u{joins}"
    for formulas in catalog.formulas:
        added = ", ".join(_formula_column(formula) for formula in formulas)
        query = f"SELECT *, {added}\nFROM ({query}) AS s"
    names = ["as_of", "partner_id", "first_seen", "tenure_days"]
    selected = [*map(quoted, names), *_attribute_columns(workspace), *map(quoted, workspace.catalog.metrics)]
    return f"SELECT {', '.join(selected)}\nFROM ({query}) AS f ORDER BY as_of, partner_id"


def _attribute_columns(workspace: Workspace) -> Iterator[str]:
    for name in attributes(workspace.settings):
        yield f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}"


def _formula_column(formula: Formula) -> str:
    value = f"CAST({render(formula.expression, partition_by=['as_of'])} AS DOUBLE)"
    value = f"coalesce({value}, 0)" if formula.metric.missing == 0 else value
    return f"{value} AS {quoted(formula.name)}"


def _check_missing_rows(engine: Engine, catalog: ParsedCatalog) -> None:
    """Refuse where a metric whose rows must exist has none for a partner."""
    faults = []
    for table, aggregates in catalog.aggregates.items():
        for one in aggregates:
            if one.metric.missing != "fail":
                continue
            lacking = f"FROM {quoted(_stored(table))} WHERE {quoted('_rows_' + one.name)} = 0"
            count = engine.rows(f"SELECT count(*) {lacking}")[0][0]
            examples = engine.rows(f"SELECT DISTINCT partner_id {lacking} ORDER BY partner_id LIMIT {MAX_EXAMPLES}")
            if count:
                faults.append(_missing_fault(one.name, f"{count} partner rows have no rows of {table!r}", examples))
    if faults:
        raise InvalidInput(faults)


def _check_missing_formulas(frame: pd.DataFrame, catalog: ParsedCatalog) -> None:
    faults = []
    for formula in (formula for step in catalog.formulas for formula in step if formula.metric.missing == "fail"):
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


def _as_contracted(frame: pd.DataFrame, workspace: Workspace) -> pd.DataFrame:
    metrics = list(workspace.catalog.metrics)
    frame = frame.astype({"partner_id": "str"} | dict.fromkeys(attributes(workspace.settings), "str"))
    frame[metrics] = frame[metrics].astype("float64").replace([np.inf, -np.inf], np.nan)
    return frame
