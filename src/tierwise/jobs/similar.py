"""Similar partners: put the channel now beside itself a year ago."""

from __future__ import annotations

import pandas as pd

from tierwise.config.calendar import shift_quarters
from tierwise.config.load import Workspace
from tierwise.explain.similar import Channel, similar_partners
from tierwise.jobs.changes import ReviewNow
from tierwise.tables.output_schemas import empty_table

QUARTERS_BACK = 4
SIGNS = {"up": 1.0, "down": -1.0}


def find_similar(workspace: Workspace, now: ReviewNow, panel: pd.DataFrame) -> pd.DataFrame:
    """Find the partners one tier up that were like each partner a year ago.

    Args:
        workspace: The workspace; its segment `region` and the archetypes say who is preferred.
        now: What this review found.
        panel: Metric rows of earlier quarter ends, a year ago among them.

    Returns:
        The output table `similar_partners`, for managers only.
    """
    day = pd.Timestamp(shift_quarters(now.as_of, -QUARTERS_BACK))
    then = panel[(panel["as_of"] == day) & panel["first_seen"].notna()]
    catalog = workspace.catalog.metrics
    metrics = tuple(name for name, metric in catalog.items() if metric.feature)
    tiers = now.moves[["partner_id", "recommended_tier", "next_tier"]].rename(columns={"recommended_tier": "tier"})
    inputs = now.inputs.merge(tiers, on="partner_id", validate="one_to_one")
    region = workspace.settings.segments.region
    inputs["archetype"] = inputs["archetype_id"]
    inputs["region"] = inputs[region] if region in inputs.columns else pd.Series(pd.NA, index=inputs.index, dtype="str")
    directions = {name: SIGNS[catalog[name].direction] for name in metrics if catalog[name].direction in SIGNS}
    columns = ["partner_id", "tier", "next_tier", "archetype", "region", *metrics]
    found = similar_partners(Channel(inputs[columns], then[["partner_id", *metrics]], metrics, directions))
    if found.empty:
        return empty_table("similar_partners")
    alike = pd.Series(day, index=found.index, dtype="datetime64[us]").where(found["rank"] > 0)
    return found.assign(alike_as_of=alike)
