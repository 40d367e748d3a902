"""Tracks: their own histories and movement, and what a band means for a rule that asks for a place on a track."""

from datetime import date

import pandas as pd
import pytest

from tests.policy.case_files import inputs_of
from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.errors import InvalidInput
from tierwise.policy import as_history, lint, move, move_tracks, place
from tierwise.policy.tracks import TRACK_COLUMNS

HEAD = {"policy": "x", "effective_from": "2020-01-01", "owner": "o", "reason": "r"}
TRACKS = {
    "storage": {"tiers": [{"name": "none"}, {"name": "Expert", "when": "storage_people >= 100"}]},
    "backup": {"tiers": [{"name": "none"}, {"name": "Expert", "when": "backup_people >= 100"}]},
}
DAYS = [date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31), date(2026, 3, 31)]
BANDS = {"promote": {"band": 0.05}, "demote": {"band": 0.1, "confirm": 2}, "hold": {"min_reviews_in_tier": 0}}


def policy(rule: object = "true", movement: object = BANDS, **body: object) -> Policy:
    tiers = [{"name": "Gold"}, {"name": "Platinum", "when": rule}]
    return Policy.model_validate({**HEAD, "tracks": TRACKS, "tiers": tiers, "movement": movement, **body})


def played(engine: Engine, rules: Policy, storage: list[float], backup: list[float]) -> pd.DataFrame:
    """Move one partner's tracks through the reviews, each with the history that the earlier ones made."""
    histories: dict[str, list[pd.DataFrame]] = {track: [] for track in rules.tracks}
    tables = []
    for day, storage_people, backup_people in zip(DAYS, storage, backup, strict=True):
        placement = place(
            engine, rules, inputs_of(rules, {"storage_people": storage_people, "backup_people": backup_people})
        )
        past = {track: pd.concat(rows) for track, rows in histories.items() if rows}
        moved = move_tracks(rules, placement, past, day)
        tables.append(moved.assign(as_of=day))
        for track, rows in moved.groupby("track"):
            histories[str(track)].append(as_history(rows.drop(columns="track"), day))
    return pd.concat(tables, ignore_index=True)


def test_each_track_moves_by_the_rules_with_a_history_of_its_own(engine: Engine) -> None:
    table = played(engine, policy(), [99, 104, 105, 80, 80], [200, 95, 89, 89, 95])
    found = {track: rows[["recommended_tier", "rule"]].values.tolist() for track, rows in table.groupby("track")}
    assert found["storage"] == [
        ["none", "first_placement"],
        ["none", "promotion_band"],
        ["Expert", "promotion"],
        ["Expert", "demotion_confirmation"],
        ["none", "demotion"],
    ]
    assert found["backup"] == [
        ["Expert", "first_placement"],
        ["Expert", "demotion_band"],
        ["Expert", "demotion_confirmation"],
        ["none", "demotion"],
        ["none", "unchanged"],
    ]


def test_the_table_is_sorted_and_a_policy_without_tracks_has_an_empty_one(engine: Engine) -> None:
    table = played(engine, policy(), [1] * 5, [1] * 5)
    assert table["track"].tolist() == ["backup", "storage"] * 5
    plain = policy(tracks={})
    empty = move_tracks(plain, place(engine, plain, pd.DataFrame({"partner_id": ["a"]})), {}, DAYS[0])
    assert (len(empty), tuple(empty.columns)) == (0, TRACK_COLUMNS)


def test_nobody_leaves_the_program_by_a_track(engine: Engine) -> None:
    rules = policy(movement={**BANDS, "sunset": {"at_entry_for": "6 months"}})
    table = played(engine, rules, [1] * 5, [1] * 5)
    assert set(table["recommended_tier"]) == {"none"}
    history = pd.DataFrame(
        [{"partner_id": "P1", "as_of": DAYS[0], "tier": "Gold", "eligible_tier": "Gold", "action": "hold", "rule": "x"}]
    )
    placement = place(engine, policy("false", movement=rules.movement), inputs_of(rules, {}))
    assert move(placement.policy, placement, history, DAYS[-1])["recommended_tier"].tolist() == ["exit"]


def test_a_renamed_tier_of_a_track_is_carried_on_and_the_tiers_are_left_alone(engine: Engine) -> None:
    renamed = {"transition": {"renamed": {"Specialist": "Expert"}}}
    rules = policy(movement={**BANDS, **renamed})
    past = pd.DataFrame(
        [
            {
                "partner_id": "P1",
                "as_of": DAYS[0],
                "tier": "Specialist",
                "eligible_tier": "Specialist",
                "action": "hold",
                "rule": "x",
            }
        ]
    )
    placement = place(engine, rules, inputs_of(rules, {"storage_people": 100, "backup_people": 0}))
    moved = move_tracks(rules, placement, {"storage": past}, DAYS[1]).set_index("track")
    assert moved.loc["storage", ["current_tier", "recommended_tier"]].tolist() == ["Expert", "Expert"]
    with pytest.raises(InvalidInput, match="none of Gold, Platinum"):
        move(rules, placement, past, DAYS[1])


def test_a_new_name_must_be_a_tier_of_something() -> None:
    with pytest.raises(ValueError, match="unknown tier 'Export'"):
        policy(movement={"transition": {"renamed": {"Specialist": "Export"}}})


RANKED = [
    {"track": "storage", "reached": "Expert"},
    "storage_rank >= 1",
    "storage_rank > 0 and true",
    "not storage_rank < 1",
    "storage_rank + 0 >= backup_rank + 1",
    {"all": [{"any": [{"track": "storage", "reached": "Expert"}, {"track": "backup", "reached": "Expert"}]}]},
]


@pytest.mark.parametrize("rule", RANKED, ids=str)
def test_a_place_on_a_track_has_the_bands_of_the_tracks_own_criteria(engine: Engine, rule: object) -> None:
    inputs = pd.DataFrame(
        {"partner_id": list("abcde"), "storage_people": [89.0, 90, 99, 100, 105], "backup_people": 0.0}
    )
    tiers = place(engine, policy(rule), inputs).tiers
    assert (tiers["eligible_tier"] == "Platinum").tolist() == [False, False, False, True, True]
    assert (tiers["gain_tier"] == "Platinum").tolist() == [False, False, False, False, True]
    assert (tiers["keep_tier"] == "Platinum").tolist() == [False, True, True, True, True]


@pytest.mark.parametrize(
    "rule", [{"check": "storage_rank >= 1", "band": 0}, "storage_rank = 1", "storage_tier = 'Expert'"], ids=str
)
def test_without_a_band_the_place_is_that_of_the_day(engine: Engine, rule: object) -> None:
    inputs = pd.DataFrame({"partner_id": list("abc"), "storage_people": [90.0, 100, 105], "backup_people": 0.0})
    tiers = place(engine, policy(rule), inputs).tiers
    for column in ("eligible_tier", "gain_tier", "keep_tier"):
        assert (tiers[column] == "Platinum").tolist() == [False, True, True]


def test_a_band_of_its_own_on_a_place_is_refused_in_words() -> None:
    (finding,) = [
        found for found in lint(policy({"check": "storage_rank >= 1", "band": 0.1})) if found.code == "invalid"
    ]
    assert finding.severity == "error"
    assert "a place on a track has no size that a band could move" in finding.message


def test_losing_a_track_inside_its_band_does_not_shake_the_tier(engine: Engine) -> None:
    rules = policy({"track": "storage", "reached": "Expert"})
    history = pd.DataFrame(
        [
            {
                "partner_id": "P1",
                "as_of": DAYS[0],
                "tier": "Platinum",
                "eligible_tier": "Platinum",
                "action": "hold",
                "rule": "x",
            }
        ]
    )
    placement = place(engine, rules, inputs_of(rules, {"storage_people": 95, "backup_people": 0}))
    moved = move(rules, placement, history, DAYS[1])
    assert moved[["eligible_tier", "recommended_tier", "rule"]].values.tolist() == [
        ["Gold", "Platinum", "demotion_band"]
    ]


LATER = {
    "a track that stands later": ({"a": "b_rank >= 1", "b": "x >= 1"}, "the track 'b' is not written before it"),
    "by its reached tier": ({"a": {"track": "b", "reached": "m"}, "b": "x >= 1"}, "the track 'b' is not written"),
    "tracks in a circle": ({"a": "b_rank >= 1", "b": "a_rank >= 1"}, "the track 'b' is not written before it"),
    "a track that asks itself": ({"a": "a_tier = 'm'"}, "the track 'a' is not written before it"),
    "a figure made from tracks": ({"a": "x >= 1", "b": "both >= 1"}, "both is made from tracks"),
}


@pytest.mark.parametrize(("rules", "says"), LATER.values(), ids=LATER.keys())
def test_a_track_reads_only_what_is_there_before_it(rules: dict, says: str) -> None:
    tracks = {name: {"tiers": [{"name": "n"}, {"name": "m", "when": rule}]} for name, rule in rules.items()}
    body = {"tracks": tracks, "tiers": [{"name": "t"}], "definitions": {"both": "a_rank + 0"}}
    found = [finding for finding in lint(Policy.model_validate({**HEAD, **body})) if finding.code == "invalid"]
    assert len(found) == 1
    assert says in found[0].message


def test_a_track_reads_the_tracks_before_it(engine: Engine) -> None:
    rules = {"a": "x >= 1", "b": {"all": [{"track": "a", "reached": "m"}, "a_rank >= 1", "y >= 1"]}}
    tracks = {name: {"tiers": [{"name": "n"}, {"name": "m", "when": rule}]} for name, rule in rules.items()}
    made = Policy.model_validate({**HEAD, "tracks": tracks, "tiers": [{"name": "t"}], "movement": "none"})
    inputs = pd.DataFrame({"partner_id": list("pqr"), "x": [1.0, 0, 1], "y": [1.0, 1, 0]})
    assert place(engine, made, inputs).tiers["b_tier"].tolist() == ["m", "n", "n"]
