"""Counts what was received, accepted and turned away, so that nothing is lost silently."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

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


def reconcile(engine: Engine, contract: Contract, tolerance: Tolerance) -> TableCheck:
    """Count the rows and the money of a table that was just judged."""
    received, quarantined = _one(
        engine, f"SELECT count(*), count(_rule) FROM {TYPED} LEFT JOIN {VERDICTS} USING (_row)"
    )
    first, last = _date_range(engine, contract)
    return TableCheck(
        table=contract.table,
        kind=contract.settings.kind,
        received=received,
        accepted=_one(engine, f"SELECT count(*) FROM {quoted(contract.table)}")[0],
        quarantined=quarantined,
        prospects=_prospects(engine, contract),
        **_money(engine, contract),
        first_date=first,
        last_date=last,
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


def _money(engine: Engine, contract: Contract) -> dict[str, Any]:
    money = contract.settings.money
    if money is None:
        nothing = Decimal(0)
        sums = dict.fromkeys(("received_money", "accepted_money", "quarantined_money"), nothing)
        return {"money": "", **sums, "unreadable_money": 0, "quarantined_money_share": 0.0}
    amount = quoted(money)
    turned_away = "FILTER (WHERE _rule IS NOT NULL)"
    received, quarantined, unreadable, all_absolute, quarantined_absolute = engine.rows(
        f"SELECT coalesce(sum({amount}), 0), coalesce(sum({amount}) {turned_away}, 0),"
        f" count(*) FILTER (WHERE _rule IS NOT NULL AND {amount} IS NULL),"
        f" coalesce(sum(abs({amount})), 0), coalesce(sum(abs({amount})) {turned_away}, 0)"
        f" FROM {TYPED} LEFT JOIN {VERDICTS} USING (_row)"
    )[0]
    accepted = engine.rows(f"SELECT coalesce(sum({amount}), 0) FROM {quoted(contract.table)}")[0][0]
    share = float(Decimal(str(quarantined_absolute)) / Decimal(str(all_absolute))) if all_absolute else 0.0
    return {
        "money": money,
        "received_money": received,
        "accepted_money": accepted,
        "quarantined_money": quarantined,
        "unreadable_money": unreadable,
        "quarantined_money_share": share,
    }


def _prospects(engine: Engine, contract: Contract) -> int:
    if contract.settings.unknown_partner != "prospect":
        return 0
    query = f"SELECT count(*) FROM {quoted(contract.table)} ANTI JOIN {KNOWN_PARTNERS} ON _partner = partner_id"
    return _one(engine, query)[0]


def _date_range(engine: Engine, contract: Contract) -> tuple[date | None, date | None]:
    column = _DATE_OF_KIND[contract.settings.kind]
    if column not in contract.types:
        return None, None
    first, last = engine.rows(f"SELECT min({column}), max({column}) FROM {quoted(contract.table)}")[0]
    return (first if isinstance(first, date) else None), (last if isinstance(last, date) else None)


def _hits(table: object, rule: object, column: object, rows: object, keys: object, message: object) -> RuleHits:
    shown = [str(key) if key else "(no key)" for key in keys] if isinstance(keys, list) else []
    todo = ADVICE.get(str(rule), OWN_RULE_ADVICE)
    return RuleHits(str(table), str(rule), str(column), int(str(rows)), tuple(shown), str(message), todo)


def _one(engine: Engine, query: str) -> tuple[int, ...]:
    return tuple(int(str(value)) for value in engine.rows(query)[0])
