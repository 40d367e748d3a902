"""What the demo found, for a person who sees Tierwise for the first time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tierwise.reports import review as review_report
from tierwise.reports import training as training_report
from tierwise.reports.review import ReviewSummary
from tierwise.reports.training import TrainingSummary


@dataclass(frozen=True)
class DemoSummary:
    """What the demo made and found.

    Attributes:
        folder: The demo workspace.
        accepted: Accepted rows of all tables.
        quarantined: Rows that broke the contract.
        training: The summary of the training.
        review: The summary of the latest review.
        files: What to open next, by what it is.
    """

    folder: Path
    accepted: int
    quarantined: int
    training: TrainingSummary
    review: ReviewSummary
    files: dict[str, Path]


def as_payload(demo: DemoSummary) -> dict[str, Any]:
    """Give the summary as plain values, for JSON."""
    return {
        "folder": str(demo.folder),
        "accepted": demo.accepted,
        "quarantined": demo.quarantined,
        "training": training_report.as_payload(demo.training),
        "review": review_report.as_payload(demo.review),
        "files": {what: str(path) for what, path in demo.files.items()},
    }


def as_text(demo: DemoSummary) -> str:
    """Give the summary as text for a terminal: data, model, tiers, moves, and where to look next."""
    review = demo.review
    data = f"Data: {demo.accepted:,} rows accepted, {demo.quarantined:,} quarantined with their reasons"
    files = [f"  {what}: {path}" for what, path in demo.files.items()]
    partner = review.moves[0].partner_id if review.moves else "PARTNER"
    look = [
        "Look further:",
        *files,
        f"  why one partner is where it is: .venv/bin/tierwise explain {partner} --workspace {demo.folder}",
    ]
    tiers = f"Tiers recommended as of {review.as_of}, by policy {review.policy_version}:"
    parts = [
        data,
        training_report.as_text(demo.training),
        f"{tiers}\n{review_report.composition_text(review)}",
        review_report.actions_text(review),
        review_report.moves_text(review) if review.moves else "",
        "\n".join(look),
    ]
    return "\n\n".join(part for part in parts if part)
