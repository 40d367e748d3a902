"""Tables and pages of one report as a folder, whole or not at all.

`<folder>/<as_of>/` holds each table as Parquet and CSV, the documents and `_SUCCESS.json`, the manifest. Who looks
there finds the complete earlier report or the complete new one, also after a run was killed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tierwise.errors import Fault, InvalidInput
from tierwise.store.manifests import MANIFEST
from tierwise.store.writer_disk import disk_faults, put_in_place, temporary_folder
from tierwise.store.writer_formats import SUFFIXES, WRITERS
from tierwise.store.writer_lock import lock_output

_FORMATS = ("parquet", "csv")


@dataclass(frozen=True)
class Report:
    """What a report holds.

    Attributes:
        as_of: The as-of date; names the folder.
        tables: Frames by name; those without columns are left out.
        documents: Text files by file name.
        facts: What it was made from, for the manifest.
    """

    as_of: date
    tables: Mapping[str, pd.DataFrame]
    documents: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def write_report(folder: Path, report: Report) -> Path:
    """Write a report whole or not at all; the same report gives the same bytes.

    Args:
        folder: The folder of the reports of this kind; made if it is absent.
        report: The tables and documents.

    Returns:
        The folder `<folder>/<as_of>`.

    Raises:
        InvalidInput: If a folder that is no such report is in the way.
        OutsideFailure: If the disk or its permissions do not allow it, or another run writes there; what was there is
            unchanged.
    """
    with lock_output(folder), disk_faults("write the report", folder):
        place = folder / report.as_of.isoformat()
        if place.exists() and not (place / MANIFEST).is_file():
            todo = "move it away, or write to another folder with --out"
            raise InvalidInput(Fault("this folder is in the way and is no report of Tierwise", str(place), todo=todo))
        fresh = temporary_folder(folder, report.as_of, "report")
        try:
            _fill(fresh, report)
            put_in_place(fresh, place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return place


def _fill(folder: Path, report: Report) -> None:
    tables = {name: frame for name, frame in sorted(report.tables.items()) if len(frame.columns)}
    for name, frame in tables.items():
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        for kind in _FORMATS:
            WRITERS[kind](table, folder / f"{name}{SUFFIXES[kind]}")
    for name, text in sorted(report.documents.items()):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    body = {
        "as_of": report.as_of.isoformat(),
        "facts": dict(sorted(report.facts.items())),
        "rows": {name: len(frame) for name, frame in tables.items()},
        "sha256": files,
    }
    (folder / MANIFEST).write_text(
        json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
    )
