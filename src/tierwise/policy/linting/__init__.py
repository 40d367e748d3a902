"""Lint: what is wrong, risky or surprising about a policy, found before anyone commits to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd
from sqlglot import exp

from tierwise.config.catalog import Catalog
from tierwise.config.names import hint
from tierwise.config.policy import Policy
from tierwise.engine import Engine, Expression
from tierwise.errors import InvalidInput
from tierwise.policy.linting.arithmetic import boundary_traps, unit_mismatches, zero_divisors
from tierwise.policy.linting.data import data_findings
from tierwise.policy.linting.findings import Finding, Severity
from tierwise.policy.linting.ladder_points import LadderModel
from tierwise.policy.linting.settings import (
    band_findings,
    flag_findings,
    owner_findings,
    setting_findings,
    unused_findings,
)
from tierwise.policy.linting.shape import shape_findings
from tierwise.policy.placement import place
from tierwise.policy.plan import Plan, compile_policy
from tierwise.policy.reading import Reading
from tierwise.policy.texts import needed_columns, policy_columns, policy_texts

__all__ = ["Finding", "Severity", "lint", "worst"]

MODEL_OUTPUTS = {
    "archetype": "VARCHAR",
    "archetype_id": "VARCHAR",
    "archetype_strength": "DOUBLE",
    "potential": "DOUBLE",
    "potential_low": "DOUBLE",
    "potential_high": "DOUBLE",
    "potential_source": "VARCHAR",
    "headroom": "DOUBLE",
    "as_of": "DATE",
    "first_seen": "DATE",
    "tenure_days": "DOUBLE",
}
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def lint(
    policy: Policy,
    catalog: Catalog | None = None,
    inputs: pd.DataFrame | None = None,
    attributes: Iterable[str] = (),
    engine: Engine | None = None,
) -> tuple[Finding, ...]:
    """Look for gaps, overlaps, traps and unknown names in a policy.

    Args:
        policy: The policy.
        catalog: The metric catalog; without it (and without inputs) every name is taken as known.
        inputs: Today's policy inputs, to find criteria that nobody meets or fails; needs `engine`.
        attributes: The partner attributes that may be used.
        engine: Where to place the inputs.

    Returns:
        The findings, the worst first, then in the order of the policy.
    """
    columns = _columns(policy, catalog, inputs, attributes)
    try:
        plan = compile_policy(policy, columns)
    except InvalidInput as error:
        return tuple(Finding("invalid", "error", fault.where, fault.what, todo=fault.todo) for fault in error.faults)
    found = [*_unit_findings(policy, catalog), *_policy_findings(policy, plan, catalog, set(columns))]
    if inputs is not None and engine is not None:
        found += data_findings(place(engine, policy, inputs))
    return tuple(sorted(found, key=lambda finding: _SEVERITIES.index(finding.severity)))


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among findings; none without findings."""
    there = {finding.severity for finding in findings}
    return next((severity for severity in _SEVERITIES if severity in there), None)


def _columns(
    policy: Policy, catalog: Catalog | None, inputs: pd.DataFrame | None, attributes: Iterable[str]
) -> Mapping[str, str]:
    """SQL types by column: of the inputs, else of the catalog and the attributes, else guessed from their use."""
    if inputs is not None:
        return {str(name): _sql_type(inputs[name]) for name in inputs.columns}
    guessed = guessed_columns(policy)
    if catalog is None:
        return guessed
    metrics = dict.fromkeys(catalog.metrics, "DOUBLE")
    units = {policy.per.column: "VARCHAR"} if policy.per is not None and policy.per.column in catalog.units else {}
    known = {**dict.fromkeys(attributes, "VARCHAR"), **MODEL_OUTPUTS, **metrics, **units}
    return {**known, **{name: guessed[name] for name in guessed.keys() & set(attributes)}}


def _sql_type(column: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(column):
        return "BOOLEAN"
    if pd.api.types.is_numeric_dtype(column):
        return "DOUBLE"
    return "TIMESTAMP" if pd.api.types.is_datetime64_any_dtype(column) else "VARCHAR"


def guessed_columns(policy: Policy) -> dict[str, str]:
    """The columns that a policy needs; what is compared with a text, or looked up in a table, is a text."""
    reading = Reading(policy)
    texts = {name for name, place_ in policy_columns(policy) if not place_.startswith("guardrails.evidence")}
    for _, expression in _expressions(policy, reading):
        for node in expression.tree.find_all(exp.EQ, exp.NEQ, exp.In, exp.Like):
            if any(literal.is_string for literal in node.find_all(exp.Literal)):
                texts |= {column.name for column in node.find_all(exp.Column)}
    try:
        needed = needed_columns(policy)
    except InvalidInput:
        return {}
    return {name: "VARCHAR" if name in texts else "DOUBLE" for name in needed}


def _expressions(policy: Policy, reading: Reading) -> Iterator[tuple[str, Expression]]:
    for item in policy_texts(policy):
        expression = reading.parse(item.text, item.place, item.kind)
        if expression is not None:
            yield item.place, expression


def _unit_findings(policy: Policy, catalog: Catalog | None) -> Iterator[Finding]:
    """An attribute is no unit: every partner would have one row, placed by the figures of the whole partner."""
    if policy.per is not None and catalog is not None and policy.per.column not in catalog.units:
        message = f"{policy.per.column!r} is no unit of the catalog; {hint(policy.per.column, catalog.units)}".rstrip(
            "; "
        )
        todo = "declare under `units:` in metrics.yaml which column of which table tells the units of a partner apart"
        yield Finding("invalid", "error", "per.column", message, todo=todo)


def _policy_findings(policy: Policy, plan: Plan, catalog: Catalog | None, columns: set[str]) -> Iterator[Finding]:
    expressions = list(_expressions(policy, Reading(policy)))
    used = {name for _, expression in expressions for name in expression.names}
    for ladder in plan.ladders:
        where = f"tracks.{ladder.name}" if ladder.name else "tiers"
        yield from shape_findings(LadderModel(policy, ladder.without_tiers_of_units()), where)
        yield from boundary_traps((f"{where}.{item.tier}", item.criterion) for item in ladder.criteria)
    yield from zero_divisors(expressions)
    yield from unit_mismatches(expressions, _units(policy, catalog))
    yield from setting_findings(policy)
    yield from band_findings(policy, plan, _units(policy, catalog))
    yield from unused_findings(policy, used)
    yield from flag_findings(policy, columns)
    if catalog is not None:
        yield from owner_findings(catalog.metrics, used)


def _units(policy: Policy, catalog: Catalog | None) -> dict[str, str]:
    metrics = {} if catalog is None else {name: metric.unit for name, metric in catalog.metrics.items()}
    return {**metrics, **{name: definition.unit for name, definition in policy.definitions.items()}}
