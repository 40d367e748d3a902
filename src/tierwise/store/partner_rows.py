"""Reading some partners' rows of a review without reading everybody's; light, so that one page opens at once."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.manifests import WrittenReview, read_review
from tierwise.store.writer_disk import folder_in_place

Record = dict[str, Any]
KEY = "partner_id"


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
        name: The table's name; a table whose key begins with `partner_id`, where partners are given.
        partner_ids: The partners; everybody by default.
        columns: The columns, `partner_id` among them; all by default. One that the table lacks is left out.

    Returns:
        The rows in the order of the file, which is that of the key; a missing value, NaN among them, is None. No row
        where the table has none of the partners, or the review has no such table.

    Raises:
        OutsideFailure: If the file is damaged.
    """
    if name not in review.rows:
        return []
    folder = folder_in_place(output, review.as_of)
    tables: list[pa.Table] = []
    for part in review.files_of(name):
        try:
            tables += _read(folder / part, partner_ids, columns)
        except (OSError, pa.ArrowException) as error:
            todo = f"write it again: tierwise score --as-of {review.as_of}"
            raise OutsideFailure(Fault(f"{part} is damaged: {error}", where=str(folder), todo=todo)) from error
    return [{key: _known(value) for key, value in row.items()} for table in tables for row in table.to_pylist()]


def _read(path: Path, partner_ids: Sequence[str] | None, columns: Sequence[str] | None) -> list[pa.Table]:
    """The rows of one file: some partners', or everybody's."""
    with pyarrow.parquet.ParquetFile(path) as file:
        known = file.schema_arrow.names
        asked = None if columns is None else [column for column in columns if column in known]
        return [file.read(columns=asked)] if partner_ids is None else list(_own(file, set(partner_ids), asked))


def _own(file: Any, partner_ids: set[str], columns: list[str] | None) -> Iterator[pa.Table]:
    """The rows of some partners, from the groups of rows that may hold them.

    Rows are sorted by partner, so a search by halves finds them. Arrow's own filters are not used: they load pandas.
    """
    place = file.schema_arrow.names.index(KEY)
    for group in range(file.num_row_groups):
        ends = file.metadata.row_group(group).column(place).statistics
        inside = [
            one for one in sorted(partner_ids) if ends is None or not ends.has_min_max or ends.min <= one <= ends.max
        ]
        if not inside:
            continue
        table = file.read_row_group(group, columns=columns)
        keys = table[KEY]
        for one in inside:
            first = bisect_left(range(len(keys)), one, key=lambda row: keys[row].as_py())
            last = bisect_right(range(len(keys)), one, lo=first, key=lambda row: keys[row].as_py())
            if last > first:
                yield table.slice(first, last - first)


def rows_between(file: pyarrow.parquet.ParquetFile, first: str, last: str) -> Iterator[pa.Table]:
    """Read the rows of the partners from `first` to `last`, both included, from the groups of rows that may hold them.

    Args:
        file: A file of a table whose key begins with `partner_id`.
        first: The first partner, by code points as rows are sorted.
        last: The last partner.
    """
    place = file.schema_arrow.names.index(KEY)
    for group in range(file.num_row_groups):
        ends = file.metadata.row_group(group).column(place).statistics
        if ends is not None and ends.has_min_max and (ends.max < first or ends.min > last):
            continue
        table = file.read_row_group(group)
        yield table.filter(pc.and_(pc.greater_equal(table[KEY], first), pc.less_equal(table[KEY], last)))


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
    folder = folder_in_place(output, as_of)
    ids: list[str] = []
    for part in read_review(output, as_of).files_of("recommendations"):
        with pyarrow.parquet.ParquetFile(folder / part) as file:
            ids += file.read(columns=[KEY])[KEY].to_pylist()
    return ids


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
