"""For which partners one comparison of a tier's rule decides by itself: the others hold, and they are not enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tierwise.policy.criteria import Criterion, Kept, Node
from tierwise.policy.criteria_table import LEFT_OUT, floats, threshold_of
from tierwise.policy.ladders import CriterionColumns, Ladder
from tierwise.policy.placement import Placement

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Deciding:
    """One comparison of a tier's rule, and the partners whose place hangs on it alone.

    Attributes:
        tier: The tier.
        rank: Its place in the ladder.
        name: The comparison's name.
        metric: The partner's side.
        operator: `>=`, `>`, `<=` or `<`.
        value: The partner's figure, one per row of the placement's tiers.
        threshold: The policy's figure, likewise.
        alone: Whether the rule holds with this comparison met and does not hold without it, all else as it is.
    """

    tier: str
    rank: int
    name: str
    metric: str
    operator: str
    value: Floats
    threshold: Floats
    alone: Bools


def deciding_criteria(placement: Placement) -> tuple[Deciding, ...]:
    """The comparisons of two numbers of every tier above the lowest, tier by tier in the order of the file.

    Args:
        placement: The placement; a policy with `per` places units, for which this gives nothing.
    """
    if placement.policy.per is not None:
        return ()
    ladder = placement.plan.ladder
    return tuple(
        _deciding(placement, ladder, item)
        for item in ladder.criteria
        if item.criterion.is_numeric and item.criterion.operator in (">=", ">", "<=", "<")
    )


def _deciding(placement: Placement, ladder: Ladder, item: CriterionColumns) -> Deciding:
    figures = placement.partner_figures
    states = {id(one.criterion): figures.column(one.state).to_numpy() for one in ladder.criteria}
    rule = ladder.rules[item.rank]
    asked = states[id(item.criterion)] != LEFT_OUT
    holds = [
        _holds(rule, states | {id(item.criterion): np.full(len(asked), state)}) if rule is not None else ~asked
        for state in (1, 0)
    ]
    return Deciding(
        tier=item.tier,
        rank=item.rank,
        name=item.name,
        metric=item.criterion.metric,
        operator=item.criterion.operator,
        value=floats(figures, item.value),
        threshold=threshold_of(item, figures),
        alone=asked & holds[0] & ~holds[1],
    )


def _holds(node: Node, states: dict[int, npt.NDArray[np.int64]]) -> Bools:
    met, left_out = _truth(node, states)
    return np.asarray(met & ~left_out)


def _truth(node: Node, states: dict[int, npt.NDArray[np.int64]]) -> tuple[Bools, Bools]:
    """Whether a node is met and whether it is left out; unknown is not met, as no group negates its parts."""
    if isinstance(node, Kept):
        return _truth(node.gain, states)
    if isinstance(node, Criterion):
        state = states[id(node)]
        return state == 1, state == LEFT_OUT
    parts = [_truth(part, states) for part in node.parts]
    met, left_out = np.array([part[0] for part in parts]), np.array([part[1] for part in parts])
    if node.kind == "all":
        return np.asarray((met | left_out).all(axis=0)), np.asarray(left_out.all(axis=0))
    needed = node.count if node.kind == "at_least" else 1
    return (met & ~left_out).sum(axis=0) >= needed, np.asarray(left_out.all(axis=0))
