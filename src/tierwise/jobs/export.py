"""Export a review: files that a CRM's import takes, or rows of a database table; and what a CRM gave back."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from tierwise.config.environment import expand_environment
from tierwise.config.exports import Export, load_exports
from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.config.yaml_reader import Document
from tierwise.errors import Fault, InvalidInput
from tierwise.reports.export import ExportReport, Failures
from tierwise.store.crm_failures import FailedRow, read_failures
from tierwise.store.crm_files import CrmFile, FileLimits, write_chunks
from tierwise.store.crm_values import BYTES_PER_MEGABYTE, FORMS, cell_writer
from tierwise.store.export_rows import KEY, chosen_columns, export_rows
from tierwise.store.manifests import WrittenReview, list_reviews, read_review
from tierwise.store.page_folder import PageFolder, page_folder
from tierwise.store.upsert import Upsert, upsert

NOTE = "job.json"
_ROWS_AT_ONCE = 10_000
# Odoo's external ids may hold these alone; the dot parts the module from the name.
_NOT_IN_ODOO_ID = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        name: The export's name in `exports.yaml`.
        as_of: The review; the latest one by default.
        out: The output folder; the workspace's by default.
        to: The folder of the files; `export/<name>/<as_of>` in the output folder by default.
        failed: Files of rows that the CRM gave back; only those partners are exported again.
    """

    name: str
    as_of: date | None = None
    out: Path | None = None
    to: Path | None = None
    failed: tuple[Path, ...] = ()


def export(workspace: Workspace, request: ExportRequest) -> ExportReport:
    """Export a review by the workspace's `exports.yaml`.

    Raises:
        InvalidInput: If there is no such export or review, a field names no column, or a file of failed rows is none.
        OutsideFailure: If the disk or the database does not allow it; what was there is unchanged.
    """
    document, settings = _export_named(workspace, request.name)
    output = request.out or workspace.output_folder
    review = _review(output, request.as_of)
    rows = export_rows(output, review.as_of, settings.only)
    _refuse_unknown_columns(settings, rows, document, request.name)
    key = _keys(settings, rows[KEY].to_pylist())
    table = chosen_columns(rows, pa.array(key, pa.string()), list(settings.fields.items()), settings.key)
    failures = None
    if request.failed:
        table, failures = _only_failed(table, settings, request.failed)
    report = ExportReport(request.name, settings.kind, settings.object, review.as_of, table.num_rows, failures=failures)
    if settings.kind == "sql":
        return replace(report, place=_to_database(workspace, settings, table))
    part = "retry" if failures else review.as_of.isoformat()
    place = request.to or output / "export" / request.name / part
    files = _to_files(place, settings, table, review)
    return replace(report, place=str(place), files=tuple(file.name for file in files), size=sum(f.size for f in files))


def _export_named(workspace: Workspace, name: str) -> tuple[Document, Export]:
    document, exports = load_exports(workspace.folder)
    if name not in exports.exports:
        raise InvalidInput(Fault(f"there is no export {name!r}; {hint(name, exports.exports)}", document.file))
    return document, exports.exports[name]


def _review(output: Path, as_of: date | None) -> WrittenReview:
    if as_of is not None:
        return read_review(output, as_of)
    reviews = list_reviews(output)
    if not reviews:
        raise InvalidInput(Fault("there is no review to export", str(output), todo="run 'tierwise score' first"))
    return reviews[-1]


def _refuse_unknown_columns(settings: Export, rows: pa.Table, document: Document, name: str) -> None:
    faults = [
        Fault(
            f"the review has no column {column!r}; {hint(column, rows.column_names)}",
            document.where(("exports", name, "fields", field)),
        )
        for field, column in settings.fields.items()
        if column not in rows.column_names
    ]
    if faults:
        raise InvalidInput(faults)


def _keys(settings: Export, partner_ids: Sequence[str]) -> list[str]:
    """The partners' keys in the other system; two partners never share one."""
    safe = _odoo_id if settings.kind == "odoo" else str
    keys = [settings.key_form.replace("{partner_id}", safe(one)) for one in partner_ids]
    shared = sorted(key for key, count in Counter(keys).items() if count > 1)
    if shared:
        todo = "give the partners ids that stay different"
        raise InvalidInput(Fault("several partners would share a key", examples=tuple(shared), todo=todo))
    return keys


def _odoo_id(partner_id: str) -> str:
    """A partner's id as part of an Odoo external id: another character, a dot too, becomes its code."""
    text = partner_id.replace(".", "_x2e")
    return _NOT_IN_ODOO_ID.sub(lambda match: f"_x{ord(match[0]):x}", text)


def _only_failed(table: pa.Table, settings: Export, files: Sequence[Path]) -> tuple[pa.Table, Failures]:
    if settings.kind != "salesforce":
        todo = "correct the rows there and export again"
        raise InvalidInput(Fault(f"failed rows of kind {settings.kind!r} cannot be read back", "--failed", todo=todo))
    failed = read_failures(files, settings.key)
    wanted = {row.key for row in failed}
    held = [key in wanted for key in table[settings.key].to_pylist()]
    unknown = tuple(sorted(wanted - set(table[settings.key].to_pylist())))
    return table.filter(pa.array(held)), Failures(len(failed), _by_code(failed), unknown)


def _by_code(failed: Sequence[FailedRow]) -> tuple[tuple[str, int, str, tuple[str, ...]], ...]:
    """Each error code, most frequent first: its rows, its first message, three keys."""
    codes = Counter(row.code for row in failed)
    return tuple(
        (code, count, next(row.message for row in failed if row.code == code),
         tuple(row.key for row in failed if row.code == code)[:3])
        for code, count in sorted(codes.items(), key=lambda entry: (-entry[1], entry[0]))
    )  # fmt: skip


def _to_database(workspace: Workspace, settings: Export, table: pa.Table) -> str:
    address = expand_environment(settings.address or "", os.environ)
    if address.startswith("sqlite:"):
        address = f"sqlite:{workspace.folder / address.removeprefix('sqlite:')}"
    upsert(Upsert(address, settings.object, settings.key), table)
    return f"table {settings.object}"


def _to_files(place: Path, settings: Export, table: pa.Table, review: WrittenReview) -> list[CrmFile]:
    form = FORMS[settings.kind]
    size = int(settings.most_megabytes * BYTES_PER_MEGABYTE) if settings.most_megabytes else form.most_bytes
    limits = FileLimits(min(size, form.most_bytes), min(settings.most_rows or form.most_rows, form.most_rows))
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", settings.object).lstrip(".") or "rows"
    place.parent.mkdir(parents=True, exist_ok=True)
    with page_folder(place) as folder:
        rows = _cells(table, cell_writer(form))
        files = write_chunks(folder, stem, table.column_names, rows, limits)
        _write_note(folder, settings, review, files)
    return files


def _cells(table: pa.Table, write: Callable[[object], str]) -> Iterator[list[str]]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield [write(value) for value in row]


def _write_note(folder: PageFolder, settings: Export, review: WrittenReview, files: Sequence[CrmFile]) -> None:
    """Say beside the files what they are and, for Salesforce, the job that loads each of them."""
    body: dict[str, Any] = {
        "as_of": review.as_of.isoformat(),
        "run_id": review.run_id,
        "object": settings.object,
        "key": settings.key,
        "files": [{"name": f.name, "rows": f.rows, "bytes": f.size, "sha256": f.sha256} for f in files],
    }
    if settings.kind == "salesforce":
        body["job"] = {
            "object": settings.object,
            "operation": "upsert",
            "externalIdFieldName": settings.key,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
    folder.text(NOTE, json.dumps(body, indent=2, ensure_ascii=False) + "\n")
