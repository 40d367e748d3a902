"""The folder of a pilot: reading and writing its records and tables (see `store.pilot_records` for the layout)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd
import pyarrow.parquet
from pydantic import ValidationError

from tierwise.errors import Fault, OutsideFailure
from tierwise.store.manifests import MANIFEST
from tierwise.store.pilot_parts import Record
from tierwise.store.pilot_records import AmendmentRecord, AnalysisRecord, AssignmentRecord, DesignRecord
from tierwise.store.report_folder import Report, write_report
from tierwise.store.writer import write_text
from tierwise.store.writer_disk import folder_in_place, sha256_of

PILOTS, DESIGN, ASSIGNMENT, ANALYSIS, AMENDMENTS = "pilots", "design", "assignment", "analysis", "amendments"
FROZEN_FILE, PAGE = "pilot.yaml", "report.html"

AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True)
class Kept(Generic[AnyRecord]):
    """A record with its tables, and the folder that holds both."""

    record: AnyRecord
    tables: Mapping[str, pd.DataFrame]
    folder: Path


@dataclass(frozen=True)
class KeptPilot:
    """All that is kept of one pilot.

    Attributes:
        slug: The pilot.
        folder: Its folder.
        designs: By as-of date, oldest first.
        assignment: None before it is drawn.
        amendments: Oldest first.
        analyses: By as-of date, oldest first.
    """

    slug: str
    folder: Path
    designs: tuple[Kept[DesignRecord], ...] = ()
    assignment: Kept[AssignmentRecord] | None = None
    amendments: tuple[AmendmentRecord, ...] = ()
    analyses: tuple[Kept[AnalysisRecord], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever kept of it."""
        return not (self.designs or self.assignment or self.analyses)


def pilot_folder(output: Path, slug: str) -> Path:
    """The folder of a pilot in an output folder."""
    return output / PILOTS / slug


def kept_slugs(output: Path) -> tuple[str, ...]:
    """The pilots of which an output folder keeps something, sorted."""
    folder = output / PILOTS
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()


def read_pilot(output: Path, slug: str, *, analyses: bool = True) -> KeptPilot:
    """Read all that is kept of a pilot; every file is held against the hash in its manifest.

    Args:
        output: The output folder.
        slug: The pilot.
        analyses: Whether designs and analyses are read besides the assignment.

    Raises:
        OutsideFailure: If a file cannot be read or is not the one that was written.
    """
    folder = pilot_folder(output, slug)
    drawn = tuple(_read(folder, ASSIGNMENT, AssignmentRecord))
    return KeptPilot(
        slug,
        folder,
        designs=tuple(_read(folder, DESIGN, DesignRecord)) if analyses else (),
        assignment=drawn[-1] if drawn else None,
        amendments=tuple(_amendments(folder)),
        analyses=tuple(_read(folder, ANALYSIS, AnalysisRecord)) if analyses else (),
    )


@dataclass(frozen=True)
class Step:
    """What one step of a pilot writes: a record, its tables and further text files."""

    kind: str
    record: DesignRecord | AssignmentRecord | AnalysisRecord
    tables: Mapping[str, pd.DataFrame]
    documents: Mapping[str, str] = field(default_factory=dict)


def write_step(output: Path, step: Step) -> Path:
    """Write one step whole or not at all; the same step gives the same bytes.

    Returns:
        Its folder.

    Raises:
        InvalidInput: If a folder that is none of Tierwise is in the way.
        OutsideFailure: If the disk or its permissions do not allow it, or another run writes there.
    """
    record = step.record
    report = Report(
        as_of=record.source.as_of,
        tables=step.tables,
        documents={f"{step.kind}.json": record.as_json(), **step.documents},
        facts={
            "pilot": record.pilot.slug,
            "pilot_sha256": record.pilot.sha256,
            "data_fingerprint": record.source.data_fingerprint,
            "tierwise": record.source.program_version,
        },
    )
    return write_report(pilot_folder(output, record.pilot.slug) / step.kind, report)


def write_amendment(output: Path, slug: str, amendment: AmendmentRecord) -> Path:
    """Write an amendment as a file of its own.

    Raises:
        OutsideFailure: If the disk does not allow it.
    """
    place = pilot_folder(output, slug) / AMENDMENTS / f"{amendment.number:04d}.json"
    write_text(place, amendment.as_json())
    return place


def _amendments(folder: Path) -> Iterator[AmendmentRecord]:
    for path in sorted((folder / AMENDMENTS).glob("[0-9]*.json")):
        yield _record(AmendmentRecord, path)


def _read(folder: Path, kind: str, model: type[AnyRecord]) -> Iterator[Kept[AnyRecord]]:
    parent = folder / kind
    if not parent.is_dir():
        return
    days = sorted({day for path in parent.iterdir() if (day := _day(path.name)) is not None})
    for place in (folder_in_place(parent, day) for day in days):
        if (place / MANIFEST).is_file():
            manifest = _manifest(place)
            tables = {name: _table(place / f"{name}.parquet") for name in manifest["rows"]}
            yield Kept(_record(model, place / f"{kind}.json"), tables, place)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name.lstrip(".")[:10])
    except ValueError:
        return None


def _manifest(place: Path) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads((place / MANIFEST).read_text("utf-8"))
        changed = [name for name, sha256 in body["sha256"].items() if sha256_of(place / name) != sha256]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise _damaged(place, f"it cannot be read: {error}") from error
    if changed:
        raise _damaged(place, f"{', '.join(changed)} changed since it was written")
    return body


def _table(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pyarrow.parquet.read_table(path).to_pandas()
    except (OSError, ValueError) as error:
        raise _damaged(path, f"it cannot be read: {error}") from error
    return frame


def _record(model: type[AnyRecord], path: Path) -> AnyRecord:
    try:
        return model.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise _damaged(path, f"it cannot be read: {str(error).splitlines()[0]}") from error


def _damaged(place: Path, what: str) -> OutsideFailure:
    todo = "put back the file as it was written, or move the folder away and run the command again"
    return OutsideFailure(Fault(what, str(place), todo=todo))
