"""Every movement rule is guarded: a mutation of it makes a named invariant, or a case file, fail.

`python -m tests.policy.test_mutations` prints the rows of docs/policy-mutations.md: the mutation and what caught it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.policy.movement_checks import broken_checks
from tests.policy.random_reviews import RandomReview, random_review
from tierwise.policy.movement import decide
from tierwise.policy.movement_rules import MOVEMENT_RULES, MovementRule
from tierwise.policy.review import Review

SEEDS = range(60)
Rules = Sequence[MovementRule]
Mutation = Callable[[Rules], Rules]


def without(name: str) -> Mutation:
    return lambda rules: [rule for rule in rules if rule.name != name]


def for_everyone(name: str) -> Mutation:
    """The rule no longer looks at whom it concerns; it applies to all who have a history and are not yet decided."""
    return changed(name, applies=lambda review: review.past.known)


def changed(name: str, **changes: object) -> Mutation:
    return lambda rules: [replace(rule, **changes) if rule.name == name else rule for rule in rules]


def last(name: str) -> Mutation:
    return lambda rules: [
        *(rule for rule in rules if rule.name != name),
        *(rule for rule in rules if rule.name == name),
    ]


def _one_further(rule: MovementRule, sign: int) -> Callable[[Review], np.ndarray]:
    return lambda review: rule.leads_to(review) + sign


BY_NAME = {rule.name: rule for rule in MOVEMENT_RULES}
MOVING = ("promotion_steps", "promotion", "demotion_steps", "demotion", "first_placement", "immediate_loss", "sunset")
WAITING = ("promotion_approval", "demotion_grace", "demotion_approval")

# Only partners without a history reach the first rule in the mutation's terms, and only falling ones reach the last.
NOBODY_ELSE_LEFT = ("evidence_floor_first", "demotion")

MUTATIONS: dict[str, Mutation] = {
    **{f"{name}: removed": without(name) for name in BY_NAME},
    **{f"{name}: applies to everybody": for_everyone(name) for name in BY_NAME if name not in NOBODY_ELSE_LEFT},
    **{f"{name}: one tier too high": changed(name, leads_to=_one_further(BY_NAME[name], 1)) for name in MOVING},
    **{f"{name}: one tier too low": changed(name, leads_to=_one_further(BY_NAME[name], -1)) for name in MOVING},
    **{f"{name}: does not say where it leads": changed(name, pending=None) for name in WAITING},
    **{f"{name}: moves at once": changed(name, leads_to=BY_NAME[name].pending, action="demote") for name in WAITING},
    "promotion: called a demotion": changed("promotion", action="demote"),
    "demotion: called a promotion": changed("demotion", action="promote"),
    "freeze: looked at last": last("freeze"),
    "evidence_floor: looked at last": last("evidence_floor"),
    "promotion_band: looked at last": last("promotion_band"),
    "demotion_band: looked at last": last("demotion_band"),
    "demotion_grace: looked at last": last("demotion_grace"),
}


@cache
def made(seed: int) -> RandomReview:
    return random_review(seed)


def caught_by(mutation: Mutation) -> str | None:
    """The first named invariant that a mutation breaks; None if it survives."""
    rules = mutation(MOVEMENT_RULES)
    for seed in SEEDS:
        case = made(seed)
        broken = broken_checks(case.review, decide(case.review, rules), case.history)
        if broken:
            return next(iter(broken))
    return None


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_mutation_is_caught(mutation: Mutation) -> None:
    assert caught_by(mutation) is not None


def test_every_rule_is_mutated() -> None:
    assert {name.split(":")[0] for name in MUTATIONS} == BY_NAME.keys()


def test_page_lists_every_mutation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy-mutations.md").read_text(encoding="utf-8")
    assert [name for name in MUTATIONS if f"| {name} |" not in page] == []


def test_unmutated_rules_survive() -> None:
    assert caught_by(lambda rules: rules) is None


if __name__ == "__main__":
    for label, mutate in MUTATIONS.items():
        print(f"| {label} | {caught_by(mutate)} |")
