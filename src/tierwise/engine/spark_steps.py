"""Takes a compiled query apart into steps that Spark is to compute once.

Spark puts the query of a WITH in wherever it is named. A step that aggregates, and would so be computed again and
again, is made a query of its own instead, whose rows are kept while the rest runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True)
class Compiled:
    """A query in Spark's SQL.

    Attributes:
        kept: Steps to compute first and keep, in order: the name of a view and its query, which may read those before.
        sql: The query over them.
    """

    kept: tuple[tuple[str, str], ...]
    sql: str


def taken_apart(tree: exp.Expr, prefix: str) -> Compiled:
    """Take a query apart; `prefix` makes the names of its kept steps its own."""
    steps = {step.alias: step.this for step in tree.ctes} if isinstance(tree, exp.Query) else {}
    if not steps:
        return Compiled((), tree.sql("spark"))
    tree.set("with_", None)
    kept = {name: f"{prefix}{name}" for name in _repeated(tree, steps)}
    for query in (*steps.values(), tree):
        _renamed(query, kept)
    inline = {name: query for name, query in steps.items() if name not in kept}
    views = tuple((view, _with_needed(steps[name], inline)) for name, view in kept.items())
    return Compiled(views, _with_needed(tree, inline))


def _repeated(tree: exp.Expr, steps: Mapping[str, exp.Expr]) -> list[str]:
    """The steps that aggregate and would be computed more than once, in order."""
    uses = dict.fromkeys(steps, 0)
    found = []
    _count(tree, uses, 1)
    for name, query in reversed(list(steps.items())):
        is_kept = uses[name] > 1 and query.find(exp.Group, exp.Distinct) is not None
        found += [name] if is_kept else []
        _count(query, uses, 1 if is_kept else uses[name])
    return found[::-1]


def _count(query: exp.Expr, uses: dict[str, int], times: int) -> None:
    for table in query.find_all(exp.Table):
        if table.name in uses:
            uses[table.name] += times


def _renamed(query: exp.Expr, names: Mapping[str, str]) -> None:
    for table in query.find_all(exp.Table):
        if table.name in names:
            alias = table.alias_or_name
            table.set("this", exp.to_identifier(names[table.name], quoted=True))
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def _with_needed(query: exp.Expr, steps: Mapping[str, exp.Expr]) -> str:
    """The query's SQL with the steps that it reads, directly or through others."""
    needed: set[str] = set()
    pending = [query]
    while pending:
        for table in pending.pop().find_all(exp.Table):
            if table.name in steps and table.name not in needed:
                needed.add(table.name)
                pending.append(steps[table.name])
    return _written(query, {name: step for name, step in steps.items() if name in needed}.items())


def _written(query: exp.Expr, steps: Iterable[tuple[str, exp.Expr]]) -> str:
    named = ", ".join(
        f"{exp.to_identifier(name, quoted=True).sql('spark')} AS ({step.sql('spark')})" for name, step in steps
    )
    return f"WITH {named} {query.sql('spark')}" if named else query.sql("spark")
