"""Why a partner belongs where it is, what the profiles tell, and what the notes own up to."""

import numpy as np
import pandas as pd
import pytest

from tests.archetypes.mixtures import FEATURES, QUICK, blob, mixture
from tierwise.archetypes import ArchetypeModel, archetype_notes, assign, fit, profile_table
from tierwise.archetypes.clusters import distances
from tierwise.archetypes.membership import Placed, column_names, membership_parts
from tierwise.archetypes.summary import PROFILE_COLUMNS


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return mixture()


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> ArchetypeModel:
    return fit(rows, FEATURES, QUICK, 1)


def test_the_parts_add_up_to_the_difference_of_the_squared_distances(model: ArchetypeModel, rows: pd.DataFrame):
    matrix = model.space.matrix(rows)
    away = distances(matrix, model.centres)
    order = np.argsort(away, axis=1)
    placed = Placed(order[:, 0], order[:, 1])
    parts = membership_parts(model.space, matrix, model.centres, placed)
    assert len(column_names(model.space)) == matrix.shape[1]
    place = np.arange(len(rows))
    expected = away[place, placed.other] ** 2 - away[place, placed.own] ** 2
    np.testing.assert_allclose(sum(parts.values()), expected, atol=1e-9)


def test_every_partner_has_a_reason_with_its_own_figure(model: ArchetypeModel, rows: pd.DataFrame):
    scored = assign(model, rows)
    assert scored["archetype_reason"].notna().all()
    cloud = scored[rows["truth"] == "cloud"]["archetype_reason"]
    assert cloud.str.contains("portal logins").mean() > 0.5
    assert cloud.str.contains(r"\(typical here [\d,.]+, in the nearest other [\d,.]+\)").all()


def test_an_unknown_value_is_never_a_reason(model: ArchetypeModel, rows: pd.DataFrame):
    unknown = rows.assign(average_deal=np.nan, logins_1q=np.nan)
    assert not assign(model, unknown)["archetype_reason"].str.contains("unknown", na=False).any()


def test_without_archetypes_there_is_no_reason_and_a_note_says_why():
    model = fit(blob(), FEATURES, QUICK, 3)
    assert assign(model, blob())["archetype_reason"].isna().all()
    assert [note.split(":")[0] for note in archetype_notes(model)] == ["no_archetypes"]
    assert profile_table(model).empty


def test_the_profile_tells_all_that_a_committee_asks(model: ArchetypeModel):
    table = profile_table(model)
    assert table.columns.tolist() == list(PROFILE_COLUMNS)
    assert table.notna().all(axis=None)
    assert table["sets_apart"].str.contains("percentile").all()
    assert (table["rule_precision"] > 0.7).all()
    assert (table["rule_recall"] > 0.6).all()
    assert table["rules_accuracy"].between(0.6, 1).all()


def test_a_rule_bounds_each_metric_once_and_holds(model: ArchetypeModel, rows: pd.DataFrame):
    for rule in model.tables["rules"]["rule"]:
        titles = [
            part.split(" above ")[0].split(" at most ")[0] for part in rule.replace(" and at most", "").split(" and ")
        ]
        assert len(titles) == len(set(titles))


def test_archetypes_that_repeat_an_attribute_are_noted(rows: pd.DataFrame):
    repeated = rows.assign(region=rows["truth"])
    notes = list(archetype_notes(fit(repeated, FEATURES, QUICK, 1)))
    assert any(note.startswith("archetypes_repeat") and "region" in note for note in notes)


def test_what_became_of_archetypes_is_noted(model: ArchetypeModel):
    three = mixture(seed=2, kinds=("volume", "integrator", "cloud"))
    notes = list(archetype_notes(fit(three, FEATURES, QUICK, 1, previous=model)))
    assert any(note.startswith(("archetype_retired", "archetype_merged")) for note in notes)
    assert not any(note.startswith("archetype_new") for note in archetype_notes(model))
