"""From the tiers of a partner's units (regions, countries, products) to the partner's own.

The partner's tier is the best unit's or the home unit's; a tier with `reached_in` is given by how many units reached
lower ones. Rows that name no unit (`(none)`) decide only for a partner who has no other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tierwise.config.catalog import NO_UNIT
from tierwise.policy.ladders import NO_TIER_RANK, Ladder
from tierwise.policy.plan import HOME, KEY, Plan
from tierwise.policy.tier_names import equals, tier_names
from tierwise.policy.truth import VARIANTS, Variant

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
UNIT = "unit"


def partner_figures(plan: Plan, figures: pa.Table) -> pa.Table:
    """One row per partner: the figures themselves, or those of the unit that decides with the partner's own tiers.

    Under `best` the unit with the highest eligible tier decides (the first by name of a tie), and each of the tiers
    with and without bands is the highest of all units. Under `home` the home unit decides; a partner without a row for
    it has no tier.
    """
    if plan.policy.per is None or figures.num_rows == 0:
        return figures
    units = _Units(plan, figures)
    chosen = figures.take(units.deciding(plan.ladder))
    for ladder in plan.ladders:
        for variant in VARIANTS:
            chosen = _replaced(chosen, ladder.ranks[variant], units.partner_ranks(ladder, variant))
    return chosen


def deciding_figures(plan: Plan, figures: pa.Table, ladder: Ladder) -> list[tuple[Ladder, pa.Table]]:
    """One row of figures per partner for the tiers of a ladder: those of the unit that decides.

    A tier that is made from the tiers of units is shown by a unit in which its own rule holds, if there is one.
    """
    if plan.policy.per is None or figures.num_rows == 0:
        return [(ladder, figures)]
    units = _Units(plan, figures)
    shown = [(ladder.without_tiers_of_units(), figures.take(units.deciding(ladder)))]
    return shown + [
        (ladder.with_tiers([place]), figures.take(units.in_scope(ladder, place))) for place in ladder.of_units
    ]


def units_table(plan: Plan, figures: pa.Table) -> pd.DataFrame:
    """One row per partner and unit, sorted: its tiers, and whether it is the unit that decides the partner's.

    Returns:
        `partner_id, unit, eligible_tier, gain_tier, keep_tier, next_tier, decides`; empty for a policy that places
        partners as a whole.
    """
    per = plan.policy.per
    if per is None or figures.num_rows == 0:
        names = (KEY, UNIT, *(f"{variant}_tier" for variant in VARIANTS), "next_tier")
        return pd.DataFrame({name: pd.Series(dtype="str") for name in names}).assign(decides=pd.Series(dtype="bool"))
    ladder = plan.ladder.without_tiers_of_units()
    all_tiers = plan.ladder.tiers
    ranks = {variant: _whole(figures, ladder.ranks[variant]) for variant in VARIANTS}
    decides = np.zeros(figures.num_rows, dtype=bool)
    decides[_Units(plan, figures).deciding(plan.ladder)] = True
    above = [
        next((name for name in ladder.tiers if all_tiers.index(name) > place), "")
        for place in range(-1, len(all_tiers))
    ]
    next_tier = tier_names(ranks["eligible"] + 1, above)
    return pd.DataFrame(
        {
            KEY: figures.column(KEY).to_pandas(),
            UNIT: figures.column(per.column).to_pandas(),
            **{f"{variant}_tier": tier_names(rank, all_tiers) for variant, rank in ranks.items()},
            "next_tier": next_tier.mask(next_tier == ""),
            "decides": decides,
        }
    )


def reached_counts(plan: Plan, figures: pa.Table) -> pd.DataFrame:
    """One row per partner, tier made from the tiers of units, and lower tier that it counts.

    Returns:
        `partner_id, tier, counted, value, threshold`: in how many units the counted tier is reached, and how many it
        takes.
    """
    columns = (KEY, "tier", "counted", "value", "threshold")
    parts = [
        pd.DataFrame({name: pd.Series(dtype="str") for name in columns}).astype(dict.fromkeys(columns[3:], "float64"))
    ]
    if plan.ladder.of_units and figures.num_rows:
        units, partners = _Units(plan, figures), figures.column(KEY).to_pandas()
        for place in sorted(plan.ladder.of_units):
            tier = plan.policy.tiers[place]
            counts = units.counts(plan.ladder, place, "eligible")
            parts += [
                pd.DataFrame(
                    dict(
                        zip(
                            columns,
                            (partners.iloc[units.start].to_numpy(), tier.name, lower, counts[lower], float(least)),
                            strict=True,
                        )
                    )
                )
                for lower, least in tier.reached_in.items()
            ]
    return pd.concat(parts, ignore_index=True)


class _Units:
    """The rows of every partner's units, which are sorted by partner."""

    def __init__(self, plan: Plan, figures: pa.Table) -> None:
        assert plan.policy.per is not None, "a policy without units has no rows of units"
        self._plan, self._per, self._figures = plan, plan.policy.per, figures
        partners = figures.column(KEY).to_pandas().to_numpy(dtype=object)
        self.start = np.concatenate([[0], np.flatnonzero(partners[1:] != partners[:-1]) + 1]).astype(np.int64)
        self._size = np.diff([*self.start, figures.num_rows])

    def deciding(self, ladder: Ladder) -> Places:
        """The row that decides for each partner."""
        if self._per.then == "home":
            return np.where(self._has_home, self._home_row, self.start)
        return self._first(np.where(self._speaks, _whole(self._figures, ladder.ranks["eligible"]), NO_TIER_RANK - 1))

    def in_scope(self, ladder: Ladder, place: int) -> Places:
        """For a tier made from those of units, the unit with the highest tier of those in which its rule holds."""
        ranks = _whole(self._figures, ladder.ranks["eligible"])
        counted = self._counted(ladder, place, "eligible")
        return self._first(
            np.where(counted, ranks + len(ladder.tiers) + 1, np.where(self._speaks, ranks, NO_TIER_RANK - 1))
        )

    def _first(self, values: Places) -> Places:
        """The row with each partner's highest value, the first of a tie."""
        partner = np.repeat(np.arange(len(self.start)), self._size)
        order = np.lexsort((np.arange(len(values)), -values, partner))
        return np.asarray(order[self.start], dtype=np.int64)

    def _counted(self, ladder: Ladder, place: int, variant: Variant) -> Mask:
        """The units in which the own rule of a tier made from those of units holds."""
        holds = self._figures.column(ladder.of_units[place][variant]).to_pandas().fillna(False)
        counted: Mask = np.asarray(holds, dtype=bool) & self._speaks
        return counted

    def partner_ranks(self, ladder: Ladder, variant: Variant) -> Places:
        """The place of each partner on a ladder."""
        ranks = _whole(self._figures, ladder.ranks[variant])
        if self._per.then == "home":
            found = np.where(self._has_home, ranks[self.deciding(ladder)], NO_TIER_RANK)
        else:
            found = np.maximum.reduceat(np.where(self._speaks, ranks, NO_TIER_RANK), self.start)
        for place in sorted(ladder.of_units):
            counts, wanted = self.counts(ladder, place, variant), self._plan.policy.tiers[place].reached_in
            reached = np.all([counts[lower] >= least for lower, least in wanted.items()], axis=0)
            found = np.where(reached, np.maximum(found, place), found)
        return found

    def counts(self, ladder: Ladder, place: int, variant: Variant) -> dict[str, Places]:
        """For a tier made from those of units, in how many units that count each of its lower tiers is reached."""
        ranks = _whole(self._figures, ladder.ranks[variant])
        counted = self._counted(ladder, place, variant)
        return {
            lower: np.add.reduceat((counted & (ranks >= ladder.tiers.index(lower))).astype(np.int64), self.start)
            for lower in self._plan.policy.tiers[place].reached_in
        }

    @property
    def _speaks(self) -> Mask:
        """Which rows may decide: those that name a unit, and the only row of a partner."""
        unnamed = equals(self._figures.column(self._per.column).to_pandas().astype("str"), NO_UNIT)
        speaks: Mask = ~unnamed | (np.repeat(self._size, self._size) == 1)
        return speaks

    @property
    def _home_row(self) -> Places:
        unit, home = (self._figures.column(name).to_pandas() for name in (self._per.column, HOME))
        is_home = (unit == home).fillna(False).to_numpy(dtype=bool)
        rows = self._figures.num_rows
        found: Places = np.minimum.reduceat(np.where(is_home, np.arange(rows), rows), self.start)
        return found

    @property
    def _has_home(self) -> Mask:
        found: Mask = self._home_row < self.start + self._size
        return found


def _whole(figures: pa.Table, column: str) -> Places:
    return np.asarray(figures.column(column).to_numpy(), dtype=np.int64)


def _replaced(figures: pa.Table, column: str, values: Places) -> pa.Table:
    return figures.set_column(figures.schema.get_field_index(column), column, pa.array(values.astype(np.int8)))
