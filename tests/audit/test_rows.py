"""Which rows are compared: one per partner, the same ones whatever the order of rows, shared by both sides."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.audit.panels import Panel, stationary
from tierwise.audit import reference_rows
from tierwise.audit.rows import drawn_partners

PANEL = Panel(partners=60)


def test_one_row_a_partner_of_any_review_whatever_the_order() -> None:
    past, _ = stationary(PANEL, 1)
    drawn = reference_rows(past, PANEL.features, 7)
    assert list(drawn["partner_id"]) == sorted(past["partner_id"].unique())
    assert drawn["as_of"].nunique() == PANEL.reviews
    counts = drawn["as_of"].value_counts()
    assert counts.min() >= 5  # about 15 of 60 each
    again = reference_rows(past.sample(frac=1, random_state=3), PANEL.features, 7)
    pd.testing.assert_frame_equal(drawn, again)
    assert list(drawn.columns) == ["partner_id", "as_of", *PANEL.features.names, "region"]


def test_another_seed_draws_other_reviews() -> None:
    past, _ = stationary(PANEL, 1)
    first, second = (reference_rows(past, PANEL.features, seed) for seed in (7, 8))
    assert 5 < (first["as_of"] != second["as_of"]).sum() < 60


def test_two_draws_share_as_many_partners_as_can_be() -> None:
    before = pd.Series([f"P{number}" for number in range(1000)])
    after = pd.Series([f"P{number}" for number in range(100, 1100)])
    first, second = drawn_partners(before, 7, 200), drawn_partners(after, 7, 200)
    assert len(first) == len(second) == 200
    # All drawn of the first who are still there and within the bound are drawn again.
    assert len(set(first) & set(second)) >= 165
    assert list(first) == sorted(first)


@pytest.mark.parametrize("most", [60, 61, 5000])
def test_few_partners_are_all_drawn(most: int) -> None:
    partners = pd.Series([f"P{number}" for number in range(60)])
    assert sorted(partners) == list(drawn_partners(partners, 7, most))


def test_a_channel_without_training_rows_draws_nobody() -> None:
    past, _ = stationary(PANEL, 1)
    assert reference_rows(past.head(0), PANEL.features, 7).empty
