"""The one blob that archetypes must beat: it has the partners' zeros, ties, peaks and correlations, and no groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.archetypes import blob as blob_module
from tierwise.archetypes import fit
from tierwise.archetypes.blob import Blob, compare_with_blob
from tierwise.archetypes.one_peak import one_peak
from tierwise.archetypes.space import fit_space
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet

SPEC = ArchetypeSpec(bootstraps=5, null_draws=39)
QUICK = ArchetypeSpec(k_max=5, starts=4, bootstraps=4, null_draws=39)


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_it_keeps_spread_and_the_shares_of_yes_no_columns() -> None:
    rng = random(2)
    matrix = np.column_stack((rng.normal(0, 3, 4000), rng.random(4000) < 0.2)).astype(np.float64)
    drawn = Blob.of(matrix, [[0], [1]], rng).draw(rng)
    assert drawn[:, 0].std() == pytest.approx(3, rel=0.05)
    assert drawn[:, 1].sum() == matrix[:, 1].sum()


def test_it_keeps_correlations_of_values_and_of_zeros() -> None:
    rng = random(3)
    level = rng.normal(size=3000)
    shown = [level + rng.normal(0, 0.7, 3000) > limit for limit in (0.3, -0.2)]
    values = [np.where(there, 0.8 * level + rng.normal(0, 0.5, 3000), 0.0) for there in shown]
    matrix = np.column_stack([column for pair in zip(shown, values, strict=True) for column in pair]).astype(np.float64)
    drawn = Blob.of(matrix, [[0, 1], [2, 3]], rng).draw(rng)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), np.cov(matrix, rowvar=False), atol=0.06)
    assert (drawn[drawn[:, 0] == 0, 1] == 0).all()
    assert drawn[:, 2].sum() == matrix[:, 2].sum()


def test_zeros_that_always_come_together_still_do() -> None:
    rng = random(4)
    there = rng.random(500) < 0.6
    values = [np.where(there, rng.normal(size=500), 0.0) for _ in range(2)]
    matrix = np.column_stack((there, values[0], there, values[1])).astype(np.float64)
    drawn = Blob.of(matrix, [[0, 1], [2, 3]], rng).draw(rng)
    assert (drawn[:, 0] == drawn[:, 2]).mean() > 0.95  # independent ones would in .52


def test_few_partners_who_differ_only_in_size_stay_as_alike() -> None:
    rng = random(13)
    level = rng.normal(size=60)
    matrix = np.column_stack([level + rng.normal(0, 0.1, 60) for _ in range(3)])
    blob = Blob.of(matrix, [[0], [1], [2]], rng)
    drawn = np.mean([np.corrcoef(blob.draw(rng), rowvar=False) for _ in range(40)], axis=0)
    np.testing.assert_allclose(drawn, np.corrcoef(matrix, rowvar=False), atol=0.008)


def test_peaks_that_are_joined_do_not_change_how_metrics_go_together() -> None:
    rng = random(14)
    side = np.where(rng.random(400) < 0.5, -1.5, 1.5)
    matrix = np.column_stack([side + rng.normal(size=400) for _ in range(2)])
    blob = Blob.of(matrix, [[0], [1]], rng)
    drawn = np.mean([np.corrcoef(blob.draw(rng), rowvar=False)[0, 1] for _ in range(20)])
    assert drawn == pytest.approx(np.corrcoef(matrix, rowvar=False)[0, 1], abs=0.01)


def test_a_zero_is_a_low_value_in_one_kind_of_blob_and_its_own_matter_in_the_other() -> None:
    rng = random(15)
    level, other = rng.normal(size=500), rng.normal(size=500)
    matrix = np.column_stack((level > 0.2, np.where(level > 0.2, level, 0.0), other)).astype(np.float64)
    two_parts, censored = (Blob.of(matrix, [[0, 1], [2]], random(1), kind) for kind in (False, True))
    assert (two_parts.root.T @ two_parts.root)[0, 1] == pytest.approx(0, abs=0.1)
    assert (censored.root.T @ censored.root)[0, 1] > 0.99
    for blob in (two_parts, censored):
        drawn = blob.draw(rng)
        assert drawn[:, 0].sum() == matrix[:, 0].sum()
        assert (drawn[drawn[:, 0] == 0, 1] == 0).all()


def test_a_split_must_beat_both_kinds_of_blob(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[bool] = []
    answers = {False: (np.array([0.3, 0.1]), np.array([0.02, 0.5])), True: (np.array([0.2, 0.4]), np.array([0.3, 0.4]))}

    def answered(*given: object) -> tuple[np.ndarray, np.ndarray]:
        return answers[kinds[-1]]

    def noted(matrix: object, groups: object, rng: object, censored: bool = False) -> None:
        kinds.append(censored)

    monkeypatch.setattr(blob_module, "_compare", answered)
    monkeypatch.setattr(blob_module.Blob, "of", noted)
    matrix = np.column_stack((np.repeat([0.0, 1.0], 30), np.linspace(0, 1, 60) * np.repeat([0.0, 1.0], 30)))
    found = compare_with_blob(matrix, [2, 3], SPEC, random(1), [[0, 1]])
    assert kinds == [False, True]
    assert [(one.gain, one.p_value) for one in found] == [(0.2, 0.3), (0.1, 0.5)]
    compare_with_blob(matrix, [2, 3], SPEC, random(1))
    assert kinds == [False, True, False]


def test_a_partner_has_one_level_of_an_attribute_and_levels_keep_their_shares() -> None:
    rng = random(5)
    level = rng.integers(0, 3, 600)
    matrix = np.column_stack((np.eye(3)[level] * 0.7, rng.normal(size=600)))
    drawn = Blob.of(matrix, [[0, 1, 2], [3]], rng).draw(rng)
    np.testing.assert_allclose(drawn[:, :3].sum(axis=1), 0.7)
    np.testing.assert_allclose(drawn[:, :3].sum(axis=0), matrix[:, :3].sum(axis=0))


def test_unknown_values_stay_at_the_centre() -> None:
    rng = random(6)
    matrix = np.column_stack((np.where(rng.random(400) < 0.3, 0.0, rng.normal(size=400)), rng.normal(size=400)))
    drawn = Blob.of(matrix, [[0], [1]], rng).draw(rng)
    assert (drawn[:, 0] == 0).sum() == (matrix[:, 0] == 0).sum()


def test_two_peaks_become_one_and_mean_and_spread_stay() -> None:
    rng = random(7)
    values = np.sort(np.concatenate((rng.normal(-3, 0.5, 400), rng.normal(3, 0.5, 400))))
    drawn = one_peak(values).draw(np.sort(rng.random(800)))
    assert (np.abs(values) < 1).mean() < 0.01
    assert (np.abs(drawn) < 1).mean() > 0.1
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.3)
    assert drawn.std() == pytest.approx(values.std(), rel=0.1)


def test_counts_with_few_values_stay_as_they_are() -> None:
    values = np.sort(random(8).integers(0, 6, 300)).astype(np.float64)
    np.testing.assert_array_equal(one_peak(values).draw(np.linspace(0, 1, 300)), values)


def test_the_same_seed_draws_the_same_blob() -> None:
    matrix = random(10).normal(size=(200, 3))
    first, second = (Blob.of(matrix, [[0], [1], [2]], random(1)).draw(random(2)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_no_number_of_clusters_to_compare_is_no_split() -> None:
    assert compare_with_blob(random(1).normal(size=(50, 2)), [], SPEC, random(1)) == []


def test_the_columns_of_a_metric_and_of_an_attribute_belong_together() -> None:
    rng = random(11)
    rows = pd.DataFrame(
        {
            "partner_id": [f"P{number:03d}" for number in range(200)],
            "plain": np.exp(rng.normal(size=200)),
            "zeros": np.where(rng.random(200) < 0.5, 0.0, np.exp(rng.normal(size=200))),
            "region": rng.choice(["AMER", "APAC", "EMEA"], 200),
        }
    ).astype({"partner_id": "str", "region": "str"})
    features = FeatureSet((Feature("plain"), Feature("zeros")), "none", attributes=("region",))
    space = fit_space(rows, {"plain": 1.0, "zeros": 1.0}, features, SPEC)
    assert space.groups == [[0], [1, 2], [3, 4, 5]]
    assert space.matrix(rows).shape[1] == 6


def one_kind(shape: str, seed: int, partners: int) -> pd.DataFrame:
    """Partners of one kind, in shapes that a round Gaussian is not: their metrics as columns."""
    rng = random(seed)
    normal, turn = rng.normal(size=(partners, 4)), rng.normal(size=(4, 4))
    level = rng.normal(size=(partners, 1))
    values = {
        "long": normal @ turn,
        "heavy": normal @ turn / np.sqrt(rng.chisquare(3, (partners, 1)) / 3),
        "square": rng.random((partners, 4)),
        "revenue only": np.exp(level + np.array([0.0, 1.0, 2.0, 3.0])) * np.exp(0.1 * normal),
        "zeros": np.where(level + 0.6 * normal > 0, np.exp(level + normal / 2), 0.0),
    }[shape]
    rows = pd.DataFrame(values, columns=list("abcd"))
    return rows.assign(partner_id=[f"P{number:04d}" for number in range(partners)]).astype({"partner_id": "str"})


@pytest.mark.parametrize("shape", ["long", "heavy", "square", "revenue only", "zeros"])
def test_partners_of_one_kind_support_no_archetypes(shape: str) -> None:
    features = FeatureSet(tuple(Feature(name) for name in "abcd"), "none")
    partners = 240 if shape == "zeros" else 80
    found = [fit(one_kind(shape, seed, partners), features, QUICK, 1).supported for seed in range(20, 24)]
    assert sum(found) <= 1  # a tenth at most may be: two or more of four in 5 of 100 such tests


def test_metrics_that_say_the_same_still_do() -> None:
    rng = random(12)
    level = rng.normal(size=150)
    matrix = np.column_stack([level + rng.normal(0, 0.02, 150) for _ in range(3)])
    drawn = Blob.of(matrix, [[0], [1], [2]], rng).draw(rng)
    assert np.corrcoef(drawn, rowvar=False).min() > 0.995
