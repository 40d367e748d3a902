"""Refuses text before it reaches the SQL parser: length, characters, comments, brackets.

What is hidden from a reader (comments, look-alike letters, escapes) or could exhaust the parser never gets that far.
"""

from __future__ import annotations

import re

from tierwise.engine.grammar import MAX_BRACKETS, MAX_CHARACTERS

_STRING = re.compile(r"'(?:[^']|'')*'")
_QUOTED_NAME = re.compile(r'"[a-z][a-z0-9_]*"')
_OPENING_WORD = re.compile(r"\s*([A-Za-z_]+)\b(?!\s*\()")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ \t\r\n.,()+-*/%<>=!|:")
_HINTS = {
    ";": "an expression is one value, without ';'",
    "$": "parameters are not allowed",
    "?": "parameters are not allowed",
    "@": "'@' is not part of the language",
    "[": "lists are not part of the language; use 'in (...)'",
    "{": "structures are not part of the language",
    "^": "write pow(a, b)",
    "#": "comments and positions are not allowed",
    "'": "a text is not closed: a single quote is missing",
    '"': "a quoted name holds lower-case letters, digits and '_' only, and texts take single quotes",
}
_STATEMENT_WORDS = """
    alter analyze attach call checkpoint comment copy create deallocate delete describe detach drop execute explain
    export force from import insert install load merge pivot pragma prepare reset set show summarize table truncate
    unpivot update use vacuum values with
"""
_STATEMENTS = frozenset(_STATEMENT_WORDS.split())


def refusal(text: str) -> str | None:
    """Say why a text is refused unread, or None if it may be parsed.

    Args:
        text: The expression as written in the settings file.

    Returns:
        One sentence with the position of the offence, or None.
    """
    if not text.strip():
        return "the expression is empty"
    if len(text) > MAX_CHARACTERS:
        return f"the expression is {len(text):,} characters long; at most {MAX_CHARACTERS:,} are allowed"
    code = _without_texts(text)
    return _bad_text(text) or _bad_character(code) or _hidden_or_foreign(code) or _too_deep(code)


def _without_texts(text: str) -> str:
    """Blank out string literals and quoted names, so that every position stays what it was."""
    blanked = _STRING.sub(lambda match: " " * len(match[0]), text)
    return _QUOTED_NAME.sub(lambda match: "a" * len(match[0]), blanked)


def _bad_text(text: str) -> str | None:
    for position, character in enumerate(text, start=1):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            return f"character {position} is U+{ord(character):04X}, which no text may hold"
    return None


def _bad_character(code: str) -> str | None:
    for position, character in enumerate(code, start=1):
        if character in _PLAIN:
            continue
        if character in _HINTS:
            return f"{character!r} at character {position}: {_HINTS[character]}"
        shown = f"{character!r} (U+{ord(character):04X})" if character.isprintable() else f"U+{ord(character):04X}"
        return f"{shown} at character {position} is not allowed outside a text in single quotes"
    return None


def _hidden_or_foreign(code: str) -> str | None:
    for mark in ("--", "/*", "*/"):
        if mark in code:
            return f"{mark!r} at character {code.index(mark) + 1}: comments are not allowed (a double minus is '- -')"
    if "->" in code:
        return f"'->' at character {code.index('->') + 1}: lambdas and JSON paths are not allowed"
    lone_colon = re.search(r"(?<!:):(?!:)", code)
    if lone_colon:
        return f"':' at character {lone_colon.start() + 1}: parameters and structures are not allowed"
    select = re.search(r"\bselect\b", code, re.IGNORECASE)
    if select:
        return f"'{select[0]}' at character {select.start() + 1}: sub-queries are not allowed"
    opening = _OPENING_WORD.match(code)
    if opening and opening[1].lower() in _STATEMENTS and code[opening.end() :].strip()[:1].isalpha():
        return f"{opening[1]!r} starts a statement; only one value is allowed"
    return None


def _too_deep(code: str) -> str | None:
    depth = 0
    for position, character in enumerate(code, start=1):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return f"')' at character {position} closes nothing"
        if depth > MAX_BRACKETS:
            return f"brackets are nested more than {MAX_BRACKETS} deep at character {position}"
    return "a bracket is not closed: ')' is missing" if depth else None
