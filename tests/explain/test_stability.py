"""The checks of how far explanations can be trusted, on answers known by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.explain.stability import (
    CHECKS,
    masked_correlation,
    report,
    strongest_agreement,
    top_overlap,
    wide_parts,
)


def _wide(*rows: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list("abcd")[: len(rows[0])])


def test_the_same_model_agrees_with_itself() -> None:
    own = _wide((1.0, -3.0, 0.5), (0.2, 0.1, 0.0))
    assert strongest_agreement(own, [own, own]) == 1.0
    assert top_overlap(own, [own]) == 1.0


def test_agreement_counts_partners_and_retrains() -> None:
    own = _wide((1.0, 0.0), (0.0, 1.0))
    half, none = _wide((1.0, 0.0), (1.0, 0.0)), _wide((0.0, 1.0), (1.0, 0.0))
    assert strongest_agreement(own, [half, none]) == pytest.approx(0.25)
    assert top_overlap(_wide((4, 3, 2, 0)), [_wide((4, 0, 3, 2))], top=3) == pytest.approx(2 / 3)


def test_a_column_that_only_one_has_counts_as_nothing_in_the_other() -> None:
    own, other = pd.DataFrame({"a": [2.0], "b": [1.0]}), pd.DataFrame({"a": [2.0], "z": [1.0]})
    assert top_overlap(own, [other], top=2) == pytest.approx(1 / 2)


def test_nothing_to_compare_with_is_unknown() -> None:
    assert np.isnan(strongest_agreement(_wide((1.0,)), []))
    assert np.isnan(top_overlap(_wide((1.0,)), []))
    assert np.isnan(masked_correlation(np.zeros((2, 2)), np.ones((2, 2))))


def test_masked_effects_correlate_with_what_causes_them() -> None:
    random = np.random.default_rng(1)
    parts = random.normal(size=(200, 5))
    assert masked_correlation(parts, 2 * parts) == pytest.approx(1.0)
    assert abs(masked_correlation(parts, random.normal(size=(200, 5)))) < 0.1


def test_parts_are_summed_by_family_and_zero_where_there_are_none() -> None:
    parts = pd.DataFrame(
        {
            "partner_id": ["P", "P", "Q"],
            "feature": list("abc"),
            "family": ["f", "f", "g"],
            "contribution": [1.0, 2.0, 5.0],
        }
    )
    wide = wide_parts(parts, "family", pd.Series(["Q", "P", "R"]))
    assert wide.to_numpy().tolist() == [[0, 5], [3, 0], [0, 0]]


def test_the_report_has_a_row_per_check_and_leaves_what_is_unknown_missing() -> None:
    found = report({"top_family_agreement": 0.9})
    assert found["check"].tolist() == list(CHECKS)
    assert found["value"].notna().sum() == 1
