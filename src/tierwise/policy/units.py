"""From the tiers of a partner's units (regions, sites) to the partner's own: the best unit's, or the home unit's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tierwise.config.policy import PerUnit
from tierwise.policy.ladders import NO_TIER_RANK
from tierwise.policy.plan import HOME, KEY, Plan
from tierwise.policy.tier_names import tier_names


def partner_figures(plan: Plan, figures: pa.Table) -> pa.Table:
    """One row per partner: the figures themselves, or those of the unit that decides.

    Under `best` each rank is the highest of all units, and the scores and figures are those of the unit with the
    highest eligible tier (the first by name of a tie). Under `home` they are those of the home unit; a partner without
    a row for it has no tier.
    """
    per = plan.policy.per
    if per is None or figures.num_rows == 0:
        return figures
    start = _starts(figures)
    if per.then == "home":
        return _of_home(plan, per, figures, start)
    eligible = _whole(figures, plan.ladder.ranks["eligible"])
    partner = np.repeat(np.arange(len(start)), np.diff([*start, figures.num_rows]))
    order = np.lexsort((np.arange(figures.num_rows), -eligible, partner))
    chosen = figures.take(order[start])
    for column in _rank_columns(plan):
        chosen = _replaced(chosen, column, np.maximum.reduceat(_whole(figures, column), start))
    return chosen


def _of_home(plan: Plan, per: PerUnit, figures: pa.Table, start: npt.NDArray[np.int64]) -> pa.Table:
    unit, home = (figures.column(name).to_pandas() for name in (per.column, HOME))
    is_home = (unit == home).fillna(False).to_numpy(dtype=bool)
    size = np.diff([*start, figures.num_rows])
    first_home = np.minimum.reduceat(np.where(is_home, np.arange(figures.num_rows), figures.num_rows), start)
    has_home = first_home < start + size
    chosen = figures.take(np.where(has_home, first_home, start))
    for column in _rank_columns(plan):
        chosen = _replaced(chosen, column, np.where(has_home, _whole(chosen, column), NO_TIER_RANK))
    return chosen


def units_table(plan: Plan, figures: pa.Table) -> pd.DataFrame:
    """One row per partner and unit with its eligible tier; empty for a policy that places partners as a whole."""
    per = plan.policy.per
    if per is None:
        return pd.DataFrame({KEY: pd.Series(dtype="str"), "unit": pd.Series(dtype="str")})
    ranks = _whole(figures, plan.ladder.ranks["eligible"])
    return pd.DataFrame(
        {
            KEY: figures.column(KEY).to_pandas(),
            per.column: figures.column(per.column).to_pandas(),
            "eligible_tier": tier_names(ranks, plan.ladder.tiers),
        }
    )


def _starts(figures: pa.Table) -> npt.NDArray[np.int64]:
    """The first row of every partner; rows are sorted by partner."""
    partners = figures.column(KEY).to_pandas().to_numpy(dtype=object)
    changes = np.flatnonzero(partners[1:] != partners[:-1]) + 1
    return np.concatenate([[0], changes]).astype(np.int64)


def _rank_columns(plan: Plan) -> list[str]:
    return [column for ladder in plan.ladders for column in ladder.ranks.values()]


def _whole(figures: pa.Table, column: str) -> npt.NDArray[np.int64]:
    return np.asarray(figures.column(column).to_numpy(), dtype=np.int64)


def _replaced(figures: pa.Table, column: str, values: npt.NDArray[np.int64]) -> pa.Table:
    return figures.set_column(figures.schema.get_field_index(column), column, pa.array(values.astype(np.int8)))
