from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import pilots
from tierwise.config.pilot import AssignmentSettings
from tierwise.errors import InvalidInput
from tierwise.pilots.assignment import whole_shares


@pytest.fixture
def partners() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    count = 203
    return pd.DataFrame(
        {
            "partner_id": [f"p{place:04d}" for place in range(count)],
            "region": rng.choice(["EMEA", "AMER", "APAC"], count),
            "archetype": rng.choice(["a", "b"], count),
            "potential": rng.lognormal(10, 1, count),
            "tenure": rng.integers(1, 40, count),
            "distributor": [f"d{number:02d}" for number in rng.integers(0, 24, count)],
        }
    )


def settings(**more: object) -> AssignmentSettings:
    return AssignmentSettings.model_validate({"arms": {"control": 1, "mdf": 1}, "seed": 5, **more})


PAIRS = {"strata": ("region", "archetype"), "match_on": ("potential",)}


def test_the_same_seed_gives_the_same_arms_in_whatever_order_the_rows_come(partners):
    read = settings(**PAIRS, balance=("tenure",))
    one, other = pilots.assign(partners, read), pilots.assign(partners.sample(frac=1, random_state=1), read)
    pd.testing.assert_frame_equal(one.rows, other.rows)
    assert one.hash == other.hash == pilots.assignment_hash(one.rows.sample(frac=1, random_state=2))
    assert (
        pilots.assign(partners, settings(**PAIRS, balance=("tenure",)).model_copy(update={"seed": 6})).hash != one.hash
    )


def test_every_partner_is_in_one_arm_and_arms_are_of_the_sizes_asked_for(partners):
    rows = pilots.assign(partners, settings(arms={"control": 2, "mdf": 1, "sla": 1})).rows
    assert sorted(rows["partner_id"]) == sorted(partners["partner_id"])
    counts = rows["arm"].value_counts()
    assert abs(counts["control"] - 203 / 2) <= 2
    assert abs(counts["mdf"] - 203 / 4) <= 2


def test_pairs_are_neighbours_and_hold_one_of_each_arm(partners):
    found = pilots.assign(partners, settings(**PAIRS)).rows.merge(partners, on="partner_id")
    whole = found.groupby("block").filter(lambda rows: len(rows) == 2)
    assert len(whole) >= 0.95 * len(found)
    assert (whole.groupby("block")["arm"].nunique() == 2).all()
    assert (whole.groupby("block")[["region", "archetype"]].nunique() == 1).all(axis=None)
    gap = whole.groupby("block")["potential"].agg(np.ptp).median()
    assert gap < 0.1 * found["potential"].std()


def test_strata_are_split_evenly(partners):
    found = pilots.assign(partners, settings(strata=("region", "archetype"))).rows
    counts = found.groupby(["stratum", "arm"]).size().unstack()
    assert ((counts["control"] - counts["mdf"]).abs() <= 1).all()


def test_clusters_are_drawn_as_a_whole(partners):
    found = pilots.assign(partners, settings(cluster="distributor")).rows
    assert (found.groupby("distributor")["arm"].nunique() == 1).all()
    assert found.drop_duplicates("distributor")["arm"].value_counts().to_dict() == {"control": 12, "mdf": 12}


def test_drawing_again_balances(partners):
    plain = pilots.assign(partners, settings(match_on=(), balance=("potential", "tenure"), acceptance=1.0))
    again = pilots.assign(partners, settings(balance=("potential", "tenure"), acceptance=0.01))
    assert (plain.draws, again.draws) == (1, 100)
    assert again.imbalance < plain.imbalance
    assert again.balance["standardised_difference"].abs().max() < 0.05
    assert list(again.balance["column"]) == ["potential", "tenure"]


def test_each_unit_gets_each_arm_as_often_as_drawn(partners):
    few = partners.head(41)
    treated = np.zeros(41)
    for seed in range(150):
        rows = pilots.assign(few, settings(seed=seed, strata=("region",), match_on=("potential",))).rows
        treated += (rows["arm"] == "mdf").to_numpy()
    assert np.abs(treated / 150 - 0.5).max() < 4.5 * 0.5 / np.sqrt(150)


@given(st.lists(st.integers(1, 6), min_size=2, max_size=4))
def test_whole_shares_keep_the_proportions(shares):
    parts = whole_shares({str(place): share * 0.1 for place, share in enumerate(shares)})
    assert [part / sum(parts) for part in parts] == pytest.approx([share / sum(shares) for share in shares])
    assert sum(parts) <= sum(shares)


def test_all_faults_come_at_once(partners):
    bad = partners.assign(
        potential=partners["potential"].mask(partners.index == 2), region=partners["region"].mask(partners.index == 1)
    )
    bad = pd.concat([bad, bad.iloc[[0]]])
    with pytest.raises(InvalidInput) as caught:
        pilots.assign(bad, settings(**PAIRS))
    assert len(caught.value.faults) == 3
    assert "p0002" in str(caught.value)
    with pytest.raises(InvalidInput, match="did you mean 'region'"):
        pilots.assign(partners, settings(strata=("regoin",)))
    with pytest.raises(InvalidInput, match="more than one stratum"):
        pilots.assign(partners, settings(cluster="distributor", strata=("region",)))
    with pytest.raises(InvalidInput, match="1 units cannot be drawn into 2 arms"):
        pilots.assign(partners.head(1), settings())


def test_the_drawn_arms_pass_the_gate_of_the_analysis(partners):
    from tests.pilots.known_truth import settings as reading

    found = pilots.assign(partners, settings(**PAIRS)).rows.assign(revenue=np.arange(203.0))
    analysis = pilots.analyse(found, reading(pair="block", permutations=99))
    assert analysis.sample_ratio.passed
    assert 0 < analysis.results[0].diagnostics["p_randomisation"] <= 1
