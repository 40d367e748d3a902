"""Constructed partners at and around the thresholds of a policy, for finding gaps and traps without data.

Every figure that a rule compares is a variable of its own, with the values that matter: each threshold, just below and
just above it. Small policies are covered completely; large ones by the partners who just qualify for each route to
each tier, their neighbours in one figure, and seeded random combinations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
from sqlglot import exp

from tierwise.config.policy import ParameterTable, Policy
from tierwise.policy.criteria import Criterion, Kept, Node
from tierwise.policy.ladders import Ladder
from tierwise.policy.truth import literal_value

MOST_POINTS = 60_000
MOST_ROUTES = 64
SEED = 20261001
OTHER = "(any other)"

Values = npt.NDArray[np.generic]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Variable:
    """One figure that rules compare.

    Attributes:
        name: The metric, the expression, or the condition.
        values: The values to try, lowest first.
        is_number: Whether it is a number; otherwise a condition or an attribute.
    """

    name: str
    values: tuple[object, ...]
    is_number: bool = True


@dataclass(frozen=True)
class Points:
    """Constructed partners.

    Attributes:
        columns: Values by variable.
        complete: Whether every combination of values is there.
    """

    columns: Mapping[str, Values]
    complete: bool

    @cached_property
    def codes(self) -> Mapping[str, npt.NDArray[np.int64]]:
        """Each variable's values as whole numbers, to compare partners quickly."""
        return {name: np.unique(values.astype(str), return_inverse=True)[1] for name, values in self.columns.items()}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def example(self, row: int) -> dict[str, object]:
        """The facts of one partner."""
        return {name: values.tolist()[row] for name, values in self.columns.items()}


@dataclass(frozen=True)
class LadderModel:
    """A ladder's rules over variables.

    Attributes:
        policy: The policy; its parameter tables give thresholds by attribute.
        ladder: The compiled ladder.
    """

    policy: Policy
    ladder: Ladder

    def variables(self) -> dict[str, Variable]:
        """Every figure that the rules compare, by name."""
        numbers: dict[str, set[Decimal]] = {}
        others: dict[str, Variable] = {}
        for criterion in self.criteria():
            thresholds = self.thresholds(criterion)
            if thresholds is None:
                others[criterion.expression] = Variable(criterion.expression, (False, True), False)
                continue
            numbers.setdefault(criterion.metric, set()).update(thresholds)
            others |= {table.by: self._attribute(table.by) for table in self._tables(criterion) if table.by}
        return {name: Variable(name, _around(values)) for name, values in numbers.items()} | others

    def criteria(self) -> list[Criterion]:
        """All criteria of the ladder."""
        return [item.criterion for item in self.ladder.criteria]

    def thresholds(self, criterion: Criterion) -> set[Decimal] | None:
        """Every value that a criterion's threshold takes; none where it depends on the partner's figures."""
        if criterion.threshold is None:
            return None
        constant = literal_value(criterion.threshold)
        if constant is not None:
            return {constant}
        table = self._table(criterion)
        if table is None:
            return None
        return {value for value in (*table.values.values(), table.default) if value is not None}

    def _table(self, criterion: Criterion) -> ParameterTable | None:
        threshold = criterion.threshold
        if isinstance(threshold, exp.Column):
            return self.policy.parameters.get(threshold.name)
        return None

    def _tables(self, criterion: Criterion) -> list[ParameterTable]:
        table = self._table(criterion)
        return [] if table is None else [table]

    def _attribute(self, name: str) -> Variable:
        values = {value for table in self.policy.parameters.values() if table.by == name for value in table.values}
        return Variable(name, (*sorted(values), OTHER), False)

    def met(self, points: Points) -> list[Mask]:
        """For each tier which points meet its rule."""
        size = len(points)
        return [
            np.ones(size, dtype=bool) if node is None else self._node_met(node, points) for node in self.ladder.rules
        ]

    def strength(self, points: Points) -> npt.NDArray[np.int64]:
        """How many criteria each point meets: among partners who show the same thing the strongest is the plainest."""
        counts = np.zeros(len(points), dtype=np.int64)
        for criterion in self.criteria():
            counts += self._criterion_met(criterion, points)
        return counts

    def _node_met(self, node: Node, points: Points) -> Mask:
        if isinstance(node, Criterion):
            return self._criterion_met(node, points)
        if isinstance(node, Kept):
            return self._node_met(node.gain, points)
        parts = np.array([self._node_met(part, points) for part in node.parts])
        needed = {"all": len(parts), "any": 1, "at_least": node.count}[node.kind]
        enough: Mask = parts.sum(axis=0) >= needed
        return enough

    def _criterion_met(self, criterion: Criterion, points: Points) -> Mask:
        if self.thresholds(criterion) is None:
            return np.asarray(points.columns[criterion.expression], dtype=bool)
        value = np.asarray(points.columns[criterion.metric], dtype=np.float64)
        return compared(value, criterion.operator, self.threshold_values(criterion, points))

    def threshold_values(self, criterion: Criterion, points: Points) -> npt.NDArray[np.float64]:
        """A criterion's threshold for every point."""
        constant = None if criterion.threshold is None else literal_value(criterion.threshold)
        if constant is not None:
            return np.full(len(points), float(constant))
        table = self._table(criterion)
        assert table is not None
        default = np.nan if table.default is None else float(table.default)
        if table.by is None:
            return np.full(len(points), default)
        amounts = {value: float(amount) for value, amount in table.values.items()}
        return np.array([amounts.get(str(value), default) for value in points.columns[table.by]])


def compared(value: npt.NDArray[np.float64], operator: str, threshold: npt.NDArray[np.float64]) -> Mask:
    """Compare by an operator's sign."""
    comparisons = {
        ">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less, "=": np.equal, "<>": np.not_equal,
    }  # fmt: skip
    return np.asarray(comparisons[operator](value, threshold), dtype=bool)


def _around(thresholds: set[Decimal]) -> tuple[object, ...]:
    """Each threshold, just below and just above it; a whole number's neighbours are whole numbers."""
    decimals = max(max(-int(value.normalize().as_tuple().exponent), 0) for value in thresholds)
    step = Decimal(1).scaleb(-decimals - (decimals > 0))
    return tuple(sorted({float(value + shift) for value in thresholds for shift in (-step, Decimal(0), step)}))


def construct(model: LadderModel) -> Points:
    """Construct the partners of a ladder: all combinations if they are few, else those that matter and a sample."""
    variables = model.variables()
    size = int(np.prod([float(len(variable.values)) for variable in variables.values()], dtype=np.float64))
    if size <= MOST_POINTS:
        return _columns(variables, list(product(*(variable.values for variable in variables.values()))), True)
    rows = _just_qualifying(model, variables)
    rows += [row for base in rows[:200] for row in _neighbours(base, variables)]
    random = np.random.default_rng(SEED)
    room = max(MOST_POINTS - len(rows), 1_000)
    draws = [random.integers(0, len(variable.values), room) for variable in variables.values()]
    lists = [variable.values for variable in variables.values()]
    rows += [tuple(values[at] for values, at in zip(lists, row, strict=True)) for row in zip(*draws, strict=True)]
    return _columns(variables, rows[:MOST_POINTS], False)


def _columns(variables: Mapping[str, Variable], rows: Sequence[tuple[object, ...]], complete: bool) -> Points:
    columns: dict[str, Values] = {}
    for index, (name, variable) in enumerate(variables.items()):
        values = [row[index] for row in rows]
        kind = np.float64 if variable.is_number else object
        columns[name] = np.array(values, dtype=kind)
    return Points(columns, complete)


def _neighbours(base: tuple[object, ...], variables: Mapping[str, Variable]) -> list[tuple[object, ...]]:
    return [
        (*base[:index], value, *base[index + 1 :])
        for index, variable in enumerate(variables.values())
        for value in variable.values
        if value != base[index]
    ]


def _just_qualifying(model: LadderModel, variables: Mapping[str, Variable]) -> list[tuple[object, ...]]:
    """Partners who just meet one route to one tier, with every other figure at its lowest or its highest."""
    rows: list[tuple[object, ...]] = []
    for node in model.ladder.rules:
        for route in _routes(node)[:MOST_ROUTES] if node is not None else []:
            for end in (0, -1):
                others = {name: variable.values[end] for name, variable in variables.items()}
                rows.append(tuple((others | _meeting(model, route, variables, end)).values()))
    return rows


def _routes(node: Node) -> list[list[Criterion]]:
    """The ways to meet a rule, each a list of criteria that must all hold."""
    if isinstance(node, Criterion):
        return [[node]]
    if isinstance(node, Kept):
        return _routes(node.gain)
    parts = [_routes(part) for part in node.parts]
    if node.kind == "any":
        return [route for part in parts for route in part][:MOST_ROUTES]
    chosen = parts if node.kind == "all" else parts[: node.count]
    combined: list[list[Criterion]] = [[]]
    for part in chosen:
        combined = [before + route for before in combined for route in part][:MOST_ROUTES]
    return combined


def _meeting(
    model: LadderModel, route: Sequence[Criterion], variables: Mapping[str, Variable], end: int
) -> dict[str, object]:
    """Values that meet every criterion of a route, the least that do; nothing for a figure that cannot."""
    found: dict[str, object] = {}
    for criterion in route:
        thresholds = model.thresholds(criterion)
        if thresholds is None:
            found[criterion.expression] = True
            continue
        same = [other for other in route if other.metric == criterion.metric and model.thresholds(other)]
        values = np.array(variables[criterion.metric].values, dtype=np.float64)
        fits = np.ones(len(values), dtype=bool)
        for other in same:
            bounds = sorted(model.thresholds(other) or {Decimal(0)})
            fits &= compared(values, other.operator, np.full(len(values), float(bounds[-1])))
        if fits.any():
            found[criterion.metric] = float(values[fits][0])
    return found
