"""How a job says where it is, without knowing whether a terminal, a log or nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step of a job that has begun: its number, how many there are, and what it does."""

    number: int
    of: int
    what: str


Notify = Callable[[Step], None]


def silent(step: Step) -> None:
    """Hear a step and say nothing."""


class Steps:
    """Counts a job's steps as they begin."""

    def __init__(self, notify: Notify, total: int) -> None:
        self._notify = notify
        self._total = total
        self._number = 0

    def begin(self, what: str) -> None:
        """Announce the next step."""
        self._number += 1
        self._notify(Step(self._number, self._total, what))
