"""What Salesforce could not load: the files of failed and unprocessed rows that its Bulk API 2.0 gives back."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tierwise.config.names import hint
from tierwise.errors import Fault, InvalidInput

ERROR = "sf__Error"
NOT_PROCESSED = "NOT_PROCESSED"


@dataclass(frozen=True)
class FailedRow:
    """One row that was not loaded.

    Attributes:
        key: The partner's key in the other system.
        code: Salesforce's error code, such as `REQUIRED_FIELD_MISSING`; `NOT_PROCESSED` where a job ended before it.
        message: What Salesforce says after the code.
    """

    key: str
    code: str
    message: str


def read_failures(files: Sequence[Path], key: str) -> tuple[FailedRow, ...]:
    """Read failed and unprocessed rows, in the order of the files.

    Args:
        files: What the resources `failedResults` and `unprocessedrecords` of a job return.
        key: The field of the external id.

    Raises:
        InvalidInput: If a file is missing or no such file; all faults at once.
    """
    faults: list[Fault] = []
    rows: list[FailedRow] = []
    for path in files:
        try:
            rows.extend(_read(path, key))
        except InvalidInput as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidInput(faults)
    return tuple(rows)


def _read(path: Path, key: str) -> Iterator[FailedRow]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.DictReader(source, strict=True)
            header = reader.fieldnames or []
            if key not in header:
                todo = "give the file that the job's resource failedResults or unprocessedrecords returned"
                raise InvalidInput(Fault(f"the column {key!r} is missing; {hint(key, header)}", str(path), todo=todo))
            for row in reader:
                yield _failed(row, key)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(Fault(f"the file cannot be read: {reason}", str(path))) from error


def _failed(row: dict[str, str], key: str) -> FailedRow:
    """Split `CODE:message:fields --`; the two last parts may be absent."""
    if ERROR not in row:
        return FailedRow(row[key] or "", NOT_PROCESSED, "the job ended before this row")
    code, _, message = (row[ERROR] or "").partition(":")
    return FailedRow(row[key] or "", code or "UNKNOWN", message.strip())
