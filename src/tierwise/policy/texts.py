"""Every expression of a policy file with its key path, and the names that the file itself brings in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tierwise.config.policy import Policy, Tier, Top
from tierwise.config.policy_scores import Component, Score
from tierwise.engine import ExpressionKind
from tierwise.policy.reading import Reading, rule_flags, rule_texts

EVIDENCE_PREFIX = "min_"


@dataclass(frozen=True)
class PolicyText:
    """One expression of the file.

    Attributes:
        text: The expression.
        place: Its key path.
        kind: `window` where it may rank partners within a group.
    """

    text: str
    place: str
    kind: ExpressionKind = "scalar"


def policy_texts(policy: Policy) -> Iterator[PolicyText]:
    """Every expression of the policy, in the order of the file."""
    for name, definition in policy.definitions.items():
        yield PolicyText(definition.formula, f"definitions.{name}", "window")
    for name, score in policy.scores.items():
        yield from _score_texts(score, f"scores.{name}")
    for name, track in policy.tracks.items():
        yield from _ladder_texts(track.tiers, f"tracks.{name}.tiers")
    yield from _ladder_texts(policy.tiers, "tiers")
    for name, rule in policy.unlocks.items():
        yield from (PolicyText(text, place) for text, place in rule_texts(rule, f"unlocks.{name}"))
    yield from _movement_texts(policy)
    yield from _guardrail_texts(policy)


def _score_texts(score: Score, place: str) -> Iterator[PolicyText]:
    for card_name, card in score.scorecards.items():
        if card.when is not None:
            yield PolicyText(card.when, f"{place}.{card_name}.when")
        for index, component in enumerate(card.components):
            yield PolicyText(*_component_text(component, f"{place}.{card_name}.components[{index}]"))


def _component_text(component: Component, place: str) -> tuple[str, str]:
    if component.points is not None:
        return component.points, f"{place}.points"
    return component.of or "", f"{place}.of"


def _ladder_texts(tiers: Iterable[Tier], place: str) -> Iterator[PolicyText]:
    for index, tier in enumerate(tiers):
        for key, rule in (("when", tier.when), ("keep", tier.keep)):
            if rule is not None:
                yield from (PolicyText(*found) for found in rule_texts(rule, f"{place}[{index}].{key}"))
        if tier.top is not None:
            yield PolicyText(tier.top.by, f"{place}[{index}].top.by")


def _movement_texts(policy: Policy) -> Iterator[PolicyText]:
    movement = policy.movement
    if movement.demote.immediately_if is not None:
        yield PolicyText(movement.demote.immediately_if, "movement.demote.immediately_if")
    for index, freeze in enumerate(movement.freeze):
        if freeze.where is not None:
            yield PolicyText(freeze.where, f"movement.freeze[{index}].where")


def _guardrail_texts(policy: Policy) -> Iterator[PolicyText]:
    rails = policy.guardrails
    if rails.rank_by is not None:
        yield PolicyText(rails.rank_by, "guardrails.rank_by")
    if rails.growth is not None:
        yield PolicyText(rails.growth.of, "guardrails.growth.of")


def policy_columns(policy: Policy) -> Iterator[tuple[str, str]]:
    """Every plain column that the policy refers to outside of expressions, with its key path."""
    for name, parameter in policy.parameters.items():
        if parameter.by is not None:
            yield parameter.by, f"parameters.{name}.by"
    for name, group in policy.groups.items():
        yield group.by, f"groups.{name}.by"
    for place, top in _tops(policy):
        yield from ((name, f"{place}.top.within") for name in top.within)
    if policy.movement.newcomers is not None and policy.movement.newcomers.since is not None:
        yield policy.movement.newcomers.since, "movement.newcomers.since"
    if policy.guardrails.manager_capacity is not None:
        yield policy.guardrails.manager_capacity.by, "guardrails.manager_capacity.by"
    yield from ((key.removeprefix(EVIDENCE_PREFIX), f"guardrails.evidence.{key}") for key in policy.guardrails.evidence)
    if policy.per is not None:
        yield policy.per.column, "per.column"
        if policy.per.home is not None:
            yield policy.per.home, "per.home"


def _tops(policy: Policy) -> Iterator[tuple[str, Top]]:
    ladders = [
        ("tiers", policy.tiers),
        *((f"tracks.{name}.tiers", track.tiers) for name, track in policy.tracks.items()),
    ]
    for place, tiers in ladders:
        yield from ((f"{place}[{index}]", tier.top) for index, tier in enumerate(tiers) if tier.top is not None)


def own_names(policy: Policy) -> set[str]:
    """The names that the policy brings in: parameters, groups, definitions, scores, and each track's tier and rank."""
    tracks = {f"{name}_{part}" for name in policy.tracks for part in ("tier", "rank")}
    return {*policy.parameters, *policy.groups, *policy.definitions, *policy.scores, *tracks}


def flags_of(policy: Policy) -> set[str]:
    """Every flag that the policy asks for, invitations included."""
    ladders = [policy.tiers, *(track.tiers for track in policy.tracks.values())]
    tiers = [tier for ladder in ladders for tier in ladder]
    rules = [rule for tier in tiers for rule in (tier.when, tier.keep) if rule is not None]
    flags = {flag for rule in (*rules, *policy.unlocks.values()) for flag in rule_flags(rule)}
    return flags | {tier.invitation_flag for tier in tiers if tier.invitation}


def check_expressions(policy: Policy) -> None:
    """Check that every expression of a policy is one of the language, whatever the columns are.

    Raises:
        InvalidInput: With every expression that is refused.
    """
    reading = Reading(policy)
    for item in policy_texts(policy):
        reading.parse(item.text, item.place, item.kind)
    reading.finish()


def check_known(policy: Policy, reading: Reading, columns: Iterable[str]) -> None:
    """Collect every unknown name of the policy, given the columns of its inputs."""
    known = {*columns, *own_names(policy)}
    for item in policy_texts(policy):
        reading.parse_known(item.text, item.place, known, item.kind)
    for name, place in policy_columns(policy):
        reading.parse_known(name, place, known)


def needed_columns(policy: Policy) -> list[str]:
    """The columns that a policy's inputs must have, sorted: every name that is not the policy's own, nor a flag's.

    Raises:
        InvalidInput: With every expression that is refused.
    """
    reading = Reading(policy)
    names = {name for name, _ in policy_columns(policy)}
    for item in policy_texts(policy):
        expression = reading.parse(item.text, item.place, item.kind)
        names |= expression.names if expression is not None else set()
    reading.finish()
    return sorted(names - own_names(policy) - flags_of(policy))
