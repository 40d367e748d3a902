"""One partner's page for a terminal: tier, why, what the next tier asks, what would reach it."""

from __future__ import annotations

from tierwise.reports.partner import PartnerPage, Plan
from tierwise.reports.partner_words import action_words
from tierwise.reports.text_table import text_table


def as_text(page: PartnerPage) -> str:
    """Give the page as text for a terminal; a part that is empty has no heading."""
    parts = (
        page.headline, _why(page), _dates(page), page.potential.line, _comparisons(page), _criteria(page),
        _tracks(page), _units(page), _scores(page), _changes(page), _way_up(page), _peers(page), _notes(page),
    )  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def _why(page: PartnerPage) -> str:
    lines = [f"  {reason.rank}. {reason.sentence}" for reason in page.reasons]
    return "\n".join(["Why:", *lines, f"Next: {page.next_step}"])


def _dates(page: PartnerPage) -> str:
    named = {
        "approval_role": "approval by", "effective_on": "takes effect on", "notice_on": "notice given on",
        "grace_until": "grace until", "pending_tier": "tier announced",
    }  # fmt: skip
    found = [f"{words} {page.recommendation[name]}" for name, words in named.items() if name in page.recommendation]
    return "Dates and approvals: " + ", ".join(found) if found else ""


def _comparisons(page: PartnerPage) -> str:
    parts = []
    for comparison in page.comparisons:
        rows = [(family.name, family.shown_factor) for family in comparison.families]
        title = f"Associated with the potential, against {comparison.title}:"
        parts.append(f"{title}\n" + text_table(("family", "factor"), rows, right={1}))
    return "\n\n".join(parts)


def _criteria(page: PartnerPage) -> str:
    if not page.criteria:
        return ""
    rows = [
        (each.tier, each.title, each.shown_value, each.shown_threshold, each.met, each.shown_margin)
        for each in page.criteria
    ]
    return "Criteria:\n" + text_table(("tier", "criterion", "this partner", "asked", "met", "margin"), rows, {2, 3, 5})


def _tracks(page: PartnerPage) -> str:
    rows = [
        (each.title, each.move or "none", action_words(each.action), each.next_tier or "-", each.approval_role or "-")
        for each in page.ladders.tracks
    ]
    return "Tracks:\n" + text_table(("track", "tier", "action", "next tier", "approval by"), rows) if rows else ""


def _units(page: PartnerPage) -> str:
    ladders = page.ladders
    rows = [
        (each.unit, each.tier or "none", "yes" if each.decides else "", each.next_tier or "-", each.gap)
        for each in ladders.units
    ]
    header = (ladders.unit_title.lower(), "tier by its figures", "decides", "next tier", "nearest gap to it")
    return f"By {ladders.unit_title.lower()}:\n" + text_table(header, rows) if rows else ""


def _scores(page: PartnerPage) -> str:
    parts = []
    for score in page.scores:
        rows = [(part.title, part.dimension, points(part.points), points(part.most)) for part in score.parts]
        rows.append(("total", "", points(score.total), ""))
        parts.append(f"{score.title}:\n" + text_table(("part", "dimension", "points", "of"), rows, right={2, 3}))
    return "\n\n".join(parts)


def _changes(page: PartnerPage) -> str:
    if not page.changes:
        return ""
    rows = [
        (each.title, each.before, each.now, each.from_data, each.from_model, each.from_policy) for each in page.changes
    ]
    header = ("figure", "before", "now", "data", "model", "policy")
    moved = [f"  {each.title}: {each.before} -> {each.now}" for each in page.moved]
    lines = ["Moved most:", *moved] if moved else []
    table = text_table(header, rows, right={1, 2, 3, 4, 5})
    return "\n".join([f"What changed since {page.previous_as_of}, and from what:", table, *lines])


def _way_up(page: PartnerPage) -> str:
    if "next_tier" not in page.recommendation:
        return ""
    if not page.plans:
        return f"Way up: {page.no_plan}"
    return "\n".join([f"Way up to {page.plans[0].reaches}:", *(line for plan in page.plans for line in _plan(plan))])


def _plan(plan: Plan) -> list[str]:
    head = [f"  plan {plan.number}: {plan.sentence}"] if plan.sentence else []
    steps = [
        f"  plan {plan.number}, step {place}: {step.title} from {step.start} to {step.goal}"
        for place, step in enumerate(plan.steps, start=1)
    ]
    gains = [f"    it would bring: {plan.gains}"] if plan.gains and plan.number == 1 else []
    return [*head, *steps, *gains]


def _peers(page: PartnerPage) -> str:
    lines = []
    for peer in page.peers:
        moves = "; ".join(f"{move.title} {move.before} -> {move.now}" for move in peer.moves)
        lines.append(f"  {peer.shown}, now {peer.tier}: {moves or 'none of its figures rose'}")
    return "\n".join(["Similar partners one tier up, and what they raised:", *lines]) if lines else ""


def _notes(page: PartnerPage) -> str:
    return "\n".join(f"note: {note}" for note in page.notes)


def points(value: float | None) -> str:
    """Write points of a score with one decimal."""
    return "-" if value is None else f"{value:.1f}"
