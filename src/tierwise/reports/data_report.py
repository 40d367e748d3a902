"""The data report: what was read, what was accepted, what was not and why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from tierwise.errors import Fault
from tierwise.reports.sections import Section, sections_html, sections_markdown, sections_text
from tierwise.store.sources import SourcesRead
from tierwise.tables import CheckResult, RuleHits, TableCheck

_MOST_QUARTERS = 12


@dataclass(frozen=True)
class DataReport:
    """The one value that every form of the data report is rendered from.

    Attributes:
        workspace: The workspace's name.
        currency: The program currency, in which all money is.
        sources: The files and database tables that were read.
        check: What the contract accepted and turned away.
        catalog_warnings: What the metric catalog lacks for people to trust its figures.
    """

    workspace: str
    currency: str
    sources: SourcesRead
    check: CheckResult
    catalog_warnings: tuple[Fault, ...] = ()

    @property
    def refusals(self) -> tuple[Fault, ...]:
        """Why the data must not be scored; empty when it may."""
        return self.check.refusals

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What is odd but no fault, lookups without a key first."""
        dangling = (
            Fault(
                f"rows whose key the lookup {found.lookup!r} does not have ({found.column}): {found.rows:,}",
                f"table {found.table!r}",
                found.keys,
                "complete the lookup; what it would give is empty in these rows",
            )
            for found in self.sources.dangling
        )
        return (*dangling, *self.check.warnings, *self.catalog_warnings)

    @property
    def title(self) -> str:
        """The report's heading."""
        return f"Data report of {self.workspace}"


def as_text(report: DataReport) -> str:
    """Render the report for a terminal."""
    return sections_text(report.title, list(_sections(report)))


def as_markdown(report: DataReport) -> str:
    """Render the report as Markdown."""
    return sections_markdown(report.title, list(_sections(report)))


def as_html(report: DataReport) -> str:
    """Render the report as one page of HTML."""
    return sections_html(report.title, list(_sections(report)))


def as_payload(report: DataReport) -> dict[str, Any]:
    """Give the report as plain values, for JSON; money is text, so that no digit is lost."""
    check = report.check
    return {
        "workspace": report.workspace,
        "currency": report.currency,
        "newest_day": check.newest.isoformat(),
        "accepted": not report.refusals,
        "sources": [asdict(read) for read in report.sources.reads],
        "tables": [_table_payload(table) for table in check.tables],
        "rules": [asdict(hits) for hits in check.rules],
        "periods": [_plain(row) for row in check.periods.to_dict(orient="records")],
        "dangling_keys": [asdict(found) for found in report.sources.dangling],
        "warnings": [asdict(fault) for fault in report.warnings],
        "refusals": [asdict(fault) for fault in report.refusals],
    }


def _table_payload(table: TableCheck) -> dict[str, Any]:
    plain = _plain({name: value for name, value in vars(table).items() if name != "tolerance"})
    shares = {"quarantined_share": table.quarantined_share, "over_tolerance": table.over_tolerance}
    return {**plain, **shares, "tolerance": {"rows": table.tolerance.rows, "money": table.tolerance.money}}


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return None if value.is_nan() else str(value)
    return (
        value.date().isoformat() if hasattr(value, "date") else value.isoformat() if isinstance(value, date) else value
    )


def _sections(report: DataReport) -> Iterator[Section]:
    yield _verdict(report)
    yield _reconciliation(report.check)
    if any(table.money for table in report.check.tables):
        yield _money(report)
    if report.check.rules:
        yield _rules(report.check.rules)
        yield _advice(report.check.rules)
    yield _ranges(report.check)
    if len(report.check.periods):
        yield _periods(report.check)
    if report.warnings:
        yield Section("Warnings", text=tuple(_sentence(fault) for fault in report.warnings))
    yield _sources(report.sources)


def _verdict(report: DataReport) -> Section:
    if not report.refusals:
        text = "The data keeps its contract within the tolerance; it can be scored."
        return Section("Verdict", text=(text,))
    return Section("Verdict: the data must not be scored", text=tuple(_sentence(fault) for fault in report.refusals))


def _reconciliation(check: CheckResult) -> Section:
    header = ("table", "received", "= accepted", "+ quarantined", "share", "allowed", "of prospects")
    rows = [
        (
            table.table,
            f"{table.received:,}",
            f"{table.accepted:,}",
            f"{table.quarantined:,}",
            f"{table.quarantined_share:.2%}",
            f"{table.tolerance.rows:.2%}",
            f"{table.prospects:,}",
        )
        for table in check.tables
    ]
    return Section("Rows", header, tuple(rows), frozenset(range(1, 7)))


def _money(report: DataReport) -> Section:
    header = ("table", "column", "received", "= accepted", "+ quarantined", "share", "allowed", "rows without amount")
    rows = [
        (
            table.table,
            table.money,
            f"{table.received_money:,.2f}",
            f"{table.accepted_money:,.2f}",
            f"{table.quarantined_money:,.2f}",
            f"{table.quarantined_money_share:.2%}",
            f"{table.tolerance.money:.2%}",
            f"{table.unreadable_money:,}",
        )
        for table in report.check.tables
        if table.money
    ]
    return Section(f"Money in {report.currency}", header, tuple(rows), frozenset(range(2, 8)))


def _rules(rules: Iterable[RuleHits]) -> Section:
    rows = [(hits.table, hits.rule, hits.column, f"{hits.rows:,}") for hits in rules]
    return Section("Why rows are in quarantine", ("table", "rule", "column", "rows"), tuple(rows), frozenset({3}))


def _advice(rules: Iterable[RuleHits]) -> Section:
    faults = [Fault(hits.message, f"{hits.table} {hits.rule}", hits.examples, hits.todo) for hits in rules]
    return Section("What is wrong with the first of each", text=tuple(_sentence(fault) for fault in faults))


def _ranges(check: CheckResult) -> Section:
    rows = [
        (table.table, table.kind, _day(table.first_date), _day(table.last_date), f"{table.accepted:,}")
        for table in check.tables
    ]
    text = f"Nothing may be dated after {check.newest}."
    return Section("Dates", ("table", "kind", "first", "last", "accepted rows"), tuple(rows), frozenset({4}), (text,))


def _periods(check: CheckResult) -> Section:
    frame = check.periods
    days = [day.date().isoformat() for day in pd.to_datetime(frame["quarter_start"])]
    counts = {(table, day): int(rows) for table, day, rows in zip(frame["table"], days, frame["rows"], strict=True)}
    names = list(dict.fromkeys(frame["table"]))
    quarters = sorted(set(days))[-_MOST_QUARTERS:]
    rows = [(quarter, *(f"{counts.get((name, quarter), 0):,}" for name in names)) for quarter in quarters]
    title = f"Accepted rows per fiscal quarter, the last {len(quarters)}"
    return Section(title, ("quarter from", *names), tuple(rows), frozenset(range(1, len(names) + 1)))


def _sources(sources: SourcesRead) -> Section:
    rows = [(read.table, read.place, f"{read.rows:,}") for read in sources.reads]
    return Section("Sources read", ("table", "file or database table", "rows"), tuple(rows), frozenset({2}))


def _sentence(fault: Fault) -> str:
    return "; ".join(line.strip() for line in str(fault).splitlines())


def _day(day: date | None) -> str:
    return "-" if day is None else day.isoformat()
