"""Bad rows planted into the tables, so that the data report has something to show; the truth lists each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tierwise.synthetic.streams import Choices, Subject, stream

LONG_AGO_DAYS = 36_525
"""A hundred years: a date typed with the wrong century."""


@dataclass(frozen=True)
class PlantedFault:
    """One kind of bad row.

    Attributes:
        table: The table it is planted into.
        rule: What is wrong with it, in the truth.
        column: The column that is spoilt.
        spoil: Turns a column of good values into bad ones.
    """

    table: str
    rule: str
    column: str
    spoil: Callable[[pa.ChunkedArray], pa.ChunkedArray]


def _unknown_partner(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring(column, "P", "X", max_replacements=1)


def _wrong_century(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.subtract(column.cast(pa.int32()), pa.scalar(LONG_AGO_DAYS, pa.int32())).cast(pa.date32())


def _negative(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.negate(column).cast(column.type)


def _unknown_currency(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(["XXX"] * len(column), pa.string())])


def _unchanged(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


FAULTS = (
    PlantedFault("deals", "unknown_partner", "partner_id", _unknown_partner),
    PlantedFault("deals", "impossible_date", "decided_on", _wrong_century),
    PlantedFault("deals", "duplicate_key", "deal_id", _unchanged),
    PlantedFault("deals", "negative_amount", "amount", _negative),
    PlantedFault("deals", "unknown_currency", "currency", _unknown_currency),
    PlantedFault("certifications", "unknown_partner", "partner_id", _unknown_partner),
    PlantedFault("certifications", "impossible_date", "issued_on", _wrong_century),
    PlantedFault("mdf_claims", "duplicate_key", "claim_id", _unchanged),
    PlantedFault("mdf_claims", "negative_amount", "claimed_amount", _negative),
)
KEYS = {"deals": "deal_id", "certifications": "certificate_id", "mdf_claims": "claim_id"}
FAULT_SCHEMA = pa.schema({"table": pa.string(), "rule": pa.string(), "column": pa.string(), "key": pa.string()})


def plant(tables: dict[str, pa.Table], share: float, seed: int, chunk: int) -> tuple[dict[str, pa.Table], pa.Table]:
    """Append bad copies of some rows to their tables.

    A bad copy has its own key (`-X1` behind the original's), except that a duplicate repeats the key of its original.
    The originals stay as they are.

    Returns:
        The tables with the bad rows at their ends, and one row per planted fault: table, rule, column, key.
    """
    random = stream(seed, chunk, Subject.FAULTS)
    spoilt, planted = dict(tables), [FAULT_SCHEMA.empty_table()]
    for name, key in KEYS.items():
        kinds = [fault for fault in FAULTS if fault.table == name]
        rows = tables[name].num_rows
        count = min(rows, round(share * rows))
        chosen = random.choice(rows, count, replace=False)
        for position, fault in enumerate(kinds):
            bad = _bad_rows(tables[name], np.sort(chosen[position :: len(kinds)]), fault, key)
            spoilt[name] = pa.concat_tables([spoilt[name], bad])
            planted.append(_listed(bad, fault, key))
    return spoilt, pa.concat_tables(planted)


def _bad_rows(table: pa.Table, rows: Choices, fault: PlantedFault, key: str) -> pa.Table:
    bad = table.take(pa.array(rows, pa.int64()))
    if fault.column != key:
        marked = pc.binary_join_element_wise(bad[key], "X" + str(FAULTS.index(fault)), "-")
        bad = bad.set_column(bad.column_names.index(key), key, marked)
    position = bad.column_names.index(fault.column)
    return bad.set_column(position, table.schema.field(fault.column), fault.spoil(bad[fault.column]))


def _listed(bad: pa.Table, fault: PlantedFault, key: str) -> pa.Table:
    texts = [pa.array([text] * bad.num_rows, pa.string()) for text in (fault.table, fault.rule, fault.column)]
    return pa.Table.from_arrays([*texts, bad[key].combine_chunks()], schema=FAULT_SCHEMA)
