"""Medians of those placed in a tier: of the region where enough are there, else of the tier, else none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierwise.explain.peers import FEWEST_PEERS
from tierwise.explain.peers_medians import find_medians, with_medians


def _review(counts: dict[str, int], known: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Strategic partners by region with revenues 1, 2, ... and one asking partner P of EMEA."""
    regions = [region for region, count in counts.items() for _ in range(count)]
    ids = [f"S{number:03d}" for number in range(len(regions))]
    moves = pd.DataFrame(
        {
            "partner_id": [*ids, "P"],
            "recommended_tier": ["strategic"] * len(ids) + ["growth"],
            "region": [*regions, "EMEA"],
        }
    )
    revenue = np.arange(1.0, len(ids) + 1)
    revenue[int(known * len(ids)) :] = np.nan
    criteria = pd.DataFrame(
        {"partner_id": [*ids, "P"], "tier": "strategic", "metric": "revenue_4q", "value": [*revenue, 0.5]}
    )
    return moves, criteria.assign(operator=">=")


def _told(moves: pd.DataFrame, criteria: pd.DataFrame, operator: str = ">=") -> pd.Series:
    return with_medians(_asked(operator), moves, find_medians([criteria], moves)).iloc[0]


def _asked(operator: str = ">=") -> pd.DataFrame:
    return pd.DataFrame({"partner_id": ["P"], "tier": ["strategic"], "metric": ["revenue_4q"], "operator": [operator]})


def test_the_median_of_the_own_region_is_told_first() -> None:
    moves, criteria = _review({"AMER": 20, "EMEA": 10})
    found = _told(moves, criteria)
    assert (found["median_of"], found["region"], found["median"]) == ("group", "EMEA", 25.5)


def test_too_few_of_the_region_leave_the_tier() -> None:
    moves, criteria = _review({"AMER": 20, "EMEA": FEWEST_PEERS - 1})
    found = _told(moves, criteria)
    assert (found["median_of"], found["median"]) == ("tier", 15.0)


def test_fewer_than_ten_partners_are_never_told_of() -> None:
    moves, criteria = _review({"AMER": 5, "EMEA": 4})
    assert _told(moves, criteria)["median_of"] == ""


def test_unknown_values_do_not_count_as_partners() -> None:
    moves, criteria = _review({"EMEA": 12}, known=0.75)
    assert _told(moves, criteria)["median_of"] == ""


def test_a_condition_has_no_median() -> None:
    moves, criteria = _review({"EMEA": 12})
    assert _told(moves, criteria, "is")["median_of"] == ""


def test_blocks_of_partners_give_the_medians_of_all() -> None:
    moves, criteria = _review({"AMER": 20, "EMEA": 10})
    whole, cut = find_medians([criteria], moves), find_medians([criteria[:7], criteria[7:]], moves)
    pd.testing.assert_frame_equal(whole.of_tier, cut.of_tier)
    pd.testing.assert_frame_equal(whole.of_group, cut.of_group)


def test_without_regions_the_whole_tier_counts() -> None:
    moves, criteria = _review({"AMER": 6, "EMEA": 6})
    found = _told(moves.drop(columns="region"), criteria)
    assert (found["median_of"], found["median"]) == ("tier", 6.5)
