"""What a rule says about a partner: three-valued truth in SQL, at the threshold or moved by a band.

Unknown is never true. A criterion that is left out (it does not apply, or is skipped when unknown) counts for nothing
in its group; a group whose parts are all left out is left out itself, and a rule with nothing left does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from sqlglot import exp

from tierwise.policy import sql
from tierwise.policy.criteria import NODES, Criterion, Group, Kept, Node

Variant = Literal["eligible", "gain", "keep"]
VARIANTS: tuple[Variant, ...] = ("eligible", "gain", "keep")


@dataclass(frozen=True)
class Bands:
    """The bands of the movement rules, as shares of every threshold.

    Attributes:
        gain: How much better than the threshold a promotion needs.
        keep: How much worse than the threshold still keeps the tier.
    """

    gain: Decimal
    keep: Decimal


@dataclass(frozen=True)
class Truth:
    """Whether a node holds, and whether it is left out.

    Attributes:
        met: A three-valued condition.
        left_out: A two-valued condition; none where a node is never left out.
    """

    met: exp.Expr
    left_out: exp.Expr | None = None


LeafTruth = Callable[[Criterion, Variant], Truth]


def rule_truth(node: Node, variant: Variant, leaf: LeafTruth) -> Truth:
    """Combine the truth of a rule's criteria."""
    if isinstance(node, Criterion):
        return leaf(node, variant)
    if isinstance(node, Kept):
        return rule_truth(node.keep if variant == "keep" else node.gain, "eligible", leaf)
    parts = [rule_truth(part, variant, leaf) for part in node.parts]
    return Truth(_group_met(node, parts), _all_left_out(parts))


def holds(truth: Truth) -> exp.Expr:
    """The condition that a whole rule holds: two-valued, false when unknown or left out."""
    met = sql.is_true(truth.met)
    return met if truth.left_out is None else sql.both([met, sql.negated(truth.left_out)])


def _group_met(group: Group, parts: list[Truth]) -> exp.Expr:
    if group.kind == "all":
        return sql.both(_or_left_out(part) for part in parts)
    counted = [_and_not_left_out(part) for part in parts]
    if group.kind == "any":
        return sql.either(counted)
    needed = exp.Literal.number(group.count)
    possible = sql.counted(sql.either([part, sql.is_unknown(part)]) for part in counted)
    enough = exp.GTE(this=sql.counted(counted), expression=needed)
    return sql.case([(enough, exp.true()), (exp.LT(this=possible, expression=needed.copy()), exp.false())])


def _or_left_out(part: Truth) -> exp.Expr:
    return part.met if part.left_out is None else sql.either([part.left_out, part.met])


def _and_not_left_out(part: Truth) -> exp.Expr:
    return part.met if part.left_out is None else sql.both([sql.negated(part.left_out), part.met])


def _all_left_out(parts: list[Truth]) -> exp.Expr | None:
    reasons = [part.left_out for part in parts if part.left_out is not None]
    return sql.both(reasons) if len(reasons) == len(parts) else None


def rank_column(ladder: str, variant: Variant) -> str:
    """The column of the highest tier that a partner reaches on a ladder."""
    return f"#rank:{ladder}:{variant}"


def criterion_truth(criterion: Criterion, variant: Variant, bands: Bands) -> Truth:
    """The truth of one criterion, from its own value and threshold trees."""
    met = _condition(_on_tracks(criterion, variant), variant, bands)
    options = criterion.options
    left_out = []
    if options.applies_if is not None:
        left_out.append(sql.is_false(options.applies_if))
        met = sql.case([(sql.is_unknown(options.applies_if), sql.UNKNOWN.copy())], met)
    if options.unknown == "skip":
        left_out.append(sql.is_unknown(met))
    if options.unknown == "fail":
        met = sql.is_true(met)
    return Truth(met, sql.either(left_out) if left_out else None)


def _on_tracks(criterion: Criterion, variant: Variant) -> Criterion:
    """A criterion about places on tracks, reading the places that the tracks' own bands give."""
    if variant == "eligible" or criterion.operator in ("=", "<>") or not criterion.track_ranks:
        return criterion

    def at_variant(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and node.name in criterion.track_ranks:
            return sql.column(rank_column(node.name.removesuffix("_rank"), variant))
        return node

    value, threshold = (tree and tree.transform(at_variant) for tree in (criterion.value, criterion.threshold))
    return replace(criterion, value=value or criterion.value, threshold=threshold)


def _condition(criterion: Criterion, variant: Variant, bands: Bands) -> exp.Expr:
    if criterion.threshold is None:
        return criterion.value.copy()
    threshold = banded(criterion, variant, bands)
    value = criterion.value.copy() if criterion.is_rounded else sql.comparable(sql.double(criterion.value))
    return NODES[criterion.operator](this=value, expression=threshold)


def banded(criterion: Criterion, variant: Variant, bands: Bands) -> exp.Expr:
    """The threshold moved against the partner for a gain, in their favour for keeping; equality is never moved."""
    threshold = criterion.threshold
    if threshold is None:
        raise ValueError(f"{criterion.expression} has no threshold")
    band = bands.gain if variant == "gain" else bands.keep
    band = band if criterion.options.band is None else criterion.options.band
    if variant == "eligible" or criterion.operator in ("=", "<>"):
        band = Decimal(0)
    upwards = (criterion.operator in (">=", ">")) == (variant == "gain")
    share = band if upwards else -band
    constant = literal_value(threshold)
    if constant is not None:
        return sql.number(_comparable(constant + abs(constant) * share))
    return sql.comparable(_moved(threshold, share) if share else sql.double(threshold))


def _comparable(value: Decimal) -> Decimal:
    return round(value, sql.DECIMALS) if abs(value) < sql.ROUNDED_BELOW else value


def _moved(threshold: exp.Expr, share: Decimal) -> exp.Expr:
    """Add a signed share of its size to a threshold."""
    is_negative = exp.LT(this=exp.Paren(this=threshold.copy()), expression=exp.Literal.number(0))
    return sql.case([(is_negative, _scaled(threshold, 1 - share))], _scaled(threshold, 1 + share))


def _scaled(tree: exp.Expr, factor: Decimal) -> exp.Expr:
    """Multiply by a decimal factor as whole numbers (x * 21 / 20), so that a round threshold stays round."""
    ratio = Fraction(factor)
    product = exp.Mul(this=exp.Paren(this=tree.copy()), expression=sql.number(ratio.numerator))
    return exp.Div(this=product, expression=sql.number(ratio.denominator))


def literal_value(tree: exp.Expr) -> Decimal | None:
    """The number that a tree is, if it is nothing but a number."""
    if isinstance(tree, exp.Paren):
        return literal_value(tree.this)
    if isinstance(tree, exp.Neg):
        inner = literal_value(tree.this)
        return None if inner is None else -inner
    return Decimal(tree.name) if isinstance(tree, exp.Literal) and not tree.is_string else None
