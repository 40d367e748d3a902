"""A partner's ways up as people read them, from the stored plans and steps."""

from __future__ import annotations

from collections import defaultdict

from tierwise.config.benefits import TierBenefits
from tierwise.config.load import Workspace
from tierwise.explain.figures import figure
from tierwise.explain.wording import Wording
from tierwise.reports.partner import Plan, Step
from tierwise.store.partner_rows import Record


def plans_of(
    plans: list[Record], steps: list[Record], workspace: Workspace, wording: Wording
) -> tuple[tuple[Plan, ...], str]:
    """Word the plans, the one with the least effort first.

    Reviews of earlier versions store steps without plans; what the tier would mean then comes from `benefits.yaml`.

    Returns:
        The plans, and why there is none where the review says so.
    """
    by_plan: dict[int, list[Record]] = defaultdict(list)
    for row in steps:
        by_plan[row["plan"]].append(row)
    heads = {row["plan"]: row for row in plans if row["plan"] > 0}
    why_not = next((row["sentence"] for row in plans if row["plan"] == 0), "")
    return tuple(
        _plan(heads.get(number, {}), by_plan[number], workspace, wording) for number in sorted(by_plan)
    ), why_not


def _plan(head: Record, steps: list[Record], workspace: Workspace, wording: Wording) -> Plan:
    first = steps[0]
    reaches = head.get("reaches_tier") or first["reaches_tier"] or ""
    benefits = workspace.benefits.tiers.get(reaches) if workspace.benefits else None
    return Plan(
        number=first["plan"],
        reaches=reaches,
        sentence=head.get("sentence") or "",
        partner_safe=head.get("partner_safe_sentence") or "",
        steps=tuple(_step(row, wording) for row in steps),
        by_when=str(head.get("by_when") or ""),
        robustness=head.get("robustness") if head else first["robustness"],
        gains=head.get("gains") or (supports_words(benefits) if benefits else ""),
        costs=head.get("costs") or "",
    )


def _step(row: Record, wording: Wording) -> Step:
    metric = row["metric"]
    unit = wording.units.get(metric, "")
    title = wording.titles.get(metric, metric.replace("_", " "))
    by_when = str(row.get("by_when") or "")
    return Step(metric, title, figure(row["from"], unit), figure(row["to"], unit), by_when)


def supports_words(benefits: TierBenefits) -> str:
    """What a tier buys the partner, in words: supports and incentives, without our cost."""
    incentives = [
        f"{incentive.name} {figure(float(incentive.rate), 'share')}" if incentive.rate else incentive.name
        for incentive in benefits.incentives
    ]
    return "; ".join([*benefits.supports, *incentives])
