"""What a text means for each column type: the SQL that reads it, and the rules for text that means nothing.

Numbers are plain (`1234.5`, `-3`, `1e6`); thousands separators and decimal commas are refused, because `1,234` means
different numbers in different countries. Dates are `2026-10-01`, a timestamp (whose date and clock time are taken as
written, an offset is not applied), `20261001`, or a period, which counts on its last day: `2026Q3`, `2026-09`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType

from tierwise.config.columns import DATE_COLUMNS
from tierwise.config.workspace import ColumnSettings, ColumnType, CurrencySettings
from tierwise.engine import quoted
from tierwise.tables.rules import Rule

SQL_TYPES = MappingProxyType[ColumnType, str](
    {
        "text": "VARCHAR",
        "integer": "BIGINT",
        "decimal": "DECIMAL(28,8)",
        "money": "DECIMAL(18,4)",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "boolean": "BOOLEAN",
    }
)
TEXT_OF = "_text_"
NUMERIC_TYPES = frozenset[ColumnType]({"integer", "decimal", "money"})

# An amount in a foreign currency is read to 8 decimals and rates have at most 8, so their product is exact.
_AMOUNT = "DECIMAL(22,8)"
_RATE = "DECIMAL(16,8)"
RATE_DECIMALS = 8
LARGEST_RATE = Decimal(10**8)

_BLANKS = ("' '", "chr(9)", "chr(10)", "chr(13)", "chr(160)")
_NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
_WHOLE = r"[+-]?[0-9]+([.]0*)?"
_NOT_FINITE = r"(?i)[+-]?(nan|inf|infinity)"
_CLOCK = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?"
_ISO = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({_CLOCK}( ?(Z|z|[+-][0-9]{{2}}(:?[0-9]{{2}})?))?)?"
_COMPACT = r"[0-9]{8}"
_MONTH = r"[0-9]{4}-[0-9]{2}"
_QUARTER = r"[0-9]{4}-?[Qq][1-4]"
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")


def column_type(name: str, column: ColumnSettings) -> ColumnType:
    """The type of a column: set by its meaning for `partner_id` and the date columns, else declared, else text."""
    if name == "partner_id":
        return "text"
    return "date" if name in DATE_COLUMNS else column.type or "text"


def trimmed(raw: str) -> str:
    """SQL of a raw text without blanks around it; text without anything else is null.

    Few texts have blanks to take away, and comparing their ends is far cheaper than trimming them all.
    """
    starts = f"{raw} < '!' OR starts_with({raw}, chr(160))"  # before '!' stand the empty text, blanks and controls
    ends = " OR ".join(f"suffix({raw}, {blank})" for blank in _BLANKS)
    return f"CASE WHEN {starts} OR {ends} THEN nullif(trim({raw}, {' || '.join(_BLANKS)}), '') ELSE {raw} END"


def typed(text: str, kind: ColumnType, rate: str | None = None) -> str:
    """SQL of a trimmed text's value; null where the text means nothing.

    Args:
        text: SQL of the trimmed text.
        kind: The column's type.
        rate: For money in another currency, SQL of its program rate. The result is rounded half away from zero.
    """
    if kind == "text":
        return text
    if kind == "boolean":
        # Not IN, which the engine may make a join of, and a join loses the order of the rows.
        true = " ".join(f"WHEN '{word}' THEN true" for word in _TRUE)
        false = " ".join(f"WHEN '{word}' THEN false" for word in _FALSE)
        return f"CASE lower({text}) {true} {false} END"
    if kind == "integer":
        return f"CASE WHEN {matches(text, _WHOLE)} THEN TRY_CAST(split_part({text}, '.', 1) AS BIGINT) END"
    if kind in ("decimal", "money"):
        # The engine would read 1_000.
        return f"CASE WHEN NOT contains({text}, '_') THEN {number(text, kind, rate)} END"
    return _date_sql(text) if kind == "date" else _timestamp_sql(text)


def matches(text: str, pattern: str) -> str:
    """SQL that tells whether a whole text is of a pattern."""
    return f"regexp_full_match({text}, '{pattern}')"


def currency_rate(currency: str, settings: CurrencySettings) -> str:
    """SQL of the program rate of a row's currency, given as SQL of its code; null for a currency without a rate."""
    whens = [
        f"WHEN '{settings.program}' THEN 1",
        *(f"WHEN '{code}' THEN {rate:f}" for code, rate in sorted(settings.rates.items())),
    ]
    return f"CAST(CASE upper({currency}) {' '.join(whens)} END AS {_RATE})"


def rate_decimals(settings: CurrencySettings) -> tuple[int, int]:
    """The digits, and the decimals among them, of a decimal that holds every program rate exactly."""
    rates = [Decimal(1), *(rate.normalize() for rate in settings.rates.values())]
    decimals = max(0, *(-int(rate.as_tuple().exponent) for rate in rates))
    return len(str(int(max(rates)))) + decimals, decimals


def type_rules(name: str, kind: ColumnType) -> Iterator[Rule]:
    """The rules for text that means nothing in a column of a type, the most telling first."""
    value = quoted(name)
    text = text_of(name, kind)
    nothing = f"{value} IS NULL AND {text} IS NOT NULL"
    if kind in NUMERIC_TYPES:
        not_finite = f"{nothing} AND {matches(text, _NOT_FINITE)}"
        yield Rule("not_finite", name, not_finite, "{value} is not a finite number")
    for rule, pattern, message in _HINTS[kind]:
        yield Rule(rule, name, f"{nothing} AND {matches(text, pattern)}", f"{{value}} {message}")
    if kind != "text":
        yield Rule("wrong_type", name, nothing, f"{{value}} is not {_EXPECTED[kind]}")


def text_of(name: str, kind: ColumnType) -> str:
    """The column with the trimmed text of a column: itself for text, else one beside the typed value."""
    return quoted(name if kind == "text" else f"{TEXT_OF}{name}")


def is_empty(name: str, kind: ColumnType) -> str:
    """SQL that tells whether a column holds nothing; the text, which may have to be written first, is asked last."""
    text = f"{text_of(name, kind)} IS NULL"
    return text if kind == "text" else f"{quoted(name)} IS NULL AND {text}"


def number(sql: str, kind: ColumnType, rate: str | None = None) -> str:
    """SQL of a number, or of a text of one, as a decimal or money column holds it; null where it is too large."""
    amount = sql if rate is None else f"TRY_CAST({sql} AS {_AMOUNT}) * {rate}"
    return f"TRY_CAST({amount} AS {SQL_TYPES[kind]})"


def _date_sql(text: str) -> str:
    # The common form, without a pattern: ten characters that the engine would write in the same way.
    is_plain = f"strlen({text}) = 10 AND CAST(TRY_CAST({text} AS DATE) AS VARCHAR) = {text}"
    compact = f"substr({text}, 1, 4) || '-' || substr({text}, 5, 2) || '-' || substr({text}, 7, 2)"
    quarter_end = (
        f"CASE right({text}, 1) WHEN '1' THEN '-03-31' WHEN '2' THEN '-06-30' WHEN '3' THEN '-09-30' ELSE '-12-31' END"
    )
    return (
        f"CASE WHEN {is_plain} THEN TRY_CAST({text} AS DATE)"
        f" WHEN {matches(text, _ISO)} THEN TRY_CAST(substr({text}, 1, 10) AS DATE)"
        f" WHEN {matches(text, _COMPACT)} THEN TRY_CAST({compact} AS DATE)"
        f" WHEN {matches(text, _MONTH)} THEN last_day(TRY_CAST({text} || '-01' AS DATE))"
        f" WHEN {matches(text, _QUARTER)} THEN TRY_CAST(substr({text}, 1, 4) || {quarter_end} AS DATE) END"
    )


def _timestamp_sql(text: str) -> str:
    written = f"regexp_extract({text}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ][0-9:]+([.,][0-9]+)?)?')"
    return f"CASE WHEN {matches(text, _ISO)} THEN TRY_CAST(replace({written}, ',', '.') AS TIMESTAMP) END"


_IMPOSSIBLE = "is no day of the calendar"
_OTHER_DATES = (
    ("impossible_date", f"{_ISO}|{_COMPACT}|{_MONTH}", _IMPOSSIBLE),
    (
        "wrong_type",
        r"[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}.*",
        "may be day/month or month/day; write dates as 2026-10-01",
    ),
    (
        "wrong_type",
        r"[0-9]{5}([.][0-9]+)?",
        "looks like a day number of a spreadsheet; format the column as a date there",
    ),
    ("wrong_type", r"1[0-9]{9}|1[0-9]{12}", "looks like seconds since 1970; write dates as 2026-10-01"),
)
_OTHER_NUMBERS = (
    ("wrong_type", _NUMBER, "is too large or too small for the column's type"),
    ("wrong_type", r"[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?", "has thousands separators; write 1234.5"),
    ("wrong_type", r"[+-]?[0-9]{1,3}([. ][0-9]{3})*,[0-9]+", "has a decimal comma; write 1234.5"),
    (
        "wrong_type",
        r"[^0-9]{1,3} ?[0-9.,]+|[0-9.,]+ ?[^0-9.,]{1,3}",
        "has a currency or unit sign; write the number alone",
    ),
)
_HINTS = MappingProxyType[ColumnType, tuple[tuple[str, str, str], ...]](
    {
        "text": (),
        "boolean": (),
        "integer": (("wrong_type", _WHOLE, "is too large for a whole number"), *_OTHER_NUMBERS[1:]),
        "decimal": _OTHER_NUMBERS,
        "money": _OTHER_NUMBERS,
        "date": _OTHER_DATES,
        "timestamp": _OTHER_DATES,
    }
)
_EXPECTED = MappingProxyType[ColumnType, str](
    {
        "boolean": "true or false (also yes/no, t/f, y/n, 1/0)",
        "integer": "a whole number",
        "decimal": "a number",
        "money": "an amount",
        "date": "a date; write 2026-10-01",
        "timestamp": "a point in time; write 2026-10-01 14:30:00",
        "text": "text",
    }
)
