"""Versions of a policy: which is in force on a day, and that none is edited once it was.

A policy that has decided a review is locked by the hash of what it says. An edit of a locked policy is refused: the
answer to "the threshold should be another one" is a new file with a later date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tierwise.config.policy import Policy
from tierwise.errors import Fault, InvalidInput, Refused


@dataclass(frozen=True)
class LockedPolicy:
    """What is on record about a policy that has been in force.

    Attributes:
        version: Its name and date.
        sha256: The hash of what it said.
        locked_on: The as-of date of the first review that it decided.
    """

    version: str
    sha256: str
    locked_on: date


def in_force(policies: Iterable[Policy], as_of: date) -> Policy:
    """The policy in force on a day: the latest that started on or before it.

    Raises:
        InvalidInput: If none is in force yet.
    """
    started = [policy for policy in policies if policy.effective_from <= as_of]
    if not started:
        raise InvalidInput(Fault(f"no policy is in force on {as_of}", "policies", todo="add one that starts earlier"))
    return max(started, key=lambda policy: policy.effective_from)


def check_lock(policies: Iterable[Policy], on_record: Iterable[LockedPolicy]) -> None:
    """Check that no policy that has decided a review was edited, moved or removed.

    Raises:
        Refused: With every policy that was, and what to do instead.
    """
    by_version = {policy.version: policy for policy in policies}
    faults = [fault for locked in on_record for fault in _lock_faults(by_version.get(locked.version), locked)]
    if faults:
        raise Refused(faults)


def _lock_faults(policy: Policy | None, locked: LockedPolicy) -> list[Fault]:
    decided = f"it has decided the review of {locked.locked_on}"
    if policy is None:
        todo = "put the file back as it was; a policy that should no longer hold is replaced by one with a later date"
        return [Fault(f"the policy {locked.version} is gone, but {decided}", "policies", todo=todo)]
    if policy.sha256 == locked.sha256:
        return []
    what = f"the policy {locked.version} was edited, but {decided}"
    todo = (
        "put the file back as it was, and write the change into a new file with a later effective_from; "
        "`tierwise policy preview` shows what it would do"
    )
    hashes = (f"sha256 on record {locked.sha256[:12]}", f"now {policy.sha256[:12]}")
    return [Fault(what, "policies", hashes, todo)]
