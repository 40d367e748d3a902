"""Put partners' pages together from the stored rows of a review; nothing is computed again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.config.policy import Policy
from tierwise.errors import Fault, InvalidInput
from tierwise.explain.figures import UNKNOWN, figure
from tierwise.explain.wording import Wording
from tierwise.jobs.explain_change import changes_of, moved_of, peers_of
from tierwise.jobs.explain_criteria import criteria_of
from tierwise.jobs.explain_ladders import LADDER_TABLES, ladders_of
from tierwise.jobs.explain_model import comparisons_of, potential_of, scores_of
from tierwise.jobs.explain_plans import plans_of
from tierwise.jobs.wording import wording_of
from tierwise.reports.partner import PartnerPage, Reason
from tierwise.reports.partner_words import NO_PLAN, action_words, archetype_note, move_words, next_step
from tierwise.store.manifests import WrittenReview, list_reviews, read_review
from tierwise.store.partner_rows import Record, partner_ids_of, read_by_partner, read_records

TABLES = (
    "recommendations", "reasons", "criteria", "components", "contributions", "roadmap", "plans", "changes",
    "moved_metrics", "similar_partners", "metrics", *LADDER_TABLES,
)  # fmt: skip

_LEFT_OUT = "the potential is not split, and no way up, similar partners or causes of change were looked for."
NOT_EXPLAINED = {
    "movers": f"This run explained only partners that move (--explain movers): {_LEFT_OUT}",
    "none": f"This run explained nobody (--explain none): {_LEFT_OUT}",
}
NOT_LOOKED_FOR = "not looked for by this run; score again with --explain all."

Rows = dict[str, list[Record]]


@dataclass(frozen=True)
class Source:
    """The review that pages are read from, and what its figures are called."""

    workspace: Workspace
    output: Path
    review: WrittenReview
    policy: Policy
    wording: Wording


def explain_partner(
    workspace: Workspace, partner_id: str, as_of: date | None = None, out: Path | None = None
) -> PartnerPage:
    """Read a partner's rows from a review and word them.

    Args:
        workspace: The workspace; its catalog gives titles and units.
        partner_id: The partner.
        as_of: The review; the latest one by default.
        out: The output folder; the workspace's by default.

    Raises:
        InvalidInput: If there is no such review or no such partner in it.
    """
    source = open_review(workspace, as_of, out)
    for page in explain_partners(source, [partner_id]):
        return page
    raise unknown_partner(source, partner_id)


def open_review(workspace: Workspace, as_of: date | None = None, out: Path | None = None) -> Source:
    """Open a review for reading pages from it.

    Raises:
        InvalidInput: If there is no such review, or no review at all.
    """
    output = out or workspace.output_folder
    review = read_review(output, as_of) if as_of else _latest_review(output)
    policy = workspace.policy_on(review.as_of)
    return Source(workspace, output, review, policy, wording_of(workspace, policy))


def explain_partners(
    source: Source, partner_ids: Sequence[str], tables: Sequence[str] = TABLES
) -> Iterator[PartnerPage]:
    """Word the pages of several partners, read at once, in the order given; one that the review lacks is left out."""
    found = read_by_partner(source.output, source.review, tables, partner_ids)
    peers = [row["peer_id"] for rows in found.values() for row in rows.get("similar_partners", ()) if row["peer_id"]]
    names = _names_of(source, sorted(set(peers)))
    for partner_id in partner_ids:
        rows = {name: found[partner_id].get(name, []) for name in TABLES}
        if rows["recommendations"]:
            yield _page(source, rows, names)


def _page(source: Source, rows: Rows, names: dict[str, str]) -> PartnerPage:
    recommendation = {name: _plain(value) for name, value in rows["recommendations"][0].items() if value is not None}
    name = str(recommendation.get("partner_name", recommendation["partner_id"]))
    metrics = rows["metrics"][0] if rows["metrics"] else {}
    plans, why_not = plans_of(rows["plans"], rows["roadmap"], source.workspace, source.wording)
    criteria = criteria_of(rows["criteria"], recommendation, source.wording)
    changes = changes_of(rows["changes"], source.wording)
    return PartnerPage(
        as_of=source.review.as_of,
        workspace=source.workspace.settings.name,
        recommendation=recommendation,
        tiers=source.policy.tier_names,
        name=name,
        profile=_profile(source, recommendation, metrics),
        headline=_headline(recommendation, name, source.review.as_of),
        next_step=next_step(recommendation),
        reasons=tuple(_reason(row) for row in rows["reasons"]),
        criteria=criteria,
        scores=scores_of(rows["components"], recommendation, source.wording),
        potential=potential_of(recommendation, metrics, source.workspace),
        comparisons=comparisons_of(rows["contributions"], recommendation),
        previous_as_of=str(rows["changes"][0]["previous_as_of"]) if rows["changes"] else "",
        changes=changes,
        moved=moved_of(rows["moved_metrics"], source.wording),
        ladders=ladders_of(rows, source.workspace, source.policy, source.wording),
        plans=plans,
        no_plan="" if plans else why_not or (NOT_LOOKED_FOR if _left_out(source.review, rows) else NO_PLAN),
        peers=peers_of(rows["similar_partners"], names, source.wording),
        notes=_notes(source.review, recommendation, rows),
        versions=_versions(source.review, recommendation),
    )


def _latest_review(output: Path) -> WrittenReview:
    reviews = list_reviews(output)
    if not reviews:
        raise InvalidInput(Fault("there is no review yet", str(output), todo="run `tierwise score --as-of DAY` first"))
    return reviews[-1]


def unknown_partner(source: Source, partner_id: str) -> InvalidInput:
    """Say that the review has no such partner, with the nearest id."""
    known = partner_ids_of(source.output, source.review.as_of)
    what = f"no partner {partner_id!r} in the review as of {source.review.as_of}; {hint(partner_id, known)}"
    return InvalidInput(Fault(what, str(source.output), todo="give an id from the recommendations table"))


def _names_of(source: Source, partner_ids: list[str]) -> dict[str, str]:
    if not partner_ids:
        return {}
    columns = ["partner_id", "partner_name"]
    rows = read_records(source.output, source.review, "recommendations", partner_ids, columns)
    return {row["partner_id"]: row["partner_name"] for row in rows if row["partner_name"]}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _reason(row: Record) -> Reason:
    return Reason(row["rank"], row["code"], row["sentence"], row["partner_safe_sentence"])


def _headline(recommendation: Record, name: str, day: date) -> str:
    archetype = f", archetype {recommendation['archetype']}" if "archetype" in recommendation else ""
    action = action_words(recommendation["action"]).lower()
    return f"{name} as of {day}: {action} ({move_words(recommendation)}){archetype}"


def _profile(source: Source, recommendation: Record, metrics: Record) -> tuple[tuple[str, str], ...]:
    """What places the partner: its segments, archetype and manager, as far as the review stores them."""
    segments = source.workspace.settings.segments
    shown = {
        "Region": metrics.get(segments.region or ""),
        "Kind": metrics.get(segments.partner_type or ""),
        "Archetype": recommendation.get("archetype"),
    }
    capacity = source.policy.guardrails.manager_capacity
    if capacity is not None:
        shown["Partner manager"] = metrics.get(capacity.by)
    return tuple((title, str(value)) for title, value in shown.items() if value)


def _left_out(review: WrittenReview, rows: Rows) -> str:
    """Why the run has no explanation of a partner; empty where it has one."""
    return "" if rows["contributions"] else NOT_EXPLAINED.get(review.versions.get("explain", "all"), "")


def _notes(review: WrittenReview, recommendation: Record, rows: Rows) -> tuple[str, ...]:
    """What to know about the data behind the page."""
    tiers = {recommendation.get("recommended_tier"), recommendation.get("next_tier")}
    unknown = sum(row["met"] == UNKNOWN and row["tier"] in tiers for row in rows["criteria"])
    quarantined = review.rows.get("quarantine", 0)
    status = recommendation.get("archetype_status", "named")
    left_out = f"{figure(quarantined, 'rows')} of all partners' data did not keep the contract and were left out."
    found = {
        "Too little history: the potential comes from the profile alone.": recommendation.get("potential_source")
        == "cold_start",
        f"{figure(unknown, 'criteria')} cannot be told from the data; unknown never counts as met.": unknown,
        archetype_note(status): status != "named",
        left_out: quarantined,
        _left_out(review, rows): _left_out(review, rows),
    }
    return tuple(note for note, holds in found.items() if holds)


def _versions(review: WrittenReview, recommendation: Record) -> tuple[tuple[str, str], ...]:
    return (
        ("Model", str(recommendation.get("model_version", UNKNOWN))),
        ("Policy", str(recommendation.get("policy_version", UNKNOWN))),
        ("Data fingerprint", str(recommendation.get("data_fingerprint", UNKNOWN))[:16]),
        ("Run", review.run_id),
    )
