"""The allow-list of the expression language: which SQL nodes, functions and types a settings file may use.

Everything that is not listed is refused, so a new version of the parser cannot widen the language by itself.
"""

from __future__ import annotations

from typing import Literal

from sqlglot import exp

ExpressionKind = Literal["scalar", "aggregate", "window"]
Node = type[exp.Expr]

MAX_CHARACTERS = 10_000
MAX_BRACKETS = 24
MAX_DEPTH = 100
MAX_EXTREMES_NESTED = 4
MAX_DIGITS = 38

STRUCTURE: frozenset[Node] = frozenset(
    {
        exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Interval, exp.Var,
        exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is,
        exp.Like, exp.ILike, exp.NullSafeEQ, exp.NullSafeNEQ,
        exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe,
        exp.Case, exp.If, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam,
    }
)  # fmt: skip

SCALAR_FUNCTIONS: dict[str, Node] = {
    "abs": exp.Abs, "ceil": exp.Ceil, "floor": exp.Floor, "round": exp.Round, "sign": exp.Sign,
    "sqrt": exp.Sqrt, "ln": exp.Ln, "log": exp.Log, "log2": exp.Log, "log10": exp.Log, "exp": exp.Exp,
    "pow": exp.Pow, "power": exp.Pow, "mod": exp.Mod,
    "least": exp.Least, "greatest": exp.Greatest,
    "coalesce": exp.Coalesce, "ifnull": exp.Coalesce, "nullif": exp.Nullif, "if": exp.If,
    "lower": exp.Lower, "upper": exp.Upper, "length": exp.Length, "trim": exp.Trim, "substring": exp.Substring,
    "left": exp.Left, "right": exp.Right,
    "starts_with": exp.StartsWith, "ends_with": exp.EndsWith, "contains": exp.Contains,
    "regexp_matches": exp.RegexpLike,
    "date_diff": exp.DateDiff, "date_trunc": exp.TimestampTrunc, "extract": exp.Extract,
    "year": exp.Year, "quarter": exp.Quarter, "month": exp.Month, "day": exp.Day, "last_day": exp.LastDay,
    "make_date": exp.DateFromParts,
}  # fmt: skip

AGGREGATE_FUNCTIONS: dict[str, Node] = {
    "count": exp.Count, "count_if": exp.CountIf, "sum": exp.Sum, "min": exp.Min, "max": exp.Max, "avg": exp.Avg,
    "median": exp.Median, "quantile_cont": exp.PercentileCont, "quantile_disc": exp.PercentileDisc,
    "bool_and": exp.LogicalAnd, "bool_or": exp.LogicalOr,
    "stddev": exp.Stddev, "stddev_samp": exp.StddevSamp, "stddev_pop": exp.StddevPop,
    "variance": exp.Variance, "var_samp": exp.Variance, "var_pop": exp.VariancePop,
    "arg_max": exp.ArgMax, "max_by": exp.ArgMax, "arg_min": exp.ArgMin, "min_by": exp.ArgMin,
}  # fmt: skip

RANK_FUNCTIONS: dict[str, Node] = {
    "rank": exp.Rank, "dense_rank": exp.DenseRank, "percent_rank": exp.PercentRank, "cume_dist": exp.CumeDist,
}  # fmt: skip

WINDOW_AGGREGATES: frozenset[Node] = frozenset({exp.Count, exp.CountIf, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Median})

# The name that messages and documentation use for a function with several spellings: the first one listed.
CANONICAL_NAMES: dict[Node, str] = {}
for _name, _node in {**RANK_FUNCTIONS, **AGGREGATE_FUNCTIONS, **SCALAR_FUNCTIONS}.items():
    CANONICAL_NAMES.setdefault(_node, _name)

AGGREGATE_NODES = frozenset(AGGREGATE_FUNCTIONS.values())
RANK_NODES = frozenset(RANK_FUNCTIONS.values())
# The parser has a second node for date_trunc of a value it knows to be a date.
CANONICAL_NAMES[exp.DateTrunc] = "date_trunc"
SCALAR_NODES = STRUCTURE | frozenset(SCALAR_FUNCTIONS.values()) | {exp.DateTrunc}
ALLOWED: dict[ExpressionKind, frozenset[Node]] = {
    "scalar": SCALAR_NODES,
    "aggregate": SCALAR_NODES | AGGREGATE_NODES | {exp.Star, exp.Distinct, exp.Filter, exp.Where},
    "window": SCALAR_NODES | AGGREGATE_NODES | RANK_NODES | {exp.Star, exp.Window, exp.Order, exp.Ordered},
}
FUNCTION_NAMES: dict[ExpressionKind, tuple[str, ...]] = {
    "scalar": tuple(sorted(SCALAR_FUNCTIONS)),
    "aggregate": tuple(sorted({**SCALAR_FUNCTIONS, **AGGREGATE_FUNCTIONS})),
    "window": tuple(sorted({**SCALAR_FUNCTIONS, **AGGREGATE_FUNCTIONS, **RANK_FUNCTIONS})),
}

CAST_TYPES = frozenset(
    {
        exp.DType.INT, exp.DType.BIGINT, exp.DType.DOUBLE, exp.DType.DECIMAL, exp.DType.VARCHAR, exp.DType.TEXT,
        exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.BOOLEAN,
    }
)  # fmt: skip
TIME_UNITS = frozenset({"DAY", "DAYS", "WEEK", "WEEKS", "MONTH", "MONTHS", "QUARTER", "YEAR", "YEARS"})

# What to write instead of the functions that people reach for first.
ADVICE: dict[str, str] = {
    "row_number": "ties would be broken at random; use rank()",
    "ntile": "ties would be broken at random; use percent_rank()",
    "first": "it depends on row order; use arg_min(column, date)",
    "last": "it depends on row order; use arg_max(column, date)",
    "first_value": "it depends on row order; use arg_min(column, date)",
    "last_value": "it depends on row order; use arg_max(column, date)",
    "any_value": "it depends on row order; use min(column) or max(column)",
    "list": "it depends on row order; use count(distinct column)",
    "string_agg": "it depends on row order; use count(distinct column)",
    "mode": "ties would be broken at random; use count_if() of the value that matters",
    "approx_count_distinct": "use count(distinct column), which is exact",
    "percentile_cont": "write quantile_cont(column, 0.9)",
    "percentile_disc": "write quantile_disc(column, 0.9)",
    "now": "nothing may read the clock; use as_of",
    "today": "nothing may read the clock; use as_of",
    "current_date": "nothing may read the clock; use as_of",
    "current_timestamp": "nothing may read the clock; use as_of",
    "random": "the same inputs must give the same figures",
    "concat": "write a || b",
    "lag": "declare a second metric with 'offset' and use it in a formula",
    "lead": "the future is not known at the as-of date",
}
