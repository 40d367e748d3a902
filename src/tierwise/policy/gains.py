"""Which tier changed inputs would gain, asked of a compiled policy many times and without anything else it tells.

A placement computes every criterion, score and control. A search for plans wants one number per try, so the query here
keeps only the columns that this number is made of: it is planned and run in a fraction of the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from tierwise.engine import Engine, quoted
from tierwise.policy import sql
from tierwise.policy.plan import Plan

_TRIES, _PLACE = "policy_tries_", "policy_tries_place_"

Stage = dict[str, exp.Expr]


@dataclass(frozen=True)
class Gains:
    """The query for the tier gained with the promotion's band.

    Attributes:
        statement: Its SQL.
        inputs: The columns of the inputs that it reads.
    """

    statement: str
    inputs: frozenset[str]

    @classmethod
    def of(cls, plan: Plan) -> Gains:
        """Cut a compiled policy down to the place gained on its own ladder, one row of inputs at a time."""
        rank = plan.ladder.ranks["gain"]
        stages, inputs = needed_stages(plan.stages, [rank])
        source = exp.to_table(_TRIES)
        inner = sql.nested_select(source, stages).subquery("placed", copy=False)
        query = exp.select(sql.column(rank), copy=False).from_(inner, copy=False).order_by(sql.column(_PLACE))
        return cls(query.sql("duckdb", identify=True, copy=False), frozenset(inputs))

    def gained(self, engine: Engine, inputs: pa.Table) -> NDArray[np.int64]:
        """The place gained by each row of inputs, in their order; -1 where none is.

        Args:
            engine: The engine that runs the query.
            inputs: The columns named by `inputs`, with further ones or without.
        """
        own = inputs.select([name for name in inputs.column_names if name in self.inputs])
        engine.show(_TRIES, own.append_column(_PLACE, pa.array(np.arange(inputs.num_rows))))
        if not engine.has_table(self._view):  # a view is parsed once, a long query every time
            engine.run(f"CREATE TEMP VIEW {quoted(self._view)} AS {self.statement}")
        found: NDArray[np.int64] = engine.arrow(f"SELECT * FROM {quoted(self._view)}").column(0).to_numpy()
        return found.astype(np.int64)

    @cached_property
    def _view(self) -> str:
        return f"policy_gains_{hashlib.sha256(self.statement.encode()).hexdigest()[:16]}"


def needed_stages(stages: Sequence[Mapping[str, exp.Expr]], wanted: Sequence[str]) -> tuple[list[Stage], set[str]]:
    """Keep the columns of stages that others are made from.

    Args:
        stages: Columns by name, each stage reading those before it.
        wanted: The columns asked for.

    Returns:
        The stages that are left, and the names that they read and none of them makes: the inputs.
    """
    needed, kept = set(wanted), list[Stage]()
    for stage in reversed(stages):
        own = {name: tree for name, tree in stage.items() if name in needed}
        needed = (needed - own.keys()) | {found.name for tree in own.values() for found in tree.find_all(exp.Column)}
        if own:
            kept.append(own)
    return kept[::-1], needed
