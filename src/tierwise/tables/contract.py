"""The contract of a table: the rules that its settings amount to, in the order in which they are asked.

A row is turned away by the first rule that it breaks:

1. `unreadable_row`: the source row could not be read (too few or too many values).
2. `missing_key`: `partner_id` or a column of the declared key is empty.
3. `duplicate_key`: the key stands in more than one row. Of rows that are the same in every column the first is kept;
   where they differ nobody can tell which is right, so all of them are turned away.
4. Column by column, in the order of the file: `too_long`, `control_characters`, `unknown_currency`, `not_finite`,
   `impossible_date`, `wrong_type`, `future_date`, `required_missing`, `not_allowed`, `out_of_range`.
5. `left_before_joined` for partners.
6. The table's own rules, by their names. As in SQL's CHECK, a condition that is unknown counts as kept.
7. `unknown_partner`: the partner is neither accepted in the partner table nor introduced by a history table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tierwise.config.columns import DATE_COLUMNS, ROLE_COLUMNS
from tierwise.config.workspace import ColumnSettings, ColumnType, TableSettings, WorkspaceSettings
from tierwise.engine import check_names, parse_expression, quoted, render
from tierwise.errors import Fault, InvalidInput
from tierwise.tables.reading import (
    LARGEST_RATE,
    NUMERIC_TYPES,
    RATE_DECIMALS,
    column_type,
    currency_rate,
    is_empty,
    text_of,
    type_rules,
)
from tierwise.tables.rules import Rule, text_literal

LONGEST_ID = 200
LONGEST_TEXT = 1_000_000
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
# In an id also line breaks, tabs and marks that nobody sees: two ids must not merely look the same.
_CONTROL_IN_ID = r"[\x00-\x1f\x7f\x{200b}-\x{200f}\x{202a}-\x{202e}\x{feff}]"
# As bytes a text is written with an escape for whatever is not printable ASCII, which is found faster than a pattern.
_IS_NOT_PLAIN = "strlen(CAST(encode({0}) AS VARCHAR)) <> strlen({0})"
_NOT_FUTURE = DATE_COLUMNS - {"left_on"}
_MOST_LISTED = 8


@dataclass(frozen=True)
class Contract:
    """What a table's rows must keep.

    Attributes:
        table: The table's name.
        settings: Its settings.
        types: The type of each column, in the order of the file.
        key: The columns that identify a row; empty when all columns together do.
        rules: The rules in the order in which they are asked.
        read: The columns whose values were taken from the source as they were, without a text in between.
    """

    table: str
    settings: TableSettings
    types: dict[str, ColumnType]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    read: frozenset[str] = frozenset()

    def text(self, column: str) -> str:
        """SQL of a column's trimmed text."""
        return text_of(column, self.types[column])

    @property
    def shown_key(self) -> tuple[str, ...]:
        """The columns that name a row to people: the key, or partner and date where all columns are the key."""
        return self.key or tuple(name for name in ("partner_id", "date") if name in self.types)


def make_contract(name: str, settings: WorkspaceSettings, newest: date, read: frozenset[str] = frozenset()) -> Contract:
    """Derive the contract of a table from the settings.

    Args:
        name: The table's name.
        settings: The workspace's settings.
        newest: The day after which nothing can have happened: the day of the extraction, or of the run.
        read: The columns whose values were taken from the source as they were; few rules ask for their text.

    Raises:
        InvalidInput: If one of the table's own rules is not an expression over its columns.
    """
    table = settings.tables[name]
    types = {column: column_type(column, of) for column, of in table.columns.items()}
    key = key_of(table)
    rules = (
        Rule("unreadable_row", "", "_fault IS NOT NULL", "", "_fault"),
        *(_key_rule(column, types[column]) for column in dict.fromkeys(("partner_id", *key))),
        *_duplicate_rules(key),
        *(rule for column in types for rule in _column_rules(column, table, settings, newest, read)),
        *_leaving_rules(types),
        *_own_rules(name, table),
        *_partner_rules(table),
    )
    return Contract(name, table, types, key, rules, read)


def key_of(table: TableSettings) -> tuple[str, ...]:
    """The columns that identify a row; empty when all columns together do.

    A partner stands once in the partner table. A history has one row per partner and day unless it declares a key.
    """
    if table.kind == "partners":
        return ("partner_id",)
    if table.key or table.kind == "events":
        return table.key
    return ("partner_id", "valid_from")


def rate_faults(settings: WorkspaceSettings) -> list[Fault]:
    """Program rates that the exact decimals of the engine cannot hold."""
    return [
        Fault(
            f"the rate {rate} has more than {RATE_DECIMALS} decimals or is not below {LARGEST_RATE:,}",
            f"tierwise.yaml (currency.rates.{code})",
            todo=f"round the program rate to {RATE_DECIMALS} decimals",
        )
        for code, rate in sorted(settings.currency.rates.items())
        if rate >= LARGEST_RATE or round(rate, RATE_DECIMALS) != rate
    ]


def _key_rule(column: str, kind: ColumnType) -> Rule:
    return Rule("missing_key", column, is_empty(column, kind), f"the key column {column!r} is empty")


def _duplicate_rules(key: tuple[str, ...]) -> Iterator[Rule]:
    column = ", ".join(key)
    differ = "{value} stands in several rows that differ; which of them is right cannot be told"
    yield Rule("duplicate_key", column, "_differ", differ, "_key")
    yield Rule("duplicate_key", column, "_row > _first", "the row is an exact copy of an earlier one", "_key")


def _column_rules(
    column: str, table: TableSettings, settings: WorkspaceSettings, newest: date, read: frozenset[str]
) -> Iterator[Rule]:
    own = table.columns[column]
    kind = column_type(column, own)
    if column not in read:
        yield from _text_rules(column, kind, is_id=column == "partner_id" or column in table.key)
    if own.currency_from is not None:
        yield from _currency_rules(column, settings)
    if column not in read or kind in ("decimal", "money"):  # of which some may be too large
        yield from type_rules(column, kind)
    if column in DATE_COLUMNS:
        yield from _day_rules(column, settings.earliest_date, newest)
    if own.required or column in ROLE_COLUMNS[table.kind]:
        yield Rule("required_missing", column, is_empty(column, kind), f"the required column {column!r} is empty")
    yield from _value_rules(column, own, kind)


def _text_rules(column: str, kind: ColumnType, *, is_id: bool) -> Iterator[Rule]:
    text = text_of(column, kind)
    longest = LONGEST_ID if is_id else LONGEST_TEXT
    too_long = f"the text is longer than the allowed {longest:,} characters"
    yield Rule("too_long", column, f"strlen({text}) > {longest} AND length({text}) > {longest}", too_long)
    if kind == "text":
        pattern = _CONTROL_IN_ID if is_id else _CONTROL
        message = "{value} holds control or invisible characters"
        fails = f"{_IS_NOT_PLAIN.format(text)} AND regexp_matches({text}, '{pattern}')"
        yield Rule("control_characters", column, fails, message, printable(text))


def printable(text: str) -> str:
    """SQL of a text whose control and invisible characters are replaced by `?`."""
    return f"regexp_replace({text}, '{_CONTROL_IN_ID}', '?', 'g')"


def _currency_rules(column: str, settings: WorkspaceSettings) -> Iterator[Rule]:
    currency, amount = currency_text(column), text_of(column, "money")
    codes = ", ".join([settings.currency.program, *sorted(settings.currency.rates)][:_MOST_LISTED])
    without = f"{currency} IS NULL AND {amount} IS NOT NULL"
    yield Rule("unknown_currency", column, without, "the row does not say in which currency the amount is", currency)
    rate = currency_rate(currency, settings.currency)
    fails = f"{quoted(column)} IS NULL AND {amount} IS NOT NULL AND {rate} IS NULL"
    message = f"there is no program rate for the currency {{value}}; there are rates for {codes}"
    yield Rule("unknown_currency", column, fails, message, currency)


def currency_text(column: str) -> str:
    """The column with the currency code of each row of a money column."""
    return quoted(f"_currency_of_{column}")


def _day_rules(column: str, earliest: date, newest: date) -> Iterator[Rule]:
    before = f"{{value}} is before the earliest date of the workspace, {earliest}"
    yield Rule("impossible_date", column, f"{quoted(column)} < DATE '{earliest}'", before)
    if column in _NOT_FUTURE:
        after = f"{{value}} is after {newest}, the day of the extraction"
        yield Rule("future_date", column, f"{quoted(column)} > DATE '{newest}'", after)


def _value_rules(column: str, own: ColumnSettings, kind: ColumnType) -> Iterator[Rule]:
    text, value = text_of(column, kind), quoted(column)
    if own.allowed is not None:
        listed = ", ".join(own.allowed[:_MOST_LISTED]) + (", ..." if len(own.allowed) > _MOST_LISTED else "")
        values = ", ".join(text_literal(allowed) for allowed in own.allowed)
        yield Rule(
            "not_allowed", column, f"{text} NOT IN ({values})", f"{{value}} is not allowed; allowed are {listed}"
        )
    if kind in NUMERIC_TYPES and own.min is not None:
        yield Rule(
            "out_of_range", column, f"{value} < {own.min:f}", f"{{value}} is less than the least allowed, {own.min}"
        )
    if kind in NUMERIC_TYPES and own.max is not None:
        yield Rule(
            "out_of_range", column, f"{value} > {own.max:f}", f"{{value}} is more than the most allowed, {own.max}"
        )


def _leaving_rules(types: dict[str, ColumnType]) -> Iterator[Rule]:
    if "joined_on" in types and "left_on" in types:
        message = "the partner left on {value}, before it joined"
        yield Rule("left_before_joined", "left_on", "left_on < joined_on", message)


def _own_rules(name: str, table: TableSettings) -> Iterator[Rule]:
    faults: list[Fault] = []
    for rule, text in table.rules.items():
        where = f"tierwise.yaml (tables.{name}.rules.{rule})"
        try:
            expression = parse_expression(text, where=where)
            faults.extend(check_names(expression, table.columns, where))
            yield Rule(rule, "", f"NOT ({render(expression)})", f"the rule is not kept: {text}", "NULL")
        except InvalidInput as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidInput(faults)


def _partner_rules(table: TableSettings) -> Iterator[Rule]:
    if table.kind == "partners" or table.introduces_partners or table.unknown_partner == "prospect":
        return
    turned_away = "the partner's own row is in quarantine"
    yield Rule(
        "unknown_partner", "partner_id", "_partner IS NULL AND _turned_away IS NOT NULL", f"{{value}}: {turned_away}"
    )
    yield Rule("unknown_partner", "partner_id", "_partner IS NULL", "{value} is no partner of the partner table")
