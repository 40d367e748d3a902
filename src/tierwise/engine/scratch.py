"""A folder for a run's own working files, which the next run clears away where the run was killed."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_LOCK = "in-use"


class Scratch:
    """A folder that is removed when it is closed, or by a later run on this machine if its own was killed.

    Use it as a context manager, which gives the folder, or close it. A lock that the system frees with the process
    tells a folder in use from one left behind.

    Attributes:
        path: The folder.
    """

    def __init__(self, kind: str, parent: str | None = None) -> None:
        """Make the folder and clear away those of the same kind that nobody uses any more.

        Args:
            kind: What it is for; part of its name.
            parent: Where it is made; the system's folder for temporary files by default.
        """
        prefix = f"tierwise-{kind}-{_this_machine()}-"
        _clear(Path(parent or tempfile.gettempdir()), prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._lock = _locked(self.path)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder with all it holds."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _this_machine() -> str:
    """A folder may be shared by machines, whose locks need not reach one another."""
    return re.sub(r"[^A-Za-z0-9]", "", platform.node()) or "host"


def _locked(folder: Path) -> int:
    """Lock a file of the folder; it gets its name once it is locked, so that nobody finds it free before."""
    unnamed = folder / f"{_LOCK}.new"
    handle = os.open(unnamed, os.O_WRONLY | os.O_CREAT, 0o600)
    with suppress(OSError):  # a file system without locks: then the folder stays after a kill
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(folder / _LOCK)
    return handle


def _clear(parent: Path, prefix: str) -> None:
    for folder in sorted(parent.glob(f"{prefix}*")):
        with suppress(OSError):  # somebody else's folder, or another run clears it too
            handle = os.open(folder / _LOCK, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
