"""Traps in a policy's expressions: divisors that can be zero, units that do not match, boundary operators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp

from tierwise.engine import Expression
from tierwise.policy.criteria import Criterion
from tierwise.policy.linting.findings import Finding
from tierwise.policy.truth import literal_value

_SAME_UNIT = (exp.GTE, exp.GT, exp.LTE, exp.LT, exp.EQ, exp.NEQ, exp.Add, exp.Sub, exp.Least, exp.Greatest, exp.Between)
_PASSES_UNIT = (
    exp.Paren, exp.Neg, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest,
)  # fmt: skip


def zero_divisors(expressions: Iterable[tuple[str, Expression]]) -> Iterator[Finding]:
    """Divisions whose divisor can be zero: the figure is then unknown, which may not be what is meant."""
    for place, expression in expressions:
        for division in expression.tree.find_all(exp.Div):
            divisor = _unwrapped(division.expression)
            if _can_be_zero(divisor):
                name = divisor.sql("duckdb")
                message = f"{name} can be zero; {expression.text!r} is then unknown, and unknown is never met"
                todo = "write nullif(..., 0) to say that this is meant, or say with coalesce(...) what should count"
                yield Finding("zero_divisor", "warning", place, message, todo=todo)


def _can_be_zero(divisor: exp.Expr) -> bool:
    constant = literal_value(divisor)
    if constant is not None:
        return constant == 0
    if isinstance(divisor, exp.Greatest):
        bounds = [literal_value(part) for part in (divisor.this, *divisor.expressions)]
        return not any(bound is not None and bound > 0 for bound in bounds)
    return not isinstance(divisor, exp.Nullif)


def _unwrapped(tree: exp.Expr) -> exp.Expr:
    return _unwrapped(tree.this) if isinstance(tree, exp.Paren) else tree


def unit_mismatches(expressions: Iterable[tuple[str, Expression]], units: Mapping[str, str]) -> Iterator[Finding]:
    """Comparisons, sums and extremes of figures with different units."""
    for place, expression in expressions:
        for node in expression.tree.find_all(*_SAME_UNIT):
            sides = {unit_of(side, units): side for side in _sides(node)}
            known = {unit: side for unit, side in sides.items() if unit}
            if len(known) > 1:
                named = " and ".join(f"{side.sql('duckdb')} ({unit})" for unit, side in known.items())
                message = f"{named} have different units in {expression.text!r}"
                yield Finding("unit_mismatch", "warning", place, message, todo="bring both to one unit")


def _sides(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    return [side for side in (node.this, node.expression, *node.expressions) if isinstance(side, exp.Expr)]


def unit_of(tree: exp.Expr, units: Mapping[str, str]) -> str:
    """The unit of an expression; empty where it is not known or a plain number."""
    if isinstance(tree, exp.Column):
        return units.get(tree.name, "")
    if isinstance(tree, exp.Mul):
        return _only_unit([tree.this, tree.expression], units)
    if isinstance(tree, exp.Div):
        above, below = unit_of(tree.this, units), unit_of(tree.expression, units)
        return above if not below and literal_value(tree.expression) is not None else ""
    if isinstance(tree, exp.Add | exp.Sub):
        return unit_of(tree.this, units) or unit_of(tree.expression, units)
    return unit_of(tree.this, units) if isinstance(tree, _PASSES_UNIT) else ""


def _only_unit(factors: list[exp.Expr], units: Mapping[str, str]) -> str:
    """The unit of a product with plain numbers; that of two figures is another one, which has no name here."""
    named = [factor for factor in factors if literal_value(factor) is None]
    return unit_of(named[0], units) if len(named) == 1 else ""


def boundary_traps(criteria: Iterable[tuple[str, Criterion]]) -> Iterator[Finding]:
    """One figure compared strictly here and not strictly there: partners exactly at a threshold fare differently."""
    used: dict[tuple[str, str], dict[str, str]] = {}
    for place, criterion in criteria:
        if criterion.operator in (">=", ">", "<=", "<"):
            direction = criterion.operator[0]
            used.setdefault((criterion.metric, direction), {}).setdefault(
                criterion.operator, f"{place}: {criterion.expression}"
            )
    for (metric, direction), operators in used.items():
        if len(operators) > 1:
            both = " but ".join(operators[operator] for operator in (f"{direction}=", direction))
            message = f"boundary operators differ for {metric}: {both}"
            todo = "decide whether a partner exactly at a threshold reaches it, and write it the same everywhere"
            yield Finding("boundary", "warning", metric, message, todo=todo)
