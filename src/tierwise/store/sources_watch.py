"""Whether source files stayed the same while they were read: half of one export and half of the next is no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tierwise.errors import Fault, OutsideFailure

_State = tuple[int, int, int]


@dataclass(frozen=True)
class SourceWatch:
    """The files that a run reads, as they were when it opened them."""

    _seen: dict[Path, _State] = field(default_factory=dict)

    def look(self, path: Path) -> None:
        """Remember a file as it is now, before it is read."""
        self._seen.setdefault(path, _state(path))

    def refuse_changes(self) -> None:
        """Hold every file that was read against what it was.

        Raises:
            OutsideFailure: If any was written, replaced or removed since; all of them are named.
        """
        changed = [path for path, state in self._seen.items() if _state(path) != state]
        if changed:
            todo = "nothing was written; run the same command again when the export into this folder has ended"
            raise OutsideFailure(
                [Fault("the file changed while it was read", str(path), todo=todo) for path in changed]
            )


def _state(path: Path) -> _State:
    """What changes when a file is written or replaced: its size, its time in nanoseconds, its place on the disk."""
    try:
        found = path.stat()
    except OSError:
        return (-1, -1, -1)
    return (found.st_size, found.st_mtime_ns, found.st_ino)
