"""The writer of a review's output tables: whole or not at all (DESIGN section 5).

`<output>/<as_of>/` holds one file per table and format and `_SUCCESS.json`, the manifest. Whoever looks there finds
the complete earlier output or the complete new one, also after a run was killed.

The tables may come in blocks of partners, so that no more than one block is in memory. Each block becomes Parquet
files, and is kept if the run is killed; CSV and Excel are copied from the Parquet files at the end.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from tierwise.errors import Fault, InvalidInput
from tierwise.store.manifests import MANIFEST, MANIFEST_FORMAT
from tierwise.store.writer_blocks import (
    Part,
    WrittenBlock,
    at_once,
    finished_blocks,
    mark_finished,
    name_lone_parts,
    row_groups,
    write_block,
)
from tierwise.store.writer_disk import (
    discard_unless_marked,
    disk_faults,
    markers_of,
    put_in_place,
    replace_file,
    replacing,
    sha256_of,
    unfinished_folder,
)
from tierwise.store.writer_formats import EXCEL_MAX_ROWS, PIECE_WRITERS, SUFFIXES, write_parquet
from tierwise.store.writer_lock import OutputLock
from tierwise.store.writer_review import Block, Review, check_run_id

_DOCUMENT = re.compile(r"[a-z0-9][a-z0-9_-]*\.[a-z]{2,5}")
_DOING = "write the output"


def write_review(lock: OutputLock, review: Review) -> Path:
    """Write a review whole or not at all; `write_blocks` with one block, the review's own tables.

    Raises:
        OutputTableError, InvalidInput, OutsideFailure: As `write_blocks` does.
    """
    return write_blocks(lock, review, [lambda: review.tables])


def write_blocks(lock: OutputLock, review: Review, blocks: Sequence[Block]) -> Path:
    """Write a review whose tables come block by block, whole or not at all.

    The same review in the same blocks gives the same bytes. Files in the folder that Tierwise did not write are kept.
    The frames of one block alone are in memory, if nobody else holds them.

    A run that ends early keeps the blocks that it has written. The next call with the same `as_of`, `run_id` and
    `basis` and as many blocks goes on behind them, and does not call them again; a block whose files were changed
    since, and all after it, are written anew. Any other review that is written into this output deletes them.

    Args:
        lock: The lock of the output folder, from `lock_output`.
        review: What the tables were made from; `tables` is not looked at.
        blocks: Each makes the tables of its partners, and is called at most once. All have the same tables. Rows go on
            in the order of the key from block to block, so a table that is not by partner has all its rows in the
            first. What a block makes must follow from `run_id`, `basis`, its place and the number of blocks.

    Returns:
        The folder `<output>/<as_of>`.

    Raises:
        OutputTableError: If a frame does not keep its schema or does not continue the block before.
        InvalidInput: If a table has more rows than the format takes, or a folder that is no output is in the way.
        OutsideFailure: If the disk or its permissions do not allow it; the earlier output is unchanged.
    """
    check_run_id(review.run_id)
    if not blocks:
        raise ValueError("a review needs at least one block")
    place = lock.folder / review.as_of.isoformat()
    kept = _foreign_files(place)
    with disk_faults(_DOING, place):
        fresh = unfinished_folder(lock.folder, review.as_of, review.run_id)
    try:
        written = _write_all(fresh, review, blocks, place)
        with disk_faults(_DOING, place):
            _finish(fresh, review, written)
            for path in kept:
                shutil.copy2(path, fresh / path.name)
            put_in_place(fresh, place)
        shutil.rmtree(markers_of(fresh), ignore_errors=True)
    finally:
        discard_unless_marked(fresh)
    return place


def _write_all(fresh: Path, review: Review, blocks: Sequence[Block], place: Path) -> list[WrittenBlock]:
    with disk_faults(_DOING, place):
        written = finished_blocks(fresh, review, len(blocks))
    _check_sheets(review, written, {}, place)
    for block in blocks[len(written) :]:
        written.append(_write_next(fresh, review, dict(block()), written, place))
        if len(blocks) > 1:
            with disk_faults(_DOING, place):
                mark_finished(fresh, review, written[-1], len(written), len(blocks))
    return written


def _write_next(
    fresh: Path, review: Review, frames: dict[str, pd.DataFrame], before: Sequence[WrittenBlock], place: Path
) -> WrittenBlock:
    _check_sheets(review, before, frames, place)
    with disk_faults(_DOING, place):
        return write_block(fresh, review, frames, before)


def _check_sheets(
    review: Review, before: Sequence[WrittenBlock], frames: Mapping[str, pd.DataFrame], place: Path
) -> None:
    if "excel" in review.formats:
        rows = Counter({name: len(frame) for name, frame in frames.items()})
        for block in before:
            rows.update({name: table.rows for name, table in block.items()})
        refuse_large_sheets(rows, place)


def refuse_large_sheets(rows: Mapping[str, int], place: Path) -> None:
    """Refuse tables that no Excel sheet can hold.

    Args:
        rows: Number of rows by table.
        place: Where they were to be written.

    Raises:
        InvalidInput: If there is one; all are named.
    """
    large = [name for name, count in sorted(rows.items()) if count > EXCEL_MAX_ROWS]
    if large:
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


def _finish(folder: Path, review: Review, blocks: Sequence[WrittenBlock]) -> None:
    """Add to the Parquet files the other formats, the documents and the manifest."""
    parts = name_lone_parts(folder, blocks)
    kinds = dict.fromkeys(kind for kind in review.formats if kind != "parquet")

    def copy(asked: tuple[str, str]) -> None:
        name, kind = asked
        pieces = row_groups(folder / part.file for part in parts[name])
        PIECE_WRITERS[kind](pieces, folder / f"{name}{SUFFIXES[kind]}")

    at_once(copy, [(name, kind) for name in parts for kind in kinds])
    for name, text in sorted(review.documents.items()):
        if not _DOCUMENT.fullmatch(name):
            raise ValueError(f"{name!r} is not a file name for a document")
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    (folder / MANIFEST).write_text(_manifest(folder, review, parts), encoding="utf-8", newline="\n")


def _manifest(folder: Path, review: Review, parts: Mapping[str, Sequence[Part]]) -> str:
    known = {part.file: part.sha256 for table in parts.values() for part in table}
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": known.get(path.name) or sha256_of(path)}
        for path in sorted(folder.iterdir())
    }
    body = {
        "format": MANIFEST_FORMAT,
        "run_id": review.run_id,
        "as_of": review.as_of.isoformat(),
        "versions": dict(sorted(review.versions.items())),
        "tables": {name: _described([part.file for part in table], table) for name, table in parts.items()},
        "files": files,
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _described(files: list[str], parts: Sequence[Part]) -> dict[str, object]:
    """A table in the manifest: its file, or the parts that it is cut into."""
    return ({"file": files[0]} if len(files) == 1 else {"parts": files}) | {"rows": sum(part.rows for part in parts)}


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
                write_parquet(table, beside)
