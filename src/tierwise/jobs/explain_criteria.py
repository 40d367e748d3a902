"""A partner's criteria as people read them: value, threshold and margin in the figure's own unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tierwise.config.policy import Policy
from tierwise.explain.figures import UNKNOWN, figure
from tierwise.explain.wording import Wording
from tierwise.reports.partner import Criterion
from tierwise.store.partner_rows import Record

CONDITION = "is"
ASKED = {">=": "≥ {}", ">": "> {}", "<=": "≤ {}", "<": "< {}", "=": "= {}", "<>": "≠ {}"}  # fmt: skip
HELD = {"true": "holds", "false": "does not hold"}
_MORE_IS_BETTER, _LESS_IS_BETTER = (">=", ">"), ("<=", "<")


def criteria_of(rows: list[Record], recommendation: Record, policy: Policy, wording: Wording) -> tuple[Criterion, ...]:
    """Word the criteria of the recommended tier and of the next one, in that order."""
    tiers = [recommendation.get("recommended_tier"), recommendation.get("next_tier")]
    titles = condition_titles(policy)
    own = [row for tier in tiers if tier for row in rows if row["tier"] == tier]
    return tuple(_criterion(row, titles, wording) for row in own)


def condition_titles(policy: Policy) -> dict[tuple[str, str], str]:
    """The titles that the policy gives to its named checks and flags, by tier and name."""
    return {
        (tier.name, part.name): part.title
        for tier in policy.tiers
        for part in _parts(tier.when)
        if getattr(part, "name", None) and getattr(part, "title", "")
    }


def signed(value: float | None, unit: str) -> str:
    """Write a difference with its sign and unit; empty where it is unknown, `±0` where there is none."""
    if value is None:
        return ""
    if value == 0:
        return "±0"
    return f"{'+' if value > 0 else '−'}{figure(abs(value), unit)}"


def _parts(rule: Any) -> Iterator[Any]:
    """Every part of a tier's rule, the rule itself included."""
    if rule is None or isinstance(rule, str):
        return
    yield rule
    nested = getattr(rule, "all", None) or getattr(rule, "any", None) or ()
    if (count := getattr(rule, "at_least", None)) is not None:
        nested = count.of
    for part in nested:
        yield from _parts(part)


def _criterion(row: Record, titles: dict[tuple[str, str], str], wording: Wording) -> Criterion:
    metric, operator = row["metric"] or "", row["operator"] or CONDITION
    is_condition = operator == CONDITION or operator not in ASKED
    unit = wording.units.get(metric, "")
    margin = None if is_condition else _margin(row["value"], row["threshold"], operator)
    named = titles.get((row["tier"], row["criterion"]))
    return Criterion(
        tier=row["tier"],
        name=row["criterion"],
        title=(named or row["expression"]) if is_condition else wording.titles.get(metric, metric.replace("_", " ")),
        metric=metric,
        operator=operator,
        value=row["value"],
        threshold=None if is_condition else row["threshold"],
        margin=margin,
        met=row["met"],
        is_alternative=bool(row["route"]),
        shown_value=HELD.get(row["met"], UNKNOWN) if is_condition else figure(row["value"], unit),
        shown_threshold="must hold" if is_condition else ASKED[operator].format(figure(row["threshold"], unit)),
        shown_margin=signed(margin, unit),
        shown_keep=_moved_line(row, "keep_threshold", unit),
        shown_gain=_moved_line(row, "gain_threshold", unit),
    )


def _moved_line(row: Record, column: str, unit: str) -> str:
    """Where a band moves the threshold to; empty where it does not, or the review does not store it."""
    value = row.get(column)
    return "" if value is None or value == row["threshold"] else figure(value, unit)


def _margin(value: float | None, threshold: float | None, operator: str) -> float | None:
    """How much is over the threshold, in the direction that the criterion asks for."""
    if value is None or threshold is None or operator not in (*_MORE_IS_BETTER, *_LESS_IS_BETTER):
        return None
    return value - threshold if operator in _MORE_IS_BETTER else threshold - value
