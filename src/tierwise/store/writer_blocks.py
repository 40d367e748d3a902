"""The Parquet parts of a review, written block by block, and the markers by which a killed run goes on.

A run builds its output in `.<as_of>.<run_id>.tmp`. If it has several blocks, `.<as_of>.<run_id>.blocks` beside it gets
a marker per finished block, which names the block's files with their rows and hashes. The markers stand beside the
folder and not in it, so that they need not be taken out before the folder is put in place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from tierwise.store.writer_disk import make_durable, markers_of, replacing, sha256_of
from tierwise.store.writer_formats import write_parquet
from tierwise.store.writer_review import Review, arrow_table
from tierwise.tables.output_schemas import OutputTableError, output_table

_THREADS = 2  # Arrow lets go of the interpreter while it writes; more threads would hold more tables at once

Item = TypeVar("Item")
Made = TypeVar("Made")
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Part:
    """A Parquet file of a table."""

    file: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class WrittenTable:
    """What one block wrote of one table.

    Attributes:
        parts: Its files, in the order of the rows; none if a later block has no rows of the table.
        last: The key of its last row; empty without rows.
    """

    parts: tuple[Part, ...]
    last: Key

    @property
    def rows(self) -> int:
        """Number of rows in all files."""
        return sum(part.rows for part in self.parts)


WrittenBlock = Mapping[str, WrittenTable]


def write_block(
    folder: Path, review: Review, frames: dict[str, pd.DataFrame], before: Sequence[WrittenBlock]
) -> WrittenBlock:
    """Write the tables of one block as further parts, each durable when this returns.

    Args:
        folder: The folder in which the output is built.
        review: The review; its `tables` are not looked at.
        frames: The block's tables; each is taken out when it is converted, so that it need not wait for the others.
        before: The blocks before, from the first.

    Raises:
        OutputTableError: If a frame does not keep its schema, or does not continue the block before.
    """
    names = sorted(frames)
    if before and names != sorted(before[0]):
        raise OutputTableError(f"block {len(before) + 1} has the tables {names}, the first has {sorted(before[0])}")

    def write(name: str) -> WrittenTable:
        arrow = arrow_table(review, name, frames.pop(name))
        return _write_table(folder, arrow, review.rows_per_file, name, [block[name] for block in before])

    return dict(zip(names, at_once(write, names), strict=True))


def _write_table(
    folder: Path, arrow: pa.Table, limit: int | None, name: str, before: Sequence[WrittenTable]
) -> WrittenTable:
    rows = arrow.num_rows
    if before:
        _check_continues(folder, arrow, name, before)
        if not rows:
            return WrittenTable((), ())
    first = sum(len(table.parts) for table in before) + 1
    size = limit or max(rows, 1)
    slices = (arrow.slice(start, size) for start in range(0, max(rows, 1), size))
    parts = [_write_part(folder / f"{name}-{number:05d}.parquet", one) for number, one in enumerate(slices, first)]
    return WrittenTable(tuple(parts), _key_at(arrow, name, rows - 1) if rows else ())


def _write_part(path: Path, table: pa.Table) -> Part:
    write_parquet(table, path)
    make_durable(path)
    return Part(path.name, table.num_rows, path.stat().st_size, sha256_of(path))


def _check_continues(folder: Path, arrow: pa.Table, name: str, before: Sequence[WrittenTable]) -> None:
    """Hold a block's table to the columns of the first block and to keys above those of the blocks before."""
    known = pyarrow.parquet.read_schema(folder / before[0].parts[0].file)
    if not arrow.schema.equals(known):
        raise OutputTableError(f"{name} has other columns in block {len(before) + 1} than in the first")
    last: Key = next((table.last for table in reversed(before) if table.last), ())
    if arrow.num_rows and last and _key_at(arrow, name, 0) <= last:
        raise OutputTableError(
            f"{name} begins block {len(before) + 1} with {_key_at(arrow, name, 0)}, not above the {last} before it"
        )


def _key_at(arrow: pa.Table, name: str, row: int) -> Key:
    return tuple(arrow[column][row].as_py() for column in output_table(name).key)


def at_once(work: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """Do work in two threads; the results, and the error that is raised if there are several, go by order of items."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, items))


def row_groups(paths: Iterable[Path]) -> Iterator[pa.Table]:
    """Read Parquet files piece by piece; at least one piece per file, which may be empty."""
    for path in paths:
        with pyarrow.parquet.ParquetFile(path) as file:
            if not file.num_row_groups:
                yield file.read()
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)


def name_lone_parts(folder: Path, blocks: Sequence[WrittenBlock]) -> dict[str, list[Part]]:
    """Give the table's own name to a file that is a table's only one; returns the parts of all tables, by name."""
    found: dict[str, list[Part]] = {}
    for name in sorted(blocks[0]):
        parts = [part for block in blocks for part in block[name].parts]
        if len(parts) == 1:
            lone = f"{name}.parquet"
            (folder / parts[0].file).rename(folder / lone)
            parts = [Part(lone, parts[0].rows, parts[0].bytes, parts[0].sha256)]
        found[name] = parts
    return found


def mark_finished(folder: Path, review: Review, block: WrittenBlock, number: int, count: int) -> None:
    """Note durably that a block is written, `number` of `count`."""
    markers = markers_of(folder)
    markers.mkdir(exist_ok=True)
    make_durable(folder)
    body = json.dumps(
        {"run": _run(review, number, count), "tables": {name: asdict(table) for name, table in block.items()}}
    )
    with replacing(_marker(markers, number)) as beside:
        beside.write_text(f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}", encoding="utf-8")
    make_durable(markers.parent)


def finished_blocks(folder: Path, review: Review, count: int) -> list[WrittenBlock]:
    """Find the blocks that an earlier run of the same name has finished, from the first to the first that is not whole.

    Everything else that the earlier run left in the folder is deleted.
    """
    markers = markers_of(folder)
    found: list[WrittenBlock] = []
    for number in range(1, count + 1):
        block = _read_marker(_marker(markers, number), _run(review, number, count))
        if block is None or not _is_whole(folder, block):
            break
        found.append(block)
    kept = {folder / part.file for block in found for table in block.values() for part in table.parts}
    kept |= {_marker(markers, number) for number in range(1, len(found) + 1)}
    for path in (*folder.iterdir(), *(markers.iterdir() if markers.is_dir() else ())):
        if path not in kept:
            path.unlink()
    return found


def _marker(markers: Path, number: int) -> Path:
    return markers / f"{number:05d}.json"


def _run(review: Review, number: int, count: int) -> list[object]:
    """What the bytes of a block's files follow from."""
    run = [review.run_id, review.as_of.isoformat(), review.basis]
    return [*run, number, count, list(review.score_columns), review.rows_per_file, pa.__version__]


def _read_marker(path: Path, run: list[object]) -> WrittenBlock | None:
    """Read a marker; None if it is not there, not as it was written, or of another run."""
    try:
        sha256, _, body = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    if hashlib.sha256(body.encode()).hexdigest() != sha256 or (found := json.loads(body))["run"] != run:
        return None
    return {
        name: WrittenTable(tuple(Part(**part) for part in table["parts"]), tuple(table["last"]))
        for name, table in found["tables"].items()
    }


def _is_whole(folder: Path, block: WrittenBlock) -> bool:
    """Whether a block's files are as they were written; one that already had its table's name gets its number back."""
    for name, table in block.items():
        for part in table.parts:
            path, lone = folder / part.file, folder / f"{name}.parquet"
            if not path.exists() and lone.exists():
                lone.rename(path)
            if not path.is_file() or sha256_of(path) != part.sha256:
                return False
    return True
