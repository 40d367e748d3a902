"""The columns of a review that an export may name, put together as one table with one row per partner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tierwise.store.results import read_arrow
from tierwise.tables.output_table import REVIEW_COLUMNS

KEY = "partner_id"
MOVING = ("place", "promote", "demote")
REASON_RANKS = (1, 2, 3, 4)
SENTENCES: Mapping[str, str] = {"reason": "sentence", "partner_reason": "partner_safe_sentence"}
REASON_COLUMNS = tuple(f"{kind}_{rank}" for kind in SENTENCES for rank in REASON_RANKS)


def export_rows(output: Path, as_of: date, only: str) -> pa.Table:
    """Read a review for exporting.

    Args:
        output: The output folder.
        as_of: The review's as-of date.
        only: `all` partners, or those whose tier `moves` or is placed.

    Returns:
        One row per partner, sorted by `partner_id`: the columns of `recommendations`, every metric that has no name of
        those, and `REASON_COLUMNS`.

    Raises:
        InvalidInput: If there is no such review.
        OutsideFailure: If it is damaged.
    """
    rows = read_arrow(output, as_of, "recommendations")
    if only == "moves":
        rows = rows.filter(pc.is_in(rows["action"], pa.array(MOVING)))
    metrics = read_arrow(output, as_of, "metrics").drop_columns(list(REVIEW_COLUMNS))
    own = [name for name in metrics.column_names if name not in rows.column_names or name == KEY]
    joined = rows.join(metrics.select(own), KEY, join_type="left outer")
    reasons = read_arrow(output, as_of, "reasons")
    for rank in REASON_RANKS:
        joined = joined.join(_sentences(reasons, rank), KEY, join_type="left outer")
    return joined.sort_by(KEY)


def _sentences(reasons: pa.Table, rank: int) -> pa.Table:
    held = reasons.filter(pc.equal(reasons["rank"], rank)).select([KEY, *SENTENCES.values()])
    return held.rename_columns([KEY, *(f"{kind}_{rank}" for kind in SENTENCES)])


def chosen_columns(rows: pa.Table, key: pa.Array, names: Sequence[tuple[str, str]], key_field: str) -> pa.Table:
    """Take the fields that an export writes, under the names of the other system.

    Args:
        rows: What `export_rows` returned.
        key: The partner's key in the other system, in the order of the rows.
        names: Pairs of the other system's field and the column it is filled from.
        key_field: The field of the key; it comes first.
    """
    columns = [key, *(rows[column] for _, column in names)]
    return pa.table(columns, names=[key_field, *(field for field, _ in names)])
