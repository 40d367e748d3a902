"""What a check of all tables found: the reconciliation, the rules that turned rows away, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd

from tierwise.config.workspace import TableKind, Tolerance
from tierwise.errors import Fault


@dataclass(frozen=True)
class TableCheck:
    """The reconciliation of one table: received = accepted + quarantined, by rows and by money.

    Attributes:
        table: The table's name.
        kind: What its rows are.
        received: Rows in the source.
        accepted: Rows that keep the contract; rows of prospects are among them.
        quarantined: Rows that do not.
        prospects: Accepted rows of partners that are not in the partner table, where the table allows them.
        money: The column whose sums follow; empty when the table names none.
        received_money: Sum over all rows whose amount can be read, in the program currency.
        accepted_money: Likewise over the accepted rows.
        quarantined_money: Likewise over the quarantined rows.
        unreadable_money: Quarantined rows without a readable amount; no sum can count them.
        quarantined_money_share: Share of the absolute money that is in quarantine, so that refunds cannot hide it.
        first_date: The earliest date of the accepted rows; None when there is none.
        last_date: The latest.
        tolerance: The shares of rows and of money that may be in quarantine.
    """

    table: str
    kind: TableKind
    received: int
    accepted: int
    quarantined: int
    prospects: int
    money: str
    received_money: Decimal
    accepted_money: Decimal
    quarantined_money: Decimal
    unreadable_money: int
    quarantined_money_share: float
    first_date: date | None
    last_date: date | None
    tolerance: Tolerance

    @property
    def quarantined_share(self) -> float:
        """The share of the received rows that is in quarantine; 0 for an empty table."""
        return self.quarantined / self.received if self.received else 0.0

    @property
    def over_tolerance(self) -> bool:
        """Whether more rows or more money are in quarantine than the tolerance allows."""
        too_many = self.quarantined_share > self.tolerance.rows
        return too_many or self.quarantined_money_share > self.tolerance.money


@dataclass(frozen=True)
class RuleHits:
    """The rows of one table that one rule turned away.

    Attributes:
        table: The table.
        rule: The rule's name.
        column: The column at fault; empty when it is the row as a whole.
        rows: How many rows.
        examples: The keys of the first of them, at most three.
        message: The message of the first of them.
        todo: What can be done about it.
    """

    table: str
    rule: str
    column: str
    rows: int
    examples: tuple[str, ...]
    message: str
    todo: str


@dataclass(frozen=True)
class CheckResult:
    """The outcome of `check_tables`.

    Attributes:
        tables: One reconciliation per table, in the order of the workspace file.
        rules: What each rule turned away: by table in that order, the most frequent first.
        periods: Accepted rows and money per table and fiscal quarter: `table, quarter_start, rows, money`.
        warnings: What is odd but no fault.
        newest: The day after which nothing can have happened.
    """

    tables: tuple[TableCheck, ...]
    rules: tuple[RuleHits, ...]
    periods: pd.DataFrame
    warnings: tuple[Fault, ...]
    newest: date

    @property
    def reconciliation(self) -> pd.DataFrame:
        """One row per table: rows and money received, accepted and quarantined."""
        names = ("table", "received", "accepted", "quarantined", "prospects")
        money = ("received_money", "accepted_money", "quarantined_money", "unreadable_money")
        return pd.DataFrame([{name: getattr(check, name) for name in (*names, *money)} for check in self.tables])

    @property
    def over_tolerance(self) -> tuple[str, ...]:
        """The tables with too much in quarantine."""
        return tuple(check.table for check in self.tables if check.over_tolerance)

    @property
    def refusals(self) -> tuple[Fault, ...]:
        """Why these tables must not be scored: too much in quarantine, or no partner at all; empty when they may."""
        faults = [_too_much(check, self.rules) for check in self.tables if check.over_tolerance]
        faults += [_no_partner(check) for check in self.tables if check.kind == "partners" and not check.accepted]
        return tuple(faults)


def _too_much(check: TableCheck, rules: tuple[RuleHits, ...]) -> Fault:
    shares = f"{check.quarantined_share:.2%} of the rows (allowed {check.tolerance.rows:.2%})"
    if check.money:
        shares += f" and {check.quarantined_money_share:.2%} of the money (allowed {check.tolerance.money:.2%})"
    hits = [hit for hit in rules if hit.table == check.table]
    named = "; ".join(f"{hit.rule} {hit.column}".rstrip() + f" {hit.rows:,}" for hit in hits[:5])
    examples = tuple(example for hit in hits for example in hit.examples[:1])
    todo = "correct the source or its mapping, or raise the tolerance of the table in tierwise.yaml"
    return Fault(f"{shares} broke the contract: {named}", f"table {check.table!r}", examples, todo)


def _no_partner(check: TableCheck) -> Fault:
    todo = "a workspace needs at least one accepted partner"
    return Fault(f"none of its {check.received:,} rows was accepted", f"table {check.table!r}", todo=todo)
