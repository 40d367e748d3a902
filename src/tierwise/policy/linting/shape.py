"""The shape of a ladder: gaps, overlaps, unreachable and non-nested tiers, each with an example partner."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tierwise.policy.criteria import Criterion, Kept, Node
from tierwise.policy.linting.findings import Finding, shown
from tierwise.policy.linting.ladder_points import LadderModel, Mask, Points, construct
from tierwise.policy.truth import literal_value

UPPER, LOWER = ("<=", "<"), (">=", ">")


def shape_findings(model: LadderModel, place: str) -> Iterator[Finding]:
    """Look at a ladder's tiers over constructed partners."""
    if not model.criteria():
        return
    points = construct(model)
    met = model.met(points)
    yield from _without_tier(points, met, place)
    yield from _falls_when_better(model, points, met, place)
    yield from _unreachable(model, points, met, place)
    yield from _not_nested(model, points, met, place)
    yield from _overlaps(model, points, met, place)
    yield from _keep_stricter(model, points, place)


def _highest(met: list[Mask]) -> npt.NDArray[np.int64]:
    place = np.full(len(met[0]), -1, dtype=np.int64)
    for index, holds in enumerate(met):
        place[holds] = index
    return place


def _without_tier(points: Points, met: list[Mask], place: str) -> Iterator[Finding]:
    nowhere = np.flatnonzero(_highest(met) < 0)
    if len(nowhere):
        message = "a partner can qualify for no tier at all"
        todo = "leave out the lowest tier's rule, so that it always holds, if nobody should be without a tier"
        yield Finding("no_tier", "note", place, message, points.example(int(nowhere[0])), todo)


def _falls_when_better(model: LadderModel, points: Points, met: list[Mask], place: str) -> Iterator[Finding]:
    """A gap: raising one figure that should only help costs the tier."""
    highest = _highest(met)
    for name, sign in _directions(model).items():
        pair = _steepest_fall(points, highest, name, sign)
        if pair is None:
            continue
        before, after = pair
        value_before, value_after = (shown(float(points.columns[name][row])) for row in pair)
        tiers = [*model.ladder.tiers, "no tier"]
        message = (
            f"a gap: a better {name} ({value_before} → {value_after}) costs the tier: "
            f"{tiers[highest[before]]} → {tiers[highest[after]]}"
        )
        todo = f"drop the bound on {name} that a better partner fails, or close the gap to the next tier"
        yield Finding("gap", "warning", place, message, points.example(after), todo)


def _directions(model: LadderModel) -> dict[str, int]:
    """Whether more (+1) or less (-1) of a figure is better, by what most of its criteria ask for."""
    votes: dict[str, int] = {}
    for criterion in model.criteria():
        if model.thresholds(criterion) is not None and criterion.operator in (*UPPER, *LOWER):
            votes[criterion.metric] = votes.get(criterion.metric, 0) + (1 if criterion.operator in LOWER else -1)
    return {name: 1 if vote >= 0 else -1 for name, vote in votes.items()}


def _steepest_fall(points: Points, highest: npt.NDArray[np.int64], name: str, sign: int) -> tuple[int, int] | None:
    """Two partners alike but for one figure, of whom the better has the lower tier; the pair furthest apart."""
    keys = [codes for other, codes in points.codes.items() if other != name]
    order = np.lexsort((sign * np.asarray(points.columns[name], dtype=np.float64), *keys))
    group = np.zeros(len(order), dtype=np.int64)
    for key in keys:
        group[1:] |= key[order][1:] != key[order][:-1]
    same = group[1:] == 0
    fall = np.where(same, highest[order][:-1] - highest[order][1:], 0)
    if not len(fall) or fall.max() <= 0:
        return None
    at = int(fall.argmax())
    return int(order[at]), int(order[at + 1])


def _unreachable(model: LadderModel, points: Points, met: list[Mask], place: str) -> Iterator[Finding]:
    highest = _highest(met)
    for index, tier in enumerate(model.ladder.tiers):
        if (highest == index).any():
            continue
        never, shadowed = "its rule contradicts itself", "whoever qualifies also qualifies for a higher tier"
        reason = shadowed if met[index].any() else never
        certain = "" if points.complete else f" (none of {len(points):,} constructed partners)"
        message = f"no partner can be placed in {tier}: {reason}{certain}"
        yield Finding("unreachable", "error" if points.complete else "warning", f"{place}.{tier}", message)


def _not_nested(model: LadderModel, points: Points, met: list[Mask], place: str) -> Iterator[Finding]:
    """Tiers that can be met without a lower one; where the lower one has an upper bound that is only to be expected."""
    directions = _directions(model)
    strength = model.strength(points)
    for upper in range(1, len(met)):
        for lower in range(upper):
            rows = np.flatnonzero(met[upper] & ~met[lower])
            rule = model.ladder.rules[lower]
            if not len(rows) or rule is None or _is_bounded_above(rule, directions):
                continue
            names = model.ladder.tiers[upper], model.ladder.tiers[lower]
            message = f"not nested: a partner can meet {names[0]} without meeting {names[1]}"
            todo = f"add `requires: [{names[1]}]` to {names[0]} if it should take both; otherwise leave it as published"
            strongest = int(rows[strength[rows].argmax()])
            yield Finding("not_nested", "warning", f"{place}.{names[0]}", message, points.example(strongest), todo)


def _overlaps(model: LadderModel, points: Points, met: list[Mask], place: str) -> Iterator[Finding]:
    """Tiers meant to exclude one another (a figure bounded on the side where it is better) that do not."""
    directions = _directions(model)
    for lower, node in enumerate(model.ladder.rules):
        if node is None or not _is_bounded_above(node, directions):
            continue
        for upper in range(lower + 1, len(met)):
            rows = np.flatnonzero(met[lower] & met[upper])
            if len(rows) and model.ladder.rules[upper] is not None:
                names = model.ladder.tiers[lower], model.ladder.tiers[upper]
                message = (
                    f"{names[0]} has an upper bound, but a partner can meet it and {names[1]}: the higher one wins"
                )
                yield Finding("overlap", "note", f"{place}.{names[0]}", message, points.example(int(rows[0])))


def _is_bounded_above(node: Node, directions: dict[str, int]) -> bool:
    if isinstance(node, Criterion):
        worse = UPPER if directions.get(node.metric) == 1 else LOWER
        return node.is_numeric and node.operator in worse
    if isinstance(node, Kept):
        return _is_bounded_above(node.gain, directions)
    return any(_is_bounded_above(part, directions) for part in node.parts)


def _keep_stricter(model: LadderModel, points: Points, place: str) -> Iterator[Finding]:
    """A separate keep threshold that asks for more than gaining the tier does."""
    del points
    for tier, node in zip(model.ladder.tiers, model.ladder.rules, strict=True):
        for gain, keep in _kept_pairs(node):
            bounds = [literal_value(side.threshold) for side in (gain, keep) if side.threshold is not None]
            if len(bounds) < 2 or None in bounds or gain.metric != keep.metric:
                continue
            harder = bounds[1] > bounds[0] if gain.operator in LOWER else bounds[1] < bounds[0]  # type: ignore[operator]
            if harder:
                message = f"keeping {tier} asks for more ({keep.expression}) than gaining it ({gain.expression})"
                yield Finding("keep_stricter", "warning", f"{place}.{tier}", message)


def _kept_pairs(node: Node | None) -> list[tuple[Criterion, Criterion]]:
    if node is None or isinstance(node, Criterion):
        return []
    if isinstance(node, Kept):
        is_pair = isinstance(node.gain, Criterion) and isinstance(node.keep, Criterion)
        return [(node.gain, node.keep)] if is_pair else []  # type: ignore[list-item]
    return [pair for part in node.parts for pair in _kept_pairs(part)]
