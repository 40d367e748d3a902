"""What a tier costs more than the one below, for the partners near its threshold (`benefits.yaml`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tierwise.config.benefits import TierBenefits
from tierwise.config.durations import Duration
from tierwise.jobs.attribute_history import History, Reviewed
from tierwise.reports.attribution_findings import Money

_PER_YEAR = {"day": 365.25, "month": 12.0, "quarter": 4.0, "year": 1.0}


def extra_cost(
    history: History,
    review: Reviewed,
    places: tuple[int, int],
    frame: pd.DataFrame,
    bandwidth: float | None,
    cutoff: float,
) -> Money | None:
    """Cost of the upper tier less that of the lower, per partner near the threshold, over the time of the outcome.

    Args:
        history: The history.
        review: The review.
        places: The lower and the upper tier's place in the policy.
        frame: The partners compared, with `partner_id` and `figure`.
        bandwidth: How near counts; all partners where there is no estimate.
        cutoff: The threshold.

    Returns:
        None where the workspace has no benefits for a tier, or the outcome is not in the program currency.
    """
    workspace, names = history.workspace, review.policy.tier_names
    currency = workspace.settings.currency.program
    metric = workspace.catalog.metrics[history.declared.outcome]
    tiers = {} if workspace.benefits is None else workspace.benefits.tiers
    lower, upper = (tiers.get(names[place]) for place in places)
    if lower is None or upper is None or metric.unit != currency:
        return None
    near = frame if bandwidth is None else frame[(frame["figure"] - cutoff).abs() <= bandwidth]
    figures = history.on(review.day).reindex(near["partner_id"])
    extra = yearly_cost(upper, figures) - yearly_cost(lower, figures)
    if not len(extra) or not np.isfinite(extra).any():
        return None
    cost = float(np.nanmean(extra)) * years(history.declared.horizon, workspace.settings.calendar.review)
    says = f"what {names[places[1]]} costs more than {names[places[0]]} near the threshold"
    return Money(cost, history.declared.settings.margin, says)


def years(length: Duration, review: str) -> float:
    """A length of time in years; a review is a quarter or a month."""
    unit = review if length.unit == "review" else length.unit
    return length.count / _PER_YEAR[unit]


def yearly_cost(tier: TierBenefits, figures: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The yearly cost of each partner in a tier: service, fixed amounts, and rates on the metrics they are paid on."""
    total = np.full(len(figures), float(tier.unit_cost))
    for incentive in tier.incentives:
        paid = np.full(len(figures), float(incentive.amount or 0))
        if incentive.rate is not None and incentive.on in figures:
            paid = paid + float(incentive.rate) * figures[incentive.on].to_numpy(dtype=float)
        total += paid if incentive.cap is None else np.minimum(paid, float(incentive.cap))
    return total
