"""Formulas computed again after some of the metrics that they are made of were changed: for asking what would be."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlglot import exp

from tierwise.config.load import Workspace
from tierwise.engine import Engine, quoted, render
from tierwise.metrics.checking import attribute_type
from tierwise.metrics.reading import Formula, ParsedCatalog

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
    rows: pd.DataFrame,
    formulas: Sequence[Formula],
    given: Mapping[str, NDArray[np.float64]],
) -> pd.DataFrame:
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
    if not formulas or rows.empty:
        return rows
    names = {name for formula in formulas for name in (formula.name, *formula.expression.names)}
    own = {f"{_GIVEN}{formula.name}": given[formula.name] for formula in formulas if formula.name in given}
    read = rows[sorted(names | {"as_of"})]
    read = read.astype(dict.fromkeys(read.select_dtypes("category").columns, "str"))
    engine.add_table(_ROWS, read.assign(**own, **{_PLACE: np.arange(len(rows))}))
    typed = [name for name in sorted(names) if name in workspace.attributes]
    casts = ", ".join(f"CAST({quoted(name)} AS {attribute_type(workspace, name)}) AS {quoted(name)}" for name in typed)
    query = f"SELECT * {f'REPLACE ({casts}) ' if casts else ''}FROM {_ROWS}"
    for formula in formulas:
        value = _value(formula, formula.name in given)
        query = f"SELECT * REPLACE ({value} AS {quoted(formula.name)}) FROM ({query})"
    columns = ", ".join(quoted(formula.name) for formula in formulas)
    found = engine.frame(f"SELECT {columns} FROM ({query}) ORDER BY {_PLACE}")
    values = found.astype("float64").replace([np.inf, -np.inf], np.nan)
    return rows.assign(**{formula.name: values[formula.name].to_numpy() for formula in formulas})


def _value(formula: Formula, is_given: bool) -> str:
    value = f"CAST({render(formula.expression, partition_by=['as_of'])} AS DOUBLE)"
    value = f"coalesce({value}, 0)" if formula.metric.missing == 0 else value
    given = quoted(f"{_GIVEN}{formula.name}")
    return f"CASE WHEN isnan({given}) OR {given} IS NULL THEN {value} ELSE {given} END" if is_given else value
