"""The truth behind a synthetic channel: hidden archetypes, and what each partner was expected to bring.

No training code reads it. The *oracle* is the expected won revenue of the next four quarters, given everything about
the generating process and its state on the as-of date: lasting traits, engagement, drift, whether a decline has set
in, and each open opportunity. It does not know what chance brings afterwards, nor a market shock that has not begun:
no model can be expected to do better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tierwise.synthetic.calendar import Quarters, to_days
from tierwise.synthetic.columns import dates, dates_or_empty, names, partner_ids
from tierwise.synthetic.deals import CYCLE_SHAPE, Opportunities, Outcomes
from tierwise.synthetic.latent import (
    DECLINE_A_QUARTER,
    ENGAGEMENT_EFFECT,
    ENGAGEMENT_MEMORY,
    LEAVE_HAZARD,
    LEAVE_HAZARD_IN_DECLINE,
    Partners,
    Paths,
    expected_level,
    win_factors,
)
from tierwise.synthetic.profiles import ARCHETYPE_CODES, by_archetype
from tierwise.synthetic.settings import ChannelSettings, Shock
from tierwise.synthetic.streams import Floats

HORIZON_QUARTERS = 4
QUARTER_DAYS = 365.25 / 4
_MIDPOINTS = (np.arange(12) + 0.5) / 12


@dataclass(frozen=True)
class Hidden:
    """Everything hidden about one chunk: traits, paths, opportunities and their outcomes."""

    partners: Partners
    paths: Paths
    opportunities: Opportunities
    outcomes: Outcomes


def partner_truth(hidden: Hidden, quarters: Quarters) -> pa.Table:
    """One row per partner: its archetype and the days on which it began to decline and left, empty if neither."""
    partners = hidden.partners
    declines = partners.decline_quarter < quarters.count
    onset = quarters.starts[np.where(declines, partners.decline_quarter, 0)]
    return pa.table(
        {
            "partner_id": partner_ids(partners.number),
            "archetype": names(ARCHETYPE_CODES, partners.archetype),
            "win_chance": pa.array(np.round(partners.win_chance, 6)),
            "growth": pa.array(np.round(partners.growth, 6)),
            "declines_from": dates_or_empty(onset, declines),
            "left_on": dates_or_empty(partners.left, partners.left <= quarters.last_day),
        }
    )


def potential_truth(hidden: Hidden, quarters: Quarters, settings: ChannelSettings) -> pa.Table:
    """The oracle and what came, one row per partner and quarter end, for the last `truth_reviews` quarter ends.

    Columns: `partner_id`, `as_of`, `oracle_usd` (expected won revenue of the next four quarters), `realised_usd`
    (what was won in them; empty where they are not over yet). Partners that had joined and not left are listed.
    """
    first = max(quarters.count - settings.truth_reviews, quarters.count - 4 * settings.years)
    return pa.concat_tables(
        [_one_review(hidden, quarters, settings.shock, index) for index in range(first, quarters.count)]
    )


def _one_review(hidden: Hidden, quarters: Quarters, shock: Shock | None, index: int) -> pa.Table:
    partners = hidden.partners
    as_of = int(quarters.ends[index])
    oracle = expected_revenue_usd(hidden, quarters, shock, index)
    over = index + HORIZON_QUARTERS < quarters.count
    realised = _realised_usd(hidden, quarters, index) if over else np.zeros(partners.count)
    there = (partners.joined <= as_of) & (partners.left > as_of)
    return pa.table(
        {
            "partner_id": partner_ids(partners.number[there]),
            "as_of": dates(np.full(int(there.sum()), as_of)),
            "oracle_usd": pa.array(np.round(oracle[there], 2)),
            "realised_usd": pa.array(np.round(realised[there], 2), mask=np.full(int(there.sum()), not over)),
        }
    )


def expected_revenue_usd(hidden: Hidden, quarters: Quarters, shock: Shock | None, index: int) -> Floats:
    """Expected won revenue of the four quarters after quarter `index`: shape (partners,).

    Sum over those quarters of (pipeline decided in the quarter + later creations decided in it) x chance to win.
    Exact up to treating all quarters as equally long and leaving as happening in mid-quarter.
    """
    partners = hidden.partners
    chances = partners.win_chance[:, None] * _future_factors(partners, quarters, shock, index)
    there, level = _survival(partners, index)
    decided = _open_usd(hidden, int(quarters.ends[index])) * there + _new_usd(hidden, level, index)
    expected = (chances * decided).sum(axis=1)
    return np.asarray(np.where(partners.left > quarters.ends[index], expected, 0.0))


def _future_factors(partners: Partners, quarters: Quarters, shock: Shock | None, index: int) -> Floats:
    """Season and, if it has begun, shock of the next four quarters: shape (partners, 4)."""
    begun = shock is not None and to_days(min(shock.quarter_ends)) <= quarters.ends[index]
    factors = win_factors(partners, quarters, shock if begun else None)
    ahead = np.arange(index + 1, index + 1 + HORIZON_QUARTERS)
    # Beyond the last simulated quarter there is no shock: the season of a year earlier is the season.
    season = win_factors(partners, quarters, None)
    beyond = ahead >= quarters.count
    return np.asarray(
        np.where(beyond, season[:, np.where(beyond, ahead - 4, 0)], factors[:, np.where(beyond, 0, ahead)])
    )


def _survival(partners: Partners, index: int) -> tuple[Floats, Floats]:
    """Chance to be there, and expected decline factor of those there, in the next four quarters: each (partners, 4)."""
    onset_hazard = by_archetype("decline_hazard")[partners.archetype]
    depth = np.maximum(index - partners.decline_quarter + 1, 0)
    well = np.where(partners.decline_quarter <= index, 0.0, 1.0)
    ill = 1.0 - well
    ill_level = ill * np.exp(-DECLINE_A_QUARTER * depth)
    there, level = [], []
    for _ in range(HORIZON_QUARTERS):
        falls = well * onset_hazard
        well, ill = well - falls, ill + falls
        ill_level = (ill_level + falls) * np.exp(-DECLINE_A_QUARTER)
        stay, stay_ill = 1 - LEAVE_HAZARD / 2, 1 - LEAVE_HAZARD_IN_DECLINE / 2
        there.append(well * stay + ill * stay_ill)
        level.append(well * stay + ill_level * stay_ill)
        well, ill, ill_level = (
            well * (1 - LEAVE_HAZARD), ill * (1 - LEAVE_HAZARD_IN_DECLINE), ill_level * (1 - LEAVE_HAZARD_IN_DECLINE)
        )  # fmt: skip
    return np.column_stack(there), np.column_stack(level)


def _open_usd(hidden: Hidden, as_of: int) -> Floats:
    """Expected amount of the open opportunities that is decided in each of the next four quarters: (partners, 4)."""
    found, outcomes, partners = hidden.opportunities, hidden.outcomes, hidden.partners
    is_open = (found.created <= as_of) & (outcomes.decided > as_of)
    partner, age = found.partner[is_open], as_of - found.created[is_open]
    scale = by_archetype("cycle_days")[partners.archetype[partner]]
    bounds = age[:, None] + QUARTER_DAYS * np.arange(HORIZON_QUARTERS + 1)
    undecided = _undecided(bounds, scale[:, None])
    in_quarter = (undecided[:, :-1] - undecided[:, 1:]) / undecided[:, :1]
    usd = found.estimate_usd[is_open, None] * in_quarter
    sums = [np.bincount(partner, weights=usd[:, k], minlength=partners.count) for k in range(HORIZON_QUARTERS)]
    return np.column_stack(sums)


def _new_usd(hidden: Hidden, level: Floats, index: int) -> Floats:
    """Expected amount created in the next four quarters that is decided in each of them: (partners, 4)."""
    partners = hidden.partners
    decided_after = _decided_after()[partners.archetype]
    total = np.zeros((partners.count, HORIZON_QUARTERS))
    for ahead in range(1, HORIZON_QUARTERS + 1):
        carried = ENGAGEMENT_MEMORY ** (ahead - 1)
        spread = ENGAGEMENT_EFFECT**2 * (1 - carried**2) / 2
        spur = np.exp(ENGAGEMENT_EFFECT * carried * hidden.paths.engagement[:, index] + spread)
        created = partners.base_rate * expected_level(partners, index + ahead) * spur * hidden.paths.drift[:, index]
        usd = created * level[:, ahead - 1] * partners.deal_usd
        for wait in range(HORIZON_QUARTERS + 1 - ahead):
            total[:, ahead - 1 + wait] += usd * decided_after[:, wait]
    return total


def _decided_after() -> Floats:
    """Chance that what is created evenly over a quarter is decided 0, 1, 2, 3 quarters later: shape (archetypes, 4)."""
    scale = by_archetype("cycle_days")[:, None, None]
    bounds = QUARTER_DAYS * (np.arange(HORIZON_QUARTERS + 1)[:, None] - _MIDPOINTS)
    decided = 1.0 - _undecided(np.maximum(bounds, 0.0)[None], scale)
    return np.diff(decided.mean(axis=2), axis=1)


def _undecided(days: Floats, scale: Floats) -> Floats:
    """Chance that an opportunity is still open after so many days (Weibull survival)."""
    return np.asarray(np.exp(-((days / scale) ** CYCLE_SHAPE)))


def _realised_usd(hidden: Hidden, quarters: Quarters, index: int) -> Floats:
    outcomes, partners = hidden.outcomes, hidden.partners
    after, until = quarters.ends[index], quarters.ends[index + HORIZON_QUARTERS]
    counts = outcomes.won & (outcomes.decided > after) & (outcomes.decided <= until)
    partner = hidden.opportunities.partner[counts]
    usd = outcomes.cents[counts] / 100 * partners.usd_rate[partner]
    return np.bincount(partner, weights=usd, minlength=partners.count).astype(np.float64)
