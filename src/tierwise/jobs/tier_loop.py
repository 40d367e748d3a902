"""Which features hold a partner's current tier: metrics over the tier history, and attributes named after tiers."""

from __future__ import annotations

import re
from dataclasses import replace

from tierwise.config.load import Workspace
from tierwise.config.model_spec import FeatureSet
from tierwise.metrics import parse_catalog

_TIER_NAME = re.compile(r"(^|_)tiers?(_|$)")


def tier_columns(workspace: Workspace) -> tuple[str, ...]:
    """Name the metrics and attributes that hold, or are made from, the current tier, in the order of the files."""
    tables = set(workspace.tables_of("tier_history"))
    found = {name for name, metric in workspace.catalog.metrics.items() if metric.from_ in tables}
    names = {name for policy in workspace.policies for name in policy.tier_names}
    attributes = [name for name in workspace.attributes if _holds_tier(workspace, name, names)]
    found |= set(attributes)
    if found:
        for step in parse_catalog(workspace).formulas:
            found |= {formula.name for formula in step if formula.expression.names & found}
    return tuple(name for name in (*workspace.catalog.metrics, *attributes) if name in found)


def _holds_tier(workspace: Workspace, attribute: str, tier_names: set[str]) -> bool:
    """Whether an attribute is named after tiers, or may only hold names of tiers."""
    allowed = workspace.table(workspace.attributes[attribute]).columns[attribute].allowed or ()
    return bool(_TIER_NAME.search(attribute)) or (len(allowed) > 1 and tier_names.issuperset(allowed))


def without_tier(features: FeatureSet, workspace: Workspace) -> FeatureSet:
    """Take the current tier out of what the models may use."""
    held = set(tier_columns(workspace))
    metrics = tuple(metric for metric in features.metrics if metric.name not in held)
    return replace(features, metrics=metrics, attributes=tuple(a for a in features.attributes if a not in held))
