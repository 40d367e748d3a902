"""The one-pager: one partner on one sheet of A4, as HTML that needs no script and no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tierwise.reports import charts
from tierwise.reports.charts import Mark
from tierwise.reports.ladders import MOST_SHOWN
from tierwise.reports.pages import render
from tierwise.reports.partner import Comparison, Criterion, Family, PartnerPage, Plan, Score, ScorePart
from tierwise.reports.partner_fit import density, lines_of

MOST_CRITERIA, MOST_PARTS, MOST_FAMILIES = 9, 8, 5
DATES = {
    "approval_role": "Approval by",
    "pending_tier": "Tier announced",
    "effective_on": "Takes effect on",
    "notice_on": "Notice given on",
    "grace_until": "Grace until",
}


@dataclass(frozen=True)
class CriterionRow:
    """One line of the table of criteria: a figure against what the tier and the next one ask.

    Attributes:
        title: What people read for the figure.
        shown_value: The partner's value with its unit.
        keep: The recommended tier's criterion, if it asks for the figure.
        reach: The next tier's.
        chart: Where the value stands between the two; empty for a condition.
    """

    title: str
    shown_value: str
    keep: Criterion | None
    reach: Criterion | None
    chart: Markup

    @property
    def has_bands(self) -> bool:
        """Whether a band moves a threshold of the line, which takes a second line."""
        return bool((self.keep and self.keep.shown_keep) or (self.reach and self.reach.shown_gain))


@dataclass(frozen=True)
class Bar:
    """One line with a bar: its title, what it shows, and the bar."""

    title: str
    note: str
    shown: str
    chart: Markup


@dataclass(frozen=True)
class Bars:
    """A small table of bars under a title."""

    title: str
    total: str
    rows: tuple[Bar, ...]


@dataclass(frozen=True)
class OnePager:
    """What the template of the one-pager shows beside the page's own fields.

    Attributes:
        criteria: The lines of the table of criteria, as many as fit.
        left_out: How many more criteria there are.
        written: Conditions and formulas that are shown in words, with how the policy writes them.
        scores: The first score with its parts.
        other_scores: Further scores, by title and total.
        families: The potential by families, against each baseline.
        potential_chart: The potential with its interval.
        dates: Approvals and dates, with what they are.
        first_plan: The plan with the least effort.
        other_plans: The other plans.
        density: How small the print is set, so that all of it fits one sheet.
    """

    criteria: tuple[CriterionRow, ...]
    left_out: int
    written: tuple[tuple[str, str], ...]
    scores: tuple[Bars, ...]
    other_scores: tuple[tuple[str, str], ...]
    families: tuple[Bars, ...]
    potential_chart: Markup
    dates: tuple[tuple[str, str], ...]
    first_plan: Plan | None
    other_plans: tuple[Plan, ...]
    density: str

    @property
    def has_bands(self) -> bool:
        """Whether a line shows a threshold with its band."""
        return any(row.has_bands for row in self.criteria)


def as_html(page: PartnerPage, back: str = "") -> str:
    """Render a partner's page for a manager.

    Args:
        page: The page.
        back: Where the page's link to its review pack leads; none where it stands alone.
    """
    return render("partner.html", page=page, sheet=_one_pager(page), back=back, most_ladders=MOST_SHOWN)


def _one_pager(page: PartnerPage) -> OnePager:
    rows = _criterion_rows(page)
    shown = _most_telling(rows)
    scores = tuple(_score_bars(score) for score in page.scores[:1])
    families = [_family_bars(comparison) for comparison in page.comparisons[:2]]
    dates = [(title, str(page.recommendation[name])) for name, title in DATES.items() if name in page.recommendation]
    return OnePager(
        criteria=shown,
        left_out=len(rows) - len(shown),
        written=tuple({each.title: each.written for each in page.criteria if each.written}.items()),
        scores=scores,
        other_scores=tuple((score.title, f"{score.total:.1f}") for score in page.scores[1:3]),
        families=tuple(families),
        potential_chart=_potential_chart(page),
        dates=tuple(dates),
        first_plan=page.plans[0] if page.plans else None,
        other_plans=page.plans[1:3],
        density=density(lines_of(page, [(row.title, row.has_bands) for row in shown], scores, families)),
    )


def _criterion_rows(page: PartnerPage) -> list[CriterionRow]:
    """Set the tier's criteria and the next tier's side by side where both ask for the same figure."""
    keep_tier = page.tier("recommended_tier")
    rows: dict[tuple[str, str, int], dict[str, Criterion]] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for criterion in page.criteria:
        side = "keep" if criterion.tier == keep_tier else "reach"
        what = criterion.metric if criterion.operator != "is" else criterion.title
        nth = seen[(side, what, criterion.operator)] = seen.get((side, what, criterion.operator), -1) + 1
        rows.setdefault((what, criterion.operator, nth), {})[side] = criterion
    return [_criterion_row(sides.get("keep"), sides.get("reach")) for sides in rows.values()]


def _criterion_row(keep: Criterion | None, reach: Criterion | None) -> CriterionRow:
    first = keep or reach
    assert first is not None, "a line has at least one side"
    asked = [(side, kind) for side, kind in ((keep, "keep"), (reach, "reach")) if side is not None]
    marks = [Mark(side.threshold, kind) for side, kind in asked if side.threshold is not None]
    said = "; ".join(f"{side.tier} asks {side.shown_threshold}" for side, _ in asked)
    chart = charts.scale(first.value, marks, f"{first.shown_value}; {said}") if marks else Markup("")
    return CriterionRow(first.title, first.shown_value, keep, reach, chart)


def _most_telling(rows: Sequence[CriterionRow]) -> tuple[CriterionRow, ...]:
    """As many lines as fit: those missed for the tier, for the next one, then the rest; conditions after figures."""

    def rank(row: CriterionRow) -> tuple[int, bool]:
        missed = [side is not None and side.met != "true" for side in (row.keep, row.reach)]
        return (0 if missed[0] else 1 if missed[1] else 2, not row.chart)

    return tuple(sorted(rows, key=rank)[:MOST_CRITERIA])


def _score_bars(score: Score) -> Bars:
    """Every point of a score: the largest parts one by one, all others together."""
    order = sorted(score.parts, key=lambda part: (-(part.most or part.points or 0.0), part.title))
    shown, rest = order, []
    if len(order) > MOST_PARTS:
        shown, rest = order[: MOST_PARTS - 1], order[MOST_PARTS - 1 :]
    largest = max((part.most or part.points or 0.0 for part in shown), default=0.0)
    rows = [_part_bar(part, largest) for part in shown]
    if rest:
        together = sum(part.points or 0.0 for part in rest)
        rows.append(Bar(f"{len(rest)} more parts", "", f"{together:.1f}", Markup("")))
    return Bars(score.title, f"{score.total:.1f}", tuple(rows))


def _part_bar(part: ScorePart, largest: float) -> Bar:
    shown = "unknown" if part.points is None else f"{part.points:.1f}"
    said = shown if part.most is None else f"{shown} of {part.most:g}"
    return Bar(part.title, part.dimension, said, charts.part(part.points, part.most, largest, f"{said} points"))


def _family_bars(comparison: Comparison) -> Bars:
    """The strongest families, and all others together, so that the factors multiply to the whole."""
    shown, rest = list(comparison.families), []
    if len(shown) > MOST_FAMILIES:
        shown, rest = shown[: MOST_FAMILIES - 1], shown[MOST_FAMILIES - 1 :]
    largest = max((abs(family.effect) for family in shown), default=0.0)
    rows = [_family_bar(family, largest) for family in shown]
    if rest:
        rows.append(_family_bar(_together(rest), largest))
    return Bars(comparison.title, _times(comparison.total), tuple(rows))


def _together(families: Sequence[Family]) -> Family:
    effect = sum(family.effect for family in families)
    return Family(f"{len(families)} others", effect, 0.0, _times(effect))


def _family_bar(family: Family, largest: float) -> Bar:
    direction = "raises" if family.effect > 0 else "lowers" if family.effect < 0 else "leaves"
    label = f"{family.name}: {family.shown_factor}, {direction} the expected value"
    return Bar(family.name, "", family.shown_factor, charts.effect(family.effect, largest, label))


def _times(effect: float) -> str:
    value = 2.718281828459045**effect
    return f"× {value:.2f}" if value < 10 else f"× {value:,.0f}"


def _potential_chart(page: PartnerPage) -> Markup:
    potential = page.potential
    now = "" if potential.now is None else f"; {potential.now_title} {potential.shown_now}"
    label = f"Potential {potential.shown}, {potential.shown_interval}{now}"
    return charts.interval(potential.low, potential.value, potential.high, potential.now, label)
