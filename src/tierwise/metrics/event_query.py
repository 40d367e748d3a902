"""Writes the one query that computes every metric of an event table for many as-of dates.

The steps, each a named part of the query:

1. `_days` numbers the cell of each day (and its month, quarter, year where a metric needs them), `_known` the first
   as-of date at which a day's knowledge counts.
2. `_events` are the table's rows with those numbers.
3. Each group of pieces (see `plan`): aggregated per partner and cell, then merged per partner and as-of date; counts of
   distinct keys likewise with the key; what does not merge is aggregated from the rows of each as-of date.
4. The metrics, put together from the pieces for every partner of `_universe`.

Where metrics are made for each unit of a partner, the unit is one more key beside the partner in all of these steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from tierwise.engine import quoted
from tierwise.metrics.one_day_query import one_day_steps
from tierwise.metrics.pieces import Piece
from tierwise.metrics.plan import UNIT, Group, Plan, PlannedMetric
from tierwise.metrics.row_sql import day_sql, filtered, period_sql, unit_sql
from tierwise.metrics.windows import periods_of

UNIVERSE, UNIT_UNIVERSE = "_universe", "_unit_universe"
FIRST_DAY = "_first_day"


def table_query(plan: Plan) -> str:
    """Write the query of one event table.

    Returns:
        SQL with the columns `as_of`, `partner_id`, for units `_unit`, one column per metric, `_rows_<metric>` for each
        metric whose missing rows are a fault, and `_first_day` where the plan has one. One row per row of the universe.
    """
    steps = list(one_day_steps(plan) if plan.is_one_day else _merged_steps(plan))
    for metrics in plan.two_level:
        steps += _two_level_steps(plan, metrics)
    return f"WITH {_listed(f'{name} AS ({query})' for name, query in steps)}\n{_assembly(plan)}"


def _merged_steps(plan: Plan) -> Iterator[tuple[str, str]]:
    yield from (("_reviews", _reviews(plan)), ("_cell_days", _cell_days(plan)), ("_days", _days(plan)))
    if plan.has_known_on:
        yield "_known", _known(plan)
    yield "_events", _events(plan)
    for group, pieces in plan.groups.items():
        yield from _group_steps(plan, group, pieces)


def as_of_rows(as_of_dates: Iterable[date]) -> str:
    """SQL rows of the as-of dates with their number, oldest first."""
    rows = (f"{day_sql(as_of)}, {number}, {1 << number}" for number, as_of in enumerate(as_of_dates))
    return _values(rows, "as_of, review, bit")


def known_days(table: str, column: str, date_column: str) -> str:
    """SQL that gives each distinct day of knowledge the number of the first as-of date at which it counts.

    `_seen` holds the same as bits, one per as-of date at which the knowledge counts.
    """
    known = f"coalesce({quoted(column)}, {quoted(date_column)})"
    return (
        f"SELECT k.known_on, CAST(count_if(r.as_of < k.known_on) AS INTEGER) AS _known,"
        f" bit_or(CASE WHEN r.as_of < k.known_on THEN 0 ELSE r.bit END) AS _seen"
        f" FROM (SELECT DISTINCT {known} AS known_on FROM {quoted(table)}) AS k CROSS JOIN _reviews AS r"
        f" GROUP BY k.known_on"
    )


def _listed(parts: Iterable[str]) -> str:
    return ",\n".join(parts)


def _values(rows: Iterable[str], columns: str) -> str:
    return f"SELECT * FROM (VALUES {', '.join(f'({row})' for row in rows)}) AS v({columns})"


def _reviews(plan: Plan) -> str:
    """One row per as-of date, with the cells of every window and of every group of pieces."""
    cells, spans = plan.cells(), plan.spans()
    labels = list(plan.stretches)
    ranges = {label: [label] for label in labels} | {
        group.name: sorted({piece.stretch for piece in pieces}) for group, pieces in plan.groups.items()
    }
    rows = []
    for number, as_of in enumerate(plan.as_of_dates):
        bounds = {label: cells.bounds(spans[label, as_of]) for label in labels}
        row = [day_sql(as_of), str(number), str(1 << number)]
        for members in ranges.values():
            row += [str(min(bounds[one][0] for one in members)), str(max(bounds[one][1] for one in members))]
        rows.append(", ".join(row))
    names = ", ".join(f"{name}_after, {name}_until" for name in ranges)
    return _values(rows, f"as_of, review, bit, {names}")


def _cell_days(plan: Plan) -> str:
    """Every day on which something happened within any window, with its cell and its periods."""
    column = quoted(plan.date_column)
    edges = plan.cells().edges
    spans = plan.spans().values()
    bounds = [f"{column} <= {day_sql(edges[-1])}"]
    if all(one.after is not None for one in spans):
        bounds.append(f"{column} > {day_sql(edges[0])}")
    periods = sorted({planned.metric.per for planned in plan.metrics if planned.metric.per is not None})
    numbered = "".join(f", {period_sql('d.day', per, plan.calendar)} AS _{per}" for per in periods)
    return (
        f"SELECT d.day, CAST(count(e.edge) AS INTEGER) AS _cell{numbered}"
        f" FROM (SELECT DISTINCT {column} AS day FROM {quoted(plan.table)} WHERE {' AND '.join(bounds)}) AS d"
        f" LEFT JOIN (VALUES {', '.join(f'({day_sql(edge)})' for edge in edges)}) AS e(edge) ON e.edge < d.day"
        f" GROUP BY d.day"
    )


def _days(plan: Plan) -> str:
    """The days, with the as-of dates at which each is in a window as bits, for the windows of distinct keys."""
    labels = sorted({piece.stretch for piece in plan.pieces if piece.path == "keys"})
    bits = "".join(f", bit_or(CASE WHEN {_inside('d', one)} THEN r.bit ELSE 0 END) AS {one}_bits" for one in labels)
    return f"SELECT d.*{bits} FROM _cell_days AS d CROSS JOIN _reviews AS r GROUP BY ALL" if bits else "FROM _cell_days"


def _inside(rows: str, name: str) -> str:
    """Whether the cell of a row is in a window (or a group's reach) at the as-of date `r`."""
    return f"{rows}._cell > r.{name}_after AND {rows}._cell <= r.{name}_until"


def _known(plan: Plan) -> str:
    return known_days(plan.table, "known_on", plan.date_column)


def _events(plan: Plan) -> str:
    day = quoted(plan.date_column)
    joins, columns = f"JOIN _days ON t.{day} = _days.day", "t.*, _days.* EXCLUDE (day)"
    if plan.has_known_on:
        columns += ", _known._known, _known._seen"
        joins += f" JOIN _known ON coalesce(t.known_on, t.{day}) = _known.known_on"
    if plan.unit is not None:
        columns += f", {unit_sql(plan.unit)} AS {UNIT}"
    return f"SELECT {columns} FROM {quoted(plan.table)} AS t {joins}"


# --- groups of pieces ---


def _group_steps(plan: Plan, group: Group, pieces: dict[Piece, str]) -> Iterator[tuple[str, str]]:
    if group.path == "keys":
        yield from _key_steps(plan, group, pieces)
        return
    labels = sorted({piece.stretch for piece in pieces})
    if group.path == "rows":
        yield f"{group.name}_at", _at(plan, group, "_events", labels)
        yield f"{group.name}_by", _by(plan, group, {name: _from_rows(piece) for piece, name in pieces.items()})
        return
    parts = _parts(pieces)
    whole_periods = plan.has_whole_periods(group)
    yield group.name, _per_cell(plan, group, parts, whole_periods)
    yield f"{group.name}_at", _at(plan, group, group.name, labels)
    made = {name: _merged(piece, parts[_part(piece)], whole_periods) for piece, name in pieces.items()}
    yield f"{group.name}_by", _by(plan, group, made, whole_periods)


def _part(piece: Piece) -> tuple[str, str | None]:
    return (piece.aggregate, piece.condition)


def _parts(pieces: Iterable[Piece]) -> dict[tuple[str, str | None], str]:
    """Number what is made per cell; pieces that differ only in their window share it."""
    distinct = dict.fromkeys(_part(piece) for piece in pieces)
    return {part: f"c{number}" for number, part in enumerate(distinct, start=1)}


def _per_cell(plan: Plan, group: Group, parts: dict[tuple[str, str | None], str], whole_periods: bool) -> str:
    """The parts per partner and cell (and period), in order of partners, which halves the time of the next step."""
    keys = [plan.keys] + ([f"_{group.per}"] if group.per else []) + (["_known"] if plan.has_known_on else [])
    made = [f"{filtered(aggregate, condition)} AS {name}" for (aggregate, condition), name in parts.items()]
    cell = ["max(_cell) AS _cell"] if whole_periods else ["_cell"]
    grouped = ", ".join(keys if whole_periods else [*keys, "_cell"])
    return f"SELECT {', '.join(keys + cell + made)} FROM _events GROUP BY {grouped} ORDER BY partner_id"


def _at(plan: Plan, group: Group, source: str, labels: list[str]) -> str:
    """Every row of a source once for each as-of date that it may count at, with a flag per window."""
    flags = "".join(f", {_inside('g', one)} AS {one}" for one in labels)
    known = " AND g._known <= r.review" if plan.has_known_on else ""
    return f"SELECT g.*, r.as_of{flags} FROM {source} AS g JOIN _reviews AS r ON {_inside('g', group.name)}{known}"


def _by(plan: Plan, group: Group, made: dict[str, str], whole_periods: bool = False) -> str:
    keys = f"{plan.keys}, as_of" + (f", _{group.per}" if group.per else "")
    columns = ", ".join(f"{aggregate} AS {name}" for name, aggregate in made.items())
    return f"SELECT {keys}, {columns} FROM {group.name}_at" + ("" if whole_periods else f" GROUP BY {keys}")


def _merged(piece: Piece, part: str, whole_periods: bool) -> str:
    if whole_periods:
        return f"CASE WHEN {piece.stretch} THEN {part} END"
    return f"{piece.merge}({part}) FILTER (WHERE {piece.stretch})"


def _from_rows(piece: Piece) -> str:
    return filtered(piece.aggregate, piece.stretch + (f" AND ({piece.condition})" if piece.condition else ""))


def _key_steps(plan: Plan, group: Group, pieces: dict[Piece, str]) -> Iterator[tuple[str, str]]:
    """Distinct keys, counted without repeating a row for each as-of date.

    Per partner and key, the bits say at which as-of dates the key counts; then each bit is counted per partner.
    """
    seen = " & _seen" if plan.has_known_on else ""
    made = [f"{filtered(f'bit_or({p.stretch}_bits{seen})', p.condition)} AS {name}" for p, name in pieces.items()]
    yield (
        group.name,
        f"SELECT {plan.keys}, {group.key} AS _key, {', '.join(made)} FROM _events"
        f" WHERE {group.key} IS NOT NULL GROUP BY {plan.keys}, _key",
    )
    reviews = range(len(plan.as_of_dates))
    counted = [f"count_if({name} & {1 << one} <> 0) AS {name}_{one}" for name in pieces.values() for one in reviews]
    yield f"{group.name}_counts", f"SELECT {plan.keys}, {', '.join(counted)} FROM {group.name} GROUP BY {plan.keys}"
    picked = [f"CASE r.review {_whens(name, reviews)} END AS {name}" for name in pieces.values()]
    yield (
        f"{group.name}_by",
        f"SELECT {plan.keys}, r.as_of, {', '.join(picked)} FROM {group.name}_counts CROSS JOIN _reviews AS r",
    )


def _whens(name: str, reviews: range) -> str:
    return " ".join(f"WHEN {one} THEN {name}_{one}" for one in reviews)


# --- metrics ---


def _two_level_steps(plan: Plan, metrics: list[PlannedMetric]) -> Iterator[tuple[str, str]]:
    """The inner value of each period, then the outer aggregates over them."""
    planned = metrics[0]
    first, *others = planned.groups
    period, keys = f"_{first.per}", plan.dated_keys
    joins = "".join(f" LEFT JOIN {other.name}_by USING ({keys}, {period})" for other in others)
    values = f"_inner_{planned.name}"
    yield (
        values,
        f"SELECT {keys}, {period} AS _period, {planned.rows} AS _rows, {planned.value} AS value"
        f" FROM {first.name}_by{joins} WHERE {planned.rows} > 0",
    )
    source = values
    if planned.fills:
        source = (
            f"(SELECT {keys}, _rows, value FROM (SELECT DISTINCT {keys} FROM {values}) AS p"
            f" {_periods_join(plan, planned)} LEFT JOIN {values} USING ({keys}, _period))"
        )
    made = "".join(f", {one.then} AS {quoted(one.name)}" for one in metrics)
    yield _outer(metrics), f"SELECT {keys}, sum(_rows) AS _rows{made} FROM {source} AS v GROUP BY {keys}"


def _outer(metrics: list[PlannedMetric]) -> str:
    return f"_outer_{metrics[0].name}"


def _periods_join(plan: Plan, planned: PlannedMetric) -> str:
    """Joins the periods of a bounded window at each as-of date."""
    label, per = planned.stretch, planned.metric.per or "day"
    spans = plan.spans([label])
    rows = [
        f"{day_sql(as_of)}, {number}"
        for as_of in plan.as_of_dates
        for number in periods_of(spans[label, as_of], per, plan.calendar)
    ]
    periods = f"({_values(rows, 'as_of, _period')}) AS w"
    return f"CROSS JOIN {periods}" if plan.is_one_day else f"JOIN {periods} USING (as_of)"


def _assembly(plan: Plan) -> str:
    sources = dict.fromkeys(f"{group.name}_by" for group in plan.groups if group.per is None)
    sources |= dict.fromkeys(map(_outer, plan.two_level))
    outer_of = {planned.name: _outer(metrics) for metrics in plan.two_level for planned in metrics}
    joins = "".join(f"\n LEFT JOIN {source} USING ({plan.dated_keys})" for source in sources)
    columns = [column for one in plan.metrics for column in _metric_columns(one, outer_of.get(one.name))]
    columns += [f"{plan.first_day} AS {FIRST_DAY}"] if plan.first_day is not None else []
    universe = UNIVERSE if plan.unit is None else UNIT_UNIVERSE
    return f"SELECT as_of, {plan.keys}, {_listed(columns)}\nFROM {universe}{joins}"


def _metric_columns(planned: PlannedMetric, outer: str | None) -> Iterator[str]:
    if outer is None:
        value, rows = planned.value, f"coalesce({planned.rows}, 0)"
    else:
        value, rows = f"{outer}.{quoted(planned.name)}", f"coalesce({outer}._rows, 0)"
    missing = "0" if planned.metric.missing == 0 else "NULL"
    too_few = f" WHEN {rows} < {planned.metric.min_rows} THEN NULL" if planned.metric.min_rows else ""
    yield f"CASE WHEN {rows} = 0 THEN {missing}{too_few} ELSE CAST({value} AS DOUBLE) END AS {quoted(planned.name)}"
    if planned.metric.missing == "fail":
        yield f"{rows} AS {quoted('_rows_' + planned.name)}"
