"""Metrics by unit of a partner (a region, a country, a product): what is made for each unit, and who has which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from tierwise.config.catalog import NO_UNIT, Unit
from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.engine import quoted
from tierwise.errors import Fault, InvalidInput
from tierwise.metrics.event_query import UNIVERSE, as_of_rows
from tierwise.metrics.plan import UNIT
from tierwise.metrics.reading import Aggregate, Formula, ParsedCatalog
from tierwise.metrics.row_sql import unit_sql


@dataclass(frozen=True)
class Part:
    """Metrics of one table that are made together.

    Attributes:
        table: The table.
        aggregates: The metrics.
        unit: The column that tells units apart, where they are made for each unit.
    """

    table: str
    aggregates: tuple[Aggregate, ...]
    unit: str | None = None

    @property
    def stored(self) -> str:
        """The engine table that holds the metrics."""
        return f"_metrics_{self.table}" if self.unit is None else f"_unit_metrics_{self.table}"


@dataclass(frozen=True)
class Parts:
    """A catalog taken apart: what is made for the whole partner, and what for each unit.

    Attributes:
        whole: Metrics made for the partner.
        by_unit: Metrics made for each unit.
        whole_formulas: Formulas over the former alone, step by step.
        unit_formulas: Formulas that need any of the latter, step by step.
    """

    whole: tuple[Part, ...]
    by_unit: tuple[Part, ...]
    whole_formulas: tuple[tuple[Formula, ...], ...]
    unit_formulas: tuple[tuple[Formula, ...], ...]

    @property
    def all(self) -> tuple[Part, ...]:
        """All parts, those of the whole partner first."""
        return (*self.whole, *self.by_unit)


def unit_of(workspace: Workspace, name: str) -> Unit:
    """The unit of a name.

    Raises:
        InvalidInput: If the catalog declares no such unit.
    """
    units = workspace.catalog.units
    if name in units:
        return units[name]
    todo = "declare under `units:` in metrics.yaml which column of which table tells the units of a partner apart"
    raise InvalidInput(
        Fault(f"{name!r} is no unit of the catalog; {hint(name, units)}".rstrip("; "), "units", todo=todo)
    )


def parts_of(catalog: ParsedCatalog, unit: Unit | None) -> Parts:
    """Take a catalog apart; without a unit everything is made for the whole partner."""
    columns = {} if unit is None else unit.columns
    whole, by_unit = [], []
    for table, aggregates in catalog.aggregates.items():
        split = tuple(one for one in aggregates if table in columns and one.metric.scope == "unit")
        rest = tuple(one for one in aggregates if one not in split)
        whole += [Part(table, rest)] if rest else []
        by_unit += [Part(table, split, columns[table])] if split else []
    of_units = {one.name for part in by_unit for one in part.aggregates}
    whole_formulas, unit_formulas = [], []
    for step in catalog.formulas:
        needing = tuple(formula for formula in step if formula.expression.names & of_units)
        of_units |= {formula.name for formula in needing}
        unit_formulas.append(needing)
        whole_formulas.append(tuple(formula for formula in step if formula not in needing))
    return Parts(tuple(whole), tuple(by_unit), _filled(whole_formulas), _filled(unit_formulas))


def _filled(steps: Sequence[tuple[Formula, ...]]) -> tuple[tuple[Formula, ...], ...]:
    return tuple(step for step in steps if step)


def unit_universe_query(workspace: Workspace, unit: Unit, as_of_dates: Sequence[date]) -> str:
    """Write the query of every known partner's units at each as-of date.

    A partner has a unit from the first row that names it and is known, and the unit that the home attribute names. A
    partner without any has the unit `(none)`, so that nobody is left out.

    Returns:
        SQL with the columns `as_of`, `partner_id`, `_unit`.
    """
    firsts = " UNION ALL ".join(_first_days(workspace, unit))
    home = "" if unit.home is None else f" UNION SELECT as_of, partner_id, {_home(unit)} FROM {UNIVERSE} AS t"
    return (
        f"WITH _reviews AS ({as_of_rows(as_of_dates)}), _firsts AS ({firsts}),"
        f" _named AS (SELECT r.as_of, f.partner_id, f.{UNIT} FROM _firsts AS f"
        f" JOIN _reviews AS r ON f.since <= r.as_of{home}),"
        f" _units AS (SELECT DISTINCT as_of, partner_id, {UNIT} FROM _named WHERE {UNIT} IS NOT NULL)"
        f" SELECT u.as_of, u.partner_id, coalesce(n.{UNIT}, '{NO_UNIT}') AS {UNIT}"
        f" FROM {UNIVERSE} AS u LEFT JOIN _units AS n USING (as_of, partner_id)"
    )


def _home(unit: Unit) -> str:
    return f"CAST(t.{quoted(unit.home or '')} AS VARCHAR)"


def _first_days(workspace: Workspace, unit: Unit) -> Iterator[str]:
    """Per partner and unit the first day on which a row of a table names it and is known."""
    for table, column in unit.columns.items():
        settings = workspace.table(table)
        day = quoted("date" if settings.kind == "events" else "valid_from")
        has_known_on = "known_on" in settings.columns
        since = f"greatest(t.{day}, coalesce(t.known_on, t.{day}))" if has_known_on else f"t.{day}"
        yield (
            f"SELECT t.partner_id, {unit_sql(column)} AS {UNIT}, min({since}) AS since FROM {quoted(table)} AS t"
            f" WHERE t.{day} IS NOT NULL GROUP BY 1, 2"
        )
