"""Numbers as people read them: with their unit, rounded to what the eye can use."""

from __future__ import annotations

import math
import re
from functools import lru_cache

UNKNOWN = "unknown"

_CURRENCY = re.compile(r"^[A-Z]{3}$")
_PERIOD = re.compile(r", (?:the (?=\d)|(?=last (?:\d|day|week|month|quarter|year)))")
_CAPITALISED = re.compile(r"\b[A-Z][a-z]")
_SHARES = frozenset({"ratio", "share", "rate"})
_IRREGULAR = {"people": "person", "categories": "category", "cities": "city", "countries": "country"}
_BARE = frozenset({"", "points", "score", "index", "number"})
_SCALES = ((1e9, "bn"), (1e6, "m"), (1e3, "k"))
_SMALLEST_SCALED = 10_000
_ONE_DECIMAL_BELOW = 100
_ROUNDS_UP_TO_ONE = 0.9995


def figure(value: float | None, unit: str = "") -> str:
    """Write a value with its unit.

    Args:
        value: The value; None, NaN and what is infinite are unknown.
        unit: A currency code, `ratio` (shown in per cent), or the noun that is counted.

    Returns:
        For example `USD 412 k`, `34 %`, `12 deals`, `unknown`.
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    value = value or 0.0  # without the sign of a zero
    if unit in _SHARES:
        return f"{_plain(value * 100)} %"
    if _CURRENCY.match(unit):
        return f"{unit} {_scaled(value)}"
    return _plain(value) if unit in _BARE else f"{_plain(value)} {_noun(value, unit)}"


def told_apart(value: float | None, other: float | None, unit: str = "") -> str:
    """Write a value with its unit, with more digits where it would read the same as another one that it is not."""
    shown = figure(value, unit)
    is_same = shown.replace(".0", "") == figure(other, unit).replace(".0", "")
    if value is None or other is None or value == other or not is_same or shown == UNKNOWN:
        return shown
    scale, suffix = (100, " %") if unit in _SHARES else (1, "")
    decimals = next(
        (places for places in range(1, 9) if round(value * scale, places) != round(other * scale, places)), 9
    )
    exact = f"{value * scale:,.{max(decimals, 2)}f}{suffix}"
    if _CURRENCY.match(unit):
        return f"{unit} {exact}"
    return exact if unit in _BARE or unit in _SHARES else f"{exact} {unit}"


@lru_cache(maxsize=4096)
def in_sentence(title: str) -> str:
    """Write a title as the middle of a sentence; an acronym at its start, and a name of several words, stay."""
    is_name = title[:2].isupper() or len(_CAPITALISED.findall(title)) > 1
    return title if is_name else title[:1].lower() + title[1:]


@lru_cache(maxsize=4096)
def over_period(title: str) -> str:
    """Tie a title's period to its words: `sales, last 2 quarters` becomes `sales over the last 2 quarters`."""
    return _PERIOD.sub(" over the ", title)


def factor(value: float) -> str:
    """Write a multiplicative effect, for example `x 1.8`."""
    return f"× {value:.2f}" if value < 10 else f"× {value:,.0f}"


def _noun(value: float, unit: str) -> str:
    if value != 1:
        return unit
    if unit in _IRREGULAR:
        return _IRREGULAR[unit]
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") else unit


def _scaled(value: float) -> str:
    if abs(value) < _SMALLEST_SCALED:
        return _plain(value)
    for scale, letter in _SCALES:
        if abs(value) >= scale * _ROUNDS_UP_TO_ONE:
            return f"{_three_digits(value / scale)} {letter}"
    return _plain(value)


def _three_digits(value: float) -> str:
    decimals = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{decimals}f}"


def _plain(value: float) -> str:
    if value == round(value) or abs(value) >= _ONE_DECIMAL_BELOW:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:.1f}"
    return f"{value:.2g}"
