"""A partner's criteria as people read them: value, threshold and margin in the figure's own unit."""

from __future__ import annotations

from tierwise.explain.figures import UNKNOWN, figure, told_apart
from tierwise.explain.wording import Wording
from tierwise.reports.partner import Criterion
from tierwise.store.partner_rows import Record

CONDITION, COUNTED = "is", "units at "
ASKED = {">=": "≥ {}", ">": "> {}", "<=": "≤ {}", "<": "< {}", "=": "= {}", "<>": "≠ {}"}  # fmt: skip
HELD = {"true": "holds", "false": "does not hold"}
_MORE_IS_BETTER, _LESS_IS_BETTER = (">=", ">"), ("<=", "<")


def criteria_of(rows: list[Record], recommendation: Record, wording: Wording) -> tuple[Criterion, ...]:
    """Word the criteria of the recommended tier and of the next one, in that order."""
    tiers = [recommendation.get("recommended_tier"), recommendation.get("next_tier")]
    own = [row for tier in tiers if tier for row in rows if row["tier"] == tier]
    return tuple(criterion_of(row, wording) for row in own)


def signed(value: float | None, unit: str) -> str:
    """Write a difference with its sign and unit; empty where it is unknown, `±0` where there is none."""
    if value is None:
        return ""
    if value == 0:
        return "±0"
    return f"{'+' if value > 0 else '−'}{figure(abs(value), unit)}"


def criterion_of(row: Record, wording: Wording) -> Criterion:
    """Word one row of `criteria`, or of `unit_criteria`."""
    metric, operator = row["metric"] or "", row["operator"] or CONDITION
    is_condition = operator == CONDITION or operator not in ASKED
    title, unit = _title(row, metric, is_condition, wording), _unit(metric, wording)
    margin = None if is_condition else _margin(row["value"], row["threshold"], operator)
    return Criterion(
        tier=row["tier"],
        name=row["criterion"],
        title=title,
        is_named=is_condition and (row["tier"], row["criterion"]) in wording.conditions,
        written="" if _is_plain(metric, is_condition) or metric.startswith(COUNTED) else row["expression"],
        metric=metric,
        operator=operator,
        value=row["value"],
        threshold=None if is_condition else row["threshold"],
        margin=margin,
        met=row["met"],
        is_alternative=bool(row["route"]),
        shown_value=HELD.get(row["met"], UNKNOWN) if is_condition else told_apart(row["value"], row["threshold"], unit),
        shown_threshold="must hold" if is_condition else ASKED[operator].format(figure(row["threshold"], unit)),
        shown_margin=signed(margin, unit),
        shown_keep=_moved_line(row, "keep_threshold", unit),
        shown_gain=_moved_line(row, "gain_threshold", unit),
    )


def _is_plain(metric: str, is_condition: bool) -> bool:
    """Whether a criterion compares one figure, so that nobody needs to see how the policy writes it."""
    return not is_condition and metric.isidentifier()


def _title(row: Record, metric: str, is_condition: bool, wording: Wording) -> str:
    """What the policy or the catalog calls a criterion; else its words."""
    if is_condition and (named := wording.conditions.get((row["tier"], row["criterion"]))):
        return named
    if _is_plain(metric, is_condition):
        return wording.titles.get(metric, metric.replace("_", " "))
    from tierwise.explain.conditions import condition_words, figure_title  # only such criteria need the SQL parser

    words = condition_words(row["expression"], wording) if is_condition else figure_title(metric, wording)
    return words if words in (row["expression"], metric) else words[:1].upper() + words[1:]


def _unit(metric: str, wording: Wording) -> str:
    if metric in wording.units or metric.isidentifier() or not metric:
        return wording.units.get(metric, "")
    from tierwise.explain.conditions import figure_unit  # likewise

    return figure_unit(metric, wording)


def _moved_line(row: Record, column: str, unit: str) -> str:
    """Where a band moves the threshold to; empty where it does not, or the review does not store it."""
    value = row.get(column)
    return "" if value is None or value == row["threshold"] else figure(value, unit)


def _margin(value: float | None, threshold: float | None, operator: str) -> float | None:
    """How much is over the threshold, in the direction that the criterion asks for."""
    if value is None or threshold is None or operator not in (*_MORE_IS_BETTER, *_LESS_IS_BETTER):
        return None
    return value - threshold if operator in _MORE_IS_BETTER else threshold - value
