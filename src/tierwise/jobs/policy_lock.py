"""A policy that has decided a review is on record there; editing it afterwards is refused.

Every review's manifest holds the version and the hash of the policy that decided it, so the reviews themselves are
the record of what was in force.
"""

from __future__ import annotations

from pathlib import Path

from tierwise.config.load import Workspace
from tierwise.policy import LockedPolicy, check_lock
from tierwise.store import list_reviews


def refuse_edited_policies(workspace: Workspace, output: Path) -> None:
    """Stop a run whose policies are not those that decided its earlier reviews.

    Raises:
        Refused: With every policy that was edited, moved or removed, and what to do instead.
    """
    on_record: dict[str, LockedPolicy] = {}
    for review in list_reviews(output):
        version, sha256 = review.versions.get("policy"), review.versions.get("policy_sha256")
        if version is not None and sha256 is not None:
            on_record.setdefault(version, LockedPolicy(version, sha256, review.as_of))
    check_lock(workspace.policies, on_record.values())
