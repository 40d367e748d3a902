"""A tier's rule in a policy file: criteria, and the ways to combine them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from tierwise.config.base import Settings
from tierwise.config.catalog import Name

MAX_EXPRESSION_CHARACTERS = 2_000
"""A rule longer than this cannot be read by its owner; definitions and `all` lists hold more."""

Text = Annotated[str, Field(min_length=1, max_length=MAX_EXPRESSION_CHARACTERS)]
Number = Annotated[Decimal, Field(allow_inf_nan=False)]
Band = Annotated[Decimal, Field(ge=0, lt=1, allow_inf_nan=False)]
TierName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 _+.&-]{0,39}$")]
WhenUnknown = Literal["unknown", "fail", "skip"]


class Check(Settings):
    """One criterion with its options; a criterion without options is written as its expression alone.

    Attributes:
        check: A SQL boolean expression over metrics, scores, definitions, parameters and model outputs.
        name: How the criterion is called in tables; by default its place in the tier.
        title: What people read for it.
        applies_if: A SQL condition; where it does not hold the criterion is left out (a small-sample floor, a
            criterion of some regions only).
        unknown: What an unknown value means: `unknown` (not met, and said so), `fail` (not met), `skip` (left out).
        keep: The comparison that holds the tier, where it differs from the one that gains it.
        band: The criterion's own band instead of those of the movement rules; 0 for a count that must not be moved.
    """

    check: Text
    name: Name | None = None
    title: str = ""
    applies_if: Text | None = None
    unknown: WhenUnknown = "unknown"
    keep: Text | None = None
    band: Band | None = None


class AllOf(Settings):
    """Holds when every part holds.

    Attributes:
        all: The parts.
    """

    all: Annotated[tuple[Rule, ...], Field(min_length=1)]


class AnyOf(Settings):
    """Holds when one part holds; each part is a route.

    Attributes:
        any: The parts.
    """

    any: Annotated[tuple[Rule, ...], Field(min_length=1)]


class CountOf(Settings):
    """How many of which parts must hold.

    Attributes:
        count: How many.
        of: The parts.
    """

    count: Annotated[int, Field(ge=1)]
    of: Annotated[tuple[Rule, ...], Field(min_length=1)]


class AtLeast(Settings):
    """Holds when at least so many of the parts hold.

    Attributes:
        at_least: How many of which parts.
    """

    at_least: CountOf


class FlagInForce(Settings):
    """Holds while a dated flag is in force for the partner: an invitation, a fee, an agreement, an opt-in.

    Attributes:
        flag: The flag's name; a column of that name, or a row of the flags table.
        title: What people read for it.
    """

    flag: Name
    title: str = ""


class TrackReached(Settings):
    """Holds when the partner has reached a tier of a track.

    Attributes:
        track: The track's name.
        reached: The least tier of that track.
    """

    track: Name
    reached: TierName


_FORMS = {"check": "check", "all": "all", "any": "any", "at_least": "at_least", "flag": "flag", "track": "track"}


def _form(value: Any) -> str | None:
    """Tell which form a rule is written in, from its first known key."""
    if isinstance(value, str):
        return "expression"
    if isinstance(value, Mapping):
        return next((form for key, form in _FORMS.items() if key in value), None)
    return next((form for key, form in _FORMS.items() if hasattr(value, key)), None)


_FORM_HINT = "a rule is an expression, or a mapping with one of: check, all, any, at_least, flag, track"

Rule = Annotated[
    Annotated[Text, Tag("expression")]
    | Annotated[Check, Tag("check")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[AtLeast, Tag("at_least")]
    | Annotated[FlagInForce, Tag("flag")]
    | Annotated[TrackReached, Tag("track")],
    Discriminator(_form, custom_error_type="rule_form", custom_error_message=_FORM_HINT),
]

AllOf.model_rebuild()
AnyOf.model_rebuild()
CountOf.model_rebuild()
