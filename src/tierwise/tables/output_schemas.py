"""The output tables of a review (DESIGN section 4.3): their columns, types and keys.

A table that does not keep its schema is a fault in the program, never in the user's data, so `to_output_table`
raises `OutputTableError` with the table, the column and the first row at fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tierwise.tables.chunks import in_chunks
from tierwise.tables.explanation_schemas import CHANGES, METRICS, MOVED_METRICS, PLANS, SIMILAR_PARTNERS
from tierwise.tables.output_table import (
    DAY,
    NUMBER,
    REVIEW_COLUMNS,
    TEXT,
    WHOLE,
    YES_NO,
    OutputTable,
    OutputTableError,
)
from tierwise.tables.policy_schemas import TRACKS, UNIT_CRITERIA, UNITS

__all__ = [
    "DAY",
    "NUMBER",
    "OUTPUT_TABLES",
    "TEXT",
    "WHOLE",
    "YES_NO",
    "OutputTable",
    "OutputTableError",
    "empty_table",
    "output_table",
    "sort_rows",
    "to_output_table",
]

# Arrow holds the text of one column chunk in at most 2 GB; slices keep any table below that.
_ROWS_PER_CHUNK = 500_000


RECOMMENDATIONS = OutputTable(
    "recommendations",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "partner_name": TEXT,
        "current_tier": TEXT,
        "eligible_tier": TEXT,
        "recommended_tier": TEXT,
        "action": TEXT,
        "rule": TEXT,
        "reason_code": TEXT,
        "archetype_id": TEXT,
        "archetype": TEXT,
        "archetype_strength": NUMBER,
        "archetype_status": TEXT,
        "archetype_reason": TEXT,
        "nearest_other": TEXT,
        "potential": NUMBER,
        "potential_low": NUMBER,
        "potential_high": NUMBER,
        "potential_source": TEXT,
        "headroom": NUMBER,
        "next_tier": TEXT,
        "approval_role": TEXT,
        "pending_tier": TEXT,
        "effective_on": DAY,
        "notice_on": DAY,
        "grace_until": DAY,
        "gain_tier": TEXT,
        "keep_tier": TEXT,
        "model_version": TEXT,
        "policy_version": TEXT,
        "data_fingerprint": TEXT,
    },
    key=("partner_id",),
    required=("action", "model_version", "policy_version", "data_fingerprint"),
    scores_before="next_tier",
)

CRITERIA = OutputTable(
    "criteria",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "tier": TEXT,
        "criterion": TEXT,
        "unit": TEXT,
        "expression": TEXT,
        "metric": TEXT,
        "operator": TEXT,
        "threshold": NUMBER,
        "value": NUMBER,
        "met": TEXT,
        "gap": NUMBER,
        "gain_threshold": NUMBER,
        "keep_threshold": NUMBER,
        "margin_to_gain": NUMBER,
        "margin_to_keep": NUMBER,
        "route": TEXT,
        "cheapest": YES_NO,
    },
    key=("partner_id", "tier", "criterion"),
    required=("expression", "met"),
)

COMPONENTS = OutputTable(
    "components",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "score": TEXT,
        "component": TEXT,
        "scorecard": TEXT,
        "dimension": TEXT,
        "points": NUMBER,
        "max_points": NUMBER,
    },
    key=("partner_id", "score", "component"),
)

CONTRIBUTIONS = OutputTable(
    "contributions",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "target": TEXT,
        "baseline": TEXT,
        "feature": TEXT,
        "family": TEXT,
        "value": NUMBER,
        "contribution": NUMBER,
        "factor": NUMBER,
    },
    key=("partner_id", "target", "baseline", "feature"),
    required=("contribution", "factor"),
)

BASELINES = OutputTable(
    "baselines",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "target": TEXT,
        "baseline": TEXT,
        "peers_tier": TEXT,
        "peers_by": TEXT,
        "peers_group": TEXT,
        "peers": WHOLE,
        "base": NUMBER,
        "log_potential": NUMBER,
        "additivity_error": NUMBER,
        "reason_code": TEXT,
    },
    key=("partner_id", "target", "baseline"),
    required=("reason_code",),
)

REASONS = OutputTable(
    "reasons",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "rank": WHOLE,
        "code": TEXT,
        "sentence": TEXT,
        "partner_safe_sentence": TEXT,
    },
    key=("partner_id", "rank"),
    required=("code", "sentence", "partner_safe_sentence"),
)

ROADMAP = OutputTable(
    "roadmap",
    {
        **REVIEW_COLUMNS,
        "partner_id": TEXT,
        "plan": WHOLE,
        "step": WHOLE,
        "metric": TEXT,
        "from": NUMBER,
        "to": NUMBER,
        "effort": NUMBER,
        "quarters": WHOLE,
        "most_per_quarter": NUMBER,
        "by_when": DAY,
        "reaches_tier": TEXT,
        "valid": YES_NO,
        "robustness": NUMBER,
        "expires_on": DAY,
    },
    key=("partner_id", "plan", "step"),
    required=("metric",),
)

QUARANTINE = OutputTable(
    "quarantine",
    {
        **REVIEW_COLUMNS,
        "table": TEXT,
        "row": WHOLE,
        "key": TEXT,
        "rule": TEXT,
        "column": TEXT,
        "value": TEXT,
        "message": TEXT,
    },
    key=("table", "row"),
    required=("rule", "message"),
)

OUTPUT_TABLES: Mapping[str, OutputTable] = MappingProxyType(
    {
        table.name: table
        for table in (
            RECOMMENDATIONS,
            CRITERIA,
            COMPONENTS,
            CONTRIBUTIONS,
            BASELINES,
            REASONS,
            ROADMAP,
            PLANS,
            CHANGES,
            MOVED_METRICS,
            SIMILAR_PARTNERS,
            METRICS,
            TRACKS,
            UNITS,
            UNIT_CRITERIA,
            QUARANTINE,
        )
    }
)

_FAMILIES: Mapping[pa.DataType, tuple[str, ...]] = {
    TEXT: ("string", "large_string"),
    NUMBER: ("double", "float", "int64", "int32"),
    WHOLE: ("int64", "int32", "double"),
    YES_NO: ("bool",),
    DAY: ("date32", "date32[day]", "timestamp"),
}


def to_output_table(name: str, frame: pd.DataFrame, run_id: str, as_of: date, scores: Sequence[str] = ()) -> pa.Table:
    """Turn a frame into the Arrow table that is written, and hold it to the schema of `name`.

    Args:
        name: One of `OUTPUT_TABLES`.
        frame: One row per key, sorted by the key; the index means nothing.
        run_id: The run, for a frame that does not carry it.
        as_of: The as-of date, likewise.
        scores: The score columns of the policy, for `recommendations`.

    Returns:
        The table in the column order of the schema, without metadata of pandas.

    Raises:
        OutputTableError: If a column is missing, unknown or of the wrong type, a value that is needed is null, or the
            rows are unsorted or a key is there twice.
    """
    table = output_table(name)
    schema = table.schema_of(frame, scores)
    carried: dict[str, str | date] = {"run_id": run_id, "as_of": as_of}
    given = frame.assign(**{column: carried[column] for column in carried if column not in frame.columns})
    _check_columns(table.name, list(given.columns), schema.names)
    arrow = pa.concat_tables(list(_chunks(table.name, given[schema.names], schema)))
    _check_nulls(table, arrow)
    _check_key(table, arrow)
    return arrow


def output_table(name: str) -> OutputTable:
    """Return the shape of an output table.

    Raises:
        OutputTableError: If there is no table of that name.
    """
    if name not in OUTPUT_TABLES:
        raise OutputTableError(f"{name!r} is no output table; there are {', '.join(OUTPUT_TABLES)}")
    return OUTPUT_TABLES[name]


def empty_table(name: str) -> pd.DataFrame:
    """Return an output table without rows, and without the columns that the run gives."""
    columns = {column: kind for column, kind in output_table(name).columns.items() if column not in REVIEW_COLUMNS}
    frame: pd.DataFrame = pa.schema(list(columns.items())).empty_table().to_pandas(date_as_object=False)
    return frame


def _check_columns(name: str, found: list[str], wanted: list[str]) -> None:
    missing = [column for column in wanted if column not in found]
    unknown = [column for column in found if column not in wanted]
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has unknown columns {', '.join(map(str, unknown))}"] if unknown else []
        raise OutputTableError(f"{name} {' and '.join(parts)}")


def _chunks(name: str, frame: pd.DataFrame, schema: pa.Schema) -> Iterator[pa.Table]:
    for start in range(0, max(len(frame), 1), _ROWS_PER_CHUNK):
        part = frame.iloc[start : start + _ROWS_PER_CHUNK]
        arrays = [_column(name, part[column.name], column.type) for column in schema]
        yield pa.table(arrays, schema=schema)


def _column(name: str, values: pd.Series, kind: pa.DataType) -> pa.Array:
    """Convert one column; a text that happens to read as a number is still a text, and so a fault."""
    try:
        array = pa.array(values, from_pandas=True)
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        found = str(array.type).split("[")[0]
        if not pa.types.is_null(array.type) and found not in _FAMILIES[kind]:
            raise OutputTableError(f"{name}.{values.name} is {array.type}, the schema says {kind}")
        return array.cast(kind)
    except pa.ArrowException as error:
        raise OutputTableError(f"{name}.{values.name} does not hold {kind}: {error}") from error


def _check_nulls(table: OutputTable, arrow: pa.Table) -> None:
    for column in sorted(table.never_null):
        if arrow[column].null_count:
            row = arrow[column].to_pylist().index(None)
            raise OutputTableError(f"{table.name}.{column} is null in row {row}; it must always have a value")


def _neighbours(keys: Sequence[pa.ChunkedArray]) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Whether each row but the last has a lower key than the one after it, and whether it has the same."""
    rising, equal = pa.scalar(False), pa.scalar(True)
    for key in keys:
        before, after = key.slice(0, len(key) - 1), key.slice(1)
        rising = pc.or_(rising, pc.and_(equal, pc.less(before, after)))
        equal = pc.and_(equal, pc.equal(before, after))
    return rising, equal


def _check_key(table: OutputTable, arrow: pa.Table) -> None:
    """Hold the rows to strictly rising keys, which is sorted and without duplicates at once."""
    if arrow.num_rows < 2:
        return
    rising, equal = _neighbours([arrow[column] for column in table.key])
    if pc.all(rising).as_py():
        return
    row = pc.index(rising, False).as_py()
    pair = [tuple(arrow[column][at].as_py() for column in table.key) for at in (row, row + 1)]
    fault = "twice" if equal[row].as_py() else "not sorted"
    raise OutputTableError(
        f"{table.name} has the key {', '.join(table.key)} {fault} at rows {row} and {row + 1}: {pair[0]} then {pair[1]}"
    )


def sort_rows(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Sort a frame by the key of an output table, as the writer asks for; one that is sorted stays as it is."""
    keys = [in_chunks(frame[column]) for column in output_table(name).key]
    if len(frame) > 1 and not any(key.null_count or pa.types.is_dictionary(key.type) for key in keys):
        rising, equal = _neighbours(keys)
        if pc.all(pc.or_(rising, equal)).as_py():
            return frame.reset_index(drop=True)
    return frame.sort_values(list(output_table(name).key), kind="stable", ignore_index=True)
