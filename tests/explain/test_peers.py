"""Peers: the next tier of the same region, else archetype, else the whole channel, and only of the same source."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.explain.peers import FEWEST_PEERS, PEER_CODES, choose_peers, peer_groups

BY = ("region", "archetype")


def _partners(*groups: tuple[int, str, str | None, str | None, str | None, str]) -> pd.DataFrame:
    """Rows of (how many, tier, next tier, region, archetype, source)."""
    columns = ["tier", "next_tier", "region", "archetype", "potential_source"]
    rows = [group[1:] for group in groups for _ in range(group[0])]
    frame = pd.DataFrame(rows, columns=columns).astype("str")
    return frame.assign(partner_id=[f"P{number:03d}" for number in range(len(frame))])


def _first(partners: pd.DataFrame) -> pd.Series:
    return choose_peers(partners, BY).iloc[0]


ASKING = (1, "entry", "growth", "EMEA", "a1", "model")


def test_partners_of_the_same_region_come_first() -> None:
    partners = _partners(ASKING, (FEWEST_PEERS, "growth", None, "EMEA", "a2", "model"))
    found = _first(partners)
    assert found[["peers_tier", "peers_by", "peers_group", "peers"]].tolist() == ["growth", "region", "EMEA", 10]
    assert found["reason_code"] == "peers_found"


def test_too_few_of_the_region_leave_it_to_the_archetype() -> None:
    partners = _partners(
        ASKING, (FEWEST_PEERS - 1, "growth", None, "EMEA", "a2", "model"), (12, "growth", None, "APAC", "a1", "model")
    )
    assert _first(partners)[["peers_by", "peers_group", "peers"]].tolist() == ["archetype", "a1", 12]


def test_too_few_of_both_leave_it_to_the_whole_tier() -> None:
    partners = _partners(ASKING, (3, "growth", None, "EMEA", "a2", "model"), (4, "growth", None, "APAC", "a1", "model"))
    assert _first(partners)[["peers_by", "peers_group", "peers"]].tolist() == ["channel", "channel", 7]


@pytest.mark.parametrize(
    ("partners", "code"),
    [
        (_partners((1, "flagship", None, "EMEA", "a1", "model")), "no_next_tier"),
        (_partners(ASKING), "nobody_in_next_tier"),
        (_partners(ASKING, (20, "growth", None, "EMEA", "a1", "cold_start")), "no_peers_of_same_source"),
    ],
)
def test_who_has_nobody_to_compare_with_is_told_why(partners: pd.DataFrame, code: str) -> None:
    found = _first(partners)
    assert found["reason_code"] == code
    assert code in PEER_CODES
    assert found[["peers_tier", "peers_by", "peers_group"]].isna().all()
    assert found["peers"] == 0


def test_an_unknown_region_is_no_region() -> None:
    unknown = (1, "entry", "growth", None, None, "model")
    partners = _partners(unknown, (30, "growth", None, None, None, "model"))
    assert _first(partners)["peers_by"] == "channel"


def test_groups_hold_exactly_the_partners_that_were_chosen() -> None:
    random = np.random.default_rng(3)
    tiers = np.array(["entry", "growth", "strategic"])
    tier = random.integers(0, 3, 400)
    partners = pd.DataFrame(
        {
            "partner_id": [f"P{number:03d}" for number in range(400)],
            "tier": tiers[tier],
            "next_tier": pd.Series(tiers[np.minimum(tier + 1, 2)], dtype="str").where(tier < 2),
            "region": random.choice(["EMEA", "AMER"], 400),
            "archetype": random.choice(["a", "b", "c"], 400),
            "potential_source": random.choice(["model", "cold_start"], 400, p=[0.9, 0.1]),
        }
    )
    chosen = choose_peers(partners, BY)
    groups = list(peer_groups(partners, chosen))
    members = np.sort(np.concatenate([group.members for group in groups]))
    np.testing.assert_array_equal(members, np.flatnonzero(chosen["peers"] > 0))
    for group in groups:
        own, peers = chosen.iloc[group.members], partners.iloc[group.peers]
        assert (own["peers"] == len(peers)).all()
        assert set(peers["tier"]) == set(own["peers_tier"])
        assert set(peers["potential_source"]) == {group.source}
        by = own["peers_by"].iloc[0]
        assert by == "channel" or set(peers[by]) == set(own["peers_group"])
