"""Compiles the queries that are written for DuckDB to Spark SQL with the same answers.

Metrics and policies are written once, as DuckDB's SQL. SQLGlot prints that for Spark; what it prints alike but Spark
computes differently is rewritten here first: rounding casts, days between dates, boundaries between months, quantiles,
finite numbers, empty orders. What a column holds (a double, a date, a text) decides some of that; it is followed
through the query from the types of the stored tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlglot
from sqlglot import exp

from tierwise.engine.spark_kinds import Kind, Scope, kind_of, kind_of_type, remember
from tierwise.engine.spark_rewrites import rewritten
from tierwise.engine.spark_steps import Compiled, taken_apart

TypesOf = Callable[[str], Mapping[str, str]]
"""Gives the columns of a stored table and their SQL types."""


def to_spark(query: str, types_of: TypesOf, prefix: str = "") -> Compiled:
    """Compile one DuckDB query to Spark SQL.

    Args:
        query: A SELECT, as the program writes them.
        types_of: Asked once for every stored table that the query reads.
        prefix: What the names of kept steps begin with.
    """
    tree = sqlglot.parse_one(query, read="duckdb")
    _query(tree, {}, types_of)
    return taken_apart(tree, prefix)


def _query(tree: exp.Expr, named: Mapping[str, Scope], types_of: TypesOf) -> Scope:
    """Rewrite a query from the inside out.

    Args:
        tree: A SELECT or a union of some.
        named: What the queries of an outer WITH give.
        types_of: Asked about stored tables.

    Returns:
        The kind of each column of its result, in order.
    """
    steps = dict(named)
    for step in tree.ctes if isinstance(tree, exp.Query) else ():
        steps[step.alias.lower()] = _query(step.this, steps, types_of)
        _drop_order(step.this)
    if isinstance(tree, exp.SetOperation):
        left, right = (_query(side, steps, types_of) for side in (tree.left, tree.right))
        return {name: kind or other for (name, kind), other in zip(left.items(), right.values(), strict=True)}
    if isinstance(tree, exp.Subquery):
        return _query(tree.this, steps, types_of)
    assert isinstance(tree, exp.Select), f"a {type(tree).__name__} is not a query of metrics or policy"
    sources = {name: scope for source in _sources(tree) for name, scope in _source(source, steps, types_of)}
    _rewrite(tree, sources)
    return _result(tree, sources)


def _sources(tree: exp.Select) -> list[exp.Expr]:
    start = tree.args.get("from_")
    return [*([start.this] if start else []), *(join.this for join in tree.args.get("joins") or [])]


def _source(source: exp.Expr, steps: Mapping[str, Scope], types_of: TypesOf) -> list[tuple[str, Scope]]:
    if isinstance(source, exp.Table):
        known = steps.get(source.name.lower())
        types = known if known is not None else {n.lower(): kind_of_type(t) for n, t in types_of(source.name).items()}
        return [(source.alias_or_name.lower(), types)]
    if isinstance(source, exp.Values):
        return [(source.alias.lower(), _kinds_of_values(source))]
    scope = _query(source, steps, types_of)
    _drop_order(source.this)
    return [(source.alias.lower(), scope)]


def _kinds_of_values(source: exp.Values) -> Scope:
    row = source.expressions[0]
    cells = row.expressions if isinstance(row, exp.Tuple) else [row]
    return {
        column.name.lower(): kind_of(cell) for column, cell in zip(source.args["alias"].columns, cells, strict=True)
    }


def _drop_order(query: exp.Expr) -> None:
    """An order inside a larger query says nothing; Spark would sort for it all the same."""
    if isinstance(query, exp.Select) and not query.args.get("limit"):
        query.set("order", None)


def _rewrite(tree: exp.Select, sources: Mapping[str, Scope]) -> None:
    """Rewrite the expressions of one SELECT, each after the parts it is made of."""
    names: dict[str, Kind | None] = {}
    for scope in sources.values():
        names |= {name: kind for name, kind in scope.items() if names.get(name) is None}
    own = list(tree.walk(prune=lambda node: node is not tree and isinstance(node, exp.Query | exp.With)))
    for node in reversed(own):
        if isinstance(node, exp.Query | exp.With):
            continue
        if isinstance(node, exp.Column):
            scope = sources.get(node.table.lower(), names) if node.table else names
            remember(node, scope.get(node.name.lower()))
            continue
        new = rewritten(node)
        remember(new, kind_of(new))
        if new is not node:
            node.replace(new)


def _result(tree: exp.Select, sources: Mapping[str, Scope]) -> Scope:
    found: dict[str, Kind | None] = {}
    for column in tree.expressions:
        if column.is_star:
            found |= _star(column, sources)
        else:
            value = column.this if isinstance(column, exp.Alias) else column
            found[column.alias_or_name.lower()] = kind_of(value)
    return found


def _star(column: exp.Expr, sources: Mapping[str, Scope]) -> Scope:
    """What `*` or `t.*` stands for, without the columns that it leaves out."""
    star = column.this if isinstance(column, exp.Column) else column
    chosen = [sources[column.table.lower()]] if isinstance(column, exp.Column) else list(sources.values())
    left_out = {name.name.lower() for name in star.args.get("except_") or []}
    found: dict[str, Kind | None] = {}
    for scope in chosen:
        found |= {name: kind for name, kind in scope.items() if name not in left_out and found.get(name) is None}
    return found
