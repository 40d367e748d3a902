"""Lengths of time and metric windows as written in the settings files.

`4 quarters` counts the four fiscal quarters closed on or before the as-of date, `12 months` runs back
twelve calendar months from it, `90 days` ninety days, `lifetime` from the first event, and `as of` is the
state on the day itself.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator

from tierwise.config.base import Settings

Unit = Literal["day", "month", "quarter", "year", "review"]
WindowKind = Literal["days", "months", "quarters", "calendar_quarters", "lifetime", "as_of"]

_DURATION = re.compile(r"^(\d+)\s+(day|month|quarter|year|review)s?$")
_WINDOW = re.compile(r"^(\d+)\s+(day|month|quarter|calendar quarter|fiscal quarter)s?$")
_WINDOW_KINDS: dict[str, WindowKind] = {
    "day": "days",
    "month": "months",
    "quarter": "quarters",
    "fiscal quarter": "quarters",
    "calendar quarter": "calendar_quarters",
}


class Duration(Settings):
    """A whole number of days, months, quarters, years or reviews."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


class Window(Settings):
    """The stretch of time before an as-of date whose events a metric counts.

    Attributes:
        kind: How the window's start is found; `quarters` are fiscal quarters closed on or before the as-of date.
        count: How many days, months or quarters; 0 for `lifetime` and `as_of`.
    """

    kind: WindowKind
    count: int = 0

    def __str__(self) -> str:
        if self.kind == "lifetime":
            return "lifetime"
        if self.kind == "as_of":
            return "as of"
        unit = {"quarters": "quarter", "calendar_quarters": "calendar quarter"}.get(self.kind, self.kind[:-1])
        return f"{self.count} {unit}{'' if self.count == 1 else 's'}"


def parse_duration(value: object) -> object:
    """Turn text such as `90 days` into a duration; anything else passes to pydantic.

    Raises:
        ValueError: If the text is not a whole number and a unit of time.
    """
    if not isinstance(value, str):
        return value
    match = _DURATION.match(value.strip().lower())
    if match is None:
        raise ValueError(f"{value!r} is not a length of time; write for example '90 days', '4 quarters' or '2 reviews'")
    return {"count": int(match[1]), "unit": match[2]}


def parse_window(value: object) -> object:
    """Turn text such as `4 quarters`, `lifetime` or `as of` into a window; anything else passes to pydantic.

    Raises:
        ValueError: If the text is none of the window forms, or counts nothing.
    """
    if not isinstance(value, str):
        return value
    text = " ".join(value.strip().lower().split())
    if text in ("lifetime", "as of"):
        return {"kind": text.replace(" ", "_")}
    match = _WINDOW.match(text)
    if match is None or int(match[1]) < 1:
        raise ValueError(
            f"{value!r} is not a window; write 'N days', 'N months', 'N quarters' (fiscal), "
            "'N calendar quarters', 'lifetime' or 'as of'"
        )
    return {"kind": _WINDOW_KINDS[match[2]], "count": int(match[1])}


DurationText = Annotated[Duration, BeforeValidator(parse_duration)]
WindowText = Annotated[Window, BeforeValidator(parse_window)]
