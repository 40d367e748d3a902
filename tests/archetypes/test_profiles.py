"""Profiles, naming and weights of archetypes by hand, and what must not change them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierwise.archetypes.membership import column_names
from tierwise.archetypes.naming import name_clusters, short_title, trait_table
from tierwise.archetypes.profiles import only_checks, rule_cards, size_table, typical_partners
from tierwise.archetypes.space import fit_space
from tierwise.archetypes.weights import behaviour_metrics, metric_weights
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet

SPEC = ArchetypeSpec()
FEATURES = FeatureSet(
    (Feature("deals", "Deals won, last year", "deals", "sales"), Feature("visits", "Visits", "visits", "engagement")),
    "sales",
    attributes=("region",),
)
LABELS = np.repeat([0, 1], [12, 8])


def _rows() -> pd.DataFrame:
    number = np.arange(20.0)
    return pd.DataFrame(
        {
            "partner_id": [f"P{place:02d}" for place in range(20)],
            "deals": np.where(LABELS == 0, 2.0, 50.0) + number / 100,
            "visits": number % 5,
            "region": np.where(LABELS == 0, "N", "S"),
            "sales": np.where(LABELS == 0, 10.0, 60.0),
        }
    )


def test_sizes_and_shares_of_revenue_by_hand() -> None:
    table = size_table(_rows(), LABELS, 3, "sales")
    assert table["partners"].tolist() == [12, 8, 0]
    assert table["share"].tolist() == [0.6, 0.4, 0]
    assert table["revenue_share"].tolist() == [0.2, 0.8, 0]


@pytest.mark.parametrize("sales", [0.0, np.nan, -5.0])
def test_a_channel_without_revenue_has_no_shares_of_it(sales: float) -> None:
    assert size_table(_rows().assign(sales=sales), LABELS, 2, "sales")["revenue_share"].isna().all()
    assert size_table(_rows(), LABELS, 2, "profit")["revenue_share"].isna().all()


def test_the_typical_partner_is_the_nearest_member_and_the_first_of_equals() -> None:
    away = np.array([[3.0, 0.1], [1.0, 9.0], [1.0 + 1e-12, 9.0], [9.0, 2.0]])
    labels = np.array([0, 0, 0, 1])
    assert typical_partners(away, labels, pd.Series(["D", "C", "B", "A"])) == ["B", "A"]
    assert typical_partners(away, np.zeros(4, dtype=int), pd.Series(list("DCBA"))) == ["B", ""]


def test_a_rule_that_cuts_exactly_is_found_with_its_threshold() -> None:
    cards = rule_cards(_rows(), LABELS, 2, FEATURES, SPEC)
    assert cards["rule"].tolist() == ["Deals won, last year at most 26.1", "Deals won, last year above 26.1"]
    assert cards[["precision", "recall", "accuracy"]].to_numpy().tolist() == [[1, 1, 1]] * 2
    assert cards["partners"].tolist() == [12, 8]


def test_a_rule_card_reads_a_metric_that_nobody_has() -> None:
    cards = rule_cards(_rows().assign(visits=np.nan), LABELS, 2, FEATURES, SPEC)
    assert not cards["rule"].str.contains("Visits").any()
    assert rule_cards(_rows(), LABELS, 2, FeatureSet((), "sales"), SPEC).empty


def test_archetypes_that_are_a_region_or_a_size_are_told() -> None:
    checks = only_checks(_rows(), LABELS, FEATURES).set_index("against")
    assert checks.loc["region"].tolist() == [1.0, True]
    assert checks.loc["size", "overlap"] == pytest.approx(1)
    mixed = _rows().assign(region=["N", "S"] * 10, sales=1.0)
    assert not only_checks(mixed, LABELS, FEATURES)["only_this"].any()
    assert only_checks(mixed.drop(columns="sales"), LABELS, FEATURES)["against"].tolist() == ["region"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_profiles_do_not_depend_on_the_order_of_partners(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(20)
    rows = _rows().iloc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(size_table(rows, LABELS[order], 2, "sales"), size_table(_rows(), LABELS, 2, "sales"))
    pd.testing.assert_frame_equal(
        trait_table(rows, LABELS[order], 2, FEATURES), trait_table(_rows(), LABELS, 2, FEATURES)
    )


def test_a_trait_is_the_mean_percentile_by_hand() -> None:
    own = trait_table(_rows(), LABELS, 2, FEATURES)
    deals = own[own["feature"] == "deals"].set_index("archetype_place")
    assert deals["percentile"].tolist() == pytest.approx([0.3, 0.8])  # the middle of 0 to .6 and of .6 to 1
    assert deals["effect"].tolist() == pytest.approx([-0.2, 0.3])
    assert deals["median_all"].tolist() == pytest.approx([2.095] * 2)


def test_a_metric_that_nobody_of_a_cluster_has_says_nothing_of_it() -> None:
    rows = _rows().assign(deals=np.where(LABELS == 0, np.nan, np.arange(20.0)), visits=1.0)
    assert trait_table(rows, LABELS, 2, FEATURES)["archetype_place"].tolist() == [1]


def test_counts_are_many_or_no_and_amounts_high_or_low() -> None:
    frame = _rows().assign(deals=np.where(LABELS == 0, 0.0, 9.0), visits=1.0)
    names = name_clusters(trait_table(frame, LABELS, 2, FEATURES), [12, 8], FEATURES)
    assert [named.name for named in names] == ["No deals won", "Many deals won"]
    assert [named.traits for named in names] == [(("deals", -1),), (("deals", 1),)]
    money = FeatureSet((Feature("deals", "Won sales, last year", "USD"),), "sales")
    again = name_clusters(trait_table(frame, LABELS, 2, money), [12, 8], money)
    assert [named.name for named in again] == ["Low won sales", "High won sales"]


@pytest.mark.parametrize(
    ("feature", "title"),
    [(Feature("a_b"), "a b"), (Feature("x", "A title"), "a title"), (Feature("x", "MDF (USD)"), "MDF")],
)
def test_short_titles(feature: Feature, title: str) -> None:
    assert short_title(feature) == title


def test_weights_have_a_mean_square_of_one_whatever_the_order() -> None:
    random = np.random.default_rng(3)
    rows = pd.DataFrame(random.normal(size=(200, 4)), columns=list("abcd"))
    rows["copy"] = rows["a"] + random.normal(0, 0.1, 200)
    found = metric_weights(rows, list(rows.columns))
    assert np.mean(np.square(list(found.values()))) == pytest.approx(1, abs=1e-5)
    turned = metric_weights(rows.iloc[::-1], list(rows.columns)[::-1])
    assert {name: turned[name] for name in found} == pytest.approx(found, abs=2e-6)
    assert found["a"] == pytest.approx(found["copy"], rel=0.1)
    assert metric_weights(rows, []) == {}
    assert metric_weights(rows.assign(a=1.0), ["a"]) == {"a": 1.0}


def test_a_target_that_is_unknown_or_too_few_metrics_leave_all_of_them() -> None:
    rows = _rows()
    assert behaviour_metrics(rows, FEATURES, SPEC) == ("deals", "visits")
    assert behaviour_metrics(rows.drop(columns="sales"), FEATURES, SPEC) == ("deals", "visits")


def test_every_coordinate_has_its_metric_or_attribute() -> None:
    rows = _rows().assign(deals=np.where(LABELS == 0, 0.0, np.arange(20.0)))
    space = fit_space(rows, {"deals": 1.0, "visits": 1.0}, FEATURES, SPEC)
    names = column_names(space)
    assert len(names) == space.matrix(rows).shape[1]
    assert names.count("deals") == 2  # any at all, and how many
    assert names.count("region") == 2
