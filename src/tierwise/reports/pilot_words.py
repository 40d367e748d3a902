"""How a pilot's figures are written: money with its interval, changes in per cent, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tierwise.pilots.results import REASONS
from tierwise.reports.pilot_story import PilotStory, Row, money_row

VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "roll_out": "Roll out",
        "do_not_roll_out": "Do not roll out",
        "inconclusive": "Not decided: the evidence does not suffice",
        "no_verdict": "No verdict",
    }
)
MINUS = "\N{MINUS SIGN}"


def figure(value: float | None, unit: str = "", *, signed: bool = False) -> str:
    """Write a number in three digits with its unit: `12,300 USD`; unknown as a dash."""
    if value is None:
        return "–"
    rounded = float(f"{value:.3g}")
    shape = "+" if signed else ""
    text = f"{rounded:{shape},.0f}" if abs(rounded) >= 10 or rounded == 0 else f"{rounded:{shape}.3g}"
    return f"{text} {unit}".strip().replace("-", MINUS)


def share(value: float | None, *, signed: bool = True) -> str:
    """Write a share in per cent with one decimal: `+8.2 %`; unknown as a dash."""
    if value is None:
        return "–"
    return f"{100 * value:{'+' if signed else ''}.1f} %".replace("-", MINUS)


def whole_share(value: float | None) -> str:
    """Write a share in per cent with no more decimals than it needs: `95 %`."""
    return "–" if value is None else f"{round(100 * value, 4):g} %"


def between(low: float | None, high: float | None, unit: str = "", *, signed: bool = True) -> str:
    """Write an interval; one without an end says so."""
    if low is None and high is None:
        return "no end on either side"
    ends = ["without end" if end is None else figure(end, signed=signed) for end in (low, high)]
    return f"{ends[0]} to {ends[1]} {unit}".strip()


def share_between(low: float | None, high: float | None) -> str:
    """Write an interval of shares."""
    if low is None and high is None:
        return "no end on either side"
    ends = ["without end" if end is None else share(end) for end in (low, high)]
    return f"{ends[0]} to {ends[1]}"


def p_value(value: float | None) -> str:
    """Write a p-value in three decimals."""
    if value is None:
        return "–"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def why_not(row: Row) -> str:
    """Say why a row has no number."""
    return REASONS.get(str(row["reason_code"]), "not computed")


def answer_in_money(story: PilotStory, arm: str) -> str:
    """Say in one sentence what an arm brought: the first primary metric with its interval, and the cost."""
    cost = money_row(story.money(arm), "cost")
    spent = "" if cost is None else f", for {figure(cost['estimate'], story.pilot.currency)} of cost"
    for outcome in story.outcomes("primary"):
        row = story.row(outcome.name, arm)
        if row is not None and row["estimate"] is not None:
            change = figure(row["estimate"], outcome.unit, signed=True)
            return f"{outcome.title}: {change} per partner ({between(row['low'], row['high'], outcome.unit)}){spent}."
        if row is not None:
            return f"{outcome.title}: no figure, because {why_not(row)}."
    return "The pilot has no primary metric."


def whole_arm(story: PilotStory, arm: str) -> str:
    """Say what the first primary metric in money changed by over the whole arm; empty where there is none."""
    rows = [story.row(one.name, arm) for one in story.outcomes("primary") if one.unit == story.pilot.currency]
    row = next((one for one in rows if one is not None and one["estimate"] is not None), None)
    if row is None:
        return ""
    partners = row["arm_units"]
    low, high = (None if row[name] is None else row[name] * partners for name in ("low", "high"))
    total = figure(row["estimate"] * partners, story.pilot.currency, signed=True)
    return f"Over all {partners:,} partners of the arm: {total} ({between(low, high, story.pilot.currency)})."
