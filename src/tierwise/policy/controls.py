"""Reads from a placement what movement rules and guardrails ask about partners beside their tiers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tierwise.policy.placement import Placement
from tierwise.policy.plan import EVIDENCE, GROWTH, IMMEDIATE, MANAGER, NEWCOMER_SINCE, RANK_BY
from tierwise.policy.review import Controls, Mask


def controls_of(placement: Placement) -> Controls:
    """Gather the control columns of a placement; what the policy does not ask for holds for nobody."""
    figures, there = placement.partner_figures, set(placement.plan.controls)
    rows = figures.num_rows

    def mask(name: str, otherwise: bool) -> Mask:
        if name not in there:
            return np.full(rows, otherwise)
        return np.asarray(figures.column(name).to_pandas().fillna(False), dtype=bool)

    def doubles(name: str) -> npt.NDArray[np.float64]:
        return np.asarray(figures.column(name).to_numpy(), dtype=np.float64)

    since = f"#{NEWCOMER_SINCE}"
    freezes = [name for name in placement.plan.controls if name.startswith("#freeze:")]
    return Controls(
        frozen=tuple(mask(name, False) for name in freezes),
        evidence=mask(f"#{EVIDENCE}", True),
        immediate_loss=mask(f"#{IMMEDIATE}", False),
        newcomer_since=figures.column(since).to_numpy().astype("datetime64[D]") if since in there else None,
        rank_by=doubles(f"#{RANK_BY}"),
        manager=figures.column(f"#{MANAGER}").to_pandas() if f"#{MANAGER}" in there else None,
        growth=doubles(f"#{GROWTH}") if f"#{GROWTH}" in there else None,
    )
