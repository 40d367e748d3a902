"""What is written: a review, its blocks of tables, and their Arrow form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
import pyarrow as pa

from tierwise.store.writer_formats import Format
from tierwise.tables.output_schemas import to_output_table

Block = Callable[[], Mapping[str, pd.DataFrame]]
"""Makes the output tables of one block of partners: frames by the names of `OUTPUT_TABLES`, sorted by key."""

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Review:
    """What one run puts out for one as-of date.

    Attributes:
        as_of: The as-of date; names the folder.
        run_id: The run; letters, digits, `-` and `_`. Frames need not carry `run_id` and `as_of`.
        tables: Frames by the names of `OUTPUT_TABLES`, sorted by key.
        versions: What the output was made from, for the manifest: model, policy, data fingerprint, program.
        score_columns: The policy's scores, which are columns of `recommendations`.
        documents: Text files beside the tables, by file name (`review.md`, `data-report.html`).
        formats: The file formats; Parquet is always written.
        rows_per_file: How many rows a Parquet file holds at most; a longer table takes several files.
        basis: Names whatever else the frames follow from that `run_id` does not name, such as settings and where
            blocks are cut; blocks that a killed run left of another basis are not gone on with. Not written.
    """

    as_of: date
    run_id: str
    tables: Mapping[str, pd.DataFrame]
    versions: Mapping[str, str] = field(default_factory=dict)
    score_columns: tuple[str, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[Format, ...] = ("parquet",)
    rows_per_file: int | None = None
    basis: str = ""


def check_run_id(run_id: str) -> None:
    """Hold a run's name to what a folder's name can carry.

    Raises:
        ValueError: If it is anything else.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"run_id {run_id!r} must be letters, digits, '-' and '_', at most 64")


def to_arrow(review: Review) -> dict[str, pa.Table]:
    """Return the review's tables as they are written, each held to its schema.

    Raises:
        OutputTableError: If a frame does not keep its schema.
    """
    return {name: arrow_table(review, name, frame) for name, frame in sorted(review.tables.items())}


def arrow_table(review: Review, name: str, frame: pd.DataFrame) -> pa.Table:
    """Return one table of a review as it is written; errors as of `to_arrow`."""
    scores = review.score_columns if name == "recommendations" else ()
    return to_output_table(name, frame, review.run_id, review.as_of, scores)
