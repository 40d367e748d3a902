"""The steps that make the pieces of an event table's metrics at a single as-of date.

With one date no cell of the time line serves twice. Each group of pieces is then one aggregation of the table's own
rows, as one would write it by hand: a window is a condition on the date, and what all pieces of a group ask of a row is
asked before they are grouped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tierwise.engine import quoted
from tierwise.metrics.pieces import Piece
from tierwise.metrics.plan import UNIT, Group, Plan
from tierwise.metrics.row_sql import day_sql, filtered, period_sql, unit_sql
from tierwise.metrics.windows import Span


def one_day_steps(plan: Plan) -> Iterator[tuple[str, str]]:
    """The steps of every group of pieces, each with its name; a group's last step ends in `_by`."""
    for group, pieces in plan.groups.items():
        rows = _Rows.of(plan, group, list(pieces))
        if group.path == "keys":
            yield from _key_steps(plan, group, pieces, rows)
        else:
            yield f"{group.name}_by", _aggregated(plan, group, pieces, rows)


@dataclass(frozen=True)
class _Rows:
    """The rows that a group of pieces reads.

    Attributes:
        sql: A query of them.
        reach: The days that they cover.
        condition: What each of them meets; the pieces need not ask it again.
    """

    sql: str
    reach: Span
    condition: str | None

    @classmethod
    def of(cls, plan: Plan, group: Group, pieces: list[Piece]) -> _Rows:
        spans = [_span(plan, piece) for piece in pieces]
        begins = [one.after for one in spans if one.after is not None]
        reach = Span(min(begins) if len(begins) == len(spans) else None, max(one.until for one in spans))
        conditions = {piece.condition for piece in pieces}
        condition = conditions.pop() if len(conditions) == 1 else None
        return cls(_rows(plan, group, reach, condition), reach, condition)

    def asked(self, plan: Plan, piece: Piece) -> str | None:
        """What a piece asks of these rows beyond what they all meet."""
        span, day = _span(plan, piece), quoted(plan.date_column)
        asked = [] if piece.condition in (None, self.condition) else [f"({piece.condition})"]
        if span.after is not None and span.after != self.reach.after:
            asked.append(f"{day} > {day_sql(span.after)}")
        if span.until != self.reach.until:
            asked.append(f"{day} <= {day_sql(span.until)}")
        return " AND ".join(asked) or None


def _span(plan: Plan, piece: Piece) -> Span:
    return plan.spans([piece.stretch])[piece.stretch, plan.as_of_dates[0]]


def _rows(plan: Plan, group: Group, reach: Span, condition: str | None) -> str:
    day, as_of = f"t.{quoted(plan.date_column)}", day_sql(plan.as_of_dates[0])
    columns = ["t.*", f"{as_of} AS as_of"]
    columns += [f"{period_sql(day, group.per, plan.calendar)} AS _{group.per}"] if group.per else []
    columns += [f"{unit_sql(plan.unit)} AS {UNIT}"] if plan.unit is not None else []
    wanted = [f"{day} <= {day_sql(reach.until)}"]
    wanted += [f"{day} > {day_sql(reach.after)}"] if reach.after is not None else []
    wanted += [f"coalesce(t.known_on, {day}) <= {as_of}"] if plan.has_known_on else []
    rows = f"SELECT {', '.join(columns)} FROM {quoted(plan.table)} AS t WHERE {' AND '.join(wanted)}"
    return f"({rows}) AS g" + (f" WHERE {condition}" if condition else "")


def _aggregated(plan: Plan, group: Group, pieces: Mapping[Piece, str], rows: _Rows) -> str:
    keys = plan.keys + (f", _{group.per}" if group.per else "")
    made = ", ".join(
        f"{filtered(piece.aggregate, rows.asked(plan, piece))} AS {name}" for piece, name in pieces.items()
    )
    return f"SELECT {keys}, {made} FROM {rows.sql} GROUP BY {keys}"


def _key_steps(plan: Plan, group: Group, pieces: Mapping[Piece, str], rows: _Rows) -> Iterator[tuple[str, str]]:
    """Distinct keys: per partner and key whether it counts, then how many do."""
    met = [f"bool_or({rows.asked(plan, piece) or 'true'}) AS {name}" for piece, name in pieces.items()]
    known = f"SELECT * FROM {rows.sql}"
    yield (
        group.name,
        f"SELECT {plan.keys}, {group.key} AS _key, {', '.join(met)} FROM ({known}) AS k"
        f" WHERE {group.key} IS NOT NULL GROUP BY {plan.keys}, _key",
    )
    counted = ", ".join(f"count_if({name}) AS {name}" for name in pieces.values())
    yield f"{group.name}_by", f"SELECT {plan.keys}, {counted} FROM {group.name} GROUP BY {plan.keys}"
