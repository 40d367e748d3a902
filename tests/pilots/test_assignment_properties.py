"""What must hold of every draw, whatever the units, the arms and the seed."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pilots.known_truth import settings as reading
from tierwise import pilots
from tierwise.config.pilot import AssignmentSettings
from tierwise.errors import InvalidInput
from tierwise.pilots.assignment import whole_shares
from tierwise.pilots.balance import imbalance

TWO = {"control": 1.0, "mdf": 1.0}
strata = st.lists(st.sampled_from(["EMEA", "AMER", "APAC"]), min_size=4, max_size=60)
seeds = st.integers(0, 10_000)
few = settings(max_examples=25)


def units(regions: list[str]) -> pd.DataFrame:
    count = len(regions)
    size = (np.arange(count) * 7919 % 101).astype(float)
    return pd.DataFrame({"partner_id": [f"p{row:03d}" for row in range(count)], "region": regions, "size": size})


def draw(rows: pd.DataFrame, **more: object) -> pilots.Assignment:
    return pilots.assign(rows, AssignmentSettings.model_validate({"arms": TWO, "seed": 1, **more}))


def by_arm(rows: pd.DataFrame, column: str, arms: tuple[str, ...] = tuple(TWO)) -> pd.DataFrame:
    return rows.groupby([column, "arm"]).size().unstack(fill_value=0).reindex(columns=list(arms), fill_value=0)


@few
@given(strata, seeds, st.permutations(range(4)))
def test_every_unit_is_drawn_once_and_the_order_of_rows_is_nothing(regions, seed, order):
    rows = units(regions)
    shuffled = rows.iloc[[*order, *range(4, len(rows))]]
    found = draw(rows, seed=seed, strata=("region",), match_on=("size",))
    assert found.rows["partner_id"].tolist() == rows["partner_id"].tolist()
    assert set(found.rows["arm"]) <= set(TWO)
    assert draw(shuffled, seed=seed, strata=("region",), match_on=("size",)).hash == found.hash


@few
@given(strata, seeds, st.booleans())
def test_two_arms_differ_by_one_at_most_in_every_stratum_and_in_all(regions, seed, match):
    found = draw(units(regions), seed=seed, strata=("region",), match_on=("size",) if match else ())
    counts = by_arm(found.rows, "stratum")
    assert (counts["control"] - counts["mdf"]).abs().max() <= 1
    assert abs(int(counts["control"].sum() - counts["mdf"].sum())) <= 1


@few
@given(strata, seeds)
def test_three_arms_differ_by_one_in_all_and_by_two_at_most_in_a_stratum(regions, seed):
    arms = {"control": 1.0, "mdf": 1.0, "sla": 1.0}
    found = draw(units(regions), seed=seed, arms=arms, strata=("region",))
    counts = by_arm(found.rows, "stratum", tuple(arms))
    assert np.ptp(counts.to_numpy(), axis=1).max() <= 2
    assert np.ptp(counts.sum().to_numpy()) <= 1


@few
@given(st.lists(st.integers(0, 9), min_size=6, max_size=60), seeds, st.booleans())
def test_clusters_are_never_split(members, seed, match):
    rows = units(["EMEA"] * len(members)).assign(distributor=[f"d{number}" for number in members])
    if len(set(members)) < 2:
        with pytest.raises(InvalidInput, match="1 units cannot be drawn into 2 arms"):
            draw(rows, seed=seed, cluster="distributor")
        return
    found = draw(rows, seed=seed, cluster="distributor", match_on=("size",) if match else ()).rows
    assert found.groupby("distributor")["arm"].nunique().max() == 1
    sizes = found.drop_duplicates("distributor")["arm"].value_counts().reindex(list(TWO), fill_value=0)
    assert abs(sizes["control"] - sizes["mdf"]) <= 1


@few
@given(strata, seeds)
def test_the_names_of_the_arms_do_not_change_who_is_drawn(regions, seed):
    plain = draw(units(regions), seed=seed, strata=("region",)).rows["arm"]
    other = draw(units(regions), seed=seed, strata=("region",), arms={"z": 1.0, "a": 1.0}).rows["arm"]
    assert plain.map({"control": "z", "mdf": "a"}).tolist() == other.tolist()


@few
@given(st.floats(0.01, 1000), seeds)
def test_the_unit_of_money_and_of_the_shares_do_not_change_who_is_drawn(scale, seed):
    rows = units(["EMEA"] * 21)
    plain = draw(rows, seed=seed, match_on=("size",))
    arms = {"control": 50.0, "mdf": 50.0}
    other = draw(rows.assign(size=rows["size"] * scale), seed=seed, match_on=("size",), arms=arms)
    assert plain.hash == other.hash


def test_the_hash_is_that_of_the_sorted_lines():
    rows = pd.DataFrame({"partner_id": ["b", "a"], "arm": ["mdf", "control"]})
    assert pilots.assignment_hash(rows) == hashlib.sha256(b"a\tcontrol\nb\tmdf\n").hexdigest()


@few
@given(st.integers(0, 29), st.sampled_from(["arm", "partner_id"]))
def test_the_hash_feels_every_single_change(place, column):
    rows = draw(units(["EMEA"] * 30)).rows
    changed = rows.copy()
    changed.loc[place, column] = "other"
    assert pilots.assignment_hash(changed) != pilots.assignment_hash(rows)


def test_the_hash_does_not_mind_further_columns_or_numbers_for_names():
    rows = pd.DataFrame({"partner_id": [2, 1], "arm": ["mdf", "control"]})
    assert pilots.assignment_hash(rows.assign(more=1)) == pilots.assignment_hash(rows.astype(str).iloc[::-1])


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((1.0, 1.0), (1, 1)),
        ((0.5, 0.25, 0.25), (2, 1, 1)),
        ((0.9, 0.1), (9, 1)),
        ((99.0, 1.0), (99, 1)),
        ((0.97, 0.03), (97, 3)),
        ((0.33, 0.33, 0.34), (33, 33, 34)),
    ],
)
def test_shares_in_whole_percent_are_kept_exactly(shares, expected):
    assert whole_shares({str(place): share for place, share in enumerate(shares)}) == expected


@given(st.floats(0.002, 0.998))
def test_any_other_share_is_kept_within_a_fifth(share):
    above, below = whole_shares({"a": share, "b": 1 - share})
    assert above / (above + below) == pytest.approx(share, rel=0.2)
    assert below / (above + below) == pytest.approx(1 - share, rel=0.2)


@pytest.mark.parametrize("share", [0.01, 0.015, 0.03])
def test_a_small_holdout_passes_the_gate_of_its_own_analysis(share):
    rows = units(["EMEA"] * 6000)
    arms = {"control": share, "mdf": 1 - share}
    found = draw(rows, arms=arms).rows.assign(revenue=np.arange(6000.0))
    assert pilots.analyse(found, reading(shares=arms)).sample_ratio.p > 0.5


def test_neighbours_form_the_pairs():
    rows = units(["EMEA"] * 4).assign(size=[5.0, 1.0, 6.0, 2.0])
    block = draw(rows, match_on=("size",)).rows["block"]
    assert block[0] == block[2] != block[1] == block[3]


def test_whole_clusters_are_matched_by_their_means_and_sizes():
    rows = units(["EMEA"] * 8).assign(distributor=list("aabbccdd"), size=[1, 3, 90, 110, 2, 4, 95, 100])
    found = draw(rows.assign(size=rows["size"].astype(float)), cluster="distributor", match_on=("size",)).rows
    block = found.groupby("distributor")["block"].first()
    assert block["a"] == block["c"] != block["b"] == block["d"]
    assert found.groupby("block")["arm"].nunique().tolist() == [2, 2]


def test_the_balance_table_on_paper():
    """Means 4 and 2, variances 4 and 1: the difference is 2 by the root of 2.5, the ratio of variances 4."""
    rows = pd.DataFrame({"arm": ["mdf"] * 3 + ["control"] * 3, "size": [2.0, 4.0, 6.0, 1.0, 2.0, 3.0]})
    [row] = pilots.balance_table(rows, ["size"], ["control", "mdf"]).to_dict("records")
    assert row["standardised_difference"] == pytest.approx(2 / np.sqrt(2.5))
    assert (row["mean"], row["control_mean"], row["units"]) == (4, 2, 3)
    assert row["variance_ratio"] == pytest.approx(4)


def test_a_column_that_does_not_vary_has_no_standardised_difference():
    rows = pd.DataFrame({"arm": ["mdf", "mdf", "control", "control"], "size": 1.0})
    [row] = pilots.balance_table(rows, ["size"], ["control", "mdf"]).to_dict("records")
    assert np.isnan([row["standardised_difference"], row["variance_ratio"]]).all()


def test_imbalance_on_paper():
    """One column: n1 n0 / n times the gap of the means squared, by the variance: 2 x 2 / 4 x 4 / (5 / 3)."""
    column, arm = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([0, 0, 1, 1])
    assert imbalance(column, arm, 2) == pytest.approx(1 * 4 / (5 / 3))
    assert imbalance(column, np.zeros(4, dtype=np.int64), 2) == float("inf")
    assert imbalance(100 * column + 7, arm, 2) == pytest.approx(imbalance(column, arm, 2))


@pytest.mark.parametrize(("acceptance", "most", "draws"), [(1.0, 1000, 1), (0.1, 1000, 10), (0.01, 30, 30)])
def test_as_many_draws_are_made_as_said(acceptance, most, draws):
    found = draw(units(["EMEA"] * 20), balance=("size",), acceptance=acceptance, most_draws=most)
    assert found.draws == draws
