"""What the data say about a policy: criteria that nobody meets or fails, tiers that nobody is in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tierwise.policy.linting.findings import Finding
from tierwise.policy.placement import Placement


def data_findings(placement: Placement) -> Iterator[Finding]:
    """Look at the criteria of today's partners."""
    for ladder in placement.plan.ladders:
        for item in ladder.criteria:
            state = placement.figures.column(item.state).to_numpy()
            place = f"{ladder.name or 'tiers'}.{item.tier}.{item.name}"
            yield from _one_sided(item.criterion.expression, state, place)
    yield from _empty_tiers(placement)


def _one_sided(expression: str, state: np.ndarray, place: str) -> Iterator[Finding]:
    judged = int((state <= 1).sum())
    if not judged:
        message = f"{expression} is unknown for all {len(state):,} partners in the data"
        yield Finding("always_unknown", "warning", place, message)
    elif not (state == 1).any():
        yield Finding("never_met", "warning", place, f"no partner in the data meets {expression} ({judged:,} judged)")
    elif not (state == 0).any():
        yield Finding("never_failed", "note", place, f"no partner in the data fails {expression} ({judged:,} judged)")


def _empty_tiers(placement: Placement) -> Iterator[Finding]:
    held = set(placement.tiers["eligible_tier"].dropna())
    for tier in placement.policy.tier_names:
        if tier not in held:
            message = f"no partner in the data is eligible for {tier} in the end"
            yield Finding("empty_tier", "note", f"tiers.{tier}", message)
