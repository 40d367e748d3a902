"""One rule of a table's contract: a named condition under which a row is turned away."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

SHOWN_CHARACTERS = 200
OWN_RULE_ADVICE = "correct the rows at their source, or the rule in tierwise.yaml"
ADVICE = MappingProxyType(
    {
        "unreadable_row": "correct the line in the source: each value must stand in its column",
        "missing_key": "fill the column at its source; without it the row belongs to nobody",
        "duplicate_key": "leave one row per key, or name in 'key' the columns that tell the rows apart",
        "too_long": "check that the right source column is mapped",
        "control_characters": "remove the characters at their source",
        "unknown_currency": "add the currency's program rate under currency.rates, or correct the row's currency",
        "not_finite": "write a number, or leave the cell empty where it is not known",
        "impossible_date": "correct the date, or move earliest_date if the history really is older",
        "wrong_type": "write numbers as 1234.5 and dates as 2026-10-01, or correct the column's 'type'",
        "future_date": "correct the date, or set extracted_on to the day of the extraction",
        "required_missing": "fill the column at its source, or drop 'required' from the column",
        "not_allowed": "correct the value, or add it to 'allowed' of the column",
        "out_of_range": "correct the value, or move 'min' or 'max' of the column",
        "left_before_joined": "correct one of the two dates",
        "unknown_partner": "add the partner to the partner table, or set 'unknown_partner: prospect' for the table",
    }
)


@dataclass(frozen=True)
class Rule:
    """A condition over one row that turns it away.

    Attributes:
        name: The rule's name, shown in the quarantine.
        column: The column at fault; empty when it is the row as a whole.
        fails: SQL that is true for a row that breaks the rule; null counts as kept.
        message: What is wrong, for people; `{value}` stands for the text found in the column. Empty where that text
            itself says what is wrong.
        shown: SQL of the value that is shown; the column's text by default.
    """

    name: str
    column: str
    fails: str
    message: str
    shown: str = ""


def text_literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
