"""Conditions and formulas of a policy as people read them: titles, comparisons, and values with their units.

The words are those of the catalog in `sentences`. What has no plain wording stays as the policy writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from tierwise.engine import parse_expression
from tierwise.errors import InvalidInput
from tierwise.explain.figures import figure
from tierwise.explain.sentences import CONDITIONS
from tierwise.explain.wording import Wording

COMPARED: Mapping[type[exp.Expr], str] = {
    exp.GTE: ">=", exp.GT: ">", exp.LTE: "<=", exp.LT: "<", exp.EQ: "=", exp.NEQ: "<>",
}  # fmt: skip
COMPUTED: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
KEEPS_THE_UNIT = (exp.Column, exp.Identifier, exp.Literal, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Abs, exp.Coalesce,
                  exp.Least, exp.Greatest, exp.Nullif)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_]\w*")


class _NoWordsError(Exception):
    """An expression has a part that has no plain wording."""


def condition_words(text: str, wording: Wording) -> str:
    """Say a condition in words; as it is written where there are none.

    Args:
        text: The SQL of the condition, as the criteria table stores it.
        wording: Titles and units.
    """
    return _said(text, wording, _condition)


def figure_title(metric: str, wording: Wording) -> str:
    """What people read for the figure of a criterion, which may be a formula; not the middle of a sentence."""
    if metric in wording.titles or _NAME.fullmatch(metric):
        return wording.titles.get(metric, metric.replace("_", " "))
    return _said(metric, wording, _value)


def figure_unit(metric: str, wording: Wording) -> str:
    """The unit of the figure of a criterion: that of its metrics, where a formula has one."""
    if metric in wording.units or _NAME.fullmatch(metric):
        return wording.units.get(metric, "")
    tree = _parsed(metric)
    return "" if tree is None else _unit(tree, wording)


def is_about(names: frozenset[str], metric: str) -> bool:
    """Whether the figure or condition of a criterion rests on one of the names."""
    return not names.isdisjoint(_NAME.findall(metric))


def _said(text: str, wording: Wording, say: Callable[[exp.Expr, Wording], str]) -> str:
    tree = _parsed(text)
    if tree is None:
        return text
    try:
        return say(tree, wording)
    except _NoWordsError:
        return text


def _parsed(text: str) -> exp.Expr | None:
    """The checked tree; none for a text that this version does not read any more."""
    try:
        return parse_expression(text, where="").tree
    except InvalidInput:
        return None


def _condition(tree: exp.Expr, wording: Wording) -> str:
    if type(tree) in COMPARED:
        return _comparison(tree, wording)
    if isinstance(tree, exp.And | exp.Or):
        word = "and" if isinstance(tree, exp.And) else "or"
        return CONDITIONS[word].join(_part(part, wording) for part in tree.flatten(unnest=False))
    if isinstance(tree, exp.Paren):
        return _condition(tree.this, wording)
    if isinstance(tree, exp.Not):
        return _negated(tree.this, wording)
    if isinstance(tree, exp.Between):
        return _between(tree, wording)
    if isinstance(tree, exp.In | exp.Is):
        return _membership(tree, wording, "in" if isinstance(tree, exp.In) else "is_null")
    return CONDITIONS["holds"].format(_value(tree, wording))


def _part(tree: exp.Expr, wording: Wording) -> str:
    """A part of a chain; one that is a chain itself stands in brackets."""
    inner = tree.unnest()
    words = _condition(inner, wording)
    return f"({words})" if isinstance(inner, exp.And | exp.Or) else words


def _negated(tree: exp.Expr, wording: Wording) -> str:
    inner = tree.unnest()
    if isinstance(inner, exp.In | exp.Is):
        return _membership(inner, wording, "not_in" if isinstance(inner, exp.In) else "is_not_null")
    if isinstance(inner, exp.Column):
        return CONDITIONS["holds_not"].format(_value(inner, wording))
    return CONDITIONS["not"].format(_condition(inner, wording))


def _comparison(tree: exp.Expr, wording: Wording) -> str:
    left, right = tree.this, tree.expression
    sign = COMPARED[type(tree)]
    if isinstance(right, exp.Boolean):
        holds = (sign == "=") == bool(right.this)
        return CONDITIONS["holds" if holds else "holds_not"].format(_value(left, wording))
    unit = _unit(left, wording) or _unit(right, wording)
    return CONDITIONS[sign].format(_value(left, wording, unit), _value(right, wording, unit))


def _between(tree: exp.Between, wording: Wording) -> str:
    unit = _unit(tree.this, wording)
    sides = (tree.this, tree.args["low"], tree.args["high"])
    return CONDITIONS["between"].format(*(_value(side, wording, unit) for side in sides))


def _membership(tree: exp.Expr, wording: Wording, kind: str) -> str:
    if isinstance(tree, exp.Is):
        if not isinstance(tree.expression, exp.Null):
            raise _NoWordsError
        return CONDITIONS[kind].format(_value(tree.this, wording))
    members = [_value(member, wording) for member in tree.expressions]
    listed = members[0] if len(members) == 1 else f"{', '.join(members[:-1])}{CONDITIONS['or']}{members[-1]}"
    return CONDITIONS[kind].format(_value(tree.this, wording), listed)


def _value(tree: exp.Expr, wording: Wording, unit: str = "") -> str:
    """A value in words: a title, a literal with the unit of what it is held against, or a formula of both."""
    if isinstance(tree, exp.Column):
        return wording.title(tree.name)
    if isinstance(tree, exp.Literal):
        return str(tree.this) if tree.is_string else figure(float(tree.this), unit)
    if isinstance(tree, exp.Neg) and isinstance(tree.this, exp.Literal):
        return figure(-float(tree.this.this), unit)
    if isinstance(tree, exp.Paren):
        inner = _value(tree.this, wording, unit)
        return inner if isinstance(tree.unnest(), exp.Column | exp.Literal) else f"({inner})"
    return _formula(tree, wording, unit)


def _formula(tree: exp.Expr, wording: Wording, unit: str) -> str:
    if type(tree) in COMPUTED:
        inner = unit if isinstance(tree, KEEPS_THE_UNIT) else ""
        return CONDITIONS[COMPUTED[type(tree)]].format(
            *(_value(side, wording, inner) for side in tree.iter_expressions())
        )
    if isinstance(tree, exp.Least | exp.Greatest):
        parts = [_value(part, wording, unit) for part in (tree.this, *tree.expressions)]
        return CONDITIONS["least" if isinstance(tree, exp.Least) else "greatest"].format(", ".join(parts))
    if isinstance(tree, exp.Coalesce) and len(tree.expressions) == 1:
        sides = (tree.this, tree.expressions[0])
        return CONDITIONS["coalesce"].format(*(_value(side, wording, unit) for side in sides))
    if isinstance(tree, exp.Nullif):
        return _value(tree.this, wording, unit)
    if isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal):
        return str(tree.this.this)
    raise _NoWordsError


def _unit(tree: exp.Expr, wording: Wording) -> str:
    """The unit of a formula that only adds, or picks among, figures of one unit; else none."""
    if not all(isinstance(node, KEEPS_THE_UNIT) for node in tree.walk()):
        return ""
    units = {wording.units.get(column.name, "") for column in tree.find_all(exp.Column)}
    return units.pop() if len(units) == 1 else ""
