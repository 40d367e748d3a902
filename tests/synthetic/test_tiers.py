"""The tier history is what the demo workspace's policy of 2024-10-01 says, read from its file."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from tests.synthetic.conftest import query
from tierwise.config.load import load_workspace
from tierwise.config.policy import load_policy
from tierwise.engine import open_engine
from tierwise.jobs.init import InitRequest, init, packaged_workspace
from tierwise.metrics import compute
from tierwise.policy import move, place
from tierwise.store.sources import read_tables
from tierwise.synthetic.profiles import USD_RATES
from tierwise.synthetic.tiers import THRESHOLDS_USD, TIERS
from tierwise.tables import check_tables

REVIEWS = [
    date(2024, 12, 31), date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31), date(2026, 3, 31),
    date(2026, 6, 30),
]  # fmt: skip


def test_the_policy_file_has_the_same_tiers_and_thresholds():
    policy = load_policy(packaged_workspace("demo") / "policies" / "2024-10-01.yaml")
    assert policy.tier_names == TIERS
    for tier, threshold in zip(policy.tiers[1:], THRESHOLDS_USD, strict=True):
        assert tier.when == f"revenue_4q >= {threshold:.0f} and status <> 'left'"
    assert policy.movement.demote.at == "year_end"
    assert policy.movement.demote.steps == 1


def known_revenue(channel, as_of: date) -> pd.Series:
    """Won dollars of the four quarters up to a day, as known on it."""
    start = (pd.Timestamp(as_of) - pd.DateOffset(years=1) + pd.offsets.MonthEnd(0)).date()
    rows = query(
        channel,
        f"""SELECT partner_id, CAST(amount AS DOUBLE), currency FROM deals WHERE status = 'won'
            AND decided_on > DATE '{start}' AND decided_on <= DATE '{as_of}' AND known_on <= DATE '{as_of}'""",
    )
    frame = pd.DataFrame(rows, columns=["partner_id", "amount", "currency"])
    return (frame["amount"] * frame["currency"].map(USD_RATES)).groupby(frame["partner_id"]).sum()


def replayed(channel) -> dict[tuple[str, date], str]:
    """The history by the rules, one partner and review at a time."""
    partners = query(channel, "SELECT partner_id, joined_on, left_on FROM partners")
    revenue = {review: known_revenue(channel, review).to_dict() for review in REVIEWS}
    history = {}
    for partner, joined, left in partners:
        tier = None
        for review in (day for day in REVIEWS if day >= joined):
            reached = sum(revenue[review].get(partner, 0.0) >= threshold for threshold in THRESHOLDS_USD)
            if left is not None and left < review:
                tier = 0
            elif tier is None or reached > tier:
                tier = reached
            elif reached < tier and review.month == 9:
                tier -= 1
            history[(partner, review)] = TIERS[tier]
    return history


def test_the_history_is_a_replay_of_the_rules(clean):
    rows = query(clean, "SELECT partner_id, valid_from, tier FROM tier_history")
    assert {(partner, day): tier for partner, day, tier in rows} == replayed(clean)


def test_tiers_are_a_pyramid(large):
    counts = dict(
        query(large, "SELECT tier, count(*) FROM tier_history WHERE valid_from = DATE '2026-06-30' GROUP BY 1")
    )
    share = {tier: count / sum(counts.values()) for tier, count in counts.items()}
    assert share["entry"] == pytest.approx(0.51, abs=0.06)
    assert share["growth"] == pytest.approx(0.32, abs=0.05)
    assert share["strategic"] == pytest.approx(0.12, abs=0.04)
    assert 0.015 <= share["flagship"] <= 0.05


@pytest.fixture(scope="module")
def review_of_june(tmp_path_factory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The review of 2026-06-30 as the engine makes it from the demo's files, and the whole tier history."""
    made = init(InitRequest(tmp_path_factory.mktemp("tiers") / "demo", "demo", seed=1))
    workspace = load_workspace(made.folder)
    with open_engine(workspace.settings.engine) as engine:
        read_tables(engine, workspace)
        check_tables(engine, workspace, date(2026, 10, 15))
        rows = compute(engine, workspace, [REVIEWS[-1]])
        history = engine.frame("SELECT partner_id, valid_from AS as_of, tier FROM tier_history")
        known = history.assign(as_of=pd.to_datetime(history["as_of"]), eligible_tier=None, action=None, rule=None)
        policy = workspace.policy_on(REVIEWS[-1])
        earlier = known[known["as_of"] < pd.Timestamp(REVIEWS[-1])]
        review = move(policy, place(engine, policy, rows), earlier, REVIEWS[-1], workspace.settings.calendar)
    return review, known


def test_the_engine_gives_the_same_tiers_as_the_history(review_of_june):
    """Two implementations of the older policy, the generator's and the policy engine's, agree on every partner."""
    review, history = review_of_june
    last = history[history["as_of"] == pd.Timestamp(REVIEWS[-1])]
    expected = last.set_index("partner_id")["tier"].sort_index()
    assert review.set_index("partner_id")["recommended_tier"].sort_index().to_dict() == expected.to_dict()
    assert {"promote", "hold", "place"} <= set(review["action"])
