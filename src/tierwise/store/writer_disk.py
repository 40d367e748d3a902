"""How files and folders reach the disk whole or not at all.

A folder of output is built beside its place, made durable, and then exchanged with the folder in place by one system
call (`renameat2` with RENAME_EXCHANGE on Linux, `renamex_np` with RENAME_SWAP on macOS). Where the file system has no
such call, two renames do it; between them the earlier folder stands aside under a name that `folder_in_place` and
`recover` know. docs/decisions/0007-exchange-output-folders.md weighs this against symbolic links.

A folder `.<as_of>.<run_id>.tmp` with markers of finished blocks in `.<as_of>.<run_id>.blocks` beside it is work that
the next run of that name goes on with. Taking the lock leaves it; the next review that is written here deletes it if it
is another run's.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from tierwise.errors import Fault, OutsideFailure

_LEFTOVER = re.compile(r"^\.(?P<place>\d{4}-\d{2}-\d{2})\..*\.(?P<kind>tmp|old|blocks)$")
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # also the value of RENAME_SWAP on macOS


@contextmanager
def disk_faults(doing: str, path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one message for the user.

    Raises:
        OutsideFailure: On any OSError: disk full, no permission, read-only file system, ...
    """
    try:
        yield
    except OSError as error:
        raise OutsideFailure(
            Fault(
                f"could not {doing}: {error.strerror or error}",
                where=str(path),
                todo="what was there is unchanged; see to space and permissions, then run the same command again",
            )
        ) from error


def temporary_folder(output: Path, as_of: date, run_id: str) -> Path:
    """Make the empty folder in which a run builds its output, on the file system of the output folder."""
    folder = output / f".{as_of.isoformat()}.{run_id}.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def unfinished_folder(output: Path, as_of: date, run_id: str) -> Path:
    """Return the folder in which a run builds its output, with what an earlier run of that name left in it.

    What other runs of this output left is deleted.
    """
    folder = output / f".{as_of.isoformat()}.{run_id}.tmp"
    for path in sorted(output.iterdir()):
        if _LEFTOVER.match(path.name) and path not in (folder, markers_of(folder)):
            shutil.rmtree(path)
    folder.mkdir(exist_ok=True)
    return folder


def markers_of(folder: Path) -> Path:
    """Return where the markers of the finished blocks of a temporary folder stand."""
    return folder.with_suffix(".blocks")


def discard_unless_marked(folder: Path) -> None:
    """Delete a temporary folder of which no block is finished."""
    if not _is_unfinished(folder):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(markers_of(folder), ignore_errors=True)


def _is_unfinished(path: Path) -> bool:
    """Whether a temporary folder, or its folder of markers, is work that a run can go on with."""
    return path.with_suffix(".tmp").is_dir() and any(path.with_suffix(".blocks").glob("*.json"))


def put_in_place(fresh: Path, place: Path) -> None:
    """Make the folder `fresh` stand at `place` in one step, and delete what stood there."""
    for path in (*sorted(fresh.rglob("*")), fresh):
        make_durable(path)
    if not place.exists():
        fresh.rename(place)
    elif _exchange(fresh, place):
        shutil.rmtree(fresh)
    else:
        _step_aside(fresh, place)
    make_durable(place.parent)


def _step_aside(fresh: Path, place: Path) -> None:
    aside = fresh.with_suffix(".old")
    place.rename(aside)
    fresh.rename(place)
    shutil.rmtree(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically; False where the system or the file system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        return bool(library.renamex_np(os.fsencode(one), os.fsencode(other), _RENAME_EXCHANGE) == 0)
    if not hasattr(library, "renameat2"):
        return False
    return bool(library.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def folder_in_place(output: Path, as_of: date) -> Path:
    """Return the folder of a review, also when a run was killed in the middle of the two renames."""
    place = output / as_of.isoformat()
    if not place.exists():
        return next(iter(sorted(output.glob(f".{as_of.isoformat()}.*.old"))), place)
    return place


def recover(output: Path) -> None:
    """Undo what killed runs left: put back an earlier output that stands aside, delete what no run can go on with."""
    for path in sorted(output.iterdir()):
        match = _LEFTOVER.match(path.name)
        if match is None:
            continue
        place = output / match["place"]
        if match["kind"] == "old" and not place.exists():
            path.rename(place)
        elif match["kind"] == "old" or not _is_unfinished(path):
            shutil.rmtree(path)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made if it is absent.

    Raises:
        OutsideFailure: If the disk or its permissions do not allow it; an earlier file is then unchanged.
    """
    with disk_faults(f"write {path.name}", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            beside.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; it takes the place of `path` if the block ends well."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield beside
        make_durable(beside)
        beside.replace(path)
        make_durable(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def make_durable(path: Path) -> None:
    """Have the disk hold a file or folder as it is now (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
