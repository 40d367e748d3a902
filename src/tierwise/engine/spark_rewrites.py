"""The single expressions that Spark computes differently from DuckDB, rewritten so that the answers agree."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from tierwise.engine.spark_kinds import kind_of, remember

_INTEGERS = (exp.DType.INT, exp.DType.BIGINT, exp.DType.SMALLINT, exp.DType.TINYINT)
_WRITTEN_DATE = r"^\s*[0-9]+-[0-9]{1,2}-[0-9]{1,2}"
_LARGEST_WHOLE = "9e15"
MONTHS_OF_QUARTER = 3
DAYS_OF_WEEK = 7


def rewritten(node: exp.Expr) -> exp.Expr:
    """Rewrite one expression whose parts are rewritten already; the node itself where nothing is to be done."""
    rule = _RULES.get(type(node))
    return node if rule is None else rule(node)


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _number(value: int | str) -> exp.Expr:
    return exp.Literal.number(value)


def _cast(value: exp.Expr, kind: str) -> exp.Expr:
    return exp.cast(value.copy(), kind, copy=False)


def _sum(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Paren(this=exp.Add(this=left, expression=right))


# --- dates ---


def _minus(node: exp.Expr) -> exp.Expr:
    """Days between two dates are a whole number; Spark would give an interval."""
    if kind_of(node.this) == kind_of(node.expression) == "date":
        return _as_exact(_call("DATEDIFF", node.this, node.expression))
    return _days_added(node, "DATE_SUB")


def _plus(node: exp.Expr) -> exp.Expr:
    return _days_added(node, "DATE_ADD")


def _days_added(node: exp.Expr, function: str) -> exp.Expr:
    """A date and a whole number of days; Spark takes no BIGINT there."""
    if kind_of(node.this) != "date" or kind_of(node.expression) != "exact":
        return node
    added = _call(function, node.this, _cast(node.expression, "INT"))
    remember(added, "date")
    return added


def _as_exact(node: exp.Expr) -> exp.Expr:
    remember(node, "exact")
    return node


def _date_diff(node: exp.Expr) -> exp.Expr:
    """How many boundaries of a unit lie between two days; of weeks, how many whole ones."""
    later, earlier, unit = node.this, node.expression, node.args["unit"].name.upper().removesuffix("S")
    if unit == "DAY":
        return _as_exact(_call("DATEDIFF", later, earlier))
    if unit == "WEEK":
        weeks = exp.Div(this=_call("DATEDIFF", later, earlier), expression=_number(DAYS_OF_WEEK))
        return _as_exact(_cast(weeks, "INT"))
    number = _UNIT_NUMBERS[unit]
    return _as_exact(exp.Paren(this=exp.Sub(this=number(later), expression=number(earlier))))


def _year_and(part: str, parts: int) -> Callable[[exp.Expr], exp.Expr]:
    """Number the parts of all years: for quarters, year * 4 + quarter."""
    return lambda day: _sum(exp.Mul(this=_call("YEAR", day), expression=_number(parts)), _call(part, day))


_UNIT_NUMBERS: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    "MONTH": _year_and("MONTH", 12),
    "QUARTER": _year_and("QUARTER", 4),
    "YEAR": lambda day: _call("YEAR", day),
}


def _truncated(day: exp.Expr, unit: str) -> exp.Expr:
    as_date = _cast(day, "DATE")
    return as_date if unit == "DAY" else _call("TRUNC", as_date, exp.Literal.string(unit))


def _date_trunc(node: exp.Expr) -> exp.Expr:
    truncated = _truncated(node.this, node.args["unit"].name.upper().removesuffix("S"))
    remember(truncated, "date")
    return truncated


def _interval(node: exp.Expr) -> exp.Expr:
    if node.args["unit"].name.upper().removesuffix("S") != "QUARTER":
        return node
    months = int(node.this.name) * MONTHS_OF_QUARTER
    return exp.Interval(this=exp.Literal.string(str(months)), unit=exp.Var(this="MONTH"))


# --- numbers ---


def _division(node: exp.Expr) -> exp.Expr:
    """Division is of doubles; Spark would divide decimals as decimals."""
    if "double" not in (kind_of(node.this), kind_of(node.expression)):
        node.set("this", _cast(node.this, "DOUBLE"))
    return node


def _whole(node: exp.Expr) -> exp.Expr:
    """A double's floor or ceiling is a double; Spark's is a BIGINT, which large ones do not fit."""
    if kind_of(node.this) != "double":
        return node
    fits = exp.LT(this=exp.Abs(this=node.this.copy()), expression=_number(_LARGEST_WHOLE))
    whole = exp.If(this=fits, true=_cast(node, "DOUBLE"))
    return _as_double(exp.Case(ifs=[whole], default=node.this.copy()))


def _round(node: exp.Expr) -> exp.Expr:
    """A double is rounded as the number that it is; Spark would round the shortest text of it, 1.005 to 1.01."""
    digits = node.args.get("decimals")
    if kind_of(node.this) != "double" or not isinstance(digits, exp.Literal) or digits.name == "0":
        return node
    factor = _number(f"1e{digits.name}")
    shifted = exp.Mul(this=exp.Paren(this=node.this.copy()), expression=factor)
    return _as_double(exp.Paren(this=exp.Div(this=exp.Round(this=shifted), expression=factor.copy())))


def _as_double(node: exp.Expr) -> exp.Expr:
    remember(node, "double")
    return node


def _alone(node: exp.Expr) -> exp.Expr:
    """Spark's `least` and `greatest` take two values or more."""
    return node if node.expressions else exp.Paren(this=node.this)


def _cast_rule(node: exp.Expr) -> exp.Expr:
    """A cast to a whole number rounds; Spark's cuts off. A text is a date only with year, month and day."""
    source, target, value = kind_of(node.this), node.args["to"].this, node.this
    if target in _INTEGERS and source == "double":
        node.set("this", _call("RINT", value))
    elif target in _INTEGERS and source == "exact":
        node.set("this", exp.Round(this=value.copy(), decimals=_number(0)))
    elif target in _INTEGERS and source == "text":
        number = exp.TryCast(this=value.copy(), to=exp.DataType.build("DECIMAL(38, 9)"), safe=True)
        node.set("this", exp.Round(this=number, decimals=_number(0)))
    elif target == exp.DType.DATE and source == "text" and not isinstance(value, exp.Literal):
        written = exp.RegexpLike(this=value.copy(), expression=exp.Literal.string(_WRITTEN_DATE))
        return exp.Case(ifs=[exp.If(this=written, true=node.copy())])
    return node


def _named_function(node: exp.Expr) -> exp.Expr:
    if node.name.lower() != "isfinite":
        return node
    value = node.expressions[0]
    below = exp.LT(this=exp.Abs(this=value.copy()), expression=_cast(exp.Literal.string("Infinity"), "DOUBLE"))
    finite = exp.And(this=exp.Not(this=_call("ISNAN", value)), expression=below)
    paren = exp.Paren(this=finite)
    remember(paren, "condition")
    return paren


# --- aggregates ---


def _quantile(node: exp.Expr) -> exp.Expr:
    return _as_double(_call("PERCENTILE", node.this, node.expression))


def _discrete_quantile(node: exp.Expr) -> exp.Expr:
    if isinstance(node.parent, exp.WithinGroup):
        return node
    kind = kind_of(node.this)
    order = exp.Order(expressions=[exp.Ordered(this=node.this.copy(), nulls_first=True)])
    found = exp.WithinGroup(this=_call("PERCENTILE_DISC", node.expression), expression=order)
    remember(found, kind)
    return found


def _field(node: exp.Expr) -> exp.Expr:
    kind = kind_of(node)
    found = exp.Dot(this=exp.Paren(this=node.this.copy()), expression=exp.to_identifier(node.expression.name))
    remember(found, kind)
    return found


# --- texts ---


def _like(node: exp.Expr) -> exp.Expr:
    """A backslash is a character like any other; Spark would take it to escape the next one."""
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and "\\" in pattern.name:
        node.set("expression", exp.Literal.string(pattern.name.replace("\\", "\\\\")))
    return node


def _from_an_end(node: exp.Expr) -> exp.Expr:
    """`left(x, -2)` is all but the last two characters; Spark would give an empty text."""
    count = node.expression
    if not isinstance(count, exp.Neg):
        return node
    rest = exp.Sub(this=exp.Length(this=node.this.copy()), expression=exp.Paren(this=count.this.copy()))
    return type(node)(this=node.this, expression=exp.Greatest(this=rest, expressions=[_number(0)]))


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Sub: _minus, exp.Add: _plus, exp.DateDiff: _date_diff, exp.TimestampTrunc: _date_trunc,
    exp.DateTrunc: _date_trunc, exp.Interval: _interval, exp.Div: _division, exp.Floor: _whole, exp.Ceil: _whole,
    exp.Round: _round,
    exp.Least: _alone, exp.Greatest: _alone, exp.Cast: _cast_rule, exp.TryCast: _cast_rule,
    exp.Anonymous: _named_function, exp.PercentileCont: _quantile, exp.PercentileDisc: _discrete_quantile,
    exp.StructExtract: _field, exp.Like: _like, exp.ILike: _like, exp.Left: _from_an_end, exp.Right: _from_an_end,
}  # fmt: skip
