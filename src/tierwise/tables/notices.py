"""What is odd in accepted tables but no fault: empty tables and columns, silent partners, late events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tierwise.engine import Engine, quoted
from tierwise.errors import MAX_EXAMPLES, Fault
from tierwise.tables.contract import Contract
from tierwise.tables.judging import KNOWN_PARTNERS
from tierwise.tables.result import TableCheck


def notices(engine: Engine, contracts: Sequence[Contract], checks: Sequence[TableCheck]) -> Iterator[Fault]:
    """Look over the accepted tables and say what a person should know before trusting figures made of them."""
    for contract, check in zip(contracts, checks, strict=True):
        where = f"table {contract.table!r}"
        if not check.received:
            yield Fault("the source has no rows", where, todo="metrics over it are missing for every partner")
        if check.accepted:
            yield from _empty_columns(engine, contract, where)
        if check.prospects:
            what = f"accepted rows of prospects, who are not in the partner table: {check.prospects:,}"
            yield Fault(what, where, todo="they are kept apart: no metric counts them")
        if "known_on" in contract.types and check.accepted:
            yield from _knowledge(engine, contract, where)
    yield from _silent_partners(engine, contracts)


def _empty_columns(engine: Engine, contract: Contract, where: str) -> Iterator[Fault]:
    counts = ", ".join(f"count({quoted(name)})" for name in contract.types)
    filled = engine.rows(f"SELECT {counts} FROM {quoted(contract.table)}")[0]
    empty = [name for name, count in zip(contract.types, filled, strict=True) if count == 0]
    if empty:
        yield Fault(f"columns without any value: {', '.join(empty)}", where, todo="check their mapping")


def _knowledge(engine: Engine, contract: Contract, where: str) -> Iterator[Fault]:
    """Events that became known after they happened, and those that were known before."""
    rows, late, median, longest, early = engine.rows(
        "SELECT count(*), count(*) FILTER (WHERE known_on > date),"
        " quantile_disc(known_on - date, 0.5) FILTER (WHERE known_on > date), max(known_on - date),"
        f" count(*) FILTER (WHERE known_on < date) FROM {quoted(contract.table)}"
    )[0]
    if late:
        share = int(str(late)) / int(str(rows))
        delays = f"half of them within {median} days, the last after {longest}"
        what = f"events that became known late: {late:,} ({share:.1%}), {delays}"
        yield Fault(what, where, todo="a metric's 'lag' waits until its figures are final")
    if early:
        yield Fault(f"events that were known before their date: {early:,}", where, todo="they count from their date on")


def _silent_partners(engine: Engine, contracts: Sequence[Contract]) -> Iterator[Fault]:
    events = [quoted(contract.table) for contract in contracts if contract.settings.kind == "events"]
    if not events:
        return
    active = " UNION ".join(f"SELECT DISTINCT partner_id FROM {table}" for table in events)
    silent = f"{KNOWN_PARTNERS} ANTI JOIN ({active}) ON _partner = partner_id"
    count, of, keys = engine.rows(
        f"SELECT count(*), (SELECT count(*) FROM {KNOWN_PARTNERS}), min(_partner, {MAX_EXAMPLES}) FROM {silent}"
    )[0]
    if count and isinstance(keys, list):
        what = f"partners without an event in any table: {count:,} of {of:,}"
        yield Fault(what, "", tuple(str(key) for key in keys), "they are placed as newcomers without evidence")
