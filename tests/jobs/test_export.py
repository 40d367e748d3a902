"""Exports of a scored channel: files for CRMs, a table, and rows that came back."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.channel import AS_OF, BEFORE
from tierwise.cli.main import app
from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput
from tierwise.jobs.export import ExportRequest, export
from tierwise.store import read_table

REQUEST = ExportRequest("salesforce")


@pytest.fixture
def channel(scored_channel: Path, copy_of: Callable[[Path], Path]) -> Path:
    return copy_of(scored_channel)


def _rows(place: str | Path, name: str) -> list[dict[str, str]]:
    with (Path(place) / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def _exports(channel: Path, text: str) -> None:
    (channel / "exports.yaml").write_text(f"exports:\n{text}", "utf-8")


def test_salesforce_gets_what_the_review_holds(channel: Path) -> None:
    report = export(load_workspace(channel), REQUEST)
    rows = {row["Partner_Id__c"]: row for row in _rows(report.place, report.files[0])}
    held = read_table(channel / "output", AS_OF, "recommendations").set_index("partner_id")
    metrics = read_table(channel / "output", AS_OF, "metrics").set_index("partner_id")
    first = read_table(channel / "output", AS_OF, "reasons").query("rank == 1").set_index("partner_id")
    assert list(rows) == sorted(held.index)
    for partner, row in rows.items():
        assert row["Recommended_Tier__c"] == held["recommended_tier"][partner]
        assert row["Tier_Reason__c"] == first["sentence"][partner]
        assert float(row["Partner_Potential__c"]) == held["potential"][partner]
        assert float(row["Won_Revenue_4Q__c"]) == metrics["revenue_4q"][partner]
    gone = held["effective_on"].isna()
    assert {rows[partner]["Tier_Effective_On__c"] for partner in held.index[gone]} == {"#N/A"}


def test_the_job_beside_the_files_says_how_they_are_loaded(channel: Path) -> None:
    report = export(load_workspace(channel), REQUEST)
    note = json.loads((Path(report.place) / "job.json").read_text("utf-8"))
    assert note["job"] == {
        "object": "Account", "operation": "upsert", "externalIdFieldName": "Partner_Id__c", "contentType": "CSV",
        "columnDelimiter": "COMMA", "lineEnding": "LF",
    }  # fmt: skip
    assert note["as_of"] == AS_OF.isoformat()
    assert [(file["name"], file["rows"]) for file in note["files"]] == [(report.files[0], report.rows)]


def test_the_same_review_gives_the_same_bytes(channel: Path) -> None:
    one = export(load_workspace(channel), replace(REQUEST, to=channel / "one"))
    two = export(load_workspace(channel), replace(REQUEST, to=channel / "two"))
    assert one.files == two.files
    for name in (*one.files, "job.json"):
        assert (channel / "one" / name).read_bytes() == (channel / "two" / name).read_bytes()


def test_moves_alone_are_exported_where_asked(channel: Path) -> None:
    report = export(load_workspace(channel), ExportRequest("hubspot"))
    held = read_table(channel / "output", AS_OF, "recommendations")
    moves = held[held["action"].isin(["place", "promote", "demote"])]
    assert [row["partner_id"] for row in _rows(report.place, report.files[0])] == list(moves["partner_id"])


def test_an_earlier_review_can_be_exported(channel: Path) -> None:
    report = export(load_workspace(channel), replace(REQUEST, as_of=BEFORE))
    assert report.as_of == BEFORE
    assert Path(report.place).name == BEFORE.isoformat()


def test_a_long_export_is_cut(channel: Path) -> None:
    _exports(channel, "  small: {kind: hubspot, object: companies, key: id, most_rows: 40, fields: {t: action}}\n")
    report = export(load_workspace(channel), ExportRequest("small"))
    lengths = [len(_rows(report.place, name)) for name in report.files]
    assert sum(lengths) == report.rows
    assert lengths[:-1] == [40] * (len(lengths) - 1)


def test_odoo_ids_are_made_of_the_partners(channel: Path) -> None:
    report = export(load_workspace(channel), ExportRequest("odoo"))
    ids = [row["id"] for row in _rows(report.place, report.files[0])]
    assert ids[0] == "tierwise.partner_P0000001"
    assert all(one.count(".") == 1 for one in ids)


def test_a_database_table_is_filled_and_filled_again(channel: Path) -> None:
    workspace = load_workspace(channel)
    for day in (BEFORE, AS_OF):
        export(workspace, ExportRequest("warehouse", day))
    with closing(sqlite3.connect(channel / "output" / "partner-tiers.sqlite")) as connection:
        rows = dict(connection.execute("SELECT partner_id, tier FROM partner_tiers"))
    held = read_table(channel / "output", AS_OF, "recommendations")
    assert rows == dict(zip(held["partner_id"], held["recommended_tier"], strict=True))


def test_rows_that_came_back_are_summed_up_and_written_again(channel: Path) -> None:
    failed = channel / "failed.csv"
    failed.write_text(
        "sf__Id,sf__Error,Partner_Id__c\n,UNABLE_TO_LOCK_ROW:unable to lock:--,P0000002\n"
        ",UNABLE_TO_LOCK_ROW:unable to lock:--,P0000003\n,INVALID_FIELD:no such field:--,P9999999\n"
    )
    report = export(load_workspace(channel), replace(REQUEST, failed=(failed,)))
    rows = _rows(report.place, report.files[0])
    assert [row["Partner_Id__c"] for row in rows] == ["P0000002", "P0000003"]
    assert report.failures is not None
    assert [code[:2] for code in report.failures.codes] == [("UNABLE_TO_LOCK_ROW", 2), ("INVALID_FIELD", 1)]
    assert report.failures.unknown == ("P9999999",)
    text = report.as_text()
    assert "3 rows came back" in text
    assert "1 key of them not in this review, left out: P9999999" in text


def test_faults_name_line_and_nearest_column(channel: Path) -> None:
    _exports(
        channel,
        "  crm:\n    kind: salesforce\n    object: Account\n    key: Id__c\n    fields:\n"
        "      A__c: recomended_tier\n      B__c: reason_5\n",
    )
    with pytest.raises(InvalidInput) as caught:
        export(load_workspace(channel), ExportRequest("crm"))
    said = [str(fault) for fault in caught.value.faults]
    assert "exports.yaml:7" in said[0]
    assert "did you mean 'recommended_tier'?" in said[0]
    assert "reason_5" in said[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  a: {kind: sql, object: t, key: k, fields: {t: action}}\n", "'address' is needed"),
        ("  a: {kind: odoo, object: t, key: k, address: x, fields: {t: action}}\n", "belongs to it alone"),
        ("  a: {kind: odoo, object: t, key: k, fields: {k: action}}\n", "receives the partner's id"),
        ("  a: {kind: odoo, object: t, key: k, key_form: same, fields: {t: action}}\n", "partner_id"),
        ("  a: {kind: pipedrive, object: t, key: k, fields: {t: action}}\n", "'salesforce'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(channel: Path, text: str, said: str) -> None:
    _exports(channel, text)
    with pytest.raises(InvalidInput) as caught:
        export(load_workspace(channel), ExportRequest("a"))
    assert said in str(caught.value)


def test_the_command_answers_people_and_machines(channel: Path) -> None:
    run = CliRunner()
    text = run.invoke(app, ["export", "hubspot", "--workspace", str(channel)])
    assert text.exit_code == 0
    assert "for hubspot companies" in text.output
    machine = run.invoke(app, ["export", "hubspot", "--workspace", str(channel), "--json"])
    assert json.loads(machine.stdout)["files"] == ["companies-0001.csv"]
    wrong = run.invoke(app, ["export", "hubspott", "--workspace", str(channel)])
    assert wrong.exit_code == 2
