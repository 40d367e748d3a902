"""What kind of value an SQL expression gives, as far as Spark and DuckDB treat kinds differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlglot import exp

Kind = Literal["double", "exact", "date", "time", "text", "condition"]
Scope = Mapping[str, Kind | None]

_KEY = "kind"
_OF_TYPE: dict[exp.DType, Kind] = {
    exp.DType.DOUBLE: "double", exp.DType.FLOAT: "double", exp.DType.DECIMAL: "exact", exp.DType.INT: "exact",
    exp.DType.BIGINT: "exact", exp.DType.SMALLINT: "exact", exp.DType.TINYINT: "exact", exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "time", exp.DType.TIMESTAMPNTZ: "time", exp.DType.VARCHAR: "text", exp.DType.TEXT: "text",
    exp.DType.BOOLEAN: "condition",
}  # fmt: skip
_PREFIXES: tuple[tuple[str, Kind], ...] = (
    ("DOUBLE", "double"), ("FLOAT", "double"), ("DATE", "date"), ("TIMESTAMP", "time"), ("VARCHAR", "text"),
    ("BOOL", "condition"), ("DECIMAL", "exact"), ("HUGEINT", "exact"), ("BIGINT", "exact"), ("INT", "exact"),
    ("SMALLINT", "exact"), ("TINYINT", "exact"),
)  # fmt: skip
_DOUBLES = (
    exp.Div,
    exp.Exp,
    exp.Ln,
    exp.Log,
    exp.Sqrt,
    exp.Pow,
    exp.PercentileCont,
    exp.PercentRank,
    exp.CumeDist,
    exp.Avg,
)
_EXACT = (
    exp.Count, exp.CountIf, exp.DateDiff, exp.Year, exp.Quarter, exp.Month, exp.Day, exp.Extract, exp.Length,
    exp.Rank, exp.DenseRank, exp.RowNumber, exp.BitwiseAnd, exp.BitwiseOrAgg, exp.Sign,
)  # fmt: skip
_CONDITIONS = (
    exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.StartsWith, exp.EndsWith, exp.Contains, exp.LogicalAnd,
    exp.LogicalOr,
)  # fmt: skip
_TEXTS = (exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.DPipe)
_DATES = (exp.TimestampTrunc, exp.DateTrunc, exp.LastDay, exp.DateFromParts)
_OF_FIRST = (
    exp.Paren, exp.Neg, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sum, exp.Min, exp.Max, exp.Filter, exp.Window,
    exp.Alias, exp.PercentileDisc, exp.Nullif,
)  # fmt: skip


def kind_of_type(sql_type: str) -> Kind | None:
    """The kind of a stored column from its SQL type, as the engine names it."""
    upper = sql_type.upper()
    return next((kind for prefix, kind in _PREFIXES if upper.startswith(prefix)), None)


def remember(node: exp.Expr, kind: Kind | None) -> None:
    """Note the kind of an expression, for those that it is part of."""
    node.meta[_KEY] = kind


def kind_of(node: exp.Expr | None) -> Kind | None:
    """The kind of an expression whose parts' kinds were noted; None where it cannot be told."""
    if node is None:
        return None
    return node.meta[_KEY] if _KEY in node.meta else _kind(node)


def _kind(node: exp.Expr) -> Kind | None:
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else ("double" if "e" in node.name.lower() else "exact")
    if isinstance(node, exp.Cast):
        return _OF_TYPE.get(node.args["to"].this)
    for nodes, kind in _FIXED:
        if isinstance(node, nodes):
            return kind
    if isinstance(node, _OF_FIRST):
        return kind_of(node.this)
    return _of_parts(node)


_FIXED: tuple[tuple[tuple[type[exp.Expr], ...], Kind], ...] = (
    (_CONDITIONS, "condition"), (_DOUBLES, "double"), (_EXACT, "exact"), (_TEXTS, "text"), (_DATES, "date"),
)  # fmt: skip


def _of_parts(node: exp.Expr) -> Kind | None:
    if isinstance(node, exp.StructExtract):
        field = next((one for one in node.find_all(exp.PropertyEQ) if one.name == node.expression.name), None)
        return None if field is None else kind_of(field.expression)
    if isinstance(node, exp.Case | exp.If):
        return _widest([kind_of(value) for value in _branches(node)])
    if isinstance(node, exp.Binary):
        return _widest([kind_of(node.this), kind_of(node.expression)])
    if isinstance(node, exp.Coalesce | exp.Least | exp.Greatest):
        return _widest([kind_of(value) for value in (node.this, *node.expressions)])
    return None


def _branches(node: exp.Expr) -> list[exp.Expr]:
    values = [branch.args["true"] for branch in node.args.get("ifs") or []]
    return values + [node.args[key] for key in ("true", "false", "default") if node.args.get(key) is not None]


def _widest(kinds: list[Kind | None]) -> Kind | None:
    """The kind of a value that may be any of these: a double beats a decimal, a date plus a number is a date."""
    known = [kind for kind in kinds if kind is not None]
    widest: tuple[Kind, ...] = ("double", "time", "date")
    for kind in widest:
        if kind in known:
            return kind
    return known[0] if known else None
