"""How far each criterion's figure is from where a tier is gained and from where it is lost, in its own unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tierwise.policy.criteria import Criterion, Kept, Node, criteria_of
from tierwise.policy.ladders import Ladder
from tierwise.policy.plan import Plan
from tierwise.policy.sql import DECIMALS
from tierwise.policy.truth import literal_value

MARGIN_COLUMNS = ("gain_threshold", "keep_threshold", "margin_to_gain", "margin_to_keep")
_LESS_IS_BETTER = ("<=", "<")
_BANDED = (">=", ">", "<=", "<")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Bands:
    """The shares by which a criterion's threshold moves; `keep_at` replaces the kept threshold by a rule's own."""

    gain: float
    keep: float
    keep_at: float = np.nan


def with_margins(plan: Plan, criteria: pd.DataFrame) -> pd.DataFrame:
    """Add the thresholds at which a criterion is gained and kept, and the signed margins to both.

    Args:
        plan: The compiled policy.
        criteria: The criteria table of a placement.

    Returns:
        The same rows with `MARGIN_COLUMNS`: thresholds moved by the bands of promotion and demotion, or by the
        criterion's own, or the tier's keep rule; margins are at or above 0 where the figure passes (a strict
        comparison passes above 0 only), in the figure's unit. Missing where a figure is unknown, a condition has no
        size, or the tier is kept by a rule without this criterion.
    """
    found = pd.DataFrame(list(_all_bands(plan)), columns=["tier", "criterion", "gain", "keep", "keep_at"])
    moved_by = criteria[["tier", "criterion"]].merge(found, on=["tier", "criterion"], how="left")
    gain, keep, keep_at = (moved_by[name].to_numpy(dtype=np.float64) for name in ("gain", "keep", "keep_at"))
    threshold, value = (criteria[name].to_numpy(dtype=np.float64) for name in ("threshold", "value"))
    operator = criteria["operator"].to_numpy(dtype=object)
    sign = np.where(np.isin(operator, _LESS_IS_BETTER), -1.0, 1.0)
    has_size = np.isin(operator, _BANDED)
    gained = np.where(has_size, np.round(threshold + sign * np.abs(threshold) * gain, DECIMALS), np.nan)
    moved = np.where(has_size, np.round(threshold - sign * np.abs(threshold) * keep, DECIMALS), np.nan)
    kept = np.where(np.isnan(keep_at), moved, keep_at)
    return criteria.assign(
        gain_threshold=gained,
        keep_threshold=kept,
        margin_to_gain=np.round(sign * (value - gained), DECIMALS),
        margin_to_keep=np.round(sign * (value - kept), DECIMALS),
    )


def _all_bands(plan: Plan) -> Iterator[tuple[str, str, float, float, float]]:
    movement = plan.policy.movement
    usual = _Bands(float(movement.promote.band), float(movement.demote.band))
    for ladder in plan.ladders:
        by_rule = _ruled_apart(ladder)
        for item in ladder.criteria:
            tier = f"{ladder.name}: {item.tier}" if ladder.name else item.tier
            bands = by_rule.get(id(item.criterion)) or _own_bands(item.criterion, usual)
            yield tier, item.name, bands.gain, bands.keep, bands.keep_at


def _own_bands(criterion: Criterion, usual: _Bands) -> _Bands:
    if criterion.track_ranks:
        return _Bands(0.0, 0.0)
    band = criterion.options.band
    return usual if band is None else _Bands(float(band), float(band))


def _ruled_apart(ladder: Ladder) -> dict[int, _Bands]:
    """Criteria of tiers that are gained by one rule and kept by another: no band, and the keep rule's threshold."""
    found = {}
    for kept in (node for rule in ladder.rules if rule is not None for node in _kept(rule)):
        keeping = list(criteria_of(kept.keep))
        for criterion in criteria_of(kept.gain):
            found[id(criterion)] = _Bands(0.0, np.nan, _threshold_in(keeping, criterion))
    return found


def _kept(node: Node) -> Iterator[Kept]:
    if isinstance(node, Kept):
        yield node
    elif not isinstance(node, Criterion):
        for part in node.parts:
            yield from _kept(part)


def _threshold_in(keeping: list[Criterion], gained: Criterion) -> float:
    same = [other for other in keeping if (other.metric, other.operator) == (gained.metric, gained.operator)]
    if len(same) != 1 or same[0].threshold is None:
        return np.nan
    constant = literal_value(same[0].threshold)
    return np.nan if constant is None else float(constant)
