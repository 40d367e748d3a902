"""Letters to partners, from the stored rows that a partner may read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tierwise.config.load import Workspace
from tierwise.jobs.explain import TABLES, explain_partners, open_review, unknown_partner
from tierwise.reports.letter import Letter, letter_of

NEVER_READ = ("contributions", "components", "changes", "moved_metrics", "similar_partners", "metrics")
"""Tables that hold other partners, weights or the model; a letter is made without opening them."""


def letter(workspace: Workspace, partner_id: str, as_of: date | None = None, out: Path | None = None) -> Letter:
    """Write the letter to a partner about a review.

    Args:
        workspace: The workspace.
        partner_id: The partner.
        as_of: The review; the latest one by default.
        out: The output folder; the workspace's by default.

    Raises:
        InvalidInput: If there is no such review or no such partner in it.
    """
    source = open_review(workspace, as_of, out)
    read = [name for name in TABLES if name not in NEVER_READ]
    for page in explain_partners(source, [partner_id], read):
        own_figures = workspace.catalog.metrics.keys() - source.wording.internal
        return letter_of(page, own_figures, source.policy.scores.keys(), source.wording.hidden)
    raise unknown_partner(source, partner_id)
