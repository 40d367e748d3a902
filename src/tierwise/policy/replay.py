"""Replay: a policy over all past reviews, and what it would have done: moves, reversals, mis-tiering, tier shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from tierwise.config.policy import Policy
from tierwise.config.workspace import Calendar
from tierwise.engine import Engine
from tierwise.errors import Fault, InvalidInput
from tierwise.policy.movement import NO_HISTORY, move
from tierwise.policy.placement import place
from tierwise.policy.tier_names import tier_places
from tierwise.policy.versions import in_force

DAYS_PER_YEAR = 365.25
HISTORY_KEPT = (
    "partner_id", "as_of", "tier", "eligible_tier", "action", "rule", "gain_tier", "keep_tier", "notice_on",
    "effective_on", "policy_version",
)  # fmt: skip
MOVES = ("promote", "demote")


@dataclass(frozen=True)
class Replay:
    """What a policy, or a series of dated policies, would have done.

    Attributes:
        recommendations: One row per review and partner: `as_of` and the columns of `move`.
        shares: One row per review and tier: partners, share of all.
        matrix: One row per pair of tiers: partner-reviews that went from one to the other.
        summary: One row: `partners`, `reviews`, `partner_years`, `moves`, `moves_per_partner_year`, `promotions`,
            `demotions`, `reversals`, `reversal_share` (of the moves), `placements_judged`, `mis_tiered`,
            `mis_tiered_share`, `tiers_off` (mean distance).
    """

    recommendations: pd.DataFrame
    shares: pd.DataFrame
    matrix: pd.DataFrame
    summary: pd.DataFrame


def replay(
    engine: Engine,
    policies: Policy | Iterable[Policy],
    panel: Mapping[date, pd.DataFrame],
    calendar: Calendar | None = None,
    ahead: int = 1,
    history: pd.DataFrame = NO_HISTORY,
) -> Replay:
    """Review every date of a panel in turn, each with the history that the earlier ones made.

    Mis-tiering compares the tier held after a review with the tier that the partner's figures earned `ahead` reviews
    later, which is what the partner then did. A reversal is a move that is undone, wholly or in part, by a move in
    the other direction within a year.

    Args:
        engine: The engine.
        policies: One policy for all reviews, or dated ones of which each review takes the one in force.
        panel: The policy's inputs by review date.
        calendar: The fiscal calendar.
        ahead: How many reviews later a placement is judged.
        history: Tiers held before the first review.

    Raises:
        InvalidInput: If a policy does not fit the inputs, none is in force on a review's date, or no review has a
            partner.
    """
    given = policies if isinstance(policies, Policy) else tuple(policies)
    kept = [history]
    for day, inputs in sorted(panel.items()):
        policy = given if isinstance(given, Policy) else in_force(given, day)
        past = pd.concat([part for part in kept if len(part)] or [NO_HISTORY], ignore_index=True)
        moved = move(policy, place(engine, policy, inputs, as_of=day), past, day, calendar)
        kept.append(as_history(moved, day).assign(policy_version=policy.version))
    reviews = [part for part in kept[1:] if len(part)]
    if not reviews:
        raise InvalidInput(Fault("no partner is known at any of the reviews", "replay", todo="take later reviews"))
    table = pd.concat(reviews, ignore_index=True)
    names = _tier_order(given)
    return Replay(table, tier_shares(table, names), movement_matrix(table, names), _summary(table, names, ahead))


def as_history(moved: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The rows that a review adds to the tier history: the recommendation counts as the tier held."""
    return moved.assign(as_of=pd.Timestamp(as_of), tier=moved["recommended_tier"])


def _tier_order(policies: Policy | tuple[Policy, ...]) -> tuple[str, ...]:
    """All tiers, lowest first; of several policies the latest one's order, with older names below."""
    if isinstance(policies, Policy):
        return policies.tier_names
    latest_first = sorted(policies, key=lambda policy: policy.effective_from, reverse=True)
    names = list(latest_first[0].tier_names)
    for policy in latest_first[1:]:
        names = [name for name in policy.tier_names if name not in names] + names
    return tuple(names)


def tier_shares(table: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """One row per review and tier: partners and their share of all partners of the review."""
    counts = pd.crosstab(table["as_of"], table["tier"]).reindex(columns=list(names), fill_value=0)
    totals = table.groupby("as_of").size()
    long = counts.reset_index().melt("as_of", var_name="tier", value_name="partners")
    long["tier"] = pd.Categorical(long["tier"], categories=list(names), ordered=True)
    long = long.sort_values(["as_of", "tier"], ignore_index=True).astype({"tier": "str"})
    return long.assign(share=long["partners"] / long["as_of"].map(totals))


def movement_matrix(table: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Partner-reviews by the tier before and the tier after, of partners who had one before."""
    had = table[table["current_tier"].notna()]
    order = [*names, "exit"]
    counts = had.groupby(["current_tier", "tier"], as_index=False).agg(partner_reviews=("as_of", "size"))
    by_ladder = counts.set_index(["current_tier", "tier"]).reindex(pd.MultiIndex.from_product([order, order]))
    return by_ladder.dropna().astype(int).rename_axis(["from_tier", "to_tier"]).reset_index()


def _summary(table: pd.DataFrame, names: tuple[str, ...], ahead: int) -> pd.DataFrame:
    ordered = table.sort_values(["partner_id", "as_of"], kind="stable", ignore_index=True)
    moves = ordered[ordered["action"].isin(MOVES)]
    years = partner_years(ordered)
    reversals = int(is_reversed(moves).sum())
    judged = judged_placements(ordered, names, ahead)
    wrong = int((judged != 0).sum())
    return pd.DataFrame(
        [
            {
                "partners": ordered["partner_id"].nunique(),
                "reviews": ordered["as_of"].nunique(),
                "partner_years": years,
                "moves": len(moves),
                "moves_per_partner_year": len(moves) / years if years else np.nan,
                "promotions": int((moves["action"] == "promote").sum()),
                "demotions": int((moves["action"] == "demote").sum()),
                "reversals": reversals,
                "reversal_share": reversals / len(moves) if len(moves) else np.nan,
                "placements_judged": len(judged),
                "mis_tiered": wrong,
                "mis_tiered_share": wrong / len(judged) if len(judged) else np.nan,
                "tiers_off": float(np.abs(judged).mean()) if len(judged) else np.nan,
            }
        ]
    )


def partner_years(ordered: pd.DataFrame) -> float:
    """The time between the first and the last review of every partner, in years, summed up."""
    spans = ordered.groupby("partner_id")["as_of"].agg(["min", "max"])
    return float((spans["max"] - spans["min"]).dt.days.sum() / DAYS_PER_YEAR)


def is_reversed(moves: pd.DataFrame) -> pd.Series[bool]:
    """Which moves are followed by one of the same partner in the other direction within a year."""
    following = moves.groupby("partner_id")[["as_of", "action"]].shift(-1)
    within = following["as_of"] <= moves["as_of"] + pd.DateOffset(years=1)
    return within & following["action"].notna() & (following["action"] != moves["action"])


def judged_placements(ordered: pd.DataFrame, names: tuple[str, ...], ahead: int) -> np.ndarray:
    """By how many tiers each placement differs from the tier that the partner's figures earned some reviews later."""
    held = pd.Series(tier_places(ordered["tier"], names), index=ordered.index)
    earned = pd.Series(tier_places(ordered["eligible_tier"], names), index=ordered.index)
    later = earned.groupby(ordered["partner_id"]).shift(-ahead)
    known = later.notna()
    return (held[known] - later[known]).to_numpy(dtype=np.int64)


def compare_replays(replays: Mapping[str, Replay]) -> pd.DataFrame:
    """The summaries side by side, one row per policy."""
    return (
        pd.concat([replayed.summary.assign(policy=name) for name, replayed in replays.items()], ignore_index=True)
        .set_index("policy", drop=True)
        .reset_index()
    )
