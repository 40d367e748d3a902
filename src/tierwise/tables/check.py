"""Holds every raw table to its contract."""

from __future__ import annotations

from datetime import date

from tierwise.config.load import Workspace
from tierwise.config.workspace import Tolerance
from tierwise.engine import Engine
from tierwise.errors import Fault, InvalidInput
from tierwise.tables.contract import Contract, make_contract, rate_faults
from tierwise.tables.judging import accept, judge, start_quarantine, store_typed, taken_as_they_are
from tierwise.tables.notices import notices
from tierwise.tables.reconciliation import count_periods, count_received, count_rules, reconcile
from tierwise.tables.result import CheckResult, TableCheck


def check_tables(engine: Engine, workspace: Workspace, today: date) -> CheckResult:
    """Make the typed accepted tables and the table `quarantine` from the raw tables.

    Per table of the workspace, `raw_<table>` is judged row by row (`tables.contract` states the rules and their order)
    and becomes `<table>` with typed columns, in the order of the source. Every received row is either accepted or in
    `quarantine` (`table, row, key, rule, column, value, message`), and so is every amount of the money column.

    Args:
        engine: Holds the raw tables of `store.sources.read_tables`.
        workspace: The settings.
        today: The day of the run; nothing later can have happened, unless the settings name the day of the extraction.

    Returns:
        The reconciliation, the rules that turned rows away, and the verdict.

    Raises:
        InvalidInput: If a table's own rules or the program rates are wrong.
    """
    settings = workspace.settings
    newest = settings.extracted_on or today
    contracts = _contracts(engine, workspace, newest)
    start_quarantine(engine)
    checks: dict[str, TableCheck] = {}
    for contract in sorted(contracts, key=_order_of_judging):
        store_typed(engine, contract, settings.currency)
        judge(engine, contract)
        received = count_received(engine, contract)
        accept(engine, contract)
        checks[contract.table] = reconcile(engine, contract, received, _tolerance(contract, settings.tolerance))
    ordered = tuple(checks[contract.table] for contract in contracts)
    return CheckResult(
        tables=ordered,
        rules=count_rules(engine, tuple(settings.tables)),
        periods=count_periods(engine, contracts, settings.calendar),
        warnings=tuple(notices(engine, contracts, ordered)),
        newest=newest,
    )


def _contracts(engine: Engine, workspace: Workspace, newest: date) -> list[Contract]:
    faults: list[Fault] = rate_faults(workspace.settings)
    contracts = []
    for name, table in workspace.settings.tables.items():
        read = taken_as_they_are(engine.columns(f"raw_{name}"), table)
        try:
            contracts.append(make_contract(name, workspace.settings, newest, read))
        except InvalidInput as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidInput(faults)
    return contracts


def _order_of_judging(contract: Contract) -> int:
    """Partners first, then the histories that introduce partners, for the others ask who is a partner."""
    if contract.settings.kind == "partners":
        return 0
    return 1 if contract.settings.introduces_partners else 2


def _tolerance(contract: Contract, of_workspace: Tolerance) -> Tolerance:
    return contract.settings.tolerance or of_workspace
