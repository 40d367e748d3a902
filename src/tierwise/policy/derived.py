"""The columns that a policy adds to its inputs: parameters, groups, definitions and scores, in workable order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from tierwise.config.policy import GroupTable, ParameterTable, Policy
from tierwise.engine import to_tree
from tierwise.policy import sql
from tierwise.policy.kinds import Kind, kind_of
from tierwise.policy.reading import Reading
from tierwise.policy.scoring import ScoreColumns, score_columns
from tierwise.policy.texts import policy_texts


@dataclass(frozen=True)
class Derived:
    """One named figure of the policy.

    Attributes:
        name: Its name.
        stages: The columns to add, stage by stage; the last has the name's own column.
        needs: The names that must be there before.
        kind: What kind of value it is.
        score: The score's columns, if it is a score.
    """

    name: str
    stages: tuple[dict[str, exp.Expr], ...]
    needs: frozenset[str]
    kind: Kind = "number"
    score: ScoreColumns | None = None


def derived_figures(policy: Policy, reading: Reading, kinds: Mapping[str, Kind]) -> list[Derived]:
    """Compile every parameter, group, definition and score of the policy."""
    found = [_parameter(name, table) for name, table in policy.parameters.items()]
    found += [_group(name, table) for name, table in policy.groups.items()]
    known: dict[str, Kind] = {**kinds, **dict.fromkeys(policy.groups, "text")}
    for name, definition in policy.definitions.items():
        expression = reading.parse(definition.formula, f"definitions.{name}", "window")
        if expression is not None:
            kind = kind_of(expression.tree, known)
            tree = to_tree(expression)
            found.append(
                Derived(name, ({name: sql.double(tree) if kind == "number" else tree},), expression.names, kind)
            )
    return found + [_score(policy, name, reading) for name in policy.scores]


def _score(policy: Policy, name: str, reading: Reading) -> Derived:
    columns = score_columns(name, policy.scores[name], reading)
    needs: set[str] = set()
    for item in policy_texts(policy):
        if item.place.startswith(f"scores.{name}."):
            expression = reading.parse(item.text, item.place, item.kind)
            needs |= expression.names if expression is not None else set()
    return Derived(name, columns.stages, frozenset(needs), score=columns)


def _by(name: str) -> exp.Expr:
    return exp.cast(sql.column(name), "VARCHAR")


def _parameter(name: str, table: ParameterTable) -> Derived:
    default = sql.UNKNOWN.copy() if table.default is None else sql.number(table.default)
    if table.by is None:
        return Derived(name, ({name: default},), frozenset())
    by = table.by
    branches = [
        (exp.EQ(this=_by(by), expression=sql.text(value)), sql.number(amount)) for value, amount in table.values.items()
    ]
    tree = sql.case(branches, default) if branches else default
    return Derived(name, ({name: tree},), frozenset({by}))


def _group(name: str, table: GroupTable) -> Derived:
    branches = [
        (exp.In(this=_by(table.by), expressions=[sql.text(value) for value in values]), sql.text(group))
        for group, values in table.values.items()
    ]
    tree = sql.case(branches, sql.UNKNOWN.copy() if table.default is None else sql.text(table.default))
    return Derived(name, ({name: tree},), frozenset({table.by}), "text")


def ready_stages(
    pending: list[Derived], available: Iterable[str], all_names: set[str]
) -> tuple[list[dict[str, exp.Expr]], list[Derived]]:
    """Order the figures by what they need, as far as the available names allow.

    Args:
        pending: Figures not yet computed.
        available: The names that are there.
        all_names: Names whose figures are computed by someone, now or later.

    Returns:
        The stages to add, and the figures that still need something.
    """
    stages: list[dict[str, exp.Expr]] = []
    there = set(available)
    while True:
        ready = [figure for figure in pending if not (figure.needs & all_names) - there]
        if not ready:
            return stages, pending
        stages.extend(_merged(ready))
        there |= {figure.name for figure in ready}
        pending = [figure for figure in pending if figure not in ready]


def _merged(figures: list[Derived]) -> list[dict[str, exp.Expr]]:
    depth = max(len(figure.stages) for figure in figures)
    merged: list[dict[str, exp.Expr]] = [{} for _ in range(depth)]
    for figure in figures:
        for stage, columns in enumerate(figure.stages):
            merged[stage].update(columns)
    return merged
