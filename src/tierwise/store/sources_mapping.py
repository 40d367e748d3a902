"""From source columns to the columns of a table: renaming, constants, and lookups followed by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tierwise.config.workspace import ColumnSettings, TableSettings, WorkspaceSettings
from tierwise.engine import Engine, quoted
from tierwise.errors import MAX_EXAMPLES, Fault, InvalidInput
from tierwise.store.sources_batches import FAULT, ROW

CURRENCY_OF = "_currency_of_"


@dataclass(frozen=True)
class Dangling:
    """Rows whose key a lookup does not have; what is looked up is null there.

    Attributes:
        table: The table with the rows.
        column: The source column, then the lookup columns, that led to the key.
        lookup: The lookup that lacks the keys.
        rows: How many rows.
        keys: The first missing keys in alphabetical order, at most three.
    """

    table: str
    column: str
    lookup: str
    rows: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class _Step:
    """One lookup step: the alias of its join and the SQL of the key that it starts from."""

    alias: str
    lookup: str
    start: str
    led_by: str


def source_table(name: str) -> str:
    """The engine table with the source rows of a table."""
    return f"_source_{name}"


def lookup_table(name: str) -> str:
    """The engine table with the rows of a lookup."""
    return f"_lookup_{name}"


def source_columns(table: TableSettings) -> list[str]:
    """The source columns that a table needs, each once, in the order of first use."""
    needed = [settings.from_ or name for name, settings in table.columns.items() if settings.value is None]
    needed += [settings.currency_from for settings in table.columns.values() if settings.currency_from is not None]
    return list(dict.fromkeys(needed))


def lookup_columns(settings: WorkspaceSettings, lookup: str) -> list[str]:
    """The columns of a lookup that are needed: its key first, then those that mappings follow."""
    steps = (step for table in settings.tables.values() for column in table.columns.values() for step in column.via)
    followed = {column for name, _, column in (step.partition(".") for step in steps) if name == lookup}
    key = settings.lookups[lookup].key
    return [key, *sorted(followed - {key})]


def check_lookup_key(engine: Engine, settings: WorkspaceSettings, lookup: str) -> None:
    """Drop a lookup's rows without a key and refuse it if a key stands twice.

    Raises:
        InvalidInput: With three of the keys.
    """
    table = quoted(lookup_table(lookup))
    engine.run(f"DELETE FROM {table} WHERE coalesce(trim(s0), '') = ''")
    twice = engine.rows(f"SELECT trim(s0) FROM {table} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1")
    if twice:
        key = settings.lookups[lookup].key
        what = f"keys of the column {key!r} that stand more than once: {len(twice):,}"
        examples = tuple(str(row[0]) for row in twice[:MAX_EXAMPLES])
        todo = "a lookup has one row per key; remove the others or name another key"
        raise InvalidInput(Fault(what, f"lookup {lookup!r}", examples, todo))


def map_table(engine: Engine, settings: WorkspaceSettings, name: str) -> list[Dangling]:
    """Make `raw_<table>` from the table's source rows and the lookups, and drop the source rows.

    Returns:
        The keys that lookups do not have.
    """
    table = settings.tables[name]
    places = {column: f"s.s{index}" for index, column in enumerate(source_columns(table))}
    steps = dict(_steps(settings, table, places))
    joined = f"{quoted(source_table(name))} s" + "".join(_join_sql(step) for step in steps.values())
    outputs = [f"{_output_sql(settings, column, places, steps)} AS {quoted(column.name)}" for column in _outputs(table)]
    select = ", ".join([f"s.{ROW}", f"s.{FAULT}", *outputs])
    engine.create_table(f"raw_{name}", f"SELECT {select} FROM {joined} ORDER BY s.{ROW}")
    dangling = [found for step in steps.values() if (found := _dangling(engine, name, step, joined)) is not None]
    engine.run(f"DROP TABLE {quoted(source_table(name))}")
    return dangling


@dataclass(frozen=True)
class _Output:
    name: str
    source: str
    via: tuple[str, ...] = ()
    constant: str | None = None


def _outputs(table: TableSettings) -> Iterator[_Output]:
    for name, column in table.columns.items():
        yield _Output(name, column.from_ or name, column.via, _constant(column))
    for name, column in table.columns.items():
        if column.currency_from is not None:
            yield _Output(f"{CURRENCY_OF}{name}", column.currency_from)


def _constant(column: ColumnSettings) -> str | None:
    if isinstance(column.value, bool):
        return "true" if column.value else "false"
    return None if column.value is None else str(column.value)


def _steps(
    settings: WorkspaceSettings, table: TableSettings, places: dict[str, str]
) -> Iterator[tuple[tuple[str, ...], _Step]]:
    """Every lookup step that some column takes; columns that start alike share their steps."""
    seen: dict[tuple[str, ...], str] = {}
    for output in _outputs(table):
        start = places.get(output.source, "NULL")
        for length, step in enumerate(output.via, start=1):
            lookup, _, column = step.partition(".")
            path = (output.source, *output.via[: length - 1], lookup)
            if path not in seen:
                seen[path] = f"l{len(seen)}"
                yield path, _Step(seen[path], lookup, start, " > ".join(path[:-1]))
            start = f"{seen[path]}.s{lookup_columns(settings, lookup).index(column)}"


def _join_sql(step: _Step) -> str:
    return f" LEFT JOIN {quoted(lookup_table(step.lookup))} {step.alias} ON trim({step.start}) = trim({step.alias}.s0)"


def _output_sql(
    settings: WorkspaceSettings, output: _Output, places: dict[str, str], steps: dict[tuple[str, ...], _Step]
) -> str:
    if output.constant is not None:
        return f"CASE WHEN s.{FAULT} IS NULL THEN '{output.constant.replace(chr(39), chr(39) * 2)}' END"
    if not output.via:
        return places[output.source]
    lookup, _, column = output.via[-1].partition(".")
    alias = steps[(output.source, *output.via[:-1], lookup)].alias
    return f"{alias}.s{lookup_columns(settings, lookup).index(column)}"


def _dangling(engine: Engine, table: str, step: _Step, joined: str) -> Dangling | None:
    unmatched = f"FROM {joined} WHERE trim({step.start}) <> '' AND {step.alias}.s0 IS NULL"
    rows = _count(engine.rows(f"SELECT count(*) {unmatched}"))
    if not rows:
        return None
    keys = engine.rows(f"SELECT DISTINCT trim({step.start}) {unmatched} ORDER BY 1 LIMIT {MAX_EXAMPLES}")
    return Dangling(table, step.led_by, step.lookup, rows, tuple(str(key) for (key,) in keys))


def _count(rows: Sequence[tuple[object, ...]]) -> int:
    return int(str(rows[0][0]))
