"""The writer of a review's output tables: whole or not at all (DESIGN section 5).

`<output>/<as_of>/` holds one file per table and format and `_SUCCESS.json`, the manifest. Whoever looks there finds
the complete earlier output or the complete new one, also after a run was killed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tierwise.errors import Fault, InvalidInput
from tierwise.store.manifests import MANIFEST, MANIFEST_FORMAT
from tierwise.store.writer_disk import disk_faults, put_in_place, replace_file, replacing, temporary_folder
from tierwise.store.writer_formats import EXCEL_MAX_ROWS, SUFFIXES, WRITERS, Format
from tierwise.store.writer_lock import OutputLock
from tierwise.tables.output_schemas import to_output_table

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DOCUMENT = re.compile(r"[a-z0-9][a-z0-9_-]*\.[a-z]{2,5}")


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
    """

    as_of: date
    run_id: str
    tables: Mapping[str, pd.DataFrame]
    versions: Mapping[str, str] = field(default_factory=dict)
    score_columns: tuple[str, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[Format, ...] = ("parquet",)
    rows_per_file: int | None = None


def to_arrow(review: Review) -> dict[str, pa.Table]:
    """Return the review's tables as they are written, each held to its schema.

    Raises:
        OutputTableError: If a frame does not keep its schema.
    """
    scores = {"recommendations": review.score_columns}
    return {
        name: to_output_table(name, frame, review.run_id, review.as_of, scores.get(name, ()))
        for name, frame in sorted(review.tables.items())
    }


def write_review(lock: OutputLock, review: Review) -> Path:
    """Write a review whole or not at all.

    The same review gives the same bytes. Files in the folder that Tierwise did not write are kept.

    Args:
        lock: The lock of the output folder, from `lock_output`.
        review: The tables and what they were made from.

    Returns:
        The folder `<output>/<as_of>`.

    Raises:
        OutputTableError: If a frame does not keep its schema; nothing is written.
        InvalidInput: If a table has more rows than the format takes, or a folder that is no output is in the way.
        OutsideFailure: If the disk or its permissions do not allow it; the earlier output is unchanged.
    """
    if not _RUN_ID.fullmatch(review.run_id):
        raise ValueError(f"run_id {review.run_id!r} must be letters, digits, '-' and '_', at most 64")
    tables = to_arrow(review)
    place = lock.folder / review.as_of.isoformat()
    _check_rows(tables, review.formats, place)
    kept = _foreign_files(place)
    with disk_faults("write the output", place):
        fresh = temporary_folder(lock.folder, review.as_of, review.run_id)
        try:
            _fill(fresh, review, tables)
            for path in kept:
                shutil.copy2(path, fresh / path.name)
            put_in_place(fresh, place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return place


def _check_rows(tables: Mapping[str, pa.Table], formats: Iterable[str], place: Path) -> None:
    large = [name for name, table in tables.items() if table.num_rows > EXCEL_MAX_ROWS]
    if "excel" in formats and large:
        raise InvalidInput(
            Fault(
                f"{', '.join(large)}: more than the {EXCEL_MAX_ROWS:,} rows of an Excel sheet",
                where=str(place),
                todo="take 'excel' out of output.formats in tierwise.yaml",
            )
        )


def _foreign_files(place: Path) -> list[Path]:
    """List the files in the way that Tierwise did not write, so that they are carried over and never lost.

    Raises:
        InvalidInput: If the folder is no output of Tierwise, or holds a folder.
    """
    if not place.exists() or not any(place.iterdir()):
        return []
    try:
        own = {MANIFEST, *json.loads((place / MANIFEST).read_text("utf-8"))["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise _in_the_way(place, "it has no readable _SUCCESS.json") from None
    foreign = sorted(path for path in place.iterdir() if path.name not in own)
    folders = [path.name for path in foreign if not path.is_file()]
    if folders:
        raise _in_the_way(place, f"it holds {', '.join(folders)}")
    return foreign


def _in_the_way(place: Path, why: str) -> InvalidInput:
    return InvalidInput(
        Fault(
            f"this folder is in the way of the output and is not one that Tierwise wrote: {why}",
            where=str(place),
            todo="move it away, or write to another folder with --out",
        )
    )


def _fill(folder: Path, review: Review, tables: Mapping[str, pa.Table]) -> None:
    for name, table in tables.items():
        for part, start in zip(_parts(name, table, review), count(step=review.rows_per_file or 0), strict=False):
            WRITERS["parquet"](table.slice(start, review.rows_per_file), folder / part)
        for kind in dict.fromkeys(kind for kind in review.formats if kind != "parquet"):
            WRITERS[kind](table, folder / f"{name}{SUFFIXES[kind]}")
    for name, text in sorted(review.documents.items()):
        if not _DOCUMENT.fullmatch(name):
            raise ValueError(f"{name!r} is not a file name for a document")
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    (folder / MANIFEST).write_text(_manifest(folder, review, tables), encoding="utf-8", newline="\n")


def _manifest(folder: Path, review: Review, tables: Mapping[str, pa.Table]) -> str:
    files = {path.name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in sorted(folder.iterdir())}
    body = {
        "format": MANIFEST_FORMAT,
        "run_id": review.run_id,
        "as_of": review.as_of.isoformat(),
        "versions": dict(sorted(review.versions.items())),
        "tables": {name: _described(name, table, review) for name, table in tables.items()},
        "files": files,
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _parts(name: str, table: pa.Table, review: Review) -> list[str]:
    """The Parquet files of a table; one of its own name where it fits."""
    limit = review.rows_per_file
    if limit is None or table.num_rows <= limit:
        return [f"{name}.parquet"]
    return [f"{name}-{number:05d}.parquet" for number in range(1, -(-table.num_rows // limit) + 1)]


def _described(name: str, table: pa.Table, review: Review) -> dict[str, object]:
    """A table in the manifest: its file, or the parts that it is cut into."""
    parts = _parts(name, table, review)
    return ({"file": parts[0]} if len(parts) == 1 else {"parts": parts}) | {"rows": table.num_rows}


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all: UTF-8, line ends as they are in `text`.

    Raises:
        OutsideFailure: If the disk or its permissions do not allow it; an earlier file is then unchanged.
    """
    replace_file(path, text.encode("utf-8"))


def write_frame(frame: pd.DataFrame | pa.Table, path: Path) -> None:
    """Write one table as it is to a `.csv` or `.parquet` file, whole or not at all.

    For tables that are read again as data, such as an example's sources: nothing is made harmless for spreadsheets.

    Args:
        frame: The table; an index of a frame is not written.
        path: The file; its suffix names the format, its folder is made if it is absent.

    Raises:
        ValueError: If the suffix is neither.
        OutsideFailure: If the disk or its permissions do not allow it; an earlier file is then unchanged.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise ValueError(f"{path.name}: a table is written as .csv or .parquet")
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata(None)
    with disk_faults(f"write {path.name}", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            if path.suffix == ".csv":
                pyarrow.csv.write_csv(table, beside)
            else:
                WRITERS["parquet"](table, beside)
