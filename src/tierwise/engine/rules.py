"""The rules of single nodes in the expression language, and how a refusal is worded."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime

from sqlglot import exp

from tierwise.config.names import nearest_name
from tierwise.engine import grammar
from tierwise.engine.grammar import ExpressionKind

SHOWN_CHARACTERS = 60


def node_offences(node: exp.Expr, kind: ExpressionKind) -> list[str]:
    """Say what is wrong with one node, or return an empty list."""
    if type(node) not in grammar.ALLOWED[kind]:
        return [_not_allowed(node, kind)]
    rule = _RULES.get(type(node))
    reason = rule(node) if rule else None
    return [reason] if reason else []


def aggregate_offences(tree: exp.Expr) -> list[str]:
    """Say why an expression is not one value per group of rows: no aggregate, nested ones, or a bare column."""
    aggregates = [node for node in tree.walk() if type(node) in grammar.AGGREGATE_NODES]
    if not aggregates:
        return ["no aggregate: write for example sum(amount) or count(*)"]
    nested = [node for node in aggregates if any(type(above) in grammar.AGGREGATE_NODES for above in _above(node))]
    if nested:
        return [f"{called(nested[0])}() is inside another aggregate; use 'per' and 'then' for two levels"]
    bare = sorted({column.name for column in tree.find_all(exp.Column) if not _is_aggregated(column)} - {"as_of"})
    return [f"the column {name!r} stands outside an aggregate" for name in bare]


def window_offences(tree: exp.Expr) -> list[str]:
    """Say which functions of a formula lack their window, and which windows are inside one another."""
    functions = [node for node in tree.walk() if type(node) in grammar.AGGREGATE_NODES | grammar.RANK_NODES]
    alone = [node for node in functions if not (isinstance(node.parent, exp.Window) and node.arg_key == "this")]
    nested = [
        node for node in tree.find_all(exp.Window) if any(isinstance(above, exp.Window) for above in _above(node))
    ]
    return [f"{called(node)}() needs over (...) in a formula" for node in alone] + [
        "a window function is inside another; declare the inner one as its own metric" for _ in nested[:1]
    ]


def _is_aggregated(column: exp.Expr) -> bool:
    return any(type(above) in grammar.AGGREGATE_NODES or isinstance(above, exp.Filter) for above in _above(column))


def _above(node: exp.Expr) -> list[exp.Expr]:
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found


def _not_allowed(node: exp.Expr, kind: ExpressionKind) -> str:
    if isinstance(node, exp.Subquery | exp.Query | exp.Exists):
        return "sub-queries are not allowed"
    if type(node) in grammar.AGGREGATE_NODES:
        return f"{called(node)}() is an aggregate, which is not allowed here"
    if isinstance(node, exp.Window) or type(node) in grammar.RANK_NODES:
        return "window functions are allowed only in a formula"
    if isinstance(node, exp.Func):
        return _function_not_allowed(called(node), kind)
    return f"{_sql_words(node)} is not part of the language"


def _function_not_allowed(name: str, kind: ExpressionKind) -> str:
    if name in grammar.ADVICE:
        return f"the function {name}() is not allowed: {grammar.ADVICE[name]}"
    near = nearest_name(name, grammar.FUNCTION_NAMES[kind])
    return f"the function {name[:SHOWN_CHARACTERS]}() is not allowed" + (f"; did you mean {near}()?" if near else "")


def called(node: exp.Expr) -> str:
    """Name a function as a user writes it."""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return str(node.name).lower()
    name = grammar.CANONICAL_NAMES.get(type(node)) or _OTHER_NAMES.get(type(node))
    return name or (str(node.sql_name()).lower() if isinstance(node, exp.Func) else type(node).__name__)


_OTHER_NAMES: dict[type[exp.Expr], str] = {
    exp.GroupConcat: "string_agg", exp.ArrayAgg: "list", exp.ApproxDistinct: "approx_count_distinct",
    exp.TimeToUnix: "epoch", exp.Rand: "random", exp.DayOfWeek: "dayofweek", exp.IsNan: "isnan",
}  # fmt: skip


def _sql_words(node: exp.Expr) -> str:
    names: dict[type[exp.Expr], str] = {
        exp.IntDiv: "'//' (write floor(a / b))",
        exp.Star: "'*' outside count(*)",
        exp.Dot: "a dotted name",
    }
    names |= {
        exp.Filter: "'filter' outside an aggregate",
        exp.WithinGroup: "'within group' (write quantile_cont(x, 0.5))",
    }
    names |= {exp.Order: "'order by' outside a window", exp.WindowSpec: "a window frame", exp.Tuple: "a list of values"}
    return names.get(type(node), type(node).__name__.upper())


def _column_rule(node: exp.Expr) -> str | None:
    if node.args.get("table") is not None or node.args.get("join_mark"):
        return f"{node.sql('duckdb')[:SHOWN_CHARACTERS]!r} has a dot: names stand alone, without a table"
    return None


def _literal_rule(node: exp.Expr) -> str | None:
    if node.is_string:
        return None
    digits = sum(character.isdigit() for character in node.name)
    if digits > grammar.MAX_DIGITS or not math.isfinite(float(node.name)):
        return f"the number {node.name[: grammar.MAX_DIGITS]}... does not fit: at most {grammar.MAX_DIGITS} digits"
    return None


def _cast_rule(node: exp.Expr) -> str | None:
    target = node.args["to"]
    if node.args.get("format") or node.args.get("default") or target.args.get("nested"):
        return "only plain casts are allowed"
    if target.this not in grammar.CAST_TYPES or len(target.expressions) > 2:
        return f"a cast to {target.sql('duckdb')[:SHOWN_CHARACTERS]} is not allowed"
    if target.expressions and target.this != exp.DType.DECIMAL:
        return f"a cast to {target.sql('duckdb')[:SHOWN_CHARACTERS]} is not allowed"
    return _decimal_size(target) or _date_literal(node.this, target.this)


def _decimal_size(target: exp.Expr) -> str | None:
    sizes = [parameter.name for parameter in target.expressions]
    if not all(size.isdigit() and int(size) <= grammar.MAX_DIGITS for size in sizes):
        return f"{target.sql('duckdb')[:SHOWN_CHARACTERS]} is not a decimal type of at most {grammar.MAX_DIGITS} digits"
    return "the scale of a decimal is larger than its width" if sizes[1:] and int(sizes[1]) > int(sizes[0]) else None


def _date_literal(value: exp.Expr, target: exp.DType) -> str | None:
    is_text = isinstance(value, exp.Literal) and value.is_string
    if not is_text or target not in (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ):
        return None
    try:
        (date if target == exp.DType.DATE else datetime).fromisoformat(value.name)
    except ValueError:
        return f"{value.name[:SHOWN_CHARACTERS]!r} is not a date (write for example date '2026-06-30')"
    return None


def _star_rule(node: exp.Expr) -> str | None:
    if not isinstance(node.parent, exp.Count) or any(node.args.values()):
        return "'*' is allowed only in count(*)"
    return None


def _count_rule(node: exp.Expr) -> str | None:
    return None if node.this is not None and not node.expressions else "count takes '*', or one column"


def _distinct_rule(node: exp.Expr) -> str | None:
    if not isinstance(node.parent, exp.Count):
        return "'distinct' is allowed only in count(distinct ...)"
    return None if len(node.expressions) == 1 and not node.args.get("on") else "count(distinct ...) takes one column"


def _filter_rule(node: exp.Expr) -> str | None:
    return None if type(node.this) in grammar.AGGREGATE_NODES else "'filter' belongs after an aggregate"


def _where_rule(node: exp.Expr) -> str | None:
    return None if isinstance(node.parent, exp.Filter) else "'where' is allowed only in filter (where ...)"


def _order_rule(node: exp.Expr) -> str | None:
    return None if isinstance(node.parent, exp.Window) else "'order by' is allowed only in over (...)"


def _window_rule(node: exp.Expr) -> str | None:
    function, order = node.this, node.args.get("order")
    if any(node.args.get(key) for key in ("spec", "alias", "first")) or node.args.get("over") != "OVER":
        return "a window takes only 'partition by' and 'order by'"
    if type(function) in grammar.RANK_NODES:
        return None if order and len(order.expressions) == 1 else f"{called(function)}() needs 'order by' one figure"
    if type(function) in grammar.WINDOW_AGGREGATES:
        return "a running aggregate depends on row order; leave out 'order by'" if order else None
    return f"{called(function)}() is not allowed over a window" if type(function) in grammar.AGGREGATE_NODES else None


def _rank_rule(node: exp.Expr) -> str | None:
    if not isinstance(node.parent, exp.Window):
        return f"{called(node)}() needs over (...)"
    return f"{called(node)}() takes no argument" if node.this or node.expressions else None


def _interval_rule(node: exp.Expr) -> str | None:
    plain = isinstance(node.this, exp.Literal) and isinstance(node.args.get("unit"), exp.Var)
    return None if plain and node.this.name.isdigit() else "an interval is a whole number and a unit: interval 30 day"


def _unit_rule(node: exp.Expr) -> str | None:
    if not isinstance(node.parent, exp.Interval | exp.DateDiff | exp.TimestampTrunc | exp.Extract):
        return f"{node.name[:SHOWN_CHARACTERS]!r} is not part of the language"
    if node.name.upper() not in grammar.TIME_UNITS:
        return f"{node.name[:SHOWN_CHARACTERS]!r} is not a unit of time; use day, week, month, quarter or year"
    return None


def _date_trunc_rule(node: exp.Expr) -> str | None:
    unit = node.args["unit"].name
    return None if unit.upper() in grammar.TIME_UNITS else f"{unit[:SHOWN_CHARACTERS]!r} is not a unit of time"


def _date_diff_rule(node: exp.Expr) -> str | None:
    return None if isinstance(node.args.get("unit"), exp.Var) else "write date_diff('day', earlier, later)"


def _in_rule(node: exp.Expr) -> str | None:
    plain = bool(node.expressions) and not any(node.args.get(key) for key in ("query", "unnest", "field"))
    return None if plain else "'in' takes a list of values in brackets"


def _is_rule(node: exp.Expr) -> str | None:
    return None if isinstance(node.expression, exp.Null | exp.Boolean) else "'is' takes null, true or false"


def _quantile_rule(node: exp.Expr) -> str | None:
    share = node.expression
    if isinstance(share, exp.Literal) and not share.is_string and 0 <= float(share.name) <= 1:
        return None
    return "a quantile takes a column and a share between 0 and 1: quantile_cont(amount, 0.9)"


def _arg_rule(node: exp.Expr) -> str | None:
    return (
        None
        if node.expression is not None and not node.args.get("count")
        else f"{called(node)}(value, by) takes two columns"
    )


def _regexp_rule(node: exp.Expr) -> str | None:
    if node.args.get("flag") or not (isinstance(node.expression, exp.Literal) and node.expression.is_string):
        return "regexp_matches takes a column and a pattern in single quotes"
    return None


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], str | None]] = {
    exp.Column: _column_rule, exp.Literal: _literal_rule, exp.Cast: _cast_rule, exp.TryCast: _cast_rule,
    exp.Star: _star_rule, exp.Count: _count_rule, exp.Distinct: _distinct_rule, exp.Filter: _filter_rule,
    exp.Where: _where_rule, exp.Order: _order_rule, exp.Window: _window_rule,
    exp.Rank: _rank_rule, exp.DenseRank: _rank_rule, exp.PercentRank: _rank_rule, exp.CumeDist: _rank_rule,
    exp.Interval: _interval_rule, exp.Var: _unit_rule, exp.DateDiff: _date_diff_rule,
    exp.DateTrunc: _date_trunc_rule, exp.In: _in_rule,
    exp.Is: _is_rule, exp.PercentileCont: _quantile_rule, exp.PercentileDisc: _quantile_rule,
    exp.ArgMax: _arg_rule, exp.ArgMin: _arg_rule, exp.RegexpLike: _regexp_rule,
}  # fmt: skip
