"""Two versions beside each other, ids that follow partners whatever their order, and the search for a number."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archetypes.mixtures import FEATURES, QUICK, mixture
from tierwise.archetypes import (
    Agreement,
    ArchetypeModel,
    agreement,
    archetype_notes,
    assign,
    fit,
    from_parts,
    profile_table,
    to_parts,
)
from tierwise.archetypes.assign import settle
from tierwise.archetypes.choice import choose
from tierwise.archetypes.clusters import Clustering, jaccard_matrix, kmeans
from tierwise.archetypes.identity import match
from tierwise.archetypes.summary import PROFILE_COLUMNS
from tierwise.errors import InvalidInput

OLD_IDS = ("A1", "A2", "A5")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return mixture(partners=160)


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> ArchetypeModel:
    found = fit(rows, FEATURES, QUICK, 1)
    assert found.supported
    return found


@pytest.fixture(scope="module")
def none(rows: pd.DataFrame) -> ArchetypeModel:
    return fit(rows.head(5), FEATURES, QUICK, 1)


def test_a_model_agrees_with_itself_and_other_ids_are_a_change_of_label_only(
    model: ArchetypeModel, rows: pd.DataFrame
) -> None:
    count = len(model.archetypes)
    assert agreement(model, model, rows) == Agreement(1.0, 0.0, len(rows), count, count)
    renamed = replace(
        model,
        archetypes=tuple(replace(one, archetype_id=f"B{one.archetype_id}") for one in model.archetypes),
        memory=model.memory.assign(archetype_id="B" + model.memory["archetype_id"]),
    )
    found = agreement(model, renamed, rows)
    assert (found.ari, found.label_change) == (1.0, 1.0)


def test_without_archetypes_or_partners_there_is_nothing_to_agree_on(
    model: ArchetypeModel, none: ArchetypeModel, rows: pd.DataFrame
) -> None:
    count = len(model.archetypes)
    assert agreement(model, none, rows) == Agreement(None, None, 0, count, 0)
    assert agreement(model, model, rows.head(0)) == Agreement(None, None, 0, count, count)
    with pytest.raises(InvalidInput, match="claims"):
        agreement(model, model, rows.drop(columns="claims"))


def test_every_part_comes_back_from_json(model: ArchetypeModel, none: ArchetypeModel, rows: pd.DataFrame) -> None:
    for one in (model, none):
        parts = {n: json.loads(json.dumps(p)) if isinstance(p, dict) else p for n, p in to_parts(one).items()}
        back = from_parts(parts)
        assert (back.features, back.spec, back.space, back.archetypes) == (
            one.features, one.spec, one.space, one.archetypes,
        )  # fmt: skip
        pd.testing.assert_frame_equal(assign(back, rows), assign(one, rows))
        pd.testing.assert_frame_equal(profile_table(back), profile_table(one))
        assert list(archetype_notes(back)) == list(archetype_notes(one))


def test_identical_partners_belong_together(model: ArchetypeModel, rows: pd.DataFrame) -> None:
    twin = rows.iloc[[3, 3]].assign(partner_id=["T1", "T2"])
    found = assign(model, twin).drop(columns="partner_id")
    pd.testing.assert_frame_equal(found.iloc[[0]], found.iloc[[1]].reset_index(drop=True))


def test_a_model_without_archetypes_has_a_note_and_an_empty_profile(none: ArchetypeModel) -> None:
    table = profile_table(none)
    assert table.empty
    assert tuple(table.columns) == PROFILE_COLUMNS
    assert list(archetype_notes(none)) == [f"no_archetypes: {none.sentence}"]


def test_an_unstable_archetype_is_noted_with_its_overlap(model: ArchetypeModel) -> None:
    first = replace(model.archetypes[0], status="unstable", name="", jaccard=0.42)
    shaky = replace(model, archetypes=(first, *model.archetypes[1:]))
    wanted = f"archetype_unstable: {first.archetype_id} is found again in bootstrap samples with an overlap of 0.42"
    assert wanted in list(archetype_notes(shaky))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=60))
def test_ids_are_never_given_twice_and_follow_the_partners(pairs: list[tuple[int, int]]) -> None:
    old, new = (np.array(column) for column in zip(*pairs, strict=True))
    found = match(old, new, OLD_IDS, 4, next_number=6)
    assert len(set(found.ids)) == 4
    fresh = [name for name in found.ids if name not in OLD_IDS]
    assert fresh == [f"A{number}" for number in range(6, 6 + len(fresh))]
    assert found.next_number == 6 + len(fresh)
    gone = set(found.events.loc[found.events["event"].isin(["merged", "retired"]), "archetype_id"])
    assert gone == set(OLD_IDS) - set(found.ids)


def test_the_same_clusters_in_another_order_keep_all_their_ids() -> None:
    old = np.repeat([0, 1, 2], [5, 9, 3])
    found = match(old, np.array([2, 0, 1])[old], OLD_IDS, 3, 6)
    assert found.ids == ("A2", "A5", "A1")
    assert found.events["event"].tolist() == ["kept"] * 3
    assert found.events["share"].tolist() == [1.0] * 3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(1, 3))
def test_a_partner_moves_only_where_its_old_centre_is_clearly_farther(seed: int, ratio: float) -> None:
    random = np.random.default_rng(seed)
    away, before = random.uniform(0.1, 5, (30, 4)), random.integers(-1, 4, 30)
    place = settle(away, before, ratio)
    row = np.arange(30)
    nearest = away.min(axis=1)
    stayed = place == before
    assert (away[row, place] <= ratio * nearest + 1e-12).all()
    assert (away[row[~stayed], place[~stayed]] == nearest[~stayed]).all()
    moved = ~stayed & (before >= 0)
    assert (away[row[moved], before[moved]] > ratio * nearest[moved]).all()


def test_overlaps_by_hand() -> None:
    found = jaccard_matrix(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 2, 3)
    np.testing.assert_allclose(found, [[2 / 3, 1 / 4, 0], [0, 1 / 2, 0]])


def test_given_centres_are_where_the_search_starts_and_ties_go_to_the_first() -> None:
    matrix = np.array([[0.0], [1.0], [10.0], [11.0]])
    found = kmeans(matrix, 2, np.array([[9.0], [2.0]]), 0)
    assert found.centres.ravel().tolist() == [10.5, 0.5]
    assert found.inertia == pytest.approx(1)
    assert Clustering(np.array([[0.0], [2.0]]), 0.0).labels(np.array([[1.0]])).tolist() == [0]


def test_two_clear_groups_are_two_and_the_order_of_rows_does_not_matter() -> None:
    random = np.random.default_rng(4)
    matrix = np.concatenate([random.normal(0, 1, (60, 2)), random.normal(12, 1, (60, 2))])
    first, second = (choose(rows, None, QUICK, 1) for rows in (matrix, matrix[::-1]))
    assert first.reason == "supported"
    assert first.clustering is not None
    assert second.clustering is not None
    assert first.clustering.k == 2
    np.testing.assert_array_equal(first.clustering.centres, second.clustering.centres)
    assert first.table is not None
    assert first.table["k"].tolist() == list(range(QUICK.k_min, QUICK.k_max + 1))


def test_what_cannot_be_cut_says_why() -> None:
    assert choose(np.zeros((5, 2)), None, QUICK, 1).reason == "too_few_partners"
    assert choose(np.zeros((200, 0)), None, QUICK, 1).reason == "no_usable_features"
    same = choose(np.ones((200, 2)), None, QUICK, 1)
    assert (same.reason, same.clustering) == ("one_blob", None)
