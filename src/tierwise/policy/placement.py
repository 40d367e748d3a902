"""Placement: every partner's eligible tier, with the value, threshold and gap of every criterion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.errors import Fault, InvalidInput
from tierwise.policy.criteria_table import criteria_table, unit_criteria_table
from tierwise.policy.flags import flag_columns
from tierwise.policy.plan import KEY, Plan, compile_policy, duplicate_fault
from tierwise.policy.score_table import components_table
from tierwise.policy.tier_names import tier_names
from tierwise.policy.units import partner_figures, units_table

_INPUTS = "policy_inputs_"
_FLAGS = "policy_flags_"


@dataclass(frozen=True, eq=False)
class Placement:
    """What a policy says about every partner, before movement.

    Attributes:
        policy: The policy.
        plan: The compiled policy.
        figures: One row per partner (or partner and unit), sorted by key, with the columns that the plan names.
        tiers: One row per partner, sorted: `partner_id`, `eligible_tier`, `gain_tier` (with the promotion's band),
            `keep_tier` (with the demotion's band), `rule`, `next_tier`, one column per score, `<track>_tier` and
            `unlock_<benefit>`. A tier is missing where no rule holds.
    """

    policy: Policy
    plan: Plan
    figures: pa.Table
    tiers: pd.DataFrame

    @cached_property
    def criteria(self) -> pd.DataFrame:
        """One row per partner, tier and criterion, sorted by them.

        Columns: `partner_id`, `tier`, `criterion`, `expression`, `metric`, `operator`, `threshold`, `value`,
        `met` (true, false, unknown), `gap` (what is missing, in the metric's own unit; 0 when met), `route` (the
        part of an `any` it belongs to) and `cheapest` (whether that is the open route with the least to go).
        Criteria that are left out (they do not apply, or are skipped when unknown) have no row. Criteria of a track's
        tier carry `<track>: <tier>` as the tier. Under `per` the figures are those of the unit that decides on the
        ladder, and a column `unit` names it; `unit_criteria` shows every unit's.
        """
        return criteria_table(self.plan, self.figures)

    @cached_property
    def unit_criteria(self) -> pd.DataFrame:
        """Under `per`, the same with one row per partner, unit, tier and criterion; empty otherwise."""
        return unit_criteria_table(self.plan, self.figures)

    @cached_property
    def components(self) -> pd.DataFrame:
        """One row per partner, score and component, sorted: points that add up exactly to the score.

        Columns: `partner_id`, `score`, `scorecard`, `component`, `dimension`, `points`, `max_points`.
        """
        return components_table(self.plan, self.partner_figures)

    def for_partners(self, partner_ids: Iterable[str]) -> Placement:
        """The same placement for some partners, to read their criteria without building those of all."""
        wanted = sorted(set(partner_ids))
        rows = np.flatnonzero(self.tiers[KEY].isin(wanted).to_numpy())
        keys = self.figures.column(KEY).to_pandas().isin(wanted).to_numpy()
        return Placement(
            self.policy,
            self.plan,
            self.figures.take(np.flatnonzero(keys)),
            self.tiers.iloc[rows].reset_index(drop=True),
        )

    def at(self, rows: npt.NDArray[np.int64]) -> Placement:
        """The same placement for the partners of some rows of `tiers`, without looking at any other."""
        tiers = self.tiers.iloc[rows].reset_index(drop=True)
        if self.policy.per is not None:
            return self.for_partners(tiers[KEY])
        return Placement(self.policy, self.plan, self.figures.take(rows), tiers)

    def blocks(self, partners: int) -> Iterator[Placement]:
        """The same placement in blocks of partners, for tables too large to build at once."""
        for start in range(0, len(self.tiers), partners):
            yield self.between(start, start + partners)

    def between(self, start: int, stop: int) -> Placement:
        """The same placement for the partners from one row of `tiers` to before another."""
        tiers = self.tiers.iloc[start:stop].reset_index(drop=True)
        if self.policy.per is not None:
            return self.for_partners(tiers[KEY])
        return Placement(self.policy, self.plan, self.figures.slice(start, len(tiers)), tiers)

    @cached_property
    def partner_figures(self) -> pa.Table:
        """The figures with one row per partner, in the order of `tiers`."""
        return partner_figures(self.plan, self.figures)

    @cached_property
    def units(self) -> pd.DataFrame:
        """Under `per`, one row per partner and unit with its tiers, and whether it decides the partner's."""
        return units_table(self.plan, self.figures)

    def ranks(self, ladder: str = "") -> Mapping[str, npt.NDArray[np.int64]]:
        """The places of the eligible, gain and keep tiers in a ladder; -1 for no tier. One per row of `tiers`."""
        columns = next(item.ranks for item in self.plan.ladders if item.name == ladder)
        return {variant: numbers(self.partner_figures, column) for variant, column in columns.items()}

    def again(self, engine: Engine, inputs: pd.DataFrame) -> Placement:
        """Place changed inputs by the same compiled policy; for asking it many times what would be.

        Args:
            engine: The engine that runs the query.
            inputs: The same columns as before; no dated flags.
        """
        _loaded(engine, inputs)
        figures = _figures(engine, self._statement, self.policy)
        return Placement(self.policy, self.plan, figures, tiers_table(self.plan, partner_figures(self.plan, figures)))

    @cached_property
    def _statement(self) -> str:
        return _statement(self.plan, exp.to_table(_INPUTS))


def place(
    engine: Engine,
    policy: Policy,
    inputs: pd.DataFrame | str,
    flags: pd.DataFrame | None = None,
    as_of: date | None = None,
) -> Placement:
    """Place every partner by a policy.

    Args:
        engine: The engine that runs the query.
        policy: The policy.
        inputs: One row per partner with metrics, attributes and model outputs (one per partner and unit under `per`):
            a frame, or the name of an engine table.
        flags: Dated flags: `partner_id`, `flag`, `from`, `until` (missing: open), `author`. A flag may also be a
            column of the inputs.
        as_of: The day on which a dated flag must be in force; needed with `flags`.

    Raises:
        InvalidInput: If an expression is refused, a name is unknown, or a partner is there twice.
    """
    table = _loaded(engine, inputs)
    columns = engine.columns(table)
    given = flag_columns(policy, flags, as_of, columns)
    plan = compile_policy(policy, columns, given.columns[1:] if given is not None else ())
    figures = _figures(engine, _statement(plan, _source(engine, table, given)), policy)
    if table == _INPUTS:
        engine.run(f"DROP TABLE {_INPUTS}")  # of a large channel, too much to be kept beside the frame
    return Placement(policy, plan, figures, tiers_table(plan, partner_figures(plan, figures)))


def _keys(policy: Policy) -> list[str]:
    return [KEY] if policy.per is None else [KEY, policy.per.column]


def _statement(plan: Plan, source: exp.Expr) -> str:
    return plan.query(source, _keys(plan.policy)).sql("duckdb", identify=True, copy=False)


def _figures(engine: Engine, statement: str, policy: Policy) -> pa.Table:
    keys = _keys(policy)
    figures = _sorted(engine.arrow(statement), keys)
    _check_keys(figures, keys)
    return figures


def _loaded(engine: Engine, inputs: pd.DataFrame | str) -> str:
    if isinstance(inputs, str):
        return inputs
    engine.add_table(_INPUTS, inputs)
    return _INPUTS


def _source(engine: Engine, table: str, flags: pd.DataFrame | None) -> exp.Expr:
    if flags is None or flags.shape[1] == 1:
        return exp.to_table(table, dialect="duckdb") if table.isidentifier() else exp.table_(table, quoted=True)
    engine.add_table(_FLAGS, flags)
    given = [
        exp.alias_(
            exp.Coalesce(this=exp.column(name, "flags", quoted=True), expressions=[exp.false()]), name, quoted=True
        )
        for name in flags.columns[1:]
    ]
    inputs = exp.alias_(exp.table_(table, quoted=True), "inputs", table=True)
    joined = exp.select(exp.column(exp.Star(), "inputs"), *given).from_(inputs)
    key = exp.EQ(this=exp.column(KEY, "inputs", quoted=True), expression=exp.column(KEY, "flags", quoted=True))
    flagged = exp.alias_(exp.table_(_FLAGS, quoted=True), "flags", table=True)
    return joined.join(flagged, on=key, join_type="left").subquery("flagged")


def _sorted(figures: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in order of their keys; inputs that come sorted, as metric rows do, are left as they are."""
    first = figures.column(keys[0]).combine_chunks()
    if len(keys) == 1 and not pc.any(pc.greater(first[:-1], first[1:])).as_py():
        return figures
    return figures.take(pc.sort_indices(figures, [(key, "ascending") for key in keys]))


def _check_keys(figures: pa.Table, keys: Sequence[str]) -> None:
    for key in keys:
        unnamed = figures.column(key).null_count
        if unnamed:
            what = f"{unnamed:,} rows of the policy's inputs have no {key}"
            raise InvalidInput(Fault(what, "policy inputs", todo=f"give every row its {key}"))
    if figures.num_rows < 2:
        return
    same = np.ones(figures.num_rows - 1, dtype=bool)
    for key in keys:
        column = figures.column(key).combine_chunks()
        same &= np.asarray(pc.equal(column[1:], column[:-1]).fill_null(True))
    if same.any():
        raise duplicate_fault(keys, [str(figures.column(KEY)[int(row)]) for row in np.flatnonzero(same)[:3]])


def tiers_table(plan: Plan, figures: pa.Table) -> pd.DataFrame:
    """One row per partner with the tiers at each band, the deciding rule, the next tier and the scores."""
    policy = plan.policy
    names = plan.ladder.tiers
    ranks = {variant: numbers(figures, column) for variant, column in plan.ladder.ranks.items()}
    table = {KEY: figures.column(KEY).to_pandas()}
    table |= {f"{variant}_tier": tier_names(rank, names) for variant, rank in ranks.items()}
    table["rule"] = tier_names(ranks["eligible"], [_rule_text(policy, place) for place in range(len(names))])
    table["next_tier"] = tier_names(ranks["eligible"] + 1, names)
    table |= {score.name: figures.column(score.name).to_pandas() for score in plan.scores}
    for track in plan.tracks:
        for variant, column in track.ranks.items():
            table[f"{track.name}_{variant}_tier"] = tier_names(numbers(figures, column), track.tiers)
        table[f"{track.name}_tier"] = table[f"{track.name}_eligible_tier"]
    table |= {f"unlock_{name.split(':')[1]}": figures.column(name).to_pandas() for name in plan.unlocks}
    return pd.DataFrame(table)


def _rule_text(policy: Policy, place: int) -> str:
    """The tier's rule in one line, as the file's program manager would read it."""
    tier = policy.tiers[place]
    return "always" if tier.when is None and not tier.invitation else f"{tier.name}.when"


def numbers(figures: pa.Table, column: str) -> npt.NDArray[np.int64]:
    """A column without unknown values as whole numbers."""
    values: npt.NDArray[np.int64] = figures.column(column).to_numpy().astype(np.int64)
    return values
