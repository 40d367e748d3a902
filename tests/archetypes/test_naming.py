import numpy as np
import pandas as pd
import pytest

from tierwise.archetypes.naming import name_clusters, short_title, still_true, trait_table
from tierwise.config.model_spec import Feature, FeatureSet

FEATURES = FeatureSet(
    (
        Feature("deals", "Deals won, last 4 quarters", "deals", "sales"),
        Feature("value", "Won revenue, last 4 quarters", "USD", "sales"),
        Feature("people", "Certified people", "people", "skills"),
        Feature("idle", "Days since the last deal", "days", "engagement"),
    ),
    "value",
)


@pytest.fixture
def rows() -> tuple[pd.DataFrame, np.ndarray]:
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    frame = pd.DataFrame(
        {
            "deals": np.array([0.0, 5.0, 50.0])[labels] + np.arange(60) % 3 * (labels > 0),
            "value": np.array([0.0, 500.0, 900.0])[labels] + np.arange(60),
            "people": np.array([4.0, 4.0, 9.0])[labels],
            "idle": np.array([400.0, 20.0, 5.0])[labels],
        }
    )
    return frame, labels


def test_names_say_counts_amounts_and_absence_in_their_own_words(rows: tuple[pd.DataFrame, np.ndarray]):
    frame, labels = rows
    names = [named.name for named in name_clusters(trait_table(frame, labels, 3, FEATURES), [30, 20, 10], FEATURES)]
    assert len(set(names)) == 3
    assert names[0].startswith(("No deals won", "Low won revenue", "High days since the last deal"))
    assert "any" in names[2] or "igh" in names[2]


def test_traits_are_percentiles_with_the_most_telling_first(rows: tuple[pd.DataFrame, np.ndarray]):
    frame, labels = rows
    traits = trait_table(frame, labels, 3, FEATURES)
    assert traits["percentile"].between(0, 1).all()
    for _, own in traits.groupby("archetype_place"):
        sizes = own["effect"].abs().round(9).tolist()
        assert sizes == sorted(sizes, reverse=True)
    weighted = traits.groupby("feature")["effect"].apply(
        lambda effect: np.dot(effect, [30, 20, 10]) if len(effect) == 3 else 0
    )
    assert abs(weighted["people"]) < 30


def test_two_clusters_never_share_a_name():
    labels = np.repeat([0, 1], 20)
    frame = pd.DataFrame({name: np.ones(40) for name in FEATURES.names})
    names = [named.name for named in name_clusters(trait_table(frame, labels, 2, FEATURES), [20, 20], FEATURES)]
    assert names == ["Average profile", "Average profile 2"]


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Won revenue, last 4 quarters", "won revenue"),
        ("MDF approved (USD), last year", "MDF approved"),
        ("Share of joint deals", "share of joint deals"),
        ("", "m name"),
    ],
)
def test_titles_lose_their_window(title: str, short: str):
    assert short_title(Feature("m_name", title)) == short


def test_a_name_is_kept_only_while_it_is_true():
    table = pd.DataFrame({"feature": ["deals", "idle"], "effect": [0.3, -0.2]})
    assert still_true((("deals", 1), ("idle", -1)), table)
    assert not still_true((("deals", -1),), table)
    assert not still_true((("gone", 1),), table)
