"""Every case file under tests/cases gives what it expects."""

import pandas as pd
import pytest

from tests.policy.case_files import CASES, Case, place_case, play, read_cases
from tierwise.config.yaml_reader import read_yaml
from tierwise.engine import Engine

ALL_CASES = read_cases()
PLACED = [case for case in ALL_CASES if not case.reviews]
PLAYED = [case for case in ALL_CASES if case.reviews]
EXPECTED_COLUMNS = {"tier": "recommended_tier"}


@pytest.mark.parametrize("case", PLACED, ids=lambda case: case.name)
def test_partner_gets_the_published_tier(engine: Engine, case: Case) -> None:
    placement = place_case(engine, case.policy, case.content)
    row, expected = placement.tiers.iloc[0], case.content["expect"]
    assert _text(row["eligible_tier"]) == expected["tier"]
    for score, points in expected.get("scores", {}).items():
        assert row[score] == points
    for benefit, unlocked in expected.get("unlocks", {}).items():
        assert bool(row[f"unlock_{benefit}"]) is unlocked
    for track, tier in expected.get("tracks", {}).items():
        assert _text(row[f"{track}_tier"]) == tier
    by_unit = placement.units.set_index("unit")["eligible_tier"].to_dict()
    assert {unit: by_unit[unit] for unit in expected.get("units", {})} == expected.get("units", {})


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: case.name)
def test_partner_moves_as_published(engine: Engine, case: Case) -> None:
    for review, moved in zip(case.reviews, play(engine, case), strict=True):
        expected = {EXPECTED_COLUMNS.get(key, key): value for key, value in review["expect"].items()}
        found = {column: _text(moved[column]) for column in expected}
        assert found == {column: _text(value) for column, value in expected.items()}, review["as_of"]


def _text(value: object) -> str | None:
    if value is None or pd.isna(value):
        return None
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)


@pytest.mark.parametrize("path", sorted(CASES.rglob("cases.yaml")), ids=lambda path: path.parent.name)
def test_case_files_say_where_they_come_from(path) -> None:
    content = read_yaml(path).data
    assert content["source"]
    assert all(case["note"] for case in content["cases"])
    assert (path.parent / "policy.yaml").is_file()


def test_all_published_vectors_are_there() -> None:
    published = [case for case in PLACED if "published-program vectors" in _source(case)]
    series = [case for case in PLAYED if "published-program vectors" in _source(case)]
    assert (len(published), len(series)) == (20, 3)


def _source(case: Case) -> str:
    return read_yaml(CASES / case.name.split(":")[0] / "cases.yaml").data["source"]
