"""One rule of a table's contract: a named condition under which a row is turned away."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Rule:
    """A condition over one row that turns it away.

    Attributes:
        name: The rule's name, shown in the quarantine.
        column: The column at fault; empty when it is the row as a whole.
        fails: SQL that is true for a row that breaks the rule; null counts as kept.
        message: What is wrong, for people; `{value}` stands for the text found in the column.
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
