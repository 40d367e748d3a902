"""What changed from one policy to another, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tierwise.config.policy import Policy, Tier
from tierwise.config.policy_rules import Check, FlagInForce, Rule, TrackReached
from tierwise.engine import parse_expression
from tierwise.errors import InvalidInput
from tierwise.policy.criteria import Criterion, Options, Splitter, criteria_of
from tierwise.policy.reading import rule_parts
from tierwise.policy.truth import literal_value

_TEXTS = ("policy", "owner", "reason", "effective_from")
_TREES = ("tiers", "tracks")


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        kind: What happened.
        place: Where in the file.
        sentence: The change in words.
    """

    kind: Literal["added", "removed", "changed"]
    place: str
    sentence: str


def diff(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Say what changed, in the order of the file; comments, order of keys and spelled-out defaults do not count."""
    changes = _ladder_changes("tiers", before.tiers, after.tiers)
    names = sorted({*before.tracks, *after.tracks})
    for name in names:
        old, new = (policy.tracks[name].tiers if name in policy.tracks else () for policy in (before, after))
        changes += _ladder_changes(f"tracks.{name}", old, new)
    old_rest, new_rest = (_flat(_rest(policy)) for policy in (before, after))
    for place in sorted({*old_rest, *new_rest}):
        changes += _value_changes(place, old_rest.get(place), new_rest.get(place))
    return tuple(changes)


def _rest(policy: Policy) -> dict[str, Any]:
    return policy.model_dump(mode="json", by_alias=True, exclude=set(_TREES))


def _flat(content: Any, place: str = "") -> dict[str, Any]:
    """Every single value by its key path; `values` and list positions are left out of the path where names tell."""
    if isinstance(content, Mapping):
        items: list[tuple[str, Any]] = [
            (place if key == "values" else f"{place}.{key}" if place else str(key), value)
            for key, value in content.items()
        ]
    elif isinstance(content, list) and any(isinstance(item, Mapping) for item in content):
        items = [(f"{place}[{_label(item, index)}]", item) for index, item in enumerate(content)]
    else:
        return {} if content is None or content == [] else {place: content}
    flat: dict[str, Any] = {}
    for path, value in items:
        flat.update(_flat(value, path))
    return flat


def _label(item: Any, index: int) -> str:
    named = item.get("name") or item.get("dimension") if isinstance(item, Mapping) else None
    return str(named or index)


def _value_changes(place: str, old: Any, new: Any) -> list[Change]:
    if old == new:
        return []
    if old is None:
        return [Change("added", place, f"{place}: added, {_shown(new)}")]
    if new is None:
        return [Change("removed", place, f"{place}: removed, was {_shown(old)}")]
    return [Change("changed", place, f"{place}: {_shown(old)} → {_shown(new)}{_by_how_much(old, new)}")]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _by_how_much(old: Any, new: Any) -> str:
    try:
        first, second = float(old), float(new)
    except (TypeError, ValueError):
        return ""
    return f" ({second / first - 1:+.1%})" if first else ""


def _ladder_changes(place: str, old: tuple[Tier, ...], new: tuple[Tier, ...]) -> list[Change]:
    before, after = ({tier.name: tier for tier in tiers} for tiers in (old, new))
    changes = [Change("added", place, f"{place}: new tier {name}") for name in after if name not in before]
    changes += [Change("removed", place, f"{place}: tier {name} is gone") for name in before if name not in after]
    common_old, common_new = [name for name in before if name in after], [name for name in after if name in before]
    if common_old != common_new:
        order = f"{' < '.join(common_old)} → {' < '.join(common_new)}"
        changes.append(Change("changed", place, f"{place}: order of tiers {order}"))
    for name in common_new:
        changes += _tier_changes(f"{place}.{name}", before[name], after[name])
    return changes


def _tier_changes(place: str, old: Tier, new: Tier) -> list[Change]:
    changes: list[Change] = []
    for key in ("when", "keep"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            changes += _rule_changes(f"{place}.{key}", before, after)
    rest_old, rest_new = (_flat(tier.model_dump(mode="json", exclude={"when", "keep"})) for tier in (old, new))
    for name in sorted({*rest_old, *rest_new}):
        changes += _value_changes(f"{place}.{name}", rest_old.get(name), rest_new.get(name))
    return changes


def _rule_changes(place: str, old: Rule | None, new: Rule | None) -> list[Change]:
    before, after = _comparisons(old, place), _comparisons(new, place)
    changes = []
    for key in [*before, *(key for key in after if key not in before)]:
        changes += _comparison_changes(place, before.get(key), after.get(key))
    return changes or [Change("changed", place, f"{place}: the same criteria are combined in another way")]


def _comparison_changes(place: str, old: _Comparison | None, new: _Comparison | None) -> list[Change]:
    if old is None and new is not None:
        return [Change("added", place, f"{place}: asks for {new.text} as well")]
    if new is None and old is not None:
        return [Change("removed", place, f"{place}: no longer asks for {old.text}")]
    if old is None or new is None or old == new:
        return []
    if old.threshold != new.threshold:
        moved = f"{old.operator} {old.threshold} → {new.operator} {new.threshold}"
        return [Change("changed", place, f"{place}: {new.metric} {moved}{_by_how_much(old.threshold, new.threshold)}")]
    if old.operator != new.operator:
        return [Change("changed", place, f"{place}: {old.text} → {new.text} (at the boundary itself)")]
    return [Change("changed", place, f"{place}: {new.text} with other options: {old.options} → {new.options}")]


@dataclass(frozen=True)
class _Comparison:
    text: str
    metric: str
    operator: str
    threshold: str
    options: str


def _comparisons(rule: Rule | None, place: str) -> dict[tuple[str, str, int], _Comparison]:
    """The comparisons of a rule by metric, direction and which of several it is."""
    found: dict[tuple[str, str, int], _Comparison] = {}
    for comparison in [] if rule is None else _listed(rule, place):
        direction, number = comparison.operator[:1], 0
        while (comparison.metric, direction, number) in found:
            number += 1
        found[comparison.metric, direction, number] = comparison
    return found


def _listed(rule: Rule, place: str) -> list[_Comparison]:
    if isinstance(rule, FlagInForce):
        return [_Comparison(f"the flag {rule.flag}", rule.flag, "is", "", "")]
    if isinstance(rule, TrackReached):
        return [_Comparison(f"{rule.track} at {rule.reached}", rule.track, ">=", rule.reached, "")]
    if isinstance(rule, str | Check):
        return _written(rule, place)
    return [comparison for part, path in rule_parts(rule, place) for comparison in _listed(part, path)]


def _written(rule: str | Check, place: str) -> list[_Comparison]:
    text = rule if isinstance(rule, str) else rule.check
    options = "" if isinstance(rule, str) else _options(rule)
    try:
        expression = parse_expression(text, where=place)
    except InvalidInput:
        return [_Comparison(text, text, "is", "", options)]
    node = Splitter({}, frozenset()).split(expression, Options())
    return [_compared(criterion, options) for criterion in criteria_of(node)]


def _options(check: Check) -> str:
    given = check.model_dump(mode="json", exclude={"check", "name", "title"}, exclude_defaults=True)
    return ", ".join(f"{key} {value}" for key, value in given.items()) or "none"


def _compared(criterion: Criterion, options: str) -> _Comparison:
    threshold = ""
    if criterion.threshold is not None:
        constant = literal_value(criterion.threshold)
        threshold = f"{constant:f}" if constant is not None else criterion.threshold.sql("duckdb")
    return _Comparison(criterion.expression, criterion.metric, criterion.operator, threshold, options)
