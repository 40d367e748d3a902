import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.archetypes.mixtures import FEATURES, QUICK, blob, mixture
from tierwise.archetypes import ArchetypeModel, assign, fit, from_parts, to_parts
from tierwise.archetypes.model import REASONS
from tierwise.errors import InvalidInput


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return mixture()


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> ArchetypeModel:
    return fit(rows, FEATURES, QUICK, 1)


def agreement(first: pd.Series, second: pd.Series) -> float:
    return float(adjusted_rand_score(first.astype(str), second.astype(str)))


def test_it_finds_the_hidden_archetypes_and_their_number(model: ArchetypeModel, rows: pd.DataFrame):
    assert model.reason == "supported"
    assert len(model.archetypes) == 4
    assert agreement(rows["truth"], assign(model, rows)["archetype_id"]) > 0.8


def test_several_seeds_of_the_mixture(model: ArchetypeModel):
    found = []
    for seed in range(2, 6):
        rows = mixture(seed=seed)
        found.append(agreement(rows["truth"], assign(fit(rows, FEATURES, QUICK, seed), rows)["archetype_id"]))
    assert np.mean(found) >= 0.6


@pytest.mark.parametrize(("long", "amounts"), [(False, False), (False, True), (True, False)])
def test_one_blob_supports_no_archetypes(long: bool, amounts: bool):
    model = fit(blob(long=long, amounts=amounts), FEATURES, QUICK, 3)
    assert not model.supported
    assert model.reason in ("one_blob", "unstable")
    scored = assign(model, blob())
    assert scored["archetype_id"].isna().all()
    assert scored["archetype"].isna().all()
    assert scored["archetype_strength"].isna().all()
    assert set(scored["archetype_status"]) == {model.reason}


def test_rows_columns_and_the_unit_of_money_do_not_matter(model: ArchetypeModel, rows: pd.DataFrame):
    money = ["average_deal", "claims", "revenue_4q"]
    other = rows.assign(**{name: rows[name] * 100 for name in money})
    other = other.sample(frac=1, random_state=5)[sorted(other.columns, reverse=True)]
    turned = FEATURES.__class__(FEATURES.metrics[::-1], FEATURES.target, "USD", FEATURES.attributes)
    again = assign(fit(other, turned, QUICK, 1), other).sort_values("partner_id", ignore_index=True)
    pd.testing.assert_series_equal(again["archetype_id"], assign(model, rows)["archetype_id"])


def test_other_ids_do_not_change_the_partition(model: ArchetypeModel, rows: pd.DataFrame):
    renamed = rows.assign(partner_id=[f"X{number}" for number in np.random.default_rng(1).permutation(len(rows))])
    again = assign(fit(renamed, FEATURES, QUICK, 1), renamed)["archetype_id"]
    assert agreement(again, assign(model, rows)["archetype_id"]) == 1


def test_same_inputs_same_model(model: ArchetypeModel, rows: pd.DataFrame):
    first, second = to_parts(model), to_parts(fit(rows, FEATURES, QUICK, 1))
    assert first["archetypes"] == second["archetypes"]
    pd.testing.assert_frame_equal(first["memory"], second["memory"])


def test_the_parts_bring_the_model_back(model: ArchetypeModel, rows: pd.DataFrame):
    back = from_parts(to_parts(model))
    pd.testing.assert_frame_equal(assign(back, rows), assign(model, rows))
    assert back.archetypes == model.archetypes
    none = fit(rows.head(10), FEATURES, QUICK, 1)
    assert from_parts(to_parts(none)).reason == "too_few_partners"


def test_names_are_unique_readable_and_say_what_is_true(model: ArchetypeModel, rows: pd.DataFrame):
    names = [archetype.name for archetype in model.archetypes]
    assert len(set(names)) == len(names)
    named = assign(model, rows).assign(truth=rows["truth"])
    by_truth = named.groupby("truth")["archetype"].agg(lambda column: column.mode()[0])
    assert "portal logins" in by_truth["cloud"]
    assert by_truth["cloud"].startswith(("Many portal logins", "High")) or "any portal logins" in by_truth["cloud"]


def test_profiles_describe_every_archetype(model: ArchetypeModel, rows: pd.DataFrame):
    profiles = model.tables["profiles"]
    scored = assign(model, rows)
    assert profiles["archetype_id"].tolist() == list(model.ids)
    assert profiles["partners"].tolist() == [int((scored["archetype_id"] == name).sum()) for name in model.ids]
    assert profiles["share"].sum() == pytest.approx(1)
    assert profiles["revenue_share"].sum() == pytest.approx(1)
    home = scored.set_index("partner_id")["archetype_id"]
    assert [home[name] for name in profiles["typical_partner"]] == list(model.ids)
    assert (profiles["accuracy"] > 0.8).all()


def test_rule_cards_hold_for_the_partners_they_are_about(model: ArchetypeModel):
    rules = model.tables["rules"]
    assert (rules["precision"] > 0.5).all()
    assert ((rules["recall"] > 0) & (rules["recall"] <= 1)).all()
    assert rules["rule"].str.contains("above|at most").all()


def test_archetypes_are_checked_against_size_and_attributes(model: ArchetypeModel):
    checks = model.tables["checks"].set_index("against")
    assert set(checks.index) == {"size", "region"}
    assert not checks.loc["region", "only_this"]


def test_archetypes_that_are_just_an_attribute_are_told():
    rows = mixture()
    rows["region"] = rows["truth"]
    assert fit(rows, FEATURES, QUICK, 1).tables["checks"].set_index("against").loc["region", "only_this"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows.head(0), "too_few_partners"),
        (lambda rows: rows.head(20), "too_few_partners"),
        (lambda rows: rows.assign(**dict.fromkeys(FEATURES.names, 1.0), region="EMEA"), "no_usable_features"),
        (lambda rows: rows.assign(**dict.fromkeys(FEATURES.names, np.nan), region="EMEA"), "no_usable_features"),
    ],
)
def test_data_that_cannot_have_archetypes_says_why(rows: pd.DataFrame, change: object, reason: str):
    assert callable(change)
    few = change(rows)
    model = fit(few, FEATURES, QUICK, 1)
    assert (model.reason, model.sentence, model.supported) == (reason, REASONS[reason], False)
    assert len(assign(model, few)) == len(few)


def test_unknown_values_and_unseen_levels_are_assigned(model: ArchetypeModel, rows: pd.DataFrame):
    odd = rows.head(3).assign(region=["Mars", None, "EMEA"], average_deal=[np.nan, np.inf, 1e12], growth=np.nan)
    assert assign(model, odd)["archetype_id"].isin(model.ids).all()


def test_missing_columns_are_named(model: ArchetypeModel, rows: pd.DataFrame):
    with pytest.raises(InvalidInput, match="logins_1q"):
        assign(model, rows.drop(columns="logins_1q"))


def test_strength_is_a_margin_between_the_border_and_the_centre(model: ArchetypeModel, rows: pd.DataFrame):
    scored = assign(model, rows)
    assert scored["archetype_strength"].between(0, 1).all()
    assert (scored["nearest_other"] != scored["archetype_id"]).all()
    medoids = scored[scored["partner_id"].isin(model.tables["profiles"]["typical_partner"])]
    assert medoids["archetype_strength"].min() > scored["archetype_strength"].median()


def test_an_extreme_partner_is_marked_as_outlier(model: ArchetypeModel, rows: pd.DataFrame):
    strange = rows.head(1).assign(
        deals_4q=1e6, average_deal=1.0, certificates=0.0, logins_1q=1e7, joint_share=1.0, growth=90
    )
    assert assign(model, strange)["archetype_status"].tolist() == ["outlier"]


def test_one_partner_alone_is_assigned_as_among_all(model: ArchetypeModel, rows: pd.DataFrame):
    alone = assign(model, rows.iloc[[17]])
    pd.testing.assert_frame_equal(alone, assign(model, rows).iloc[[17]].reset_index(drop=True))
