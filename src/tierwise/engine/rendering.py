"""Turns a checked expression into SQL whose answer is the same on every engine and in every run.

The rewriting gives the language its meaning: division is real division and unknown at zero, sums are exact (decimal),
an unknown argument makes `least` and `greatest` unknown, ranks leave unknown figures out, and ties never depend on
row order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlglot import exp

from tierwise.engine import grammar
from tierwise.engine.expressions import Expression

Wrap = Callable[[exp.Expr], exp.Expr]

_EXACT_SUM = "DECIMAL(38, 9)"
_EXACT_OPERATORS = (
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Coalesce, exp.Nullif,
    exp.Least, exp.Greatest, exp.Sum, exp.Min, exp.Max,
)  # fmt: skip
_DATES = (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)
_ALWAYS_EXACT = (
    exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.Null, exp.Count, exp.CountIf, exp.Sign, exp.DateDiff,
    exp.Year, exp.Quarter, exp.Month, exp.Day, exp.Extract, exp.Length,
)  # fmt: skip


def render(expression: Expression, dialect: str = "duckdb", *, partition_by: Sequence[str] = ()) -> str:
    """Write an expression as SQL for one engine.

    Args:
        expression: A checked expression.
        dialect: The engine's SQL: `duckdb` or `spark`.
        partition_by: Columns that every window is partitioned by in addition, such as `as_of`.
    """
    return to_tree(expression, partition_by=partition_by).sql(dialect, identify=True)


def to_tree(
    expression: Expression, *, partition_by: Sequence[str] = (), inexact_names: Collection[str] = ()
) -> exp.Expr:
    """Rewrite an expression to its exact meaning, as a fresh SQLGlot tree to be put into a larger query.

    Args:
        expression: A checked expression.
        partition_by: Columns that every window is partitioned by in addition.
        inexact_names: Names whose values are doubles. In a `window` expression (a formula) all of them are.
    """
    tree = exp.Paren(this=expression.tree.copy())
    doubles = expression.names if expression.kind == "window" else frozenset(inexact_names)
    for node in reversed(list(tree.bfs())):
        new = _rewritten(node, doubles, partition_by)
        if new is not node:
            node.replace(new)
    rewritten: exp.Expr = tree.this.pop()
    return rewritten


def is_exact(node: exp.Expr, inexact_names: Collection[str] = ()) -> bool:
    """Tell whether a value is an integer or a decimal, so that its sum cannot depend on the order of rows."""
    if isinstance(node, exp.Column):
        return node.name not in inexact_names
    if isinstance(node, exp.Literal):
        return "e" not in node.name.lower()
    if isinstance(node, exp.Cast):
        return node.args["to"].this not in (exp.DType.DOUBLE, exp.DType.FLOAT)
    if isinstance(node, _ALWAYS_EXACT):
        return True
    if isinstance(node, exp.Case | exp.If):
        return all(is_exact(branch, inexact_names) for branch in _branches(node))
    if isinstance(node, _EXACT_OPERATORS):
        return all(is_exact(child, inexact_names) for child in node.iter_expressions())
    return False


def _branches(node: exp.Expr) -> list[exp.Expr]:
    values = [branch.args["true"] for branch in node.args.get("ifs", [])]
    values += [node.args[key] for key in ("true", "false", "default") if node.args.get(key) is not None]
    return values


def _rewritten(node: exp.Expr, doubles: Collection[str], partition_by: Sequence[str]) -> exp.Expr:
    if type(node) in grammar.AGGREGATE_NODES:
        return node if isinstance(node.parent, exp.Filter | exp.Window) else _aggregate(node, doubles, _as_is)
    if isinstance(node, exp.Filter):
        return _aggregate(node.this, doubles, lambda new: _filtered(new, node.expression.this))
    if isinstance(node, exp.Window):
        return _window(node, doubles, partition_by)
    rewrite = _SCALAR.get(type(node))
    return rewrite(node) if rewrite else node


def _as_is(node: exp.Expr) -> exp.Expr:
    return node


def _double(node: exp.Expr) -> exp.Expr:
    return node if _is_double(node) else exp.cast(node, "DOUBLE", copy=False)


def _is_double(node: exp.Expr) -> bool:
    return isinstance(node, exp.Cast) and node.args["to"].this == exp.DType.DOUBLE


def _zero_is_unknown(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Literal) and not node.is_string and float(node.name) != 0:
        return node
    return exp.Nullif(this=node, expression=exp.Literal.number(0))


def _quotient(numerator: exp.Expr, denominator: exp.Expr) -> exp.Expr:
    return exp.Div(this=_double(numerator), expression=_zero_is_unknown(_double(denominator)), typed=False, safe=False)


def _filtered(aggregate: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """Attach a filter; an aggregate that has one already gets both conditions."""
    if isinstance(aggregate, exp.Filter):
        both = exp.and_(condition.copy(), aggregate.expression.this, copy=False)
        return exp.Filter(this=aggregate.this, expression=exp.Where(this=both))
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition.copy()))


# --- aggregates ---


def _aggregate(node: exp.Expr, doubles: Collection[str], wrap: Wrap) -> exp.Expr:
    """Rewrite one aggregate; `wrap` attaches its filter or window to every aggregate that replaces it."""
    if isinstance(node, exp.Sum):
        return wrap(_exact_sum(node.this, doubles))
    if isinstance(node, exp.Avg):
        return exp.Paren(this=_average(node.this, doubles, wrap))
    if isinstance(node, exp.Median):
        return wrap(_quantile(exp.PercentileCont, node.this, exp.Literal.number("0.5")))
    if isinstance(node, exp.PercentileCont | exp.PercentileDisc):
        return wrap(_quantile(type(node), node.this, node.expression))
    if isinstance(node, exp.Variance | exp.VariancePop | exp.Stddev | exp.StddevSamp | exp.StddevPop):
        return exp.Paren(this=_spread(node, doubles, wrap))
    if isinstance(node, exp.ArgMax | exp.ArgMin):
        return _value_at_extreme(node, wrap)
    return wrap(node.copy())


def _exact_sum(value: exp.Expr, doubles: Collection[str]) -> exp.Expr:
    value = value.copy()
    return exp.Sum(this=value if is_exact(value, doubles) else exp.cast(value, _EXACT_SUM, copy=False))


def _average(value: exp.Expr, doubles: Collection[str], wrap: Wrap) -> exp.Expr:
    return _quotient(wrap(_exact_sum(value, doubles)), wrap(exp.Count(this=value.copy(), big_int=True)))


def _quantile(kind: type[exp.Expr], value: exp.Expr, share: exp.Expr) -> exp.Expr:
    return kind(this=_double(value.copy()), expression=share.copy())


def _spread(node: exp.Expr, doubles: Collection[str], wrap: Wrap) -> exp.Expr:
    """Variance from exact sums: (sum of squares - square of sum / n) / (n - 1), or / n for a population."""
    exact = is_exact(node.this, doubles)
    value = exp.cast(node.this.copy(), "DECIMAL(38, 4)" if exact else _EXACT_SUM, copy=False)
    count = wrap(exp.Count(this=node.this.copy(), big_int=True))
    total, squares = (wrap(exp.Sum(this=part)) for part in (value.copy(), exp.Mul(this=value.copy(), expression=value)))
    square_of_total = exp.Mul(this=_double(total), expression=_double(total.copy()))
    around_mean = exp.Sub(this=_double(squares), expression=_quotient(square_of_total, count.copy()))
    is_population = isinstance(node, exp.VariancePop | exp.StddevPop)
    freedom = count if is_population else exp.Paren(this=exp.Sub(this=count, expression=exp.Literal.number(1)))
    variance = _quotient(
        exp.Greatest(this=around_mean, expressions=[exp.Literal.number(0)], ignore_nulls=True), freedom
    )
    return variance if isinstance(node, exp.Variance | exp.VariancePop) else exp.Sqrt(this=variance)


def _value_at_extreme(node: exp.Expr, wrap: Wrap) -> exp.Expr:
    """Take `arg_max(value, by)` from the largest pair (by, value): the largest value wins a tie (arg_min: smallest)."""
    value, by = node.this, node.expression
    pair = exp.Struct(expressions=[_field("by_", by), _field("value_", value)])
    both_known = exp.and_(_known(value), _known(by), copy=False)
    extreme = exp.Max(this=pair) if isinstance(node, exp.ArgMax) else exp.Min(this=pair)
    return exp.StructExtract(this=wrap(_filtered(extreme, both_known)), expression=exp.Literal.string("value_"))


def _field(name: str, value: exp.Expr) -> exp.Expr:
    return exp.PropertyEQ(this=exp.to_identifier(name), expression=value.copy())


def _known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=exp.Paren(this=value.copy()), expression=exp.Null()))


# --- windows ---


def _window(node: exp.Expr, doubles: Collection[str], partition_by: Sequence[str]) -> exp.Expr:
    groups = [exp.column(name, quoted=True) for name in partition_by]
    groups += [group.copy() for group in node.args.get("partition_by") or []]
    if type(node.this) not in grammar.RANK_NODES:
        return _aggregate(
            node.this, doubles, lambda new: exp.Window(this=new, partition_by=_copies(groups), over="OVER")
        )
    order = node.args["order"]
    figure = order.expressions[0].this
    unknown_apart = exp.Is(this=exp.Paren(this=figure.copy()), expression=exp.Null())
    rank = exp.Window(this=node.this.copy(), partition_by=[*groups, unknown_apart], order=order.copy(), over="OVER")
    return exp.Case(ifs=[exp.If(this=_known(figure), true=rank)])


def _copies(nodes: Sequence[exp.Expr]) -> list[exp.Expr]:
    return [node.copy() for node in nodes]


# --- scalars ---


def _division(node: exp.Expr) -> exp.Expr:
    return _quotient(node.this, node.expression)


def _remainder(node: exp.Expr) -> exp.Expr:
    return exp.Mod(this=node.this, expression=_zero_is_unknown(node.expression))


def _extreme(node: exp.Expr) -> exp.Expr:
    values = [value for value in (node.this, *node.expressions) if not isinstance(value, exp.Literal)]
    if not values:
        return node
    all_known = exp.and_(*(_known(value) for value in values), copy=False)
    return exp.Case(ifs=[exp.If(this=all_known, true=node.copy())])


def _cast(node: exp.Expr) -> exp.Expr:
    checked_date = isinstance(node.this, exp.Literal) and node.args["to"].this in _DATES
    if isinstance(node, exp.TryCast) or checked_date:
        return node
    return exp.TryCast(this=node.this, to=node.args["to"])


def _positive(value: exp.Expr) -> exp.Expr:
    zero = exp.Literal.number(0)
    return exp.Nullif(
        this=exp.Greatest(this=_double(value), expressions=[zero], ignore_nulls=True), expression=zero.copy()
    )


def _logarithm(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Ln):
        return exp.Ln(this=_positive(node.this))
    if node.expression is None:
        return exp.Log(this=exp.Literal.number(10), expression=_positive(node.this))
    return exp.Log(this=node.this, expression=_positive(node.expression))


def _root(node: exp.Expr) -> exp.Expr:
    not_negative = exp.GTE(this=exp.Paren(this=node.this.copy()), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=not_negative, true=node.copy())])


def _finite(node: exp.Expr) -> exp.Expr:
    new: exp.Expr = node.copy()
    for value in ("NaN", "Infinity", "-Infinity"):
        new = exp.Nullif(this=new, expression=exp.cast(exp.Literal.string(value), "DOUBLE"))
    return new


_SCALAR: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Div: _division, exp.Mod: _remainder, exp.Least: _extreme, exp.Greatest: _extreme, exp.Cast: _cast,
    exp.Ln: _logarithm, exp.Log: _logarithm, exp.Sqrt: _root, exp.Exp: _finite, exp.Pow: _finite,
}  # fmt: skip
