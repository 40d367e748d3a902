"""Preview: who would move under a new policy, and what is at stake, before anyone commits to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from tierwise.config.policy import Policy
from tierwise.config.workspace import Calendar
from tierwise.engine import Engine
from tierwise.policy.movement import NO_HISTORY, move
from tierwise.policy.placement import place
from tierwise.policy.tier_names import tier_places


@dataclass(frozen=True)
class Stakes:
    """What a preview adds up for the partners whom the new policy treats differently.

    Attributes:
        revenue: The column of the inputs with the revenue at stake.
        benefit_cost: What a partner of each tier costs per year.
        cut_by: Columns of the inputs to cut the totals by: region, archetype.
    """

    revenue: str | None = None
    benefit_cost: Mapping[str, float] | None = None
    cut_by: Sequence[str] = ()


@dataclass(frozen=True)
class Preview:
    """What a new policy would do today.

    Attributes:
        partners: One row per partner: `partner_id`, `current_tier`, `tier_in_force` and `tier_new` (recommended by
            either policy), `eligible_in_force`, `eligible_new`, `rule_new`, `change` (up, down, same), `revenue`,
            `cost_in_force`, `cost_new`, and the columns of the cuts.
        changes: One row per pair of recommended tiers: partners, revenue, change of yearly benefit cost.
        cuts: One row per cut, its value and change: partners, share, revenue, change of cost.
    """

    partners: pd.DataFrame
    changes: pd.DataFrame
    cuts: pd.DataFrame


@dataclass(frozen=True)
class Today:
    """The review that a preview is made for.

    Attributes:
        as_of: The day.
        inputs: The policies' inputs, one row per partner.
        history: The tier history.
        calendar: The fiscal calendar.
        by_unit: The inputs of policies with `per`, by the unit's name: one row per partner and unit.
    """

    as_of: date
    inputs: pd.DataFrame
    history: pd.DataFrame = field(default_factory=lambda: NO_HISTORY)
    calendar: Calendar | None = None
    by_unit: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def reviewed(self, engine: Engine, policy: Policy) -> pd.DataFrame:
        """Place and move the partners by a policy."""
        given = self.inputs if policy.per is None else self.by_unit.get(policy.per.column, self.inputs)
        placement = place(engine, policy, given, as_of=self.as_of)
        return move(policy, placement, self.history, self.as_of, self.calendar)


def preview(engine: Engine, new: Policy, current: Policy | None, today: Today, stakes: Stakes | None = None) -> Preview:
    """Review today's partners by the new policy and by the one in force, and compare.

    Args:
        engine: The engine.
        new: The policy to look at.
        current: The policy in force; none to see the new one alone.
        today: The review.
        stakes: What to add up.

    Raises:
        InvalidInput: If a policy does not fit the inputs.
    """
    stakes = stakes or Stakes()
    by_new = today.reviewed(engine, new)
    by_old = by_new if current is None else today.reviewed(engine, current)
    partners = _compared(by_old, by_new, new, today.inputs, stakes)
    return Preview(partners, _changes(partners), _cuts(partners, stakes.cut_by))


def _compared(
    by_old: pd.DataFrame, by_new: pd.DataFrame, new: Policy, inputs: pd.DataFrame, stakes: Stakes
) -> pd.DataFrame:
    places = [tier_places(table["recommended_tier"], new.tier_names) for table in (by_old, by_new)]
    partners = pd.DataFrame(
        {
            "partner_id": by_new["partner_id"],
            "current_tier": by_new["current_tier"],
            "tier_in_force": by_old["recommended_tier"],
            "tier_new": by_new["recommended_tier"],
            "eligible_in_force": by_old["eligible_tier"],
            "eligible_new": by_new["eligible_tier"],
            "rule_new": by_new["rule"],
            "change": np.array(["down", "same", "up"])[np.sign(places[1] - places[0]) + 1],
        }
    )
    costs = stakes.benefit_cost or {}
    for policy, tier in (("in_force", "tier_in_force"), ("new", "tier_new")):
        partners[f"cost_{policy}"] = partners[tier].map(dict(costs)).astype("float64").fillna(0.0)
    facts = inputs.drop_duplicates("partner_id").set_index("partner_id").reindex(partners["partner_id"])
    partners["revenue"] = facts[stakes.revenue].to_numpy(dtype=np.float64) if stakes.revenue else np.nan
    for column in stakes.cut_by:
        partners[column] = facts[column].astype("str").fillna("unknown").to_numpy()
    return partners


def _totals(groups: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    priced = groups.assign(cost_change=groups["cost_new"] - groups["cost_in_force"])
    return priced.groupby(by, as_index=False, dropna=False).agg(
        partners=("partner_id", "size"), revenue=("revenue", "sum"), cost_change=("cost_change", "sum")
    )


def _changes(partners: pd.DataFrame) -> pd.DataFrame:
    return _totals(partners, ["tier_in_force", "tier_new", "change"])


def _cuts(partners: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    parts = [
        _totals(partners, [column, "change"]).rename(columns={column: "value"}).assign(cut=column) for column in columns
    ]
    parts.append(_totals(partners, ["change"]).assign(cut="all", value="all"))
    table = pd.concat(parts, ignore_index=True)
    size = table.groupby(["cut", "value"])["partners"].transform("sum")
    ordered = table.assign(share=table["partners"] / size)
    return ordered[["cut", "value", "change", "partners", "share", "revenue", "cost_change"]]
