"""Splits an aggregate expression into pieces that the query makes once and puts together at the end.

`count(*) filter (where status = 'won') / count(*)` has two pieces. Most pieces add up over stretches of time (a sum, a
count, a minimum), so they are made once per partner and cell of the time line and merged for each as-of date.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from tierwise.engine import Expression, to_tree

Path = Literal["cells", "keys", "rows"]
DIALECT = "duckdb"

_MERGED_BY: dict[type[exp.Expr], str] = {
    exp.Count: "SUM", exp.CountIf: "SUM", exp.Sum: "SUM", exp.Min: "MIN", exp.Max: "MAX",
    exp.LogicalAnd: "BOOL_AND", exp.LogicalOr: "BOOL_OR",
}  # fmt: skip
_PIECES = (*_MERGED_BY, exp.PercentileCont, exp.PercentileDisc)


@dataclass(frozen=True)
class Piece:
    """One aggregate of one window.

    Attributes:
        path: How it is made: merged from time cells; counted over distinct keys; or from the rows of each as-of date.
        aggregate: Its SQL; for the path `keys` the SQL of the distinct key.
        condition: The SQL that a row must meet, if any.
        stretch: The label of its window.
        merge: The SQL function that merges the aggregates of cells.
        per: The period of a two-level metric's inner aggregate.
    """

    path: Path
    aggregate: str
    condition: str | None
    stretch: str
    merge: str = ""
    per: str | None = None


def split(tree: exp.Expr, where: Expression | None, stretch: str, per: str | None) -> list[tuple[exp.Expr, Piece]]:
    """Find the pieces of a rewritten aggregate expression.

    Args:
        tree: The expression's tree, wrapped so that every piece has a parent.
        where: The metric's condition on rows.
        stretch: The label of the metric's window.
        per: The metric's inner period.

    Returns:
        Each piece with the node that it stands for.
    """
    nodes = [node for node in tree.walk() if isinstance(node, _PIECES)]
    leaves = [node.parent if isinstance(node.parent, exp.Filter) else node for node in nodes]
    return [(leaf, _piece(leaf, where, stretch, per)) for leaf in leaves if leaf is not None]


def rows_piece(where: Expression | None, stretch: str, per: str | None) -> Piece:
    """The piece that counts a metric's rows."""
    return _piece(exp.Count(this=exp.Star()), where, stretch, per)


def _piece(leaf: exp.Expr, where: Expression | None, stretch: str, per: str | None) -> Piece:
    aggregate = leaf.this if isinstance(leaf, exp.Filter) else leaf
    conditions = [leaf.expression.this] if isinstance(leaf, exp.Filter) else []
    conditions += [to_tree(where)] if where is not None else []
    condition = exp.and_(*(part.copy() for part in conditions)) if conditions else None
    condition_sql = None if condition is None else sql(condition)
    names = {column.name for part in (aggregate, condition) if part is not None for column in part.find_all(exp.Column)}
    is_distinct = isinstance(aggregate.this, exp.Distinct)
    if "as_of" in names or type(aggregate) not in _MERGED_BY or (is_distinct and per is not None):
        return Piece("rows", sql(aggregate), condition_sql, stretch, per=per)
    if is_distinct:
        return Piece("keys", sql(aggregate.this.expressions[0]), condition_sql, stretch)
    return Piece("cells", sql(aggregate), condition_sql, stretch, _MERGED_BY[type(aggregate)], per)


def is_count(node: exp.Expr) -> bool:
    """Whether a piece is a count, which is 0 where there are no rows."""
    aggregate = node.this if isinstance(node, exp.Filter) else node
    return isinstance(aggregate, exp.Count | exp.CountIf)


def sql(tree: exp.Expr) -> str:
    """Write a tree as SQL."""
    return tree.sql(DIALECT, identify=True)
