"""Reading some partners' rows of a review without reading everybody's; light, so that one page opens at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.manifests import WrittenReview
from tierwise.store.writer_disk import folder_in_place

Record = dict[str, Any]


def read_records(
    output: Path,
    review: WrittenReview,
    name: str,
    partner_ids: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> list[Record]:
    """Read rows of one output table as plain values.

    Args:
        output: The output folder.
        review: The review.
        name: The table's name.
        partner_ids: The partners; everybody by default.
        columns: The columns; all by default.

    Returns:
        The rows in the order of the file, which is that of the key; a missing value, NaN among them, is None. No row
        where the table has none of the partners, or the review has no such table.

    Raises:
        OutsideFailure: If the file is damaged.
    """
    if name not in review.rows:
        return []
    path = folder_in_place(output, review.as_of) / f"{name}.parquet"
    own = None if partner_ids is None else [("partner_id", "in", list(partner_ids))]
    try:
        table = pyarrow.parquet.read_table(path, filters=own, columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException) as error:
        todo = f"write it again: tierwise score --as-of {review.as_of}"
        raise OutsideFailure(Fault(f"{path.name} is damaged: {error}", where=str(path.parent), todo=todo)) from error
    return [{key: _known(value) for key, value in row.items()} for row in table.to_pylist()]


def read_by_partner(
    output: Path, review: WrittenReview, names: Sequence[str], partner_ids: Sequence[str]
) -> dict[str, dict[str, list[Record]]]:
    """Read the rows of some partners from several tables.

    Returns:
        By partner and table the rows; a partner that is in none of the tables has empty lists.
    """
    found: dict[str, dict[str, list[Record]]] = {partner: {name: [] for name in names} for partner in partner_ids}
    for name in names:
        for row in read_records(output, review, name, partner_ids):
            found[row["partner_id"]][name].append(row)
    return found


def partner_ids_of(output: Path, as_of: date) -> list[str]:
    """The partners of a review, sorted."""
    path = folder_in_place(output, as_of) / "recommendations.parquet"
    ids: list[str] = pyarrow.parquet.read_table(path, columns=["partner_id"])["partner_id"].to_pylist()
    return ids


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
