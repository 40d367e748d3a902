"""The data report: rows and money that add up, why rows were turned away, and no date that was not seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from tierwise.config.workspace import Tolerance
from tierwise.errors import Fault
from tierwise.reports.data_report import DataReport, as_html, as_markdown, as_payload, as_text
from tierwise.store.sources import SourceRead, SourcesRead
from tierwise.tables import CheckResult, RuleHits, TableCheck

DEALS = TableCheck(
    "deals", "transactions", 12_000, 11_940, 60, 7, "amount", Decimal("1234567.85"), Decimal("1234000.10"),
    Decimal("567.75"), 3, 0.00046, date(2024, 1, 2), date(2026, 9, 30), Tolerance(),
)  # fmt: skip
EMPTY = TableCheck(
    "visits", "events", 0, 0, 0, 0, "", Decimal(0), Decimal(0), Decimal(0), 0, 0.0, None, None, Tolerance(rows=0.05),
)  # fmt: skip
HITS = RuleHits("deals", "unknown_partner", "partner_id", 60, ("D1", "D2"), "‘X1’ is no partner", "add the partner")
PERIODS = pd.DataFrame(
    [("deals", pd.Timestamp(2020 + at // 4, 1 + 3 * (at % 4), 1), 1000 + at, Decimal("1.10")) for at in range(16)],
    columns=["table", "quarter_start", "rows", "money"],
)
REPORT = DataReport(
    "Shop <1>", "USD", SourcesRead((SourceRead("deals", "deals.csv", 12_000),), ()),
    CheckResult((DEALS, EMPTY), (HITS,), PERIODS, (), date(2026, 10, 1)),
)  # fmt: skip


def _rows(title: str, report: DataReport = REPORT) -> list[list[str]]:
    section = as_markdown(report).split(f"## {title}")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]


def test_rows_received_are_rows_accepted_and_quarantined() -> None:
    deals, visits = _rows("Rows")
    assert deals == ["deals", "12,000", "11,940", "60", "0.50%", "1.00%", "7"]
    assert visits == ["visits", "0", "0", "0", "0.00%", "5.00%", "0"]


def test_money_is_told_to_the_cent_of_tables_that_have_some() -> None:
    assert _rows("Money in USD") == [
        ["deals", "amount", "1,234,567.85", "1,234,000.10", "567.75", "0.05%", "1.00%", "3"],
    ]
    without = replace(REPORT, check=replace(REPORT.check, tables=(EMPTY,)))
    assert "Money in" not in as_text(without)


def test_a_table_without_rows_has_no_dates() -> None:
    assert _rows("Dates") == [
        ["deals", "transactions", "2024-01-02", "2026-09-30", "11,940"],
        ["visits", "events", "-", "-", "0"],
    ]
    assert "Nothing may be dated after 2026-10-01." in as_text(REPORT)


def test_only_the_last_quarters_are_listed_by_day() -> None:
    rows = _rows("Accepted rows per fiscal quarter, the last 12")
    assert [rows[0], rows[-1]] == [["2021-01-01", "1,004"], ["2023-10-01", "1,015"]]
    assert len(rows) == 12


def test_why_rows_were_turned_away_stands_with_keys_and_what_to_do() -> None:
    assert _rows("Why rows are in quarantine") == [["deals", "unknown_partner", "partner_id", "60"]]
    assert "deals unknown_partner: ‘X1’ is no partner; for example: D1, D2; to do: add the partner" in as_text(REPORT)


@pytest.mark.parametrize("title", ["Why rows are in quarantine", "What is wrong", "Warnings", "Accepted rows per"])
def test_parts_without_content_have_no_heading(title: str) -> None:
    plain = replace(REPORT, check=replace(REPORT.check, rules=(), periods=PERIODS.head(0)))
    assert title not in as_text(plain)


def test_a_refusal_is_the_verdict_and_warnings_are_not() -> None:
    odd = replace(REPORT, catalog_warnings=(Fault("no unit", "metrics.yaml", todo="add one"),))
    assert "Verdict:\nThe data keeps its contract" in as_text(odd)
    assert "Warnings:\nmetrics.yaml: no unit; to do: add one" in as_text(odd)
    spoilt = replace(DEALS, accepted=6000, quarantined=6000)
    refused = replace(REPORT, check=replace(REPORT.check, tables=(spoilt, EMPTY)))
    assert "Verdict: the data must not be scored" in as_text(refused)
    assert (as_payload(REPORT)["accepted"], as_payload(refused)["accepted"]) == (True, False)


def test_machines_lose_no_digit_of_money_and_read_days() -> None:
    payload = json.loads(json.dumps(as_payload(REPORT), allow_nan=False))
    deals, visits = payload["tables"]
    assert (deals["received_money"], deals["last_date"], deals["quarantined_share"]) == (
        "1234567.85", "2026-09-30", 0.005,
    )  # fmt: skip
    assert visits["first_date"] is None
    assert payload["periods"][0] == {"table": "deals", "quarter_start": "2020-01-01", "rows": 1000, "money": "1.10"}
    assert payload["newest_day"] == "2026-10-01"


def test_the_page_is_escaped_and_the_same_twice() -> None:
    page = as_html(REPORT)
    assert "<title>Data report of Shop &lt;1&gt;</title>" in page
    assert page == as_html(REPORT)
