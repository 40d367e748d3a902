"""Reads every declared table into the engine: the raw tables that the contract then judges."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from tierwise.config.environment import expand_environment
from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.config.workspace import Source, WorkspaceSettings
from tierwise.engine import EmbeddedEngine, quoted
from tierwise.errors import Fault, InvalidInput, OutsideFailure
from tierwise.store.sources_batches import batch_schema, number_on
from tierwise.store.sources_csv import read_csv
from tierwise.store.sources_excel import read_excel
from tierwise.store.sources_mapping import (
    Dangling,
    check_lookup_key,
    lookup_columns,
    lookup_table,
    map_table,
    source_columns,
    source_table,
)
from tierwise.store.sources_parquet import read_parquet
from tierwise.store.sources_sql import read_postgresql, read_sqlite, shown_address
from tierwise.store.sources_typed import read_typed
from tierwise.store.sources_watch import SourceWatch


@dataclass(frozen=True)
class SourceRead:
    """One file or database table that was read.

    Attributes:
        table: The table or lookup of the workspace that it belongs to.
        place: The file, relative to the data folder where it lies in it, or the database table.
        rows: How many rows it has, readable or not.
    """

    table: str
    place: str
    rows: int


@dataclass(frozen=True)
class SourcesRead:
    """What `read_tables` read: every place with its rows, and the keys that no lookup has."""

    reads: tuple[SourceRead, ...]
    dangling: tuple[Dangling, ...]


def read_tables(engine: EmbeddedEngine, workspace: Workspace) -> SourcesRead:
    """Make one engine table `raw_<table>` per table of the workspace.

    Every mapped column is text (VARCHAR), null where a lookup has no such key. Beside them stand `_row`, the 1-based
    row number in the source (over several files it runs on), `_fault`, why a row could not be read (else null), and
    `_currency_of_<column>` where a money column names its currency's column. SQL tables, which have no order, are
    numbered in the order of their mapped columns.

    A table of Parquet files whose columns fit is read by the engine itself with its types, which takes a fraction of
    the time: it has no `_fault`, and its other columns are those of `tables.typed.typed_query`.

    Args:
        engine: Receives the tables; tables of the same names are replaced.
        workspace: Says where the sources lie and how their columns are mapped.

    Raises:
        InvalidInput: With the faults of all sources: missing files, tables, sheets and columns, broken files,
            duplicate keys of lookups.
        OutsideFailure: If a file or server fails, or a file changes while the tables are read.
    """
    settings = workspace.settings
    reading = _Reading(engine, workspace.data_folder)
    for name, lookup in settings.lookups.items():
        if reading.load(lookup_table(name), f"lookup {name}", lookup.source, lookup_columns(settings, name)):
            reading.attempt(partial(check_lookup_key, engine, settings, name))
    as_text = [name for name in settings.tables if not reading.load_typed(settings, name)]
    for name in as_text:
        table = settings.tables[name]
        reading.load(source_table(name), name, table.source, source_columns(table))
    reading.watch.refuse_changes()  # first, because half a file also looks faulty
    if reading.faults:
        raise InvalidInput(reading.faults)
    dangling = [found for name in as_text for found in map_table(engine, settings, name)]
    for name in settings.lookups:
        engine.run(f"DROP TABLE {quoted(lookup_table(name))}")
    order = [*(f"lookup {name}" for name in settings.lookups), *settings.tables]
    reads = sorted(reading.reads, key=lambda read: order.index(read.table))
    return SourcesRead(tuple(reads), tuple(dangling))


class _Reading:
    """What has been read so far, and the faults found on the way."""

    def __init__(self, engine: EmbeddedEngine, data_folder: Path) -> None:
        self.reads: list[SourceRead] = []
        self.faults: list[Fault] = []
        self.watch = SourceWatch()
        self._engine = engine
        self._data_folder = data_folder

    def attempt(self, step: Callable[[], None]) -> bool:
        """Take a step; the user's faults are noted, so that all can be reported at once."""
        try:
            step()
        except InvalidInput as error:
            self.faults.extend(error.faults)
            return False
        return True

    def load(self, target: str, label: str, source: Source, columns: Sequence[str]) -> bool:
        """Copy a source's columns into the engine table `target`; tells whether it could be read."""
        return self.attempt(lambda: self._load(target, label, source, columns))

    def load_typed(self, settings: WorkspaceSettings, name: str) -> bool:
        """Make a table's raw table with its types; tells whether that can be done, and was."""
        source = settings.tables[name].source
        if source.parquet is None:
            return False
        try:
            paths = find_files(self._data_folder, expand_environment(source.parquet, os.environ))
        except InvalidInput:
            return False
        for path in paths:
            self.watch.look(path)
        rows = read_typed(self._engine, settings, name, paths)
        for path, count in zip(paths, rows or (), strict=False):
            self.reads.append(SourceRead(name, _shown_path(path, self._data_folder), count))
        return rows is not None

    def _load(self, target: str, label: str, source: Source, columns: Sequence[str]) -> None:
        with _Stream(self._places(label, source, columns), len(columns)) as stream:
            self._engine.add_table(target, stream.reader)

    def _places(self, label: str, source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The batches of all places of a source, one after another, their rows numbered through."""
        before = 0
        for place, batches in _open_source(source, columns, self._data_folder, self.watch):
            highest = before
            rows = 0
            for batch in number_on(batches, before):
                rows += batch.num_rows
                highest = max(highest, pc.max(batch.column(0)).as_py() or 0)
                yield batch
            before = highest
            self.reads.append(SourceRead(label, place, rows))


class _Stream:
    """Batches as an Arrow reader that the engine can pull, with the error of a source kept as it was raised.

    The engine pulls through a C interface, which would reduce an error to its text.
    """

    def __init__(self, batches: Iterator[pa.RecordBatch], columns: int) -> None:
        self._error: Exception | None = None
        self.reader = pa.RecordBatchReader.from_batches(batch_schema(columns), self._guarded(batches))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._error is not None:
            raise self._error from None

    def _guarded(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except Exception as error:
            self._error = error
            raise


def source_bytes(workspace: Workspace) -> int:
    """The size of all source files; 0 for databases, whose size is not known, and for files that are missing."""
    settings = workspace.settings
    sources = [lookup.source for lookup in settings.lookups.values()]
    sources += [table.source for table in settings.tables.values()]
    sizes: dict[Path, int] = {}
    for pattern in (source.csv or source.parquet or source.excel for source in sources):
        with suppress(InvalidInput, OSError):
            files = find_files(workspace.data_folder, expand_environment(pattern or "", os.environ))
            sizes.update({path: path.stat().st_size for path in files})
    return sum(sizes.values())


def _open_source(
    source: Source, columns: Sequence[str], data_folder: Path, watch: SourceWatch
) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """Each place of a source with its batches, files in the order of their names."""
    if source.postgresql is not None:
        address = expand_environment(source.postgresql, os.environ)
        yield f"{shown_address(address)} [{source.table}]", read_postgresql(address, str(source.table), columns)
        return
    pattern = source.csv or source.parquet or source.excel or source.sqlite or ""
    for path in find_files(data_folder, expand_environment(pattern, os.environ)):
        if source.sqlite is None:  # a database gives each reader one state of a table, whoever writes beside
            watch.look(path)
        yield _shown_path(path, data_folder), _read_file(path, source, columns)


def _read_file(path: Path, source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        if source.csv is not None:
            yield from read_csv(path, source, columns)
        elif source.parquet is not None:
            yield from read_parquet(path, columns)
        elif source.excel is not None:
            yield from read_excel(path, source.sheet, columns)
        else:
            yield from read_sqlite(path, str(source.table), columns)
    except OSError as error:
        raise OutsideFailure(Fault(f"the file cannot be read: {error.strerror or error}", str(path))) from None


def find_files(data_folder: Path, pattern: str) -> list[Path]:
    """The files that a path or glob names, relative to the data folder, in the order of their names.

    Raises:
        InvalidInput: If there is none; with the nearest name of its folder.
    """
    whole = data_folder / pattern
    if whole.is_file():
        return [whole]
    anchor = Path(whole.anchor) if whole.anchor else Path()
    matches = anchor.glob(str(whole.relative_to(anchor))) if any(mark in pattern for mark in "*?[") else ()
    files = sorted(path for path in matches if path.is_file())
    if not files:
        raise InvalidInput(_no_file(whole, pattern))
    return files


def _no_file(whole: Path, pattern: str) -> Fault:
    todo = "say where the source files lie with --data DIR or TIERWISE_DATA, or correct the path"
    if not whole.parent.is_dir():
        return Fault(f"there is no folder for the source {pattern!r}", str(whole.parent), todo=todo)
    if whole.is_dir():
        return Fault(f"the source {pattern!r} is a folder, not a file", str(whole), todo=f"write '{pattern}/*'")
    names = [path.name for path in whole.parent.iterdir() if path.is_file()]
    return Fault(f"there is no file {pattern!r}; {hint(whole.name, names)}".rstrip("; "), str(whole), todo=todo)


def _shown_path(path: Path, data_folder: Path) -> str:
    return path.relative_to(data_folder).as_posix() if path.is_relative_to(data_folder) else str(path)
