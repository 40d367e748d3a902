"""The review pack: who is where, who moves, who nearly does, who is at risk, all from the stored rows of a review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tierwise.explain.figures import figure
from tierwise.explain.focus import focus_criteria, is_below
from tierwise.jobs.explain import Source, explain_partners
from tierwise.jobs.pack_ladders import pack_ladders
from tierwise.jobs.pack_summary import (
    archetype_lines,
    composition_lines,
    guardrail_hits,
    matrix_lines,
    movers_of,
    tiers_shown,
)
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.reports import digest, pack_page, workbook
from tierwise.reports.pack import Pack, PackRow, PackWritten
from tierwise.reports.pages import file_name
from tierwise.reports.partner_page import as_html
from tierwise.store import read_table
from tierwise.store.page_folder import PageFolder, page_folder

STEPS = 4
MOST_PAGES = 200
NEAR = 0.25
"""A partner is near the next tier when the one thing it lacks is at most a quarter of what is asked."""
READ_AT_ONCE = 500
MOST_SENTENCES = 2
"""Lists show the deciding reason and the next one, which names the figure."""
SHOWN = (
    "partner_id", "partner_name", "current_tier", "eligible_tier", "recommended_tier", "next_tier", "action", "rule",
    "reason_code", "archetype", "potential", "approval_role",
)  # fmt: skip
FOLDER, PAGES, INDEX, WORKBOOK, DIGEST = "pack", "partners", "index.html", "review.xlsx", "digest.md"


@dataclass(frozen=True)
class PackRequest:
    """What to pack, and where to.

    Attributes:
        source: The review.
        to: The pack's folder; `pack/<as_of>` in the output folder by default.
        pages: The most one-pagers; those who move, are at risk or nearly rise come first.
    """

    source: Source
    to: Path | None = None
    pages: int = MOST_PAGES


def write_pack(request: PackRequest, notify: Notify = silent) -> PackWritten:
    """Write the review pack whole or not at all: an index, lists, one-pagers, a workbook, a digest.

    The same review gives the same bytes.

    Raises:
        InvalidInput: If something that is no review pack is in the way.
        OutsideFailure: If a table is damaged or the disk does not allow it.
    """
    steps, source = Steps(notify, STEPS), request.source
    steps.begin("read the review")
    pack = summarise_pack(source)
    chosen = _with_pages(pack, request.pages)
    pack = _linked(pack, {partner: f"{PAGES}/{file_name(partner)}.html" for partner in chosen})
    place = request.to or source.output / FOLDER / source.review.as_of.isoformat()
    with page_folder(place) as folder:
        steps.begin("write the index and the lists")
        pages = pack_page.as_pages(pack)
        for name, text in pages.items():
            folder.text(name, text)
        folder.text(DIGEST, digest.as_markdown(pack))
        steps.begin("write the one-pagers")
        _write_pages(source, chosen, folder)
        steps.begin("write the workbook")
        folder.workbook(WORKBOOK, workbook.sheets_of(pack))
    return PackWritten(f"{place}", len(chosen), len(pages) - 1, len(pack.partners), dict(pack.actions))


def summarise_pack(source: Source) -> Pack:
    """Read a review's tables and count, rank and word what the pack shows."""
    workspace, tiers = source.workspace, source.policy.tier_names
    target = workspace.settings.potential.metric
    metric = workspace.catalog.metrics[target]
    rows = partner_frame(source)
    records = {row.partner_id: row for row in _pack_rows(rows, metric.unit)}
    shown = tiers_shown(rows, tiers)
    below = rows[rows["is_at_risk"]].sort_values(["value", "partner_id"], ascending=[False, True], kind="stable")
    near = rows[rows["nearness"].notna()].sort_values(["nearness", "partner_id"], kind="stable")
    actions = rows["action"].value_counts(sort=False).sort_index()
    return Pack(
        workspace=workspace.settings.name,
        as_of=source.review.as_of,
        tiers=shown,
        value_title=metric.title or target,
        unit=metric.unit,
        shown_total=figure(_total(rows["value"]), metric.unit),
        shown_at_risk=figure(_total(below["value"]), metric.unit),
        actions=tuple((str(name), int(number)) for name, number in actions.items()),
        composition=composition_lines(rows, shown, metric.unit),
        matrix=matrix_lines(rows, tiers),
        archetypes=archetype_lines(rows, shown, metric.unit),
        guardrails=guardrail_hits(rows, records),
        movers=_records(records, movers_of(rows, tiers)["partner_id"]),
        near_misses=_records(records, near["partner_id"]),
        at_risk=_records(records, below["partner_id"]),
        partners=tuple(records.values()),
        versions=(*sorted(source.review.versions.items()), ("run", source.review.run_id)),
        ladders=pack_ladders(source, records),
    )


def partner_frame(source: Source) -> pd.DataFrame:
    """One row per partner with what lists show: the recommendation, its first sentences, value, risk, nearness."""
    output, day = source.output, source.review.as_of
    recommendations = read_table(output, day, "recommendations")
    criteria = read_table(output, day, "criteria")
    reasons = read_table(output, day, "reasons")[["partner_id", "rank", "code", "sentence"]]
    deciding = reasons[reasons["rank"] <= MOST_SENTENCES].groupby("partner_id")["sentence"].agg(" ".join)
    # Scores are left out: a policy may call one `value` or `region`.
    frame = recommendations[list(SHOWN)].assign(why=recommendations["partner_id"].map(deciding).fillna(""))
    frame = frame.merge(_stored_metrics(source), on="partner_id", how="left", validate="one_to_one")
    near = near_misses(recommendations, criteria, reasons, source.policy.tier_names)
    frame = frame.merge(near, on="partner_id", how="left", validate="one_to_one")
    falling = is_below(recommendations, source.policy.tier_names) | (recommendations["action"] == "demote")
    return frame.assign(is_at_risk=falling.to_numpy())


def near_misses(
    recommendations: pd.DataFrame, criteria: pd.DataFrame, reasons: pd.DataFrame, tier_names: Sequence[str]
) -> pd.DataFrame:
    """Who lacks exactly one item for the next tier, and little of it.

    Returns:
        `partner_id, nearness, missing`: the share of what is asked that is missing (0 for who is over every threshold
        but inside the promotion's margin), and the stored sentence that names it.
    """
    focus = focus_criteria(recommendations, criteria, tier_names)
    one = focus[(focus["code"] == "missing_for_next_tier") & (focus["others"] == 0)]
    short = (one["gap"] / one["threshold"].abs().where(one["threshold"] != 0)).abs()
    close = one.assign(nearness=short)[short <= NEAR]
    inside = recommendations[recommendations["reason_code"] == "inside_promotion_band"]
    both = pd.concat(
        [
            close[["partner_id", "code", "nearness"]],
            inside[["partner_id"]].assign(code="inside_promotion_band", nearness=0.0),
        ]
    ).drop_duplicates("partner_id", keep="last")
    said = reasons.drop_duplicates(["partner_id", "code"]).rename(columns={"sentence": "missing"})
    found = both.merge(said[["partner_id", "code", "missing"]], on=["partner_id", "code"], how="left")
    return found[["partner_id", "nearness", "missing"]]


def _stored_metrics(source: Source) -> pd.DataFrame:
    """Value, region and manager as the review stored them; missing where it did not."""
    settings, capacity = source.workspace.settings, source.policy.guardrails.manager_capacity
    wanted = {
        "value": settings.potential.metric,
        "region": settings.segments.region,
        "manager": None if capacity is None else capacity.by,
    }
    if "metrics" not in source.review.rows:
        return pd.DataFrame({"partner_id": pd.Series(dtype="str")}).assign(value=np.nan, region="", manager="")
    stored = read_table(source.output, source.review.as_of, "metrics")
    found = {name: stored[column] if column in stored.columns else None for name, column in wanted.items()}
    return stored[["partner_id"]].assign(**found)


def _pack_rows(rows: pd.DataFrame, unit: str) -> Iterable[PackRow]:
    texts = ["region", "manager", "archetype", "current_tier", "recommended_tier", "approval_role", "missing"]
    shown = rows.assign(**{name: rows[name].astype("object").where(rows[name].notna(), "") for name in texts})
    shown = shown.assign(name=rows["partner_name"].fillna(rows["partner_id"]))
    columns = ["partner_id", "name", *texts, "action", "why", "value", "potential", "is_at_risk"]
    for row in shown[columns].to_dict("records"):
        value, potential = (None if pd.isna(row[name]) else float(row[name]) for name in ("value", "potential"))
        plain = {str(name): str(cell) for name, cell in row.items() if isinstance(cell, str)}
        yield PackRow(
            **plain,
            value=value,
            shown_value=figure(value, unit),
            potential=potential,
            shown_potential=figure(potential, unit),
            is_at_risk=bool(row["is_at_risk"]),
        )


def _records(records: dict[str, PackRow], partner_ids: Iterable[str]) -> tuple[PackRow, ...]:
    return tuple(records[partner] for partner in partner_ids)


def _total(values: pd.Series) -> float | None:
    return float(values.sum()) if values.notna().any() else None


def _with_pages(pack: Pack, most: int) -> list[str]:
    """Whom the pack has a one-pager of: who moves, is at risk or nearly rises, then the most valuable."""
    rest = sorted(pack.partners, key=lambda row: (-(row.value or 0.0), row.partner_id))
    on_tracks = (move.row for move in pack.ladders.moves)
    order = [row.partner_id for row in (*pack.movers, *on_tracks, *pack.at_risk, *pack.near_misses, *rest)]
    return sorted(list(dict.fromkeys(order))[:most])


def _linked(pack: Pack, pages: dict[str, str]) -> Pack:
    def link(row: PackRow) -> PackRow:
        return replace(row, page=pages.get(row.partner_id, ""))

    def linked(rows: Iterable[PackRow]) -> tuple[PackRow, ...]:
        return tuple(link(row) for row in rows)

    return replace(
        pack,
        movers=linked(pack.movers),
        near_misses=linked(pack.near_misses),
        at_risk=linked(pack.at_risk),
        partners=linked(pack.partners),
        guardrails=tuple(replace(hit, examples=linked(hit.examples)) for hit in pack.guardrails),
        ladders=pack.ladders.linked(link),
    )


def _write_pages(source: Source, partner_ids: list[str], folder: PageFolder) -> None:
    for start in range(0, len(partner_ids), READ_AT_ONCE):
        for page in explain_partners(source, partner_ids[start : start + READ_AT_ONCE]):
            folder.text(f"{PAGES}/{file_name(page.partner_id)}.html", as_html(page, back=f"../{INDEX}"))
