"""Values as the import of each CRM takes them, and how much one of its files may hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

BYTES_PER_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class CrmForm:
    """What a CRM's import wants of a file.

    Attributes:
        missing: What a cell without a value holds. Salesforce keeps the old value at an empty cell, so a value that is
            gone is taken out with `#N/A`.
        yes: What a true value is.
        no: What a false value is.
        most_bytes: The most that one file may hold.
        most_rows: The most rows of one file, the header not counted.
    """

    missing: str
    yes: str
    no: str
    most_bytes: int
    most_rows: int


FORMS: Mapping[str, CrmForm] = MappingProxyType(
    {
        # Salesforce, "Bulk API 2.0 and Bulk API Developer Guide", Prepare CSV Files: at most 100 MB before base64.
        "salesforce": CrmForm("#N/A", "true", "false", 100 * BYTES_PER_MEGABYTE, 1_000_000),
        # Odoo takes a whole file in one request; its server stops requests above 128 MiB unless told otherwise.
        "odoo": CrmForm("", "True", "False", 100 * BYTES_PER_MEGABYTE, 1_000_000),
        # HubSpot, "Set up import files": 512 MB and 1,048,576 rows with a paid subscription, one of them the header.
        "hubspot": CrmForm("", "true", "false", 512 * BYTES_PER_MEGABYTE, 1_048_575),
    }
)


def cell_writer(form: CrmForm) -> Callable[[object], str]:
    """Make the function that writes one value as the CRM takes it."""

    def write(value: object) -> str:
        if value is None or value != value:  # NaN alone differs from itself
            return form.missing
        if isinstance(value, bool):
            return form.yes if value else form.no
        if isinstance(value, datetime):
            return value.date().isoformat()
        if isinstance(value, date):
            return value.isoformat()
        return _number(value) if isinstance(value, float) else _text(value)

    return write


def _number(value: float) -> str:
    """All digits and no exponent: 1e-07 would be a text to a CRM."""
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _text(value: object) -> str:
    """A text that UTF-8 can hold, without the character zero, which imports take for the end."""
    return str(value).replace("\0", "�").encode("utf-8", "replace").decode("utf-8")
