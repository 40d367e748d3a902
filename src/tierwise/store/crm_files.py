"""Files for a CRM's import: UTF-8, LF, one header row, cut below the import's limits."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from tierwise.errors import Fault, InvalidInput
from tierwise.store.page_folder import PageFolder


@dataclass(frozen=True)
class CrmFile:
    """One file that was written.

    Attributes:
        name: Its name.
        rows: Its rows, the header not counted.
        size: Its bytes.
        sha256: The hash of its content.
    """

    name: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class FileLimits:
    """The most that one file holds.

    Attributes:
        size: Bytes, the header among them.
        rows: Rows, the header not counted.
    """

    size: int
    rows: int


def write_chunks(
    folder: PageFolder, stem: str, header: Sequence[str], rows: Iterable[Sequence[str]], limits: FileLimits
) -> list[CrmFile]:
    """Write rows into as many files `<stem>-0001.csv`, ... as the limits ask for; without rows one with the header.

    Raises:
        InvalidInput: If a single row is longer than a file may be.
    """
    head = _line(header)
    numbered = _numbered(rows, limits, len(head))
    chunks = groupby(numbered, key=itemgetter(0))
    written = [_write(folder, f"{stem}-{number:04d}.csv", head, map(itemgetter(1), lines)) for number, lines in chunks]
    return written or [_write(folder, f"{stem}-0001.csv", head, ())]


def _write(folder: PageFolder, name: str, head: bytes, lines: Iterable[bytes]) -> CrmFile:
    rows, size, digest = 0, len(head), hashlib.sha256(head)
    with folder.file(name).open("wb") as target:
        target.write(head)
        for line in lines:
            target.write(line)
            digest.update(line)
            rows, size = rows + 1, size + len(line)
    return CrmFile(name, rows, size, digest.hexdigest())


def _numbered(rows: Iterable[Sequence[str]], limits: FileLimits, head: int) -> Iterator[tuple[int, bytes]]:
    """Each row as a line, with the number of the file that it goes into."""
    number, size, held = 1, head, 0
    for row in rows:
        line = _line(row)
        if head + len(line) > limits.size:
            what = f"one row takes {head + len(line):,} bytes with the header; a file may hold {limits.size:,}"
            raise InvalidInput(Fault(what, examples=(row[0],), todo="raise 'most_megabytes' or leave out a long field"))
        if held and (size + len(line) > limits.size or held == limits.rows):
            number, size, held = number + 1, head, 0
        size, held = size + len(line), held + 1
        yield number, line


def _line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode("utf-8")
