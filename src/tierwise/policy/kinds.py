"""What kind of value an expression gives: a number, a text, a condition or a date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlglot import exp

Kind = Literal["number", "text", "condition", "date"]

_TEXT_FUNCTIONS = (exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.DPipe)
_DATE_FUNCTIONS = (exp.TimestampTrunc, exp.LastDay, exp.DateFromParts)
_KIND_OF_FIRST = (exp.Paren, exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest, exp.Add, exp.Sub)
_CAST_KINDS: dict[exp.DType, Kind] = {
    exp.DType.VARCHAR: "text",
    exp.DType.TEXT: "text",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMP: "date",
    exp.DType.BOOLEAN: "condition",
}


def column_kind(sql_type: str) -> Kind:
    """The kind of a column from its SQL type."""
    upper = sql_type.upper()
    if upper.startswith(("VARCHAR", "ENUM", "UUID", '"NULL"')):
        return "text"
    if upper.startswith("BOOL"):
        return "condition"
    return "date" if upper.startswith(("DATE", "TIMESTAMP")) else "number"


def kind_of(tree: exp.Expr, columns: Mapping[str, Kind]) -> Kind:
    """The kind of an expression, given the kinds of its columns; a number where nothing says otherwise."""
    while isinstance(tree, _KIND_OF_FIRST):  # a loop, because a sum may have a thousand terms
        tree = tree.this
    if isinstance(tree, exp.Column):
        return columns.get(tree.name, "number")
    if isinstance(tree, exp.Literal):
        return "text" if tree.is_string else "number"
    if isinstance(tree, exp.Cast):
        return _CAST_KINDS.get(tree.args["to"].this, "number")
    if isinstance(tree, exp.Predicate | exp.Connector | exp.Not | exp.Boolean | exp.Between | exp.In | exp.StartsWith):
        return "condition"
    if isinstance(tree, _TEXT_FUNCTIONS):
        return "text"
    if isinstance(tree, _DATE_FUNCTIONS):
        return "date"
    if isinstance(tree, exp.Case):
        return kind_of(tree.args["ifs"][0].args["true"], columns)
    return "number"
