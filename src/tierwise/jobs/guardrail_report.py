"""What the guardrails of a policy show about a review, as a page beside its tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tierwise.jobs.review_tables import ScoredReview
from tierwise.policy import manager_load, promoted_without_growth, tier_inflation
from tierwise.reports.sections import Section, sections_html, sections_markdown

PAGE, TEXT = "guardrails.html", "guardrails.md"
NOTHING = "Nothing to report."


def guardrail_documents(review: ScoredReview) -> dict[str, str]:
    """Report on the guardrails that the policy declares; none where it declares none of those that report.

    Returns:
        The same report as Markdown and as a page, by file name.
    """
    sections = list(_sections(review))
    if not sections:
        return {}
    title = f"Guardrails as of {review.as_of}, policy {review.policy.version}"
    return {TEXT: sections_markdown(title, sections), PAGE: sections_html(title, sections)}


def _sections(review: ScoredReview) -> Iterator[Section]:
    policy, rails = review.policy, review.policy.guardrails
    if rails.tier_plan is not None:
        why = (
            "A tier is inflated when it holds more partners than chance would give if the plan were true; the "
            "probability is that of as many or more by chance."
        )
        yield _section("Tiers against the plan", why, tier_inflation(policy, review.moves))
    if rails.growth is not None:
        why = "Promotions whose figures did not grow as the policy asks, or whose growth is unknown; look at each."
        yield _section("Promoted without growth", why, promoted_without_growth(policy, review.placement, review.moves))
    if rails.manager_capacity is not None:
        why = "Partners in the tiers that take a manager's time, and promotions that waited for capacity."
        yield _section("Managers' load", why, manager_load(policy, review.placement, review.moves))


def _section(title: str, why: str, table: pd.DataFrame) -> Section:
    if table.empty:
        return Section(title, text=(why, NOTHING))
    names = tuple(str(name) for name in table.columns)
    rows = tuple(
        tuple(_cell(*cell) for cell in zip(names, row, strict=True)) for row in table.itertuples(index=False, name=None)
    )
    numbers = frozenset(place for place, kind in enumerate(table.dtypes) if kind.kind in "if")
    return Section(title, tuple(name.replace("_", " ") for name in names), rows, numbers, (why,))


def _cell(column: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "unknown" if value != value else _figure(column, value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _figure(column: str, value: float) -> str:
    """Show a share in per cent, a probability never as a flat zero, and any other figure with three digits."""
    if column.endswith("share"):
        return f"{100 * value:.1f} %"
    if column == "probability" and value < 0.001:
        return "< .001"
    return f"{value:,.3f}"
