"""Reading earlier reviews from an output folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from tierwise.errors import Fault, InvalidInput, OutsideFailure
from tierwise.store.manifests import WrittenReview, list_reviews, read_review
from tierwise.store.partner_rows import KEY, rows_between
from tierwise.store.writer_disk import folder_in_place, sha256_of
from tierwise.tables.output_schemas import output_table

TIER_HISTORY_COLUMNS = (
    "partner_id", "as_of", "tier", "eligible_tier", "action", "rule", "gain_tier", "keep_tier", "notice_on",
)  # fmt: skip

# A run may put a new output in place while this one reads; the second look then finds the new one whole.
_LOOKS = 5


def read_table(
    output: Path, as_of: date, name: str, verify: bool = False, partners: tuple[str, str] | None = None
) -> pd.DataFrame:
    """Read an output table of a review.

    Args:
        output: The output folder.
        as_of: The review's as-of date.
        name: The table's name.
        verify: Whether the file's hash is compared with the manifest besides the number of rows.
        partners: The first and the last `partner_id` whose rows are read, both included; everybody's by default. Of a
            large table only the groups of rows that may hold them are read, so the number of rows is not compared.

    Returns:
        The table, sorted by its key; dates as `datetime64`, texts as `str`.

    Raises:
        OutputTableError: If there is no output table of that name.
        InvalidInput: If there is no review of that date, or it has no such table.
        OutsideFailure: If the file is not what the manifest says.
        ValueError: If partners are given for a table whose key does not begin with `partner_id`.
    """
    return _to_frame(read_arrow(output, as_of, name, verify, partners))


def read_arrow(
    output: Path, as_of: date, name: str, verify: bool = False, partners: tuple[str, str] | None = None
) -> pa.Table:
    """Read an output table of a review as it is stored; arguments and errors are those of `read_table`."""
    if output_table(name).key[0] != KEY and partners is not None:
        raise ValueError(f"{name} is not by partner")
    wrong = ""
    for _ in range(_LOOKS):
        review = _review_with(output, as_of, name)
        folder = folder_in_place(output, as_of)
        paths = [folder / part for part in review.files_of(name)]
        try:
            table = pa.concat_tables([_rows(path, partners) for path in paths])
            found = table.num_rows if partners is None else None
            wrong = _difference(review, name, found, paths, verify)
            if partners is not None and read_review(output, as_of).run_id != review.run_id:
                wrong = "another review took its place while it was read"
        except (OSError, pa.ArrowException) as error:
            wrong = str(error)
        if not wrong:
            return table
    raise _damaged(output, as_of, name, wrong)


def read_parts(output: Path, as_of: date, name: str) -> Iterator[pa.Table]:
    """Read an output table of a review one Parquet file at a time, in the order of its rows; at least one.

    For whoever holds the lock of the output: nobody else then puts another review in place in the middle.

    Raises:
        OutputTableError, InvalidInput, OutsideFailure: As `read_table` does, when the first part is asked for, or the
            one that is damaged.
    """
    output_table(name)
    review = _review_with(output, as_of, name)
    folder = folder_in_place(output, as_of)
    rows = 0
    for part in review.files_of(name):
        try:
            rows += pyarrow.parquet.read_metadata(folder / part).num_rows
            yield pyarrow.parquet.read_table(folder / part)
        except (OSError, pa.ArrowException) as error:
            raise _damaged(output, as_of, name, str(error)) from error
    wrong = _difference(review, name, rows, (), verify=False)
    if wrong:
        raise _damaged(output, as_of, name, wrong)


def _review_with(output: Path, as_of: date, name: str) -> WrittenReview:
    review = read_review(output, as_of)
    if name not in review.rows:
        raise InvalidInput(Fault(f"the review as of {as_of} has no table {name}", where=str(output)))
    return review


def _rows(path: Path, partners: tuple[str, str] | None) -> pa.Table:
    if partners is None:
        return pyarrow.parquet.read_table(path)
    with pyarrow.parquet.ParquetFile(path) as file:
        return pa.concat_tables([file.schema_arrow.empty_table(), *rows_between(file, *partners)])


def _damaged(output: Path, as_of: date, name: str, wrong: str) -> OutsideFailure:
    return OutsideFailure(
        Fault(
            f"{name}.parquet is damaged: {wrong}",
            where=str(output / as_of.isoformat()),
            todo=f"write it again: tierwise score --as-of {as_of}",
        )
    )


def verify_review(output: Path, as_of: date) -> WrittenReview:
    """Hold every file of a review against the hash in its manifest.

    Raises:
        InvalidInput: If there is no review of that date.
        OutsideFailure: If a file is missing or differs.
    """
    review = read_review(output, as_of)
    folder = folder_in_place(output, as_of)
    wrong = [name for name, sha256 in review.sha256.items() if _sha256_or_none(folder / name) != sha256]
    if wrong:
        raise OutsideFailure(
            Fault(
                f"{', '.join(wrong)}: missing or changed since it was written",
                where=str(folder),
                todo=f"write it again: tierwise score --as-of {as_of}",
            )
        )
    return review


def tier_history(output: Path, before: date) -> pd.DataFrame:
    """Return what earlier reviews recommended.

    Args:
        output: The output folder.
        before: Only reviews with an earlier as-of date count, so that repeating a review does not see itself.

    Returns:
        One row per partner and review with `TIER_HISTORY_COLUMNS`, sorted by `partner_id` and `as_of`; `tier` is the
        recommended tier.

    Raises:
        OutsideFailure: If an earlier review is damaged.
    """
    earlier = [review.as_of for review in list_reviews(output) if review.as_of < before]
    frames = [read_table(output, as_of, "recommendations") for as_of in earlier]
    if not frames:
        empty = pd.DataFrame({name: pd.Series(dtype="str") for name in TIER_HISTORY_COLUMNS})
        return empty.astype({"as_of": "datetime64[us]", "notice_on": "datetime64[us]"})
    history = pd.concat(frames, ignore_index=True).rename(columns={"recommended_tier": "tier"})
    return history.reindex(columns=list(TIER_HISTORY_COLUMNS)).sort_values(["partner_id", "as_of"], ignore_index=True)


def _difference(review: WrittenReview, name: str, rows: int | None, paths: Sequence[Path], verify: bool) -> str:
    if rows is not None and rows != review.rows[name]:
        return f"{rows} rows, the manifest says {review.rows[name]}"
    if verify and any(sha256_of(path) != review.sha256[path.name] for path in paths):
        return "its hash is not the manifest's"
    return ""


def _sha256_or_none(path: Path) -> str | None:
    return sha256_of(path) if path.is_file() else None


def _to_frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    dates = frame.select_dtypes("datetime").columns
    return frame.astype(dict.fromkeys(dates, "datetime64[us]"))
