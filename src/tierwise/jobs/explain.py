"""Put one partner's page together from the stored rows of a review; nothing is computed again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput
from tierwise.explain.figures import UNKNOWN, factor, figure
from tierwise.explain.focus import CONDITION
from tierwise.explain.wording import Wording
from tierwise.jobs.wording import wording_of
from tierwise.reports.partner import PartnerPage
from tierwise.store import list_reviews, read_table
from tierwise.store.manifests import read_review
from tierwise.store.partner_rows import read_records
from tierwise.tables.output_schemas import output_table

TABLES = ("recommendations", "reasons", "criteria", "contributions", "roadmap")
STRONGEST_FAMILIES = 5
SOURCES = {
    "model": "from the potential model",
    "persistence": "taken from the last period, because no model has proven better",
    "cold_start": "from the profile alone, because there is too little history",
}


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
    output = out or workspace.output_folder
    day = as_of or _latest_review(output)
    review = read_review(output, day)
    rows = {
        name: pd.DataFrame(
            read_records(output, review, name, [partner_id]),
            columns=None if name == "recommendations" else list(output_table(name).columns),
        )
        for name in TABLES
    }
    for name in ("criteria", "contributions", "roadmap"):
        rows[name] = rows[name].astype(
            {
                column: "float64"
                for column in ("value", "threshold", "gap", "contribution", "from", "to")
                if column in rows[name].columns
            }
        )
    if rows["recommendations"].empty:
        raise InvalidInput(_unknown_partner(output, day, partner_id))
    recommendation = _without_empty({str(name): value for name, value in rows["recommendations"].iloc[0].items()})
    wording = wording_of(workspace, workspace.policy_on(day))
    return PartnerPage(
        as_of=day,
        recommendation=recommendation,
        reasons=rows["reasons"][["rank", "code", "sentence"]],
        criteria=_shown_criteria(rows["criteria"], recommendation, wording),
        contributions=_families(rows["contributions"]),
        roadmap=_shown_roadmap(rows["roadmap"], wording),
        headline=_headline(recommendation, day),
        potential_line=_potential_line(recommendation, workspace),
    )


def _latest_review(output: Path) -> date:
    reviews = list_reviews(output)
    if not reviews:
        raise InvalidInput(Fault("there is no review yet", str(output), todo="run `tierwise score --as-of DAY` first"))
    return reviews[-1].as_of


def _unknown_partner(output: Path, day: date, partner_id: str) -> Fault:
    known = read_table(output, day, "recommendations")["partner_id"]
    what = f"no partner {partner_id!r} in the review as of {day}; {hint(partner_id, known)}"
    return Fault(what, str(output), todo="give an id from the recommendations table")


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items() if not pd.isna(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def _headline(recommendation: dict[str, Any], day: date) -> str:
    now, then = recommendation.get("current_tier"), recommendation.get("recommended_tier", "no tier")
    name = recommendation.get("partner_name", recommendation["partner_id"])
    archetype = f", archetype {recommendation['archetype']}" if "archetype" in recommendation else ""
    move = f"{now} -> {then}" if now and now != then else f"{then}"
    return f"{name} as of {day}: {recommendation['action']} ({move}){archetype}"


def _potential_line(recommendation: dict[str, Any], workspace: Workspace) -> str:
    potential = workspace.settings.potential
    metric = workspace.catalog.metrics[potential.metric]
    shown = figure(recommendation.get("potential"), metric.unit)
    low, high = (figure(recommendation.get(f"potential_{end}"), metric.unit) for end in ("low", "high"))
    interval = "no interval yet" if low == high == UNKNOWN else f"interval {low} to {high}"
    source = SOURCES[recommendation["potential_source"]]
    return f"Potential over the next {potential.horizon}: {shown} ({interval}); {source}"


def _shown_criteria(criteria: pd.DataFrame, recommendation: dict[str, Any], wording: Wording) -> pd.DataFrame:
    """The criteria of the recommended tier and of the next one, in the metric's own unit."""
    tiers = [recommendation.get("recommended_tier"), recommendation.get("next_tier")]
    rows = criteria[criteria["tier"].isin([tier for tier in tiers if tier])]
    condition = (rows["operator"] == CONDITION).to_numpy()
    missed = (rows["met"] != "true").to_numpy()
    return pd.DataFrame(
        {
            "tier": rows["tier"].to_numpy(),
            "criterion": rows["criterion"].to_numpy(),
            "expression": rows["expression"].to_numpy(),
            "shown_value": np.where(condition, _held(rows), _figures(rows, "value", wording)),
            "shown_threshold": np.where(condition, rows["expression"], _figures(rows, "threshold", wording)),
            "met": rows["met"].to_numpy(),
            "shown_gap": np.where(missed & ~condition, _figures(rows, "gap", wording), ""),
        }
    )


def _held(rows: pd.DataFrame) -> list[str]:
    words = {"true": "holds", "false": "does not hold"}
    return [words.get(met, UNKNOWN) for met in rows["met"]]


def _figures(rows: pd.DataFrame, column: str, wording: Wording) -> list[str]:
    units = [wording.units.get(name, "") for name in rows["metric"]]
    return [figure(value, unit) for value, unit in zip(rows[column], units, strict=True)]


def _families(contributions: pd.DataFrame) -> pd.DataFrame:
    """The families' factors on the potential against the whole channel, the strongest first."""
    channel = contributions[(contributions["target"] == "potential") & (contributions["baseline"] == "channel")]
    sums = channel.groupby("family", as_index=False, sort=True)["contribution"].sum()
    order = sums["contribution"].abs().sort_values(ascending=False, kind="stable").index
    strongest: pd.DataFrame = sums.loc[order].head(STRONGEST_FAMILIES).reset_index(drop=True)
    strongest["factor"] = np.exp(strongest["contribution"])
    strongest["shown_factor"] = [factor(value) for value in strongest["factor"]]
    return strongest


def _shown_roadmap(roadmap: pd.DataFrame, wording: Wording) -> pd.DataFrame:
    titles = [wording.titles.get(name, name) for name in roadmap["metric"]]
    return roadmap.assign(
        title=titles, shown_from=_figures(roadmap, "from", wording), shown_to=_figures(roadmap, "to", wording)
    )[["plan", "step", "metric", "title", "shown_from", "shown_to", "reaches_tier", "valid"]]
