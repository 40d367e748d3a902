"""Judges the rows of one raw table by its contract: accepted rows get their types, the others a reason."""

from __future__ import annotations

from collections.abc import Mapping

from tierwise.config.workspace import CurrencySettings, TableSettings
from tierwise.engine import Engine, quoted
from tierwise.tables.contract import Contract, currency_text, printable
from tierwise.tables.reading import TEXT_OF, text_of
from tierwise.tables.rules import SHOWN_CHARACTERS, text_literal
from tierwise.tables.typed import Found, shown_text, typed_query

QUARANTINE = "quarantine"
TYPED = "_typed"
VERDICTS = "_verdicts"
KNOWN_PARTNERS = "_known_partners"
TURNED_AWAY = "_turned_away_partners"
_DUPLICATES = "_duplicates"
_SORTED = "_sorted"


def start_quarantine(engine: Engine) -> None:
    """Make the empty table `quarantine` and the empty sets of known and of turned-away partners."""
    columns = (
        '"table" VARCHAR, "row" BIGINT, key VARCHAR, rule VARCHAR, "column" VARCHAR, value VARCHAR, message VARCHAR'
    )
    engine.run(f"CREATE OR REPLACE TABLE {QUARANTINE} ({columns})")
    engine.run(f"CREATE OR REPLACE TABLE {KNOWN_PARTNERS} (_partner VARCHAR)")
    engine.run(f"CREATE OR REPLACE TABLE {TURNED_AWAY} (_turned_away VARCHAR)")


def taken_as_they_are(types: Mapping[str, str], table: TableSettings) -> frozenset[str]:
    """The columns whose values were taken from the source as they were, without a text in between.

    Args:
        types: The columns of the raw table and their SQL types.
        table: The table's settings.
    """
    if "_fault" in types:  # everything is text
        return frozenset()
    return frozenset(column for column in table.columns if types.get(f"{TEXT_OF}{column}", types[column]) != "VARCHAR")


def store_typed(engine: Engine, contract: Contract, program: CurrencySettings) -> None:
    """Give a raw table its types, unless it was read with them, and call it `stored_table(name)`.

    Its rows stand in the order of their numbers.
    """
    raw, stored, columns = f"raw_{contract.table}", stored_table(contract.table), contract.settings.columns
    engine.run(f"DROP TABLE IF EXISTS {quoted(stored)}")
    if "_fault" not in engine.columns(raw):
        engine.run(f"ALTER TABLE {quoted(raw)} RENAME TO {quoted(stored)}")
    else:
        found = {name: Found(quoted(name)) for name in columns}
        currencies = {name: Found(currency_text(name)) for name, column in columns.items() if column.currency_from}
        engine.create_table(stored, typed_query(columns, found, currencies, program, quoted(raw), ("_row", "_fault")))
        engine.run(f"DROP TABLE {quoted(raw)}")
        engine.run("CHECKPOINT")  # compresses the rows
    if engine.rows(f"SELECT 1 FROM {quoted(stored)} WHERE _row <> rowid + 1 LIMIT 1"):
        engine.create_table(_SORTED, f"SELECT * FROM {quoted(stored)} ORDER BY _row")
        engine.run(f"DROP TABLE {quoted(stored)}")
        engine.run(f"ALTER TABLE {_SORTED} RENAME TO {quoted(stored)}")


def stored_table(name: str) -> str:
    """The engine table with a table's typed rows and their texts, until `accept` makes the accepted table of it."""
    return f"_stored_{name}"


def judge(engine: Engine, contract: Contract) -> None:
    """Find the rows that a contract turns away and add them to `quarantine`.

    The view `_typed` gives the rows of `store_typed`. The table `_verdicts` and the view are left for the
    reconciliation, until `accept` drops them.
    """
    _see_typed(engine, contract)
    _find_duplicates(engine, contract)
    _give_verdicts(engine, contract)
    _fill_quarantine(engine, contract)
    _note_partners(engine, contract)


def accept(engine: Engine, contract: Contract) -> None:
    """Make the accepted table of a contract: the rows of `store_typed` that were not turned away, in their order.

    The rows are not copied: those turned away are deleted, and the columns that only the judging needed are dropped.
    """
    stored, types = quoted(stored_table(contract.table)), engine.columns(stored_table(contract.table))
    engine.run(f"DROP VIEW {TYPED}")
    engine.run(f"DELETE FROM {stored} WHERE _row IN (SELECT _row FROM {VERDICTS})")
    for name in types:
        if name not in contract.types:
            engine.run(f"ALTER TABLE {stored} DROP COLUMN {quoted(name)}")
    engine.run(f"DROP TABLE IF EXISTS {quoted(contract.table)}")
    engine.run(f"ALTER TABLE {stored} RENAME TO {quoted(contract.table)}")
    for name in (VERDICTS, _DUPLICATES):
        engine.run(f"DROP TABLE {name}")


def _see_typed(engine: Engine, contract: Contract) -> None:
    """Make the view `_typed`: the stored rows with their numbers, and the texts of those values that have none."""
    stored = stored_table(contract.table)
    types = engine.columns(stored)
    columns = ["_row", "_fault" if "_fault" in types else "CAST(NULL AS VARCHAR) AS _fault"]
    for name, kind in contract.types.items():
        columns.append(quoted(name))
        if kind != "text":
            written = f"{TEXT_OF}{name}" if f"{TEXT_OF}{name}" in types else name
            columns.append(f"{shown_text(Found(quoted(written), types[written]))} AS {text_of(name, kind)}")
        if contract.settings.columns[name].currency_from is not None:
            columns.append(currency_text(name))
    engine.run(f"CREATE OR REPLACE VIEW {TYPED} AS SELECT {', '.join(columns)} FROM {quoted(stored)}")


def _find_duplicates(engine: Engine, contract: Contract) -> None:
    """Find the rows whose key stands more than once: by hash first, then exactly among those few."""
    columns = [_canonical(contract, name) for name in contract.types]
    keys = [_canonical(contract, name) for name in contract.key] or columns
    readable = " AND ".join(["_fault IS NULL", *(f"{contract.text(name)} IS NOT NULL" for name in contract.key)])
    suspects = f"SELECT hash({', '.join(keys)}) FROM {TYPED} WHERE {readable} GROUP BY 1 HAVING count(*) > 1"
    whole_row = " || ".join(f"coalesce(length({column}) || ':' || {column}, '-')" for column in columns)
    same_key = f"OVER (PARTITION BY {', '.join(keys)})"
    engine.create_table(
        _DUPLICATES,
        f"SELECT _row, min(_row) {same_key} AS _first, count(*) {same_key} AS _rows,"
        f" min({whole_row}) {same_key} <> max({whole_row}) {same_key} AS _differ"
        f" FROM {TYPED} WHERE {readable} AND hash({', '.join(keys)}) IN ({suspects}) QUALIFY _rows > 1",
    )


def _canonical(contract: Contract, name: str) -> str:
    """SQL of a column's value in one text form, so that `1` and `1.0` are one key; wrong text stands for itself."""
    if contract.types[name] == "text":
        return contract.text(name)
    if name in contract.read and f"{contract.types[name]}" in ("date", "boolean", "integer"):
        return f"CAST({quoted(name)} AS VARCHAR)"
    return f"coalesce(CAST({quoted(name)} AS VARCHAR), {contract.text(name)})"


def _give_verdicts(engine: Engine, contract: Contract) -> None:
    """Store, for each row that some rule turns away, the number of the first such rule."""
    whens = " ".join(f"WHEN {rule.fails} THEN {number}" for number, rule in enumerate(contract.rules))
    engine.create_table(
        VERDICTS,
        f"SELECT _row, CASE {whens} END AS _rule FROM {TYPED}"
        f" LEFT JOIN {_DUPLICATES} USING (_row)"
        f" LEFT JOIN {KNOWN_PARTNERS} ON _partner = partner_id"
        f" LEFT JOIN {TURNED_AWAY} ON _turned_away = partner_id"
        " WHERE _rule IS NOT NULL",
    )


def _fill_quarantine(engine: Engine, contract: Contract) -> None:
    numbered = list(enumerate(contract.rules))
    names = " ".join(f"WHEN {number} THEN {text_literal(rule.name)}" for number, rule in numbered)
    columns = " ".join(f"WHEN {number} THEN {text_literal(rule.column)}" for number, rule in numbered)
    messages = " ".join(f"WHEN {number} THEN {text_literal(rule.message)}" for number, rule in numbered)
    values = " ".join(f"WHEN {number} THEN {rule.shown or contract.text(rule.column)}" for number, rule in numbered)
    key = f"concat_ws(' / ', {', '.join(printable(contract.text(name)) for name in contract.shown_key)})"
    shortened = (
        f"CASE WHEN length(value) > {SHOWN_CHARACTERS} THEN left(value, {SHOWN_CHARACTERS}) || '...' ELSE value END"
    )
    found = (
        f"SELECT _row, _key AS key, CASE _rule {names} END AS rule, CASE _rule {columns} END AS col,"
        f" CASE _rule {messages} END AS message, CASE _rule {values} END AS value"
        f" FROM (SELECT *, {key} AS _key FROM {TYPED} JOIN {VERDICTS} USING (_row))"
    )
    said = f"replace(message, '{{value}}', coalesce(chr(39) || {shortened} || chr(39), 'an empty value'))"
    engine.run(
        f"INSERT INTO {QUARANTINE}"
        f" SELECT {text_literal(contract.table)}, _row, left(key, {SHOWN_CHARACTERS}), rule, col, {shortened},"
        f" CASE WHEN message = '' THEN value ELSE {said} END FROM ({found}) ORDER BY _row"
    )


def _note_partners(engine: Engine, contract: Contract) -> None:
    """Add the partners that a table makes known, and those that it would have made known."""
    if contract.settings.kind != "partners" and not contract.settings.introduces_partners:
        return
    known = f"SELECT _partner FROM {KNOWN_PARTNERS}"
    engine.run(
        f"INSERT INTO {KNOWN_PARTNERS} SELECT DISTINCT partner_id FROM {TYPED} ANTI JOIN {VERDICTS} USING (_row)"
        f" WHERE partner_id NOT IN ({known})"
    )
    engine.run(
        f"INSERT INTO {TURNED_AWAY} SELECT DISTINCT partner_id FROM {TYPED} JOIN {VERDICTS} USING (_row)"
        f" WHERE partner_id IS NOT NULL AND partner_id NOT IN ({known})"
        f" AND partner_id NOT IN (SELECT _turned_away FROM {TURNED_AWAY})"
    )
