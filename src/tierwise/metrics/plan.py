"""Plans the query of one event table: which pieces it makes, in which groups, and how they form each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlglot import exp

from tierwise.config.calendar import ONE_DAY
from tierwise.config.catalog import Metric
from tierwise.config.columns import ROLE_COLUMNS
from tierwise.config.workspace import Calendar, TableSettings
from tierwise.engine import is_exact, quoted, to_tree
from tierwise.metrics.pieces import Path, Piece, is_count, rows_piece, split, sql
from tierwise.metrics.reading import Aggregate, date_column
from tierwise.metrics.windows import Cells, Span, Stretch, period_number, span, stretch_of

UNIT = "_unit"
_NULL_OF_NONE = (exp.Sum, exp.Min, exp.Max)
_SEES_EMPTY_PERIODS = (
    exp.Star, exp.Coalesce, exp.Case, exp.If, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Boolean, exp.Null,
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Pieces that are made together: the same way and per the same period.

    Attributes:
        name: The name of its steps in the query.
        path: How its pieces are made.
        per: The inner period, if any.
        key: For the path `keys`, the SQL of the distinct key.
    """

    name: str
    path: Path
    per: str | None
    key: str | None = None


@dataclass(frozen=True)
class PlannedMetric:
    """How a metric is put together from pieces.

    Attributes:
        name: The metric.
        metric: Its settings.
        value: SQL over piece columns.
        rows: The column of the piece that counts its rows, or SQL that is 0 where there are none.
        groups: The groups that hold its pieces; the first holds `rows`.
        then: For a two-level metric, SQL of the outer aggregate over `value`.
        fills: Whether the outer aggregate must see the periods without rows too.
        stretch: The label of its window.
    """

    name: str
    metric: Metric
    value: str
    rows: str
    groups: tuple[Group, ...]
    then: str | None
    fills: bool
    stretch: str

    @property
    def inner(self) -> tuple[object, ...]:
        """What two-level metrics share if their inner values are the same rows."""
        return self.groups, self.value, self.rows, self.fills, self.stretch


@dataclass
class Plan:
    """The plan of one event table's query.

    Attributes:
        table: The event table's name.
        settings: The event table's settings.
        calendar: The fiscal calendar.
        as_of_dates: The as-of dates, oldest first.
        unit: The column that tells a partner's units apart, where metrics are made for each unit.
        pieces: Every piece with its column name.
        metrics: Every metric of the table.
        first_day: The column of the piece that is each partner's first day, where it costs no pass of its own.
    """

    table: str
    settings: TableSettings
    calendar: Calendar
    as_of_dates: Sequence[date]
    unit: str | None = None
    pieces: dict[Piece, str] = field(default_factory=dict)
    stretches: dict[str, Stretch] = field(default_factory=dict)
    metrics: list[PlannedMetric] = field(default_factory=list)
    first_day: str | None = None

    @property
    def date_column(self) -> str:
        """The column that dates the rows."""
        return date_column(self.settings)

    @property
    def is_one_day(self) -> bool:
        """Whether there is one as-of date, so that nothing is merged from cells of the time line."""
        return len(self.as_of_dates) == 1

    @property
    def keys(self) -> str:
        """The SQL columns of which every combination has its own figures on a day."""
        return "partner_id" if self.unit is None else f"partner_id, {UNIT}"

    @property
    def dated_keys(self) -> str:
        """The columns by which figures are joined: a single as-of date need not be compared."""
        return self.keys if self.is_one_day else f"as_of, {self.keys}"

    @property
    def never_empty(self) -> frozenset[str]:
        """The columns in which the contract lets no value be missing."""
        required = {name for name, column in self.settings.columns.items() if column.required}
        return frozenset(required | set(ROLE_COLUMNS[self.settings.kind]))

    @property
    def has_known_on(self) -> bool:
        """Whether rows can become known later than they happened."""
        return "known_on" in self.settings.columns

    @property
    def groups(self) -> dict[Group, dict[Piece, str]]:
        """The pieces by group, in the order in which they were planned."""
        found: dict[Group, dict[Piece, str]] = {}
        for piece, name in self.pieces.items():
            found.setdefault(self.group_of(piece), {})[piece] = name
        return found

    @property
    def two_level(self) -> list[list[PlannedMetric]]:
        """The metrics that aggregate the values of periods, those of the same inner values together."""
        found: dict[tuple[object, ...], list[PlannedMetric]] = {}
        for planned in self.metrics:
            if planned.then is not None:
                found.setdefault(planned.inner, []).append(planned)
        return list(found.values())

    def group_of(self, piece: Piece) -> Group:
        """The group that makes a piece."""
        if piece.path == "keys":
            keys = list(dict.fromkeys(one.aggregate for one in self.pieces if one.path == "keys"))
            return Group(f"_keys_{keys.index(piece.aggregate) + 1}", "keys", None, piece.aggregate)
        return Group(f"_{piece.path}" + (f"_per_{piece.per}" if piece.per else ""), piece.path, piece.per)

    def label_of(self, stretch: Stretch) -> str:
        """The label of a window; windows with the same days at every as-of date share the first one's label."""
        days = [span(stretch, as_of, self.calendar) for as_of in self.as_of_dates]
        for label, other in self.stretches.items():
            if days == [span(other, as_of, self.calendar) for as_of in self.as_of_dates]:
                return label
        self.stretches[stretch.label] = stretch
        return stretch.label

    def has_whole_periods(self, group: Group) -> bool:
        """Whether each period lies wholly inside or outside every window of a group, and nothing is known late.

        Then the inner value of a period is the same at every as-of date that sees it.
        """
        if group.path != "cells" or group.per is None or self.has_known_on:
            return False
        labels = sorted({piece.stretch for piece in self.groups[group]})
        edges = {edge for one in self.spans(labels).values() for edge in (one.after, one.until) if edge is not None}
        return all(self._ends_period(edge, group.per) for edge in edges)

    def _ends_period(self, day: date, per: str) -> bool:
        return period_number(day, per, self.calendar) != period_number(day + ONE_DAY, per, self.calendar)

    def spans(self, labels: Sequence[str] | None = None) -> Mapping[tuple[str, date], Span]:
        """The span of each window label at each as-of date."""
        wanted = self.stretches if labels is None else {label: self.stretches[label] for label in labels}
        return {
            (label, as_of): span(stretch, as_of, self.calendar)
            for label, stretch in wanted.items()
            for as_of in self.as_of_dates
        }

    def cells(self) -> Cells:
        """The time line cut at all edges of all windows."""
        return Cells.of(self.spans().values())


def plan_table(
    aggregates: Sequence[Aggregate],
    settings: TableSettings,
    calendar: Calendar,
    as_of_dates: Sequence[date],
    unit: str | None = None,
) -> Plan:
    """Plan the query of one event table for many as-of dates at once, for each unit where `unit` names its column."""
    plan = Plan(aggregates[0].table, settings, calendar, as_of_dates, unit)
    for aggregate in aggregates:
        plan.metrics.append(_planned(plan, aggregate))
    if plan.is_one_day and unit is None:
        plan.first_day = _first_day(plan)
    return plan


def _first_day(plan: Plan) -> str | None:
    """The column of each partner's first day, if a group of pieces reads every row that counts anyway."""
    own = [piece for piece in plan.pieces if piece.path == "rows" and piece.per is None]
    ever = Span(None, plan.as_of_dates[0])
    whole = [piece.stretch for piece in own if plan.spans([piece.stretch])[piece.stretch, ever.until] == ever]
    conditions = {piece.condition for piece in own}
    if not whole or (len(conditions) == 1 and None not in conditions):
        return None
    return _column(plan, Piece("rows", f"MIN({quoted(plan.date_column)})", None, whole[0]))


def _planned(plan: Plan, aggregate: Aggregate) -> PlannedMetric:
    metric, label = aggregate.metric, plan.label_of(stretch_of(aggregate.metric))
    tree = exp.Paren(this=to_tree(aggregate.value))
    inexact = () if is_exact(tree) else ("value",)
    counted = _made(plan, rows_piece(aggregate.where, label, metric.per))
    shows_rows = plan.is_one_day and _shows_rows(plan, metric, tree.this)
    rows = "" if shows_rows else _column(plan, counted)
    pieces = [] if shows_rows else [counted]
    for node, found in split(tree, aggregate.where, label, metric.per):
        piece = _made(plan, found)
        column = exp.column(_column(plan, piece), quoted=True)
        node.replace(exp.Coalesce(this=column, expressions=[exp.Literal.number(0)]) if is_count(node) else column)
        pieces.append(piece)
    groups = tuple(dict.fromkeys(plan.group_of(piece) for piece in pieces))
    rows = rows or f"CAST({sql(tree)} IS NOT NULL AS INTEGER)"
    then = None if aggregate.then is None else sql(to_tree(aggregate.then, inexact_names=inexact))
    fills = metric.window is not None and metric.window.count > 0 and _sees_empty_periods(aggregate)
    return PlannedMetric(aggregate.name, metric, sql(tree), rows, groups, then, fills, label)


def _shows_rows(plan: Plan, metric: Metric, value: exp.Expr) -> bool:
    """Whether a metric's value is what it is to be where there are no rows, which then need not be counted."""
    if metric.per is not None or metric.min_rows or metric.missing == "fail":
        return False
    if is_count(value):
        return metric.missing == 0
    is_plain = isinstance(value, _NULL_OF_NONE) and isinstance(value.this, exp.Column)
    return is_plain and value.this.name in plan.never_empty


def _made(plan: Plan, piece: Piece) -> Piece:
    """A piece as the plan makes it: at a single as-of date there is nothing to merge."""
    if piece.aggregate in {f"COUNT({quoted(column)})" for column in plan.never_empty}:
        piece = replace(piece, aggregate="COUNT(*)")
    return replace(piece, path="rows", merge="") if plan.is_one_day and piece.path == "cells" else piece


def _column(plan: Plan, piece: Piece) -> str:
    return plan.pieces.setdefault(piece, f"p{len(plan.pieces) + 1}")


def _sees_empty_periods(aggregate: Aggregate) -> bool:
    """Whether an outer aggregate could tell a period with unknown value from no period at all."""
    if aggregate.then is None:
        return False
    tree = aggregate.then.tree
    constant = [node for node in tree.find_all(exp.AggFunc) if node.find(exp.Column) is None]
    return bool(constant) or any(isinstance(node, _SEES_EMPTY_PERIODS) for node in tree.walk())
