"""The errors that a user meets: one message that says what, where, and what to do.

Every error carries its exit code (DESIGN section 5), so the command line needs no table of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

MAX_EXAMPLES = 3


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the user's input.

    Attributes:
        what: The fault in one sentence, with the value found and what is allowed.
        where: File and line or key path; for data the table and column.
        examples: Keys of rows that show the fault; the message shows at most three.
        todo: What the user can do about it.
    """

    what: str
    where: str = ""
    examples: tuple[str, ...] = ()
    todo: str = ""

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.examples:
            lines.append(f"  for example: {', '.join(self.examples[:MAX_EXAMPLES])}")
        if self.todo:
            lines.append(f"  to do: {self.todo}")
        return "\n".join(lines)


class TierwiseError(Exception):
    """Base of all errors meant for a user."""

    exit_code: ClassVar[int] = 3

    def __init__(self, faults: Fault | Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Refused(TierwiseError):
    """The answer is "no": a check failed or a gate refused (exit code 1)."""

    exit_code = 1


class InvalidInput(TierwiseError):
    """The user's settings, data or arguments are wrong (exit code 2)."""

    exit_code = 2


class OutsideFailure(TierwiseError):
    """Something outside Tierwise failed: a disk, a database, a server (exit code 3)."""

    exit_code = 3
