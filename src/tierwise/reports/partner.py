"""One partner's page for a terminal: tier, why, what the next tier asks, what would reach it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from tierwise.reports.text_table import text_table


@dataclass(frozen=True)
class PartnerPage:
    """The stored rows about one partner in one review; nothing here is computed again.

    Attributes:
        as_of: The as-of date of the review.
        recommendation: The partner's row of `recommendations`, without empty values.
        reasons: `rank, code, sentence`.
        criteria: `tier, criterion, shown_value, shown_threshold, met, shown_gap`.
        contributions: `family, factor, shown_factor` of the potential, the strongest first.
        roadmap: `plan, step, title, shown_from, shown_to, reaches_tier, valid`.
        headline: The partner's placement in one sentence.
        potential_line: The potential with its interval in one sentence.
    """

    as_of: date
    recommendation: dict[str, Any]
    reasons: pd.DataFrame
    criteria: pd.DataFrame
    contributions: pd.DataFrame
    roadmap: pd.DataFrame
    headline: str
    potential_line: str


def as_payload(page: PartnerPage) -> dict[str, Any]:
    """Give the page as plain values, for JSON."""
    return {
        "as_of": page.as_of.isoformat(),
        "headline": page.headline,
        "recommendation": page.recommendation,
        "reasons": page.reasons.to_dict(orient="records"),
        "criteria": page.criteria.to_dict(orient="records"),
        "contributions": page.contributions.to_dict(orient="records"),
        "roadmap": page.roadmap.to_dict(orient="records"),
    }


def as_text(page: PartnerPage) -> str:
    """Give the page as text for a terminal."""
    parts = [page.headline, _reasons(page), page.potential_line, _families(page), _criteria(page), _roadmap(page)]
    return "\n\n".join(part for part in parts if part)


def _reasons(page: PartnerPage) -> str:
    lines = [f"  {row.rank}. {row.sentence}" for row in page.reasons.itertuples()]
    return "\n".join(["Why:", *lines])


def _families(page: PartnerPage) -> str:
    if page.contributions.empty:
        return ""
    rows = [(row.family, row.shown_factor) for row in page.contributions.itertuples()]
    return "Associated with the potential, against the whole channel:\n" + text_table(
        ("family", "factor"), rows, right={1}
    )


def _criteria(page: PartnerPage) -> str:
    if page.criteria.empty:
        return ""
    rows = [
        (row.tier, row.criterion, row.shown_value, row.shown_threshold, row.met, row.shown_gap)
        for row in page.criteria.itertuples()
    ]
    header = ("tier", "criterion", "this partner", "asked", "met", "missing")
    return "Criteria:\n" + text_table(header, rows, right={2, 3, 5})


def _roadmap(page: PartnerPage) -> str:
    if "next_tier" not in page.recommendation:
        return ""
    if page.roadmap.empty:
        return "Way up: no plan was found that reaches the next tier by the figures a partner can raise."
    lines = [f"Way up to {page.roadmap.iloc[0]['reaches_tier']}:"]
    for row in page.roadmap.itertuples():
        lines.append(f"  plan {row.plan}, step {row.step}: {row.title} from {row.shown_from} to {row.shown_to}")
    return "\n".join(lines)
