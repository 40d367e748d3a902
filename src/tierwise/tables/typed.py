"""The query that gives a table's columns their types, from raw texts or from columns that have types already.

Where a source column holds just what the declared type means, its values are taken as they are and no text of them is
stored; `shown_text` writes it, in the same words, for the few rows that break the contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tierwise.config.workspace import ColumnSettings, ColumnType, CurrencySettings
from tierwise.engine import quoted
from tierwise.tables.contract import currency_text
from tierwise.tables.reading import (
    SQL_TYPES,
    column_type,
    currency_rate,
    number,
    rate_decimals,
    text_of,
    trimmed,
    typed,
)
from tierwise.tables.rules import text_literal

_WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_SAME = MappingProxyType[ColumnType, tuple[str, ...]](
    {"date": ("DATE",), "boolean": ("BOOLEAN",), "integer": _WHOLE_NUMBERS}
)
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_EXACT_DECIMALS = MappingProxyType[ColumnType, int]({"money": 4, "decimal": 8})
_FOREIGN_DECIMALS = 8
_DIGITS_OF_A_WORD = 18  # a decimal of so many digits is one machine word; longer ones are many times slower


@dataclass(frozen=True)
class Found:
    """What a source has for a column.

    Attributes:
        sql: SQL of it.
        type: Its SQL type; text by default.
    """

    sql: str
    type: str = "VARCHAR"


@dataclass(frozen=True)
class _Reading:
    """How one column is read: first its own text or value, then what is made of that."""

    first: str
    then: str
    kept: str = ""


def typed_query(
    columns: Mapping[str, ColumnSettings],
    found: Mapping[str, Found],
    currencies: Mapping[str, Found],
    program: CurrencySettings,
    source: str,
    beside: Sequence[str] = (),
) -> str:
    """SQL of a table's rows with their types.

    Args:
        columns: The settings of each column.
        found: What the source has for each column that is no constant.
        currencies: What it has for the currency of each money column that names one.
        program: The program currency and its rates.
        source: SQL of the source, after FROM.
        beside: Columns of the source that are handed on as they are.

    Returns:
        A query that gives the columns in the order of `columns`, then `_text_<name>`, where a column's text cannot be
        written from its value, `_currency_of_<name>`, and those handed on.
    """
    readings = [
        _reading(name, column, found.get(name) or _constant(column), program) for name, column in columns.items()
    ]
    codes = [(currency_text(name), as_text(of)) for name, of in currencies.items()]
    first = [*(reading.first for reading in readings), *(f"{sql} AS {name}" for name, sql in codes)]
    kept = [*(reading.kept for reading in readings if reading.kept), *(name for name, _ in codes), *beside]
    then = [*(reading.then for reading in readings), *kept]
    return f"SELECT {', '.join(then)} FROM (SELECT {', '.join([*first, *beside])} FROM {source})"


def as_text(found: Found) -> str:
    """SQL of the trimmed text of what a source has."""
    if found.type == "VARCHAR":
        return trimmed(found.sql)
    return shown_text(found)


def shown_text(found: Found) -> str:
    """SQL of a value's text: ISO dates, exact decimals, `true` and `false`."""
    decimal = _DECIMAL.fullmatch(found.type)
    if decimal and decimal[1] == decimal[2]:  # the engine would leave out the zero before the point
        return f"CAST(CAST({found.sql} AS DECIMAL({int(decimal[1]) + 1},{decimal[2]})) AS VARCHAR)"
    return found.sql if found.type == "VARCHAR" else f"CAST({found.sql} AS VARCHAR)"


def has_exact_text(kind: str) -> bool:
    """Whether `shown_text` can write a value of an SQL type without losing anything."""
    widest = "DECIMAL(38,38)"  # has no room for the zero before the point
    is_decimal = _DECIMAL.fullmatch(kind) is not None and kind != widest
    return is_decimal or kind in ("VARCHAR", "DATE", "BOOLEAN", *_WHOLE_NUMBERS)


def _constant(column: ColumnSettings) -> Found:
    return Found(text_literal(str(column.value).lower() if isinstance(column.value, bool) else str(column.value)))


def _reading(name: str, column: ColumnSettings, found: Found, program: CurrencySettings) -> _Reading:
    kind, value = column_type(name, column), quoted(name)
    if kind == "text":
        return _Reading(f"{as_text(found)} AS {value}", value)
    if found.type in _SAME.get(kind, ()):
        return _Reading(f"CAST({found.sql} AS {SQL_TYPES[kind]}) AS {value}", value)
    text, rate = text_of(name, kind), _rate(name, column, program)
    if _is_number(found.type, kind, foreign=rate is not None):
        amount = _number(Found(text, found.type), kind, rate, program)
        return _Reading(f"{found.sql} AS {text}", f"{amount} AS {value}", text)
    return _Reading(f"{as_text(found)} AS {text}", f"{typed(text, kind, rate)} AS {value}", text)


def _rate(name: str, column: ColumnSettings, program: CurrencySettings) -> str | None:
    """SQL of the rate at which a money column's rows are converted; None for one in the program currency."""
    if column.currency_from is not None:
        return currency_rate(currency_text(name), program)
    if column.currency in (None, program.program):
        return None
    return currency_rate(text_literal(str(column.currency)), program)


def _is_number(found: str, kind: ColumnType, *, foreign: bool) -> bool:
    """Whether numbers of an SQL type need no rounding to be read as the declared type."""
    decimals = _decimals(found)
    return kind in _EXACT_DECIMALS and 0 <= decimals <= (_FOREIGN_DECIMALS if foreign else _EXACT_DECIMALS[kind])


def _decimals(kind: str) -> int:
    """The decimals of a number's SQL type; -1 for any other."""
    decimal = _DECIMAL.fullmatch(kind)
    return int(decimal[2]) if decimal else 0 if kind in _WHOLE_NUMBERS else -1


def _number(found: Found, kind: ColumnType, rate: str | None, program: CurrencySettings) -> str:
    """SQL of a number as the declared type, null where it is too large; converted where a rate is given."""
    exact = number(found.sql, kind, rate)
    if rate is None:
        return exact
    digits, decimals = rate_decimals(program)
    amount_digits, amount_decimals = _DIGITS_OF_A_WORD - digits, _decimals(found.type)
    if amount_digits <= amount_decimals:
        return exact
    limit = 10 ** (amount_digits - amount_decimals) - 1
    amount = f"CAST({found.sql} AS DECIMAL({amount_digits},{amount_decimals}))"
    product = f"TRY_CAST({amount} * CAST({rate} AS DECIMAL({digits},{decimals})) AS {SQL_TYPES[kind]})"
    return f"CASE WHEN {found.sql} BETWEEN -{limit} AND {limit} THEN {product} ELSE {exact} END"
