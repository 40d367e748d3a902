"""A tier's rule as a tree of criteria: each criterion one comparison, each group an all, an any or an at-least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from sqlglot import exp

from tierwise.config.policy_rules import WhenUnknown
from tierwise.engine import Expression, to_tree
from tierwise.policy.kinds import Kind, kind_of

GroupKind = Literal["all", "any", "at_least"]

OPERATORS: dict[type[exp.Expr], str] = {
    exp.GTE: ">=", exp.GT: ">", exp.LTE: "<=", exp.LT: "<", exp.EQ: "=", exp.NEQ: "<>",
}  # fmt: skip
MIRRORED = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "=": "=", "<>": "<>"}
NEGATED = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "=": "<>", "<>": "="}
NODES = {operator: node for node, operator in OPERATORS.items()}


@dataclass(frozen=True)
class Options:
    """What a criterion's options say; shared by the comparisons that one written criterion splits into.

    Attributes:
        name: The name given in the file, if any.
        applies_if: A checked condition tree; the criterion is left out where it is false.
        unknown: What an unknown value means.
        band: The criterion's own band, if it has one.
    """

    name: str | None = None
    applies_if: exp.Expr | None = None
    unknown: WhenUnknown = "unknown"
    band: Decimal | None = None


@dataclass(frozen=True, eq=False)
class Criterion:
    """One comparison of a rule.

    Attributes:
        expression: The comparison as text.
        metric: The name, or the expression, on the partner's side.
        operator: `>=`, `>`, `<=`, `<`, `=`, `<>`; `is` for a condition without two numbers.
        value: The partner's side.
        threshold: The policy's side; none for a condition.
        options: The options of the written criterion.
        is_rounded: Whether the value is already rounded for comparison.
        track_ranks: The places on tracks that it compares; a band lies in the tracks' own criteria then.
    """

    expression: str
    metric: str
    operator: str
    value: exp.Expr
    threshold: exp.Expr | None
    options: Options
    is_rounded: bool = False
    track_ranks: frozenset[str] = frozenset()

    @property
    def is_numeric(self) -> bool:
        """Whether it compares two numbers, so that it has a gap and a band can move it."""
        return self.threshold is not None


@dataclass(frozen=True, eq=False)
class Group:
    """Parts of which all, any or at least `count` must hold."""

    kind: GroupKind
    parts: tuple[Node, ...]
    count: int = 0


@dataclass(frozen=True, eq=False)
class Kept:
    """A rule that is gained by one node and kept by another."""

    gain: Node
    keep: Node


Node = Criterion | Group | Kept


def criteria_of(node: Node) -> Iterator[Criterion]:
    """The criteria of a rule in the order of the file; those of a separate keep rule are not among them."""
    if isinstance(node, Criterion):
        yield node
    elif isinstance(node, Kept):
        yield from criteria_of(node.gain)
    else:
        for part in node.parts:
            yield from criteria_of(part)


@dataclass(frozen=True)
class Splitter:
    """Splits a checked boolean expression into single comparisons.

    Attributes:
        kinds: The kind of every known column.
        policy_names: Names whose values the policy sets (parameters), so they stand on the threshold's side.
    """

    kinds: Mapping[str, Kind]
    policy_names: frozenset[str]

    def split(self, expression: Expression, options: Options, is_negated: bool = False) -> Node:
        """Turn AND, OR, NOT and BETWEEN into groups and push negations down to the comparisons."""
        tree = expression.tree
        if isinstance(tree, exp.Paren):
            return self.split(_part(expression, tree.this), options, is_negated)
        if isinstance(tree, exp.Not):
            return self.split(_part(expression, tree.this), options, not is_negated)
        if isinstance(tree, exp.Between):
            return self.split(_part(expression, _bounds(tree)), options, is_negated)
        if isinstance(tree, exp.And | exp.Or):
            kind: GroupKind = "all" if isinstance(tree, exp.And) != is_negated else "any"
            parts = (_part(expression, part) for part in tree.flatten(unnest=False))
            return Group(kind, tuple(self.split(part, options, is_negated) for part in parts))
        return self._criterion(expression, options, is_negated)

    def _criterion(self, expression: Expression, options: Options, is_negated: bool) -> Criterion:
        tree = expression.tree
        operator = OPERATORS.get(type(tree))
        if operator is None or not self._compares_numbers(tree):
            condition = exp.Not(this=exp.Paren(this=tree.copy())) if is_negated else tree
            return self._condition(_part(expression, condition), options)
        left, right = tree.this, tree.expression
        operator = NEGATED[operator] if is_negated else operator
        if self._is_set_by_policy(left) and not self._is_set_by_policy(right):
            left, right, operator = right, left, MIRRORED[operator]
        shown = NODES[operator](this=left.copy(), expression=right.copy())
        value, threshold = (to_tree(_part(expression, side)) for side in (left, right))
        return Criterion(_shown(shown), _shown(left), operator, value, threshold, options)

    def _condition(self, expression: Expression, options: Options) -> Criterion:
        names = sorted({name.name for name in expression.tree.find_all(exp.Column)} - self.policy_names)
        return Criterion(_shown(expression.tree), ", ".join(names), "is", to_tree(expression), None, options)

    def _compares_numbers(self, tree: exp.Expr) -> bool:
        return all(kind_of(side, self.kinds) == "number" for side in (tree.this, tree.expression))

    def _is_set_by_policy(self, tree: exp.Expr) -> bool:
        return all(name.name in self.policy_names for name in tree.find_all(exp.Column))


def _part(expression: Expression, tree: exp.Expr) -> Expression:
    return replace(expression, tree=tree.copy())


def _bounds(tree: exp.Between) -> exp.Expr:
    low, high = tree.args["low"].copy(), tree.args["high"].copy()
    at_least = exp.GTE(this=tree.this.copy(), expression=low)
    return exp.And(this=at_least, expression=exp.LTE(this=tree.this.copy(), expression=high))


def _shown(tree: exp.Expr) -> str:
    return tree.sql("duckdb").replace("\n", " ")
