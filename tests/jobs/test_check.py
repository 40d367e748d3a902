"""The job `check`: what a user sees of bad input, and the files that it writes."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.jobs.bad_input import CASES, CHANNEL, TODAY, run_case
from tierwise.config.load import load_workspace
from tierwise.engine import open_engine
from tierwise.jobs.check import CheckedData, check
from tierwise.jobs.progress import Step
from tierwise.reports.data_report import as_html, as_markdown, as_payload, as_text
from tierwise.store.sources import read_tables

FILES = sorted(CASES.glob("*.yaml"))
KINDS = {
    "Wrong type",
    "Impossible date",
    "Future date",
    "Duplicate key",
    "Unknown partner",
    "NaN and infinity",
    "Negative amount",
    "Mixed currencies",
    "Empty table",
    "Missing column",
    "Byte-order mark",
    "Latin-1",
    "CRLF",
    "Quoted line ends",
    "10 MB field",
    "Formula injection",
    "SQL in an expression",
    "Path traversal in an id",
}


def load(file: Path) -> dict:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CHANNEL, tmp_path / "channel"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_bad_input_is_met_with_these_words(file, tmp_path):
    case = load(file)
    seen = run_case(case, tmp_path)

    assert list(seen.messages) == case["sees"]
    assert seen.exit_code == case["exit_code"]
    if seen.checked is not None:
        tables = seen.checked.summary.check.tables
        assert {table.table: table.accepted for table in tables} == case["accepted"]
        assert {table.table: table.quarantined for table in tables} == case["quarantined"]
        assert all(table.received == table.accepted + table.quarantined for table in tables)
        assert all(table.received_money == table.accepted_money + table.quarantined_money for table in tables)


def test_what_happens_agrees_with_what_is_seen():
    for case in map(load, FILES):
        turned_away = sum(case.get("quarantined", {}).values())
        agrees = {
            "accepted": case["exit_code"] == turned_away == len(case["sees"]) == 0,
            "warned": case["exit_code"] == turned_away == 0 < len(case["sees"]),
            "quarantined": case["exit_code"] == 0 < turned_away,
            "refused": case["exit_code"] in (1, 2),
        }
        assert agrees[case["happens"]], case["planted"]


def test_every_kind_of_bad_input_of_the_design_has_a_case():
    assert {load(file)["kind"] for file in FILES} >= KINDS


def test_the_channel_itself_has_nothing_to_say(channel):
    checked = check(load_workspace(channel), TODAY)

    assert checked.refusal is None
    assert checked.summary.check.rules == ()
    assert checked.summary.warnings == ()


@pytest.fixture
def faulty(tmp_path: Path) -> CheckedData:
    case = {"plant": [{"file": "data/deals.csv", "text": "D10,P5,2026-02-20", "by": "=cmd()|,P77,2026-02-20"},
                      {"file": "data/deals.csv", "text": "1407.50,USD", "by": "<b>x</b>,USD"}]}  # fmt: skip
    checked = run_case(case, tmp_path).checked
    assert checked is not None
    return checked


def test_the_files_hold_the_report_and_the_quarantine(faulty):
    page, data, rows, sheet = faulty.files

    assert [path.name for path in faulty.files] == [
        "data_report.html",
        "data_report.json",
        "quarantine.parquet",
        "quarantine.csv",
    ]
    assert page.parent == page.parents[1] / "check"
    assert json.loads(data.read_text(encoding="utf-8")) == json.loads(json.dumps(as_payload(faulty.summary)))
    frame = pd.read_parquet(rows)
    assert list(frame.columns) == ["table", "row", "key", "rule", "column", "value", "message"]
    assert list(frame["key"]) == ["=cmd()|", "D11"]
    assert '"\'=cmd()|"' in sheet.read_text(encoding="utf-8")


def test_the_page_escapes_what_comes_from_data(faulty):
    page = as_html(faulty.summary)

    assert "<b>x" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_every_form_of_the_report_shows_the_same_reconciliation(faulty):
    money = next(table for table in faulty.summary.check.tables if table.money)
    shown = f"{money.received_money:,.2f}"

    for text in (as_text(faulty.summary), as_markdown(faulty.summary), as_html(faulty.summary)):
        for part in ("deals", "18", "unknown_partner", "is not an amount", shown, "Sources read"):
            assert part in text
    (payload,) = (table for table in as_payload(faulty.summary)["tables"] if table["table"] == "deals")
    assert Decimal(payload["received_money"]) == money.received_money
    assert (payload["received"], payload["accepted"], payload["quarantined"]) == (20, 18, 2)


def test_the_verdict_comes_first(faulty, tmp_path):
    assert as_text(faulty.summary).splitlines()[2:4] == [
        "Verdict:", "The data keeps its contract within the tolerance; it can be scored.",
    ]  # fmt: skip
    refused = run_case(load(CASES / "over_tolerance.yaml"), tmp_path / "over").checked
    assert refused is not None
    assert "Verdict: the data must not be scored" in as_text(refused.summary)
    assert as_payload(refused.summary)["accepted"] is False


def test_the_same_input_gives_the_same_bytes(channel, tmp_path):
    first, second = (check(load_workspace(channel), TODAY, out=tmp_path / name).files for name in ("one", "two"))

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_job_says_where_it_is(channel, tmp_path):
    steps: list[Step] = []
    check(load_workspace(channel), TODAY, out=tmp_path / "out", notify=steps.append)

    assert [(step.number, step.of) for step in steps] == [(number, 4) for number in (1, 2, 3, 4)]


# --- real channels ---


def real(repository: Path, name: str, shared_data: Path, out: Path) -> CheckedData:
    return check(load_workspace(repository / "pipelines" / name, shared_data), TODAY, out=out)


def test_adventureworks_reconciles_with_the_published_totals(repository, shared_data, tmp_path):
    checked = real(repository, "adventureworks", shared_data, tmp_path)
    tables = {table.table: table for table in checked.summary.check.tables}

    assert checked.refusal is None
    assert (tables["resellers"].received, tables["resellers"].accepted) == (701, 701)
    sales = tables["sales"]
    assert (sales.received, sales.accepted, sales.quarantined) == (60_855, 60_855, 0)
    assert round(sales.accepted_money, 2) == Decimal("80450596.98")
    assert (str(sales.first_date), str(sales.last_date)) == ("2010-12-29", "2013-11-29")
    assert checked.summary.sources.dangling == ()


def test_adventureworks_maps_no_column_that_describes_the_whole_history(repository, shared_data):
    workspace = load_workspace(repository / "pipelines" / "adventureworks", shared_data)
    leaking = {"OrderMonth", "FirstOrderYear", "LastOrderYear", "OrderFrequency"}

    mapped = {column.from_ for table in workspace.settings.tables.values() for column in table.columns.values()}
    assert mapped & leaking == set()


def test_olist_reconciles_and_turns_the_four_lines_of_2020_away(repository, shared_data, tmp_path):
    checked = real(repository, "olist", shared_data, tmp_path)
    tables = {table.table: table for table in checked.summary.check.tables}

    assert checked.refusal is None
    assert (tables["sellers"].accepted, tables["deals"].accepted) == (3_095, 842)
    items = tables["items"]
    assert (items.received, items.accepted, items.quarantined) == (112_650, 112_646, 4)
    assert items.received_money == Decimal("13591643.7000") == items.accepted_money + items.quarantined_money
    quarantine = pd.read_parquet(tmp_path / "quarantine.parquet")
    assert set(quarantine["rule"]) == {"future_date"}
    assert all(value.startswith("2020-") for value in quarantine["value"])


def test_olist_quarters_count_on_their_last_day_and_closed_deals_make_sellers_known(repository, shared_data):
    from tierwise.tables import check_tables

    workspace = load_workspace(repository / "pipelines" / "olist", shared_data)
    with open_engine() as engine:
        read_tables(engine, workspace)
        check_tables(engine, workspace, TODAY)
        days = engine.rows("SELECT DISTINCT CAST(date AS VARCHAR) FROM seller_quarters ORDER BY 1")
        newcomers = engine.rows("SELECT count(*), count(origin) FROM deals ANTI JOIN sellers USING (partner_id)")

    assert [day for (day,) in days] == [
        "2017-03-31",
        "2017-06-30",
        "2017-09-30",
        "2017-12-31",
        "2018-03-31",
        "2018-06-30",
    ]
    ((count, with_origin),) = newcomers
    assert count == 462
    assert 0 < int(str(with_origin)) <= 462
