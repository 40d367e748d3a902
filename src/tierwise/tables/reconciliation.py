"""Counts what was received, accepted and turned away, so that nothing is lost silently."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd

from tierwise.config.workspace import Calendar, Tolerance
from tierwise.engine import Engine, quoted
from tierwise.errors import MAX_EXAMPLES
from tierwise.tables.contract import Contract
from tierwise.tables.judging import KNOWN_PARTNERS, QUARANTINE, TYPED, VERDICTS
from tierwise.tables.result import RuleHits, TableCheck
from tierwise.tables.rules import ADVICE, OWN_RULE_ADVICE

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november")
_DATE_OF_KIND = {"partners": "joined_on", "events": "date", "history": "valid_from", "tier_history": "valid_from"}


@dataclass(frozen=True)
class Received:
    """What was received, counted before the rows that are turned away leave the table.

    Attributes:
        rows: Rows in the source.
        quarantined: Rows that are turned away.
        money: Sum of the readable amounts; 0 for a table without money, as below.
        quarantined_money: Likewise over the rows that are turned away.
        unreadable_money: Rows that are turned away without a readable amount.
        quarantined_share: Share of the absolute money that is turned away.
    """

    rows: int
    quarantined: int
    money: Decimal = Decimal(0)
    quarantined_money: Decimal = Decimal(0)
    unreadable_money: int = 0
    quarantined_share: float = 0.0


def count_received(engine: Engine, contract: Contract) -> Received:
    """Count the rows and the money of a table that was just judged, and what of them is turned away."""
    counted, judged = "count(*), count(_rule)", f"FROM {TYPED} LEFT JOIN {VERDICTS} USING (_row)"
    if contract.settings.money is None:
        rows, turned_away = _one(engine, f"SELECT {counted} {judged}")
        return Received(rows, turned_away)
    amount, of_those = quoted(contract.settings.money), "FILTER (WHERE _rule IS NOT NULL)"
    received, quarantined, money, quarantined_money, unreadable, absolute, quarantined_absolute = engine.rows(
        f"SELECT {counted}, coalesce(sum({amount}), 0), coalesce(sum({amount}) {of_those}, 0),"
        f" count(*) FILTER (WHERE _rule IS NOT NULL AND {amount} IS NULL),"
        f" coalesce(sum(abs({amount})), 0), coalesce(sum(abs({amount})) {of_those}, 0) {judged}"
    )[0]
    share = float(Decimal(str(quarantined_absolute)) / Decimal(str(absolute))) if absolute else 0.0
    return Received(
        int(str(received)),
        int(str(quarantined)),
        Decimal(str(money)),
        Decimal(str(quarantined_money)),
        int(str(unreadable)),
        share,
    )


def reconcile(engine: Engine, contract: Contract, received: Received, tolerance: Tolerance) -> TableCheck:
    """Hold what was received of a table against the rows and the money that were accepted."""
    money, day = contract.settings.money, _DATE_OF_KIND[contract.settings.kind]
    total = f"coalesce(sum({quoted(money)}), 0)" if money else "0"
    days = f"min({day}), max({day})" if day in contract.types else "NULL, NULL"
    accepted, accepted_money, first, last = engine.rows(
        f"SELECT count(*), {total}, {days} FROM {quoted(contract.table)}"
    )[0]
    return TableCheck(
        table=contract.table,
        kind=contract.settings.kind,
        received=received.rows,
        accepted=int(str(accepted)),
        quarantined=received.quarantined,
        prospects=_prospects(engine, contract),
        money=money or "",
        received_money=received.money,
        accepted_money=Decimal(str(accepted_money)),
        quarantined_money=received.quarantined_money,
        unreadable_money=received.unreadable_money,
        quarantined_money_share=received.quarantined_share,
        first_date=first if isinstance(first, date) else None,
        last_date=last if isinstance(last, date) else None,
        tolerance=tolerance,
    )


def count_rules(engine: Engine, tables: tuple[str, ...]) -> tuple[RuleHits, ...]:
    """Count the quarantine by table, rule and column, the most frequent first, each with its first keys."""
    examples = f"""min_by(coalesce(key, ''), "row", {MAX_EXAMPLES}), min_by(message, "row")"""
    hits = engine.rows(
        f'SELECT "table", rule, "column", count(*) AS rows, {examples} FROM {QUARANTINE}'
        ' GROUP BY ALL ORDER BY rows DESC, rule, "column"'
    )
    found = [_hits(*row) for row in hits]
    return tuple(sorted(found, key=lambda hit: tables.index(hit.table)))


def count_periods(engine: Engine, contracts: list[Contract], calendar: Calendar) -> pd.DataFrame:
    """Count accepted events per fiscal quarter: `table, quarter_start, rows, money`, sorted by table and quarter."""
    shift = _months_before_quarter(calendar)
    parts = []
    for contract in contracts:
        if contract.settings.kind == "events":
            start = f"date_trunc('quarter', date - INTERVAL {shift} MONTH) + INTERVAL {shift} MONTH"
            money = f"sum({quoted(contract.settings.money)})" if contract.settings.money else "NULL"
            columns = (
                f"CAST({start} AS DATE) AS quarter_start, count(*) AS rows, CAST({money} AS DECIMAL(38,4)) AS money"
            )
            frame = engine.frame(f"SELECT {columns} FROM {quoted(contract.table)} GROUP BY 1 ORDER BY 1")
            parts.append(frame.assign(table=contract.table))
    names = ["table", "quarter_start", "rows", "money"]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _months_before_quarter(calendar: Calendar) -> int:
    """How many months the fiscal quarters start after the calendar's: 0, 1 or 2."""
    start = calendar.fiscal_year_starts
    return (_MONTHS.index(start) if start in _MONTHS else len(_MONTHS)) % 3


def _prospects(engine: Engine, contract: Contract) -> int:
    if contract.settings.unknown_partner != "prospect":
        return 0
    query = f"SELECT count(*) FROM {quoted(contract.table)} ANTI JOIN {KNOWN_PARTNERS} ON _partner = partner_id"
    return _one(engine, query)[0]


def _hits(table: object, rule: object, column: object, rows: object, keys: object, message: object) -> RuleHits:
    shown = [str(key) if key else "(no key)" for key in keys] if isinstance(keys, list) else []
    todo = ADVICE.get(str(rule), OWN_RULE_ADVICE)
    return RuleHits(str(table), str(rule), str(column), int(str(rows)), tuple(shown), str(message), todo)


def _one(engine: Engine, query: str) -> tuple[int, ...]:
    return tuple(int(str(value)) for value in engine.rows(query)[0])
