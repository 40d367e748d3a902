"""Rows of questions that could not even be put to an estimator: the reason in place of the number."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tierwise.pilots.discontinuity import METHOD
from tierwise.pilots.results import Grade, Result
from tierwise.reports.attribution_findings import Analysis

# Method, estimand, grade and assumptions of each way of looking, as its estimator would have given them.
_ROWS: Mapping[str, tuple[str, str, Grade, tuple[str, ...]]] = MappingProxyType(
    {
        "threshold": (
            METHOD,
            "effect of the tier at the threshold",
            "discontinuity",
            ("continuity_at_threshold", "no_manipulation"),
        ),
        "rollout": (
            "Callaway and Sant'Anna, simple",
            "effect on the treated: average over units and periods since their start",
            "difference_in_differences",
            ("parallel_trends", "no_anticipation", "no_interference"),
        ),
        "region": (
            "synthetic difference in differences, placebo inference",
            "effect on the treated region, average over the periods since the start",
            "difference_in_differences",
            ("synthetic_match", "no_anticipation", "no_interference"),
        ),
        "alternative_policy": (
            "augmented inverse propensity weighting",
            "mean outcome under the alternative less the mean outcome as it was",
            "randomised",
            ("known_propensity", "overlap", "no_interference"),
        ),
    }
)


def row_without(analysis: Analysis, reason_code: str, metric: str, arms: tuple[str, str], alpha: float) -> Result:
    """A primary row without a number.

    Args:
        analysis: How it would have been looked at.
        reason_code: Why there is no number.
        metric: The outcome.
        arms: What would have been compared with what.
        alpha: The error rate.
    """
    method, estimand, grade, assumptions = _ROWS[analysis]
    return Result(
        metric=metric,
        role="primary",
        arm=arms[0],
        control=arms[1],
        method=method,
        estimand=estimand,
        grade=grade,
        assumptions=assumptions,
        level=1 - alpha,
        reason_code=reason_code,
    )
