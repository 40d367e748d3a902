"""The lock that stops two runs on one output folder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.writer_disk import disk_faults, recover

LOCK_FILE = ".lock"


@dataclass(frozen=True)
class OutputLock:
    """Proof that this process alone writes to the output folder; only `lock_output` makes one."""

    folder: Path
    descriptor: int

    def sign(self, run_id: str) -> None:
        """Name the run in the lock, for whoever is kept out; for a lock that was taken before the run had a name.

        Raises:
            OutsideFailure: If the disk does not allow it.
        """
        with disk_faults("sign the lock of the output folder", self.folder):
            _sign(self.descriptor, run_id)


@contextmanager
def lock_output(folder: Path, run_id: str = "") -> Iterator[OutputLock]:
    """Hold the output folder for one run, and first clean up what killed runs left in it.

    What a killed run of several blocks had finished is left to the next run of that name, see `write_blocks`.

    The lock is the kernel's (`flock`), so it ends with its process however that dies; the file only says who holds it.

    Args:
        folder: The output folder; made if it is absent.
        run_id: The run that takes the lock, named to whoever is kept out; `OutputLock.sign` names it later.

    Raises:
        OutsideFailure: If another run holds the lock, or the folder cannot be written.
    """
    with disk_faults("take the lock of the output folder", folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with disk_faults("take the lock of the output folder", folder):
            _take(descriptor, folder)
            _sign(descriptor, run_id)
            recover(folder)
        yield OutputLock(folder, descriptor)
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutsideFailure(
            Fault(
                f"another run is writing here: {_holder(descriptor)}",
                where=str(folder),
                todo="wait until it has ended and run the same command again, or write to another folder with --out",
            )
        ) from None


def _sign(descriptor: int, run_id: str) -> None:
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "run_id": run_id})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {holder['pid']} on {holder['host']}" + (
            f", run {holder['run_id']}" if holder["run_id"] else ""
        )
    except (ValueError, KeyError, TypeError):
        return "a process that has not signed the lock yet"
