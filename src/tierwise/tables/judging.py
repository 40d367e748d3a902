"""Judges the rows of one raw table by its contract: accepted rows get their types, the others a reason."""

from __future__ import annotations

from tierwise.config.workspace import ColumnSettings, CurrencySettings
from tierwise.engine import Engine, quoted
from tierwise.tables.contract import Contract, currency_text, printable
from tierwise.tables.reading import currency_rate, trimmed, typed
from tierwise.tables.rules import SHOWN_CHARACTERS, text_literal

QUARANTINE = "quarantine"
TYPED = "_typed"
VERDICTS = "_verdicts"
KNOWN_PARTNERS = "_known_partners"
TURNED_AWAY = "_turned_away_partners"
_DUPLICATES = "_duplicates"


def start_quarantine(engine: Engine) -> None:
    """Make the empty table `quarantine` and the empty sets of known and of turned-away partners."""
    columns = (
        '"table" VARCHAR, "row" BIGINT, key VARCHAR, rule VARCHAR, "column" VARCHAR, value VARCHAR, message VARCHAR'
    )
    engine.run(f"CREATE OR REPLACE TABLE {QUARANTINE} ({columns})")
    engine.run(f"CREATE OR REPLACE TABLE {KNOWN_PARTNERS} (_partner VARCHAR)")
    engine.run(f"CREATE OR REPLACE TABLE {TURNED_AWAY} (_turned_away VARCHAR)")


def judge(engine: Engine, contract: Contract, currency: CurrencySettings) -> None:
    """Make the accepted table of a contract and add the rows that it turns away to `quarantine`.

    The raw table is dropped: each of its rows is in one of the two. The tables `_typed` and `_verdicts` are left for
    the reconciliation, until `forget` drops them.
    """
    _read_types(engine, contract, currency)
    _find_duplicates(engine, contract)
    _give_verdicts(engine, contract)
    columns = ", ".join(quoted(name) for name in contract.types)
    accepted = f"SELECT {columns} FROM {TYPED} ANTI JOIN {VERDICTS} USING (_row) ORDER BY _row"
    engine.create_table(contract.table, accepted)
    _fill_quarantine(engine, contract)
    _note_partners(engine, contract)


def forget(engine: Engine) -> None:
    """Drop the tables that judging a table leaves behind."""
    for name in (TYPED, VERDICTS, _DUPLICATES):
        engine.run(f"DROP TABLE IF EXISTS {name}")


def _read_types(engine: Engine, contract: Contract, currency: CurrencySettings) -> None:
    texts, values = [], []
    for name, column in contract.settings.columns.items():
        texts.append(f"{trimmed(quoted(name))} AS {contract.text(name)}")
        if column.currency_from is not None:
            texts.append(f"{trimmed(currency_text(name))} AS {currency_text(name)}")
        if contract.types[name] != "text":
            rate = _rate(name, column, currency)
            values.append(f"{typed(contract.text(name), contract.types[name], rate)} AS {quoted(name)}")
    raw = quoted(f"raw_{contract.table}")
    read = f"SELECT _row, _fault, {', '.join(texts)} FROM {raw}"
    engine.create_table(TYPED, f"SELECT {', '.join(['*', *values])} FROM ({read})")
    engine.run(f"DROP TABLE {raw}")


def _rate(name: str, column: ColumnSettings, currency: CurrencySettings) -> str | None:
    """SQL of the rate at which a money column's rows are converted; None for one in the program currency."""
    if column.currency_from is not None:
        return currency_rate(currency_text(name), currency)
    if column.currency in (None, currency.program):
        return None
    return currency_rate(text_literal(str(column.currency)), currency)


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
        f"INSERT INTO {KNOWN_PARTNERS} SELECT DISTINCT partner_id FROM {quoted(contract.table)}"
        f" WHERE partner_id NOT IN ({known})"
    )
    engine.run(
        f"INSERT INTO {TURNED_AWAY} SELECT DISTINCT partner_id FROM {TYPED} JOIN {VERDICTS} USING (_row)"
        f" WHERE partner_id IS NOT NULL AND partner_id NOT IN ({known})"
        f" AND partner_id NOT IN (SELECT _turned_away FROM {TURNED_AWAY})"
    )
