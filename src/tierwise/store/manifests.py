"""The manifests of an output folder: which complete reviews it holds. Light: reads no table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tierwise.errors import Fault, InvalidInput, OutsideFailure
from tierwise.store.writer_disk import folder_in_place

MANIFEST = "_SUCCESS.json"
MANIFEST_FORMAT = 1


@dataclass(frozen=True)
class WrittenReview:
    """A complete review in an output folder, as its manifest tells it.

    Attributes:
        as_of: The as-of date.
        run_id: The run that wrote it.
        rows: Number of rows by table.
        versions: What it was made from.
        sha256: Hash by file name.
        parts: The Parquet files of each table, in the order of its rows.
    """

    as_of: date
    run_id: str
    rows: Mapping[str, int]
    versions: Mapping[str, str]
    sha256: Mapping[str, str]
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def files_of(self, name: str) -> tuple[str, ...]:
        """The Parquet files of a table, in the order of its rows."""
        return self.parts.get(name, (f"{name}.parquet",))


def list_reviews(output: Path) -> tuple[WrittenReview, ...]:
    """Return the complete reviews in an output folder, by as-of date; none if there is no such folder.

    Raises:
        OutsideFailure: If a manifest cannot be read.
    """
    if not output.is_dir():
        return ()
    dates = {_as_of(path.name.lstrip(".")[:10]) for path in output.iterdir() if path.is_dir()}
    found = (_manifest(folder_in_place(output, day)) for day in sorted(day for day in dates if day))
    return tuple(review for review in found if review is not None)


def read_review(output: Path, as_of: date) -> WrittenReview:
    """Return the review of a date.

    Raises:
        InvalidInput: If there is none.
        OutsideFailure: If its manifest cannot be read.
    """
    review = _manifest(folder_in_place(output, as_of))
    if review is None:
        known = [f"{other.as_of}" for other in list_reviews(output)]
        raise InvalidInput(
            Fault(
                f"there is no review as of {as_of}; found {', '.join(known) or 'none'}",
                where=str(output),
                todo=f"run 'tierwise score --as-of {as_of}' first",
            )
        )
    return review


def _as_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _manifest(folder: Path) -> WrittenReview | None:
    """Read a folder's manifest; None if there is none, for then there is no complete review."""
    path = folder / MANIFEST
    try:
        return _parse(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutsideFailure(
            Fault(
                f"the manifest cannot be read: {error}",
                where=str(path),
                todo="move the folder away and run score again",
            )
        ) from error


def _parse(body: dict[str, Any]) -> WrittenReview:
    if body["format"] != MANIFEST_FORMAT:
        raise ValueError(f"its format is {body['format']}, this version reads {MANIFEST_FORMAT}")
    return WrittenReview(
        as_of=date.fromisoformat(body["as_of"]),
        run_id=body["run_id"],
        rows={name: int(table["rows"]) for name, table in body["tables"].items()},
        versions=body["versions"],
        sha256={name: entry["sha256"] for name, entry in body["files"].items()},
        parts={name: tuple(table["parts"]) for name, table in body["tables"].items() if "parts" in table},
    )
