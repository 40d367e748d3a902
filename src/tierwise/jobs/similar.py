"""Similar partners: put the channel now beside itself a year ago."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tierwise.config.calendar import shift_quarters
from tierwise.config.load import Workspace
from tierwise.explain.similar import Channel, similar_partners
from tierwise.jobs.changes import ReviewNow
from tierwise.tables.output_schemas import empty_table

QUARTERS_BACK = 4
SIGNS = {"up": 1.0, "down": -1.0}


@dataclass(frozen=True, eq=False)
class SimilarPartners:
    """The partners one tier up that were like each partner a year ago.

    Attributes:
        channel: The channel now and a year ago.
        alike_as_of: The day a year ago.
    """

    channel: Channel
    alike_as_of: pd.Timestamp

    @classmethod
    def among(cls, workspace: Workspace, now: ReviewNow, year_ago: pd.DataFrame) -> SimilarPartners:
        """Put the channel now beside itself a year ago.

        Args:
            workspace: The workspace; its segment `region` and the archetypes say who is preferred.
            now: What this review found.
            year_ago: Metric rows of a year ago.
        """
        catalog = workspace.catalog.metrics
        metrics = compared_metrics(workspace)
        tiers = now.moves[["partner_id", "recommended_tier", "next_tier"]].rename(columns={"recommended_tier": "tier"})
        region = workspace.settings.segments.region
        known = region is not None and region in now.inputs.columns
        inputs = now.inputs[["partner_id", *metrics]].assign(
            archetype=now.inputs["archetype_id"],
            region=now.inputs[region] if known else pd.Series(pd.NA, index=now.inputs.index, dtype="str"),
        )
        inputs = inputs.merge(tiers, on="partner_id", validate="one_to_one")
        then = year_ago.loc[year_ago["first_seen"].notna(), ["partner_id", *metrics]]
        directions = {name: SIGNS[catalog[name].direction] for name in metrics if catalog[name].direction in SIGNS}
        return cls(Channel(inputs, then, metrics, directions), pd.Timestamp(shift_quarters(now.as_of, -QUARTERS_BACK)))

    def table(self, partner_ids: pd.Series) -> pd.DataFrame:
        """The output table `similar_partners` of some partners, for managers only."""
        found = similar_partners(self.channel, partner_ids)
        if found.empty:
            return empty_table("similar_partners")
        alike = pd.Series(self.alike_as_of, index=found.index, dtype="datetime64[us]").where(found["rank"] > 0)
        return found.assign(alike_as_of=alike)


def compared_metrics(workspace: Workspace) -> tuple[str, ...]:
    """The metrics by which partners are compared."""
    return tuple(name for name, metric in workspace.catalog.metrics.items() if metric.feature)
