"""Reads one SQL expression of a settings file into a checked tree, or refuses it.

Metric values, filters, formulas, contract rules and policy criteria all come through here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from tierwise.config.names import hint
from tierwise.engine import grammar, rules, screening
from tierwise.engine.grammar import ExpressionKind
from tierwise.engine.rules import SHOWN_CHARACTERS
from tierwise.errors import Fault, InvalidInput

_CHAINS = (exp.And, exp.Or, exp.Add, exp.Sub, exp.Mul, exp.DPipe)


@dataclass(frozen=True)
class Expression:
    """One checked SQL expression.

    Attributes:
        text: The expression as written.
        kind: What it may hold: a scalar, an aggregate, or a scalar with window functions.
        tree: The SQLGlot tree; never changed in place, copy it first.
        names: The columns, metrics or parameters that it refers to.
        functions: The SQL functions that it calls, in lower case.
    """

    text: str
    kind: ExpressionKind
    tree: exp.Expr = field(repr=False)
    names: frozenset[str]
    functions: frozenset[str]


def parse_expression(text: str, *, where: str, kind: ExpressionKind = "scalar") -> Expression:
    """Parse one expression under the allow-list.

    Args:
        text: The expression, in DuckDB's SQL.
        where: File and key path, for the message.
        kind: `scalar` (one value per row), `aggregate` (one value per group of rows), or `window` (one value per row,
            possibly ranked or summed over a group of rows).

    Raises:
        InvalidInput: If the text is not one expression of the language; whatever the text, nothing else is raised.
    """
    reason = screening.refusal(text)
    if reason is not None:
        raise InvalidInput(_fault(text, reason, where))
    try:
        tree = _parse(text)
        reasons = _offences(tree, kind)
    except RecursionError:
        raise InvalidInput(_fault(text, "the expression is nested too deep", where)) from None
    except sqlglot.errors.SqlglotError as error:
        raise InvalidInput(_fault(text, f"not a SQL expression: {_parser_message(error)}", where)) from None
    except Exception as error:  # noqa: BLE001 - whatever the parser trips over in hostile text is the text's fault
        raise InvalidInput(_fault(text, f"not a SQL expression ({type(error).__name__})", where)) from None
    if reasons:
        raise InvalidInput(_fault(text, reasons[0], where))
    return Expression(text, kind, tree, _names(tree), _functions(tree))


def check_names(expression: Expression, known: Collection[str], where: str = "") -> tuple[Fault, ...]:
    """Report the names of an expression that are not known, each with the nearest known one."""
    unknown = sorted(expression.names - set(known))
    return tuple(Fault(unknown_name(name, known), where) for name in unknown)


def unknown_name(name: str, known: Collection[str]) -> str:
    """Say that a name is unknown, with the nearest known name or, failing that, those that exist."""
    return f"unknown name {name!r}; {hint(name, known) or 'no name is known here'}"


def _fault(text: str, reason: str, where: str) -> Fault:
    printable = "".join(character if character.isprintable() else " " for character in text[: SHOWN_CHARACTERS + 1])
    shown = printable if len(text) <= SHOWN_CHARACTERS else printable[:SHOWN_CHARACTERS] + "..."
    return Fault(f"{reason} in the expression {shown!r}", where)


def _parse(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb", into=exp.Condition)


def _parser_message(error: sqlglot.errors.SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return "it cannot be read"
    first = details[0]
    near = str(first.get("highlight") or "")[:SHOWN_CHARACTERS]
    return f"{str(first.get('description')).rstrip('.')}{f' near {near!r}' if near else ''}"


def _names(tree: exp.Expr) -> frozenset[str]:
    return frozenset(column.name for column in tree.find_all(exp.Column))


def _functions(tree: exp.Expr) -> frozenset[str]:
    return frozenset(rules.called(node) for node in tree.find_all(exp.Func) if type(node) in grammar.CANONICAL_NAMES)


def _offences(tree: exp.Expr, kind: ExpressionKind) -> list[str]:
    """List every node that the language does not hold, from the outside in."""
    found = [reason for node in tree.walk() for reason in rules.node_offences(node, kind)]
    if not found and kind == "aggregate":
        found = rules.aggregate_offences(tree)
    if not found and kind == "window":
        found = rules.window_offences(tree)
    return found or _depth_offences(tree)


def _depth_offences(tree: exp.Expr) -> list[str]:
    deepest, extremes = 0, 0
    pending = [(tree, 1, 0)]
    while pending:
        node, depth, nested = pending.pop()
        nested += isinstance(node, exp.Least | exp.Greatest)
        deepest, extremes = max(deepest, depth), max(extremes, nested)
        for child in node.iter_expressions():
            chained = type(child) is type(node) and isinstance(node, _CHAINS)
            pending.append((child, depth + (not chained), nested))
    if deepest > grammar.MAX_DEPTH:
        return [f"the expression is nested more than {grammar.MAX_DEPTH} deep"]
    if extremes > grammar.MAX_EXTREMES_NESTED:
        return [f"least() and greatest() are nested more than {grammar.MAX_EXTREMES_NESTED} deep; use one call"]
    return []
