"""Small builders of SQL trees that the policy's compiler shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce

from sqlglot import exp

UNKNOWN = exp.Null()
DECIMALS = 9
ROUNDED_BELOW = 1_000_000


def column(name: str) -> exp.Expr:
    """A quoted column."""
    return exp.column(name, quoted=True)


def number(value: Decimal | int | float) -> exp.Expr:
    """A number as a double."""
    literal = exp.Literal.number(format(Decimal(str(abs(value))), "f"))
    return exp.cast(exp.Neg(this=literal) if value < 0 else literal, "DOUBLE")


def text(value: str) -> exp.Expr:
    """A text literal."""
    return exp.Literal.string(value)


def double(tree: exp.Expr) -> exp.Expr:
    """The tree's value as a double; infinite and not-a-number become unknown."""
    value = exp.cast(exp.Paren(this=tree), "DOUBLE")
    return case([(exp.func("isfinite", value), value)])


def is_unknown(tree: exp.Expr) -> exp.Expr:
    """Whether the value is unknown."""
    return exp.Is(this=exp.Paren(this=tree), expression=exp.Null())


def is_true(tree: exp.Expr) -> exp.Expr:
    """Whether a condition holds; an unknown one does not."""
    return exp.Coalesce(this=exp.Paren(this=tree), expressions=[exp.false()])


def is_false(tree: exp.Expr) -> exp.Expr:
    """Whether a condition is known not to hold."""
    return exp.Not(this=exp.Coalesce(this=exp.Paren(this=tree), expressions=[exp.true()]))


def both(parts: Iterable[exp.Expr]) -> exp.Expr:
    """Three-valued AND; true of nothing."""
    return _joined(exp.And, parts, exp.true())


def either(parts: Iterable[exp.Expr]) -> exp.Expr:
    """Three-valued OR; false of nothing."""
    return _joined(exp.Or, parts, exp.false())


def _joined(kind: type[exp.Connector], parts: Iterable[exp.Expr], empty: exp.Expr) -> exp.Expr:
    wrapped: list[exp.Expr] = [exp.Paren(this=part) for part in parts]
    return reduce(lambda left, right: kind(this=left, expression=right), wrapped) if wrapped else empty


def negated(tree: exp.Expr) -> exp.Expr:
    """Three-valued NOT."""
    return exp.Not(this=exp.Paren(this=tree))


def case(branches: Sequence[tuple[exp.Expr, exp.Expr]], default: exp.Expr | None = None) -> exp.Expr:
    """`CASE WHEN ... THEN ... ELSE ... END`."""
    ifs = [exp.If(this=condition, true=value) for condition, value in branches]
    return exp.Case(ifs=ifs, default=default)


def total(parts: Sequence[exp.Expr]) -> exp.Expr:
    """The sum of the parts, in this order."""
    return reduce(lambda left, right: exp.Add(this=left, expression=right), list(parts))


def counted(parts: Iterable[exp.Expr]) -> exp.Expr:
    """How many of the conditions hold."""
    return total([case([(exp.Paren(this=part), exp.Literal.number(1))], exp.Literal.number(0)) for part in parts])


def rounded(tree: exp.Expr) -> exp.Expr:
    """Rounded to nine decimals, so that 0.1 * 3 is 0.3 and a boundary is met."""
    return exp.Round(this=tree, decimals=exp.Literal.number(DECIMALS))


def comparable(tree: exp.Expr) -> exp.Expr:
    """The value as it is compared: rounded to nine decimals, so that 1.2 - 1 meets 0.2; from a million on as it is."""
    small = exp.LT(this=exp.Abs(this=exp.Paren(this=tree)), expression=number(ROUNDED_BELOW))
    return case([(small, rounded(tree))], tree)


def nested_select(source: exp.Expr, stages: Sequence[dict[str, exp.Expr]]) -> exp.Select:
    """Select everything from the source and add columns stage by stage, each stage seeing those before it."""
    query = exp.select("*").from_(source, copy=False)
    for number_, stage in enumerate(stages):
        added = [exp.alias_(tree, name, quoted=True) for name, tree in stage.items()]
        inner = query.subquery(f"stage_{number_}", copy=False)
        query = exp.select(exp.Star(), *added, copy=False).from_(inner, copy=False)
    return query
