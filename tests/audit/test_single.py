"""One feature at a time: the published tests, Holm's adjustment, sizes without bias, and what cannot be tested."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tierwise.audit.single import COLUMNS, feature_tests, figure, holm, psi, size_word
from tierwise.config.model_spec import Feature, FeatureSet

FEATURES = FeatureSet((Feature("amount", "Amount sold"), Feature("count")), "amount", attributes=("region",))


def _side(seed: int, rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "partner_id": [f"P{number}" for number in range(rows)],
            "amount": rng.lognormal(8, 1, rows),
            "count": rng.poisson(2, rows).astype(float),
            "region": rng.choice(["APAC", "EMEA"], rows),
        }
    )


def _tests(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    table = feature_tests(before, after, FEATURES, 0.05)
    assert list(table.columns) == list(COLUMNS)
    return table.set_index(["feature", "kind"])


def test_the_statistics_are_those_of_scipy() -> None:
    before, after = _side(1), _side(2)
    table = _tests(before, after)
    expected = stats.ks_2samp(before["amount"], after["amount"], method="asymp")
    row = table.loc[("amount", "value")]
    assert (row["statistic"], row["p_value"]) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))
    assert (row["before"], row["after"]) == (before["amount"].median(), after["amount"].median())
    counts = pd.DataFrame({"a": before["region"].value_counts(), "b": after["region"].value_counts()})
    assert table.loc[("region", "level"), "p_value"] == pytest.approx(
        stats.chi2_contingency(counts.T, correction=False).pvalue
    )


def test_holm_is_the_published_adjustment() -> None:
    # `p.adjust(c(.01, .04, .03, .005), "holm")` of R.
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])


def test_what_was_not_tested_does_not_count_against_the_others() -> None:
    adjusted = holm(np.array([0.01, np.nan, 0.04]))
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(adjusted[1])


def test_a_stability_index_without_bias_is_small_by_chance_and_right_for_a_shift() -> None:
    rng = np.random.default_rng(1)
    by_chance = [
        psi(rng.multinomial(100, [0.1] * 10).astype(float), rng.multinomial(100, [0.1] * 10).astype(float))
        for _ in range(200)
    ]
    assert np.mean(by_chance) < 0.05  # .18 with the bias
    edges = stats.norm.ppf(np.arange(1, 10) / 10)
    shifted = np.diff(np.concatenate(([0.0], stats.norm.cdf(edges - 0.5), [1.0])))
    assert psi(np.full(10, 1e5), shifted * 1e6) == pytest.approx(0.25, abs=0.03)  # the J divergence is .5 squared


def test_sizes_are_words_by_the_usual_marks() -> None:
    assert [size_word(value) for value in (0.0, 0.099, 0.1, 0.25, 9, float("nan"))] == [
        "slight", "slight", "moderate", "large", "large", "",
    ]  # fmt: skip


def test_unknown_values_are_tested_apart_from_the_known_ones() -> None:
    before, after = _side(1), _side(2)
    after.loc[:99, "amount"] = np.nan
    table = _tests(before, after)
    row = table.loc[("amount", "missing")]
    assert bool(row["drifted"])
    assert (row["before"], row["after"], row["level"]) == (0.0, 0.5, "unknown")
    assert not table.loc[("amount", "value"), "drifted"]
    assert ("count", "missing") not in table.index


def test_infinite_values_count_as_unknown() -> None:
    before, after = _side(1), _side(2)
    after.loc[:99, "amount"] = np.inf
    assert _tests(before, after).loc[("amount", "missing"), "after"] == 0.5


def test_equal_medians_give_way_to_the_shares_that_moved() -> None:
    before, after = _side(1), _side(2)
    before["count"], after["count"] = 0.0, 0.0
    before.loc[:19, "count"], after.loc[:79, "count"] = 3.0, 3.0
    row = _tests(before, after).loc[("count", "value")]
    assert (row["before"], row["after"], row["level"]) == (0.1, 0.4, "above 0")


def test_a_new_level_and_a_level_that_is_gone_are_drift() -> None:
    before, after = _side(1), _side(2)
    after["region"] = after["region"].replace({"EMEA": "LATAM"})
    row = _tests(before, after).loc[("region", "level")]
    assert bool(row["drifted"])
    assert row["level"] in ("EMEA", "LATAM")


def test_rare_levels_are_taken_together_so_that_the_test_holds() -> None:
    before, after = _side(1), _side(2)
    for side in (before, after):
        side.loc[:3, "region"] = ["A1", "A2", "A3", "A4"]
    row = _tests(before, after).loc[("region", "level")]
    assert row["outcome"] == "tested"
    assert row["p_value"] > 0.01


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda side: side.assign(amount=7.0), "constant"),
        (lambda side: side.assign(amount=np.nan), "too_few_known"),
        (lambda side: side.drop(columns="amount"), "column_absent"),
    ],
)
def test_what_cannot_be_tested_says_why(change: object, outcome: str) -> None:
    sides = [change(_side(seed)) for seed in (1, 2)]  # type: ignore[operator]
    row = _tests(*sides).loc[("amount", "value")]
    assert row["outcome"] == outcome
    assert np.isnan(row["p_value"])
    assert not row["drifted"]


def test_an_attribute_of_one_level_or_none_is_not_tested() -> None:
    one = [_side(seed).assign(region="EMEA") for seed in (1, 2)]
    assert _tests(*one).loc[("region", "level"), "outcome"] == "constant"
    gone = [_side(seed).drop(columns="region") for seed in (1, 2)]
    assert _tests(*gone).loc[("region", "level"), "outcome"] == "column_absent"


def test_figures_are_read_without_exponents() -> None:
    assert [figure(value) for value in (28150.4, 0.28961, -1234567.0, 3.0)] == ["28,150", "0.2896", "-1,234,567", "3"]
