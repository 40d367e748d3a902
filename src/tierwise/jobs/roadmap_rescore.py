"""Asks the models and the policy again what partners would be with some of their figures moved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.api.types import is_string_dtype

from tierwise import archetypes, potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.explain.roadmap_levels import Levers
from tierwise.jobs.policy_inputs import ARCHETYPE_COLUMNS, POTENTIAL_COLUMNS
from tierwise.metrics.formulas_again import compute_again, dependent_formulas, ranks_partners
from tierwise.metrics.reading import Formula, parse_catalog
from tierwise.policy import Gains, Placement, needed_columns
from tierwise.potential import PotentialModel
from tierwise.tables.varied import VariedRows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]

AT_ONCE = 100_000
NOBODY = np.zeros(0, dtype=np.int64)
AMOUNTS = ("potential", "potential_low", "potential_high")
_WINDOW = re.compile(r"\bover\s*\(", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Channel:
    """What asking about some partners needs to know of all.

    Attributes:
        names: The texts that occur in each text column, sorted.
        far: A move of each lever beyond anything realistic, shape (levers,).
        inputs: The policy inputs of everybody, where a partner's tier can depend on other partners' figures.
    """

    names: Mapping[str, Sequence[str]]
    far: Floats
    inputs: pd.DataFrame | None

    @classmethod
    def of(cls, inputs: pd.DataFrame, levers: Sequence[str], ranks_partners: bool) -> Channel:
        """Look at the policy inputs of everybody."""
        texts = [name for name in inputs.columns if name != "partner_id" and is_string_dtype(inputs[name].dtype)]
        names = {name: sorted(inputs[name].dropna().unique()) for name in texts}
        most = inputs[list(levers)].abs().max().fillna(0.0).to_numpy(dtype=np.float64)
        return cls(names, most * 100 + 1000, inputs if ranks_partners else None)


@dataclass(frozen=True, eq=False)
class Rescoring:
    """Scores moved figures again; what the policy does not look at is not computed.

    Where neither the policy nor a formula compares partners with one another, every try is scored on its own. Where
    they do, the tries of a turn, at most one per partner, are scored together among all other partners as they are.

    Attributes:
        engine: Runs the policy and the formulas.
        workspace: The workspace; its catalog gives the formulas that depend on moved figures.
        placement: Today's placement, whose compiled policy is asked again.
        channel: What is known of the whole channel.
        rows: The policy inputs of the partners asked about, shape (n, ...).
        levers: The figures that can be moved.
        needed: The place of the tier that each partner must gain, shape (n,).
        model: The potential model in force.
        found: The archetypes in force; none leaves them as they are.
    """

    engine: Engine
    workspace: Workspace
    placement: Placement
    channel: Channel
    rows: pd.DataFrame
    levers: Levers
    needed: Whole
    model: PotentialModel
    found: ArchetypeModel | None = None

    @cached_property
    def asked_of_models(self) -> frozenset[str]:
        """The columns of models that the policy looks at."""
        return asked_of_models(self.placement.policy)

    @cached_property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas that depend on a lever and that the policy or a model looks at, in the order to compute."""
        return formulas_asked(self.workspace, self.placement.policy, self.levers.names, self.model)

    @property
    def ranks_partners(self) -> bool:
        """Whether a partner's tier can depend on other partners' figures."""
        return self.channel.inputs is not None

    def reaches(
        self, partners: Whole, moves: Floats, model: PotentialModel | None = None, caution: Floats | None = None
    ) -> Bools:
        """Whether partners gain their tier, with the promotion's band, with each lever moved.

        Args:
            partners: Rows of `rows`, shape (m,).
            moves: Improvements, shape (m, levers).
            model: Another potential model than the one in force.
            caution: Factors on the potential, shape (n,).
        """
        reached = np.zeros(len(partners), dtype=bool)
        for places in self._turns(partners):
            inputs, others = self._asked(partners[places], moves[places], model or self.model, caution)
            gained = self._gains.gained(self.engine, self._read(inputs))
            reached[places] = gained[others:] >= self.needed[partners[places]]
        return reached

    def share_reaching(self, partners: Whole, moves: Floats, models: Sequence[PotentialModel]) -> Floats:
        """The share of models by which partners gain their tier with levers moved, shape (m,).

        Args:
            partners: Rows of `rows`, shape (m,).
            moves: Improvements, shape (m, levers).
            models: Potential models, at least one.
        """
        if self.ranks_partners:
            return np.asarray(np.mean([self.reaches(partners, moves, model) for model in models], axis=0))
        share = np.zeros(len(partners))
        for places in self._turns(partners):
            inputs = self._computed(partners[places], moves[places], NOBODY)
            by_model = [self._read(self._with_models(inputs, model, np.ones(len(inputs)))) for model in models]
            gained = self._gains.gained(self.engine, pa.concat_tables(by_model)).reshape(len(models), -1)
            share[places] = (gained >= self.needed[partners[places]]).mean(axis=0)
        return share

    def placed(
        self, partners: Whole, moves: Floats, model: PotentialModel | None = None, caution: Floats | None = None
    ) -> Iterator[tuple[Whole, Placement]]:
        """Place tries in turns; yields which tries, and their placement under the names of `names_of`."""
        for places in self._turns(partners):
            inputs, others = self._asked(partners[places], moves[places], model or self.model, caution)
            names = pd.concat([inputs["partner_id"].iloc[:others], self.names_of(partners, places)], ignore_index=True)
            yield places, self._placed(inputs, names)

    def _asked(
        self, partners: Whole, moves: Floats, model: PotentialModel, caution: Floats | None
    ) -> tuple[VariedRows, int]:
        """The inputs of a turn's tries with all that depends on moved levers; before them so many other partners."""
        others = np.setdiff1d(np.arange(len(self._table)), self._place[partners]) if self.ranks_partners else NOBODY
        inputs = self._computed(partners, moves, others)
        factor = np.ones(len(inputs))
        if caution is not None:
            factor[len(others) :] = caution[partners]
        return self._with_models(inputs, model, factor), len(others)

    @cached_property
    def _table(self) -> pd.DataFrame:
        """What tries are varied from; texts as categories, which are copied and looked up faster."""
        rows = self.rows if self.channel.inputs is None else self.channel.inputs
        if self.asked_of_models & ARCHETYPE_COLUMNS:
            return rows
        known = {name: values for name, values in self.channel.names.items() if name in rows.columns}
        return rows.astype({name: pd.CategoricalDtype(list(values)) for name, values in known.items()})

    @cached_property
    def _place(self) -> Whole:
        """The row of each partner asked about in what tries are varied from."""
        if self.channel.inputs is None:
            return np.arange(len(self.rows))
        return np.asarray(pd.Index(self._table["partner_id"]).get_indexer(pd.Index(self.rows["partner_id"])))

    @cached_property
    def _gains(self) -> Gains:
        return Gains.of(self.placement.plan)

    def _read(self, inputs: VariedRows) -> pa.Table:
        """What the policy reads to tell the tier gained."""
        names = sorted(self._gains.inputs & set(inputs.columns))
        return pa.table({name: _decoded(pa.array(inputs[name])) for name in names})

    def predicted(self, partners: Whole, moves: Floats, models: Sequence[PotentialModel]) -> Floats:
        """The potential by models with levers moved, shape (models, m); ranking formulas stay as they are."""
        rows = self._moved(partners, moves, NOBODY)
        plain = [formula for formula in self.formulas if not ranks_partners(formula)]
        again = compute_again(self.engine, self.workspace, rows, plain, self._given(partners, moves, 0))
        return np.stack([potential.predict_centre(model, again) for model in models])

    def _computed(self, partners: Whole, moves: Floats, others: Whole) -> VariedRows:
        """The inputs of others as they are, then those of tries with what depends on moved levers computed again."""
        tries = self._moved(partners, moves, others)
        return compute_again(
            self.engine, self.workspace, tries, self.formulas, self._given(partners, moves, len(others))
        )

    def _placed(self, inputs: VariedRows, names: pd.Series) -> Placement:
        """Place inputs under other names; only the columns that the policy looks at go to the engine."""
        kept = [str(name) for name in inputs.columns if name in self._looked_at or self._table[name].dtype == bool]
        own = _without_categories(inputs[kept])
        return self.placement.again(self.engine, own.assign(partner_id=names.to_numpy()))

    @cached_property
    def _looked_at(self) -> frozenset[str]:
        return frozenset(needed_columns(self.placement.policy))

    def _turns(self, partners: Whole) -> Iterator[Whole]:
        if not self.ranks_partners:
            yield from (np.arange(len(partners))[at : at + AT_ONCE] for at in range(0, len(partners), AT_ONCE))
            return
        turn = pd.Series(partners).groupby(partners).cumcount().to_numpy()
        yield from (np.flatnonzero(turn == number) for number in range(turn.max(initial=-1) + 1))

    def names_of(self, partners: Whole, places: Whole) -> pd.Series:
        """What tries are called while they are placed: by number, or by the partner where others are beside them."""
        if self.ranks_partners:
            return self.rows["partner_id"].iloc[partners[places]].reset_index(drop=True)
        return _numbered(len(places))

    def _moved(self, partners: Whole, moves: Floats, others: Whole) -> VariedRows:
        """Others as they are, then tries with their levers moved."""
        at = np.concatenate([others, self._place[partners]])
        to = self.levers.start[partners] + self.levers.directions * moves
        changed = {}
        for place, name in enumerate(self.levers.names):
            values = self._figures[place][at]
            changed[name] = np.concatenate(
                [values[: len(others)], np.where(moves[:, place] > 0, to[:, place], values[len(others) :])]
            )
        return VariedRows(self._table, at, changed)

    @cached_property
    def _figures(self) -> list[Floats]:
        """Today's figures of each lever."""
        return [self._table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in self.levers.names]

    def _given(self, partners: Whole, moves: Floats, others: int) -> dict[str, Floats]:
        """The values of levers that are formulas themselves, where they are moved; rows of others come first."""
        formulas = {formula.name for formula in self.formulas}
        given = {}
        for place, name in enumerate(self.levers.names):
            if name in formulas:
                value = self.levers.start[partners, place] + self.levers.directions[place] * moves[:, place]
                own = np.where(moves[:, place] > 0, value, np.nan)
                given[name] = np.concatenate([np.full(others, np.nan), own])
        return given

    def _with_models(self, inputs: VariedRows, model: PotentialModel, factor: Floats) -> VariedRows:
        asked = self.asked_of_models & POTENTIAL_COLUMNS
        if asked == {"potential"}:
            inputs = inputs.assign(potential=potential.predict_centre(model, inputs) * factor)
        elif asked and asked <= set(AMOUNTS):
            amounts = potential.predict_amounts(model, inputs) * factor[:, None]
            inputs = inputs.assign(**dict(zip(AMOUNTS, amounts.T, strict=True)))
        elif asked:
            predicted = potential.predict(model, inputs.frame())
            values = {name: predicted[name].to_numpy() for name in predicted.columns if name != "partner_id"}
            inputs = inputs.assign(**{**values, **{name: values[name] * factor for name in AMOUNTS}})
        if self.asked_of_models & ARCHETYPE_COLUMNS and self.found is not None:
            assigned = archetypes.assign(self.found, inputs.frame())
            known = [str(name) for name in assigned if name in inputs.columns]
            inputs = inputs.assign(**{name: assigned[name].to_numpy() for name in known})
        return inputs


def asked_of_models(policy: Policy) -> frozenset[str]:
    """The columns of models that a policy looks at."""
    return frozenset(needed_columns(policy)) & (ARCHETYPE_COLUMNS | POTENTIAL_COLUMNS)


def formulas_asked(
    workspace: Workspace, policy: Policy, levers: Sequence[str], model: PotentialModel
) -> tuple[Formula, ...]:
    """The formulas that depend on a lever and that a policy or a model looks at, in the order to compute."""
    wanted = set(needed_columns(policy))
    if asked_of_models(policy):
        wanted |= set(model.features.names)
    kept = []
    for formula in reversed(dependent_formulas(parse_catalog(workspace), levers)):
        if formula.name in wanted:
            kept.append(formula)
            wanted |= formula.expression.names
    return tuple(reversed(kept))


def depends_on_others(policy: Policy, formulas: Sequence[Formula]) -> bool:
    """Whether a partner's tier can depend on other partners' figures."""
    return _compares_partners(policy) or any(ranks_partners(formula) for formula in formulas)


def _numbered(count: int) -> pd.Series:
    return pd.Series(np.arange(count)).astype("str").str.zfill(9)


def _decoded(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _without_categories(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype(dict.fromkeys(rows.select_dtypes("category").columns, "str"))


def _compares_partners(policy: Policy) -> bool:
    tiers = [*policy.tiers, *(tier for track in policy.tracks.values() for tier in track.tiers)]
    return any(tier.top is not None for tier in tiers) or any(
        _WINDOW.search(definition.formula) for definition in policy.definitions.values()
    )
