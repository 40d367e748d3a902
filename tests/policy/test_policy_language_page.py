"""docs/policy-language.md: every example gives what it says, every structure, rule and finding is there."""

import re

import pandas as pd
import pytest

from tests.policy.doc_examples import AS_OF, PAGE, Example, blocks, examples, moved_group, placed, played
from tierwise.engine import Engine
from tierwise.policy import MOVEMENT_RULES
from tierwise.policy.caps import CAP_RULES

EXAMPLES = examples()
CASES = [(example, case) for example in EXAMPLES for case in example.cases]
NAMES = [f"{example.name}-{number}" for example in EXAMPLES for number, _ in enumerate(example.cases, start=1)]
SURVEY = {"E": 15, "P": 11, "W": 10, "S": 6, "M": 13}


@pytest.mark.parametrize(("example", "case"), CASES, ids=NAMES)
def test_example_gives_what_it_says(engine: Engine, example: Example, case: dict) -> None:
    if "reviews" in case:
        for review, moved in zip(case["reviews"], played(engine, example, case), strict=True):
            expected = dict(review["expect"])
            found = {"tier": moved["recommended_tier"], **moved}
            assert {key: plain(found[key]) for key in expected} == {
                key: plain(value) for key, value in expected.items()
            }
    elif "history" in case:
        found = moved_group(engine, example, case)
        assert {key: found[key] for key in case["expect"]} == case["expect"]
    else:
        check_placement(engine, example, case)


def check_placement(engine: Engine, example: Example, case: dict) -> None:
    placement, expected = placed(engine, example, case, case.get("as_of", AS_OF)), dict(case["expect"])
    tiers = placement.tiers.set_index("partner_id")["eligible_tier"]
    assert {name: tiers[name] for name in expected.get("tiers", {})} == expected.pop("tiers", {})
    row = placement.tiers.iloc[0]
    if "tier" in expected:
        assert plain(row["eligible_tier"]) == plain(expected.pop("tier"))
    assert {name: row[name] for name in expected.get("scores", {})} == pytest.approx(
        expected.pop("scores", {}), abs=1e-9
    )
    assert {name: row[f"{name}_tier"] for name in expected.get("tracks", {})} == expected.pop("tracks", {})
    assert {name: bool(row[f"unlock_{name}"]) for name in expected.get("unlocks", {})} == expected.pop("unlocks", {})
    points = placement.components.set_index("component")["points"].to_dict()
    assert {name: points.get(name) for name in expected.get("components", {})} == expected.pop("components", {})
    by_unit = placement.units.set_index("unit")["eligible_tier"].to_dict()
    assert {name: by_unit.get(name) for name in expected.get("units", {})} == expected.pop("units", {})
    top = placement.criteria[placement.criteria["tier"] == placement.policy.tier_names[-1]]
    met = top.set_index("criterion")["met"].to_dict()
    assert {name: met.get(name) for name in expected.get("met", {})} == expected.pop("met", {})
    assert not expected


def plain(value: object) -> str | None:
    if value is None or pd.isna(value):
        return None
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)


@pytest.mark.parametrize(("name", "code"), blocks("python").items())
def test_code_runs(name: str, code: str) -> None:
    assert re.search(r"^assert ", code, re.MULTILINE), "an example says what it gives"
    exec(compile(code, name, "exec"), {})


def test_every_structure_of_the_survey_has_an_example() -> None:
    wanted = {f"{letter}{number}" for letter, count in SURVEY.items() for number in range(1, count + 1)}
    assert wanted <= {*blocks("yaml"), *blocks("python")}


def test_every_movement_rule_is_explained_in_its_order() -> None:
    table = re.findall(r"^\| `(\w+)` \| (\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    rules = [(rule.name, rule.action) for rule in MOVEMENT_RULES]
    assert table[: len(rules)] == rules
    assert {name for name, _ in table[len(rules) :]} >= {rule.name for rule in CAP_RULES}
