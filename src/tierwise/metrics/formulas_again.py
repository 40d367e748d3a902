"""Formulas computed again after some of the metrics that they are made of were changed: for asking what would be."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from tierwise.config.load import Workspace
from tierwise.engine import Engine, quoted, render
from tierwise.metrics.checking import attribute_type
from tierwise.metrics.reading import Formula, ParsedCatalog
from tierwise.tables.varied import VariedRows

RowsT = TypeVar("RowsT", pd.DataFrame, VariedRows)
_ROWS, _PLACE, _GIVEN = "formulas_again_", "formulas_again_place_", "formulas_again_given_"


def dependent_formulas(catalog: ParsedCatalog, changed: Collection[str]) -> tuple[Formula, ...]:
    """The formulas that depend on any of the metrics, directly or through other formulas, in the order to compute."""
    touched = set(changed)
    found = []
    for formula in (formula for step in catalog.formulas for formula in step):
        if formula.expression.names & touched:
            touched.add(formula.name)
            found.append(formula)
    return tuple(found)


def ranks_partners(formula: Formula) -> bool:
    """Whether a formula looks at other partners: a rank, or a sum over a group."""
    return formula.expression.tree.find(exp.Window) is not None


def compute_again(
    engine: Engine,
    workspace: Workspace,
    rows: RowsT,
    formulas: Sequence[Formula],
    given: Mapping[str, NDArray[np.float64]],
) -> RowsT:
    """Compute formulas anew from the rows' own figures.

    Args:
        engine: An engine.
        workspace: Gives the types of attributes, which metric rows hold as text.
        rows: Metric rows; a window of a formula sees these rows and no other.
        formulas: From `dependent_formulas`, in its order.
        given: By formula that was changed itself, its value for each row; NaN where it is computed.

    Returns:
        The rows in their order with the formulas' columns replaced.
    """
    if not formulas or not len(rows):
        return rows
    return rows.assign(**_again(engine, workspace, rows[_read_by(formulas)], formulas, given))


def _read_by(formulas: Sequence[Formula]) -> list[str]:
    names = {name for formula in formulas for name in (formula.name, *formula.expression.names)}
    return sorted(names | {"as_of"})


def _again(
    engine: Engine,
    workspace: Workspace,
    read: pd.DataFrame,
    formulas: Sequence[Formula],
    given: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """The formulas' columns, from rows with all that they read."""
    own = {f"{_GIVEN}{formula.name}": given[formula.name] for formula in formulas if formula.name in given}
    typed = [str(name) for name in read.columns if name in workspace.attributes]
    read = read.astype(dict.fromkeys(read.select_dtypes("category").columns, "str"))
    read = read.assign(**own, **{_PLACE: np.arange(len(read))})
    engine.show(_ROWS, pa.Table.from_pandas(read, preserve_index=False))
    casts = ", ".join(f"CAST({quoted(name)} AS {attribute_type(workspace, name)}) AS {quoted(name)}" for name in typed)
    query = f"SELECT * {f'REPLACE ({casts}) ' if casts else ''}FROM {_ROWS}"
    for formula in formulas:
        value = _value(formula, formula.name in given)
        query = f"SELECT * REPLACE ({value} AS {quoted(formula.name)}) FROM ({query})"
    columns = ", ".join(quoted(formula.name) for formula in formulas)
    found = engine.frame(f"SELECT {columns} FROM ({query}) ORDER BY {_PLACE}")
    values = found.astype("float64").replace([np.inf, -np.inf], np.nan)
    return {formula.name: values[formula.name].to_numpy() for formula in formulas}


def _value(formula: Formula, is_given: bool) -> str:
    value = f"CAST({render(formula.expression, partition_by=['as_of'])} AS DOUBLE)"
    value = f"coalesce({value}, 0)" if formula.metric.missing == 0 else value
    given = quoted(f"{_GIVEN}{formula.name}")
    return f"CASE WHEN isnan({given}) OR {given} IS NULL THEN {value} ELSE {given} END" if is_given else value
