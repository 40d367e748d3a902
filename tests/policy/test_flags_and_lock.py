"""Dated flags on policy inputs, and the refusal to score by a policy that was edited since it decided."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from tests.metrics.small_workspaces import fill, make_workspace
from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.errors import InvalidInput, Refused
from tierwise.jobs import policy_lock
from tierwise.jobs.policy_inputs import policy_inputs
from tierwise.policy import place, with_flags

DAY = date(2026, 6, 30)
HEAD = {"policy": "x", "effective_from": date(2026, 1, 1), "owner": "o", "reason": "r"}
FLAGS = pd.DataFrame(
    {
        "partner_id": ["a", "b", "b"],
        "flag": ["paid", "paid", "invited_top"],
        "from": pd.to_datetime(["2026-06-30", "2026-07-01", "2020-01-01"]),
        "until": pd.to_datetime([None, None, "2026-06-30"]),
        "author": ["kim", "kim", "lee"],
    }
)


def test_flag_counts_from_its_first_to_its_last_day() -> None:
    inputs = pd.DataFrame({"partner_id": ["a", "b", "c"]})
    on_day, day_after = with_flags(inputs, FLAGS, DAY), with_flags(inputs, FLAGS, date(2026, 7, 1))
    assert on_day[["invited_top", "paid"]].to_numpy().tolist() == [[False, True], [True, False], [False, False]]
    assert day_after[["invited_top", "paid"]].to_numpy().tolist() == [[False, True], [False, True], [False, False]]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (FLAGS.assign(author=["kim", None, " "]), "a flag has no author"),
        (FLAGS.drop(columns="until"), "lacks until"),
        (FLAGS.assign(flag="revenue"), "the name of a metric"),
    ],
)
def test_flags_that_cannot_be_used_are_refused(flags: pd.DataFrame, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        with_flags(pd.DataFrame({"partner_id": ["a"], "revenue": [1.0]}), flags, DAY)


def test_flags_of_a_workspace_reach_the_policy(engine: Engine) -> None:
    text: dict = {}
    tables = {
        "partners": {"kind": "partners", "columns": {"partner_id": text}},
        "deals": {"kind": "events", "columns": {"partner_id": text, "date": text, "amount": {"type": "money"}}},
        "flags": {
            "kind": "events",
            "columns": {"partner_id": text, "date": text, "flag": text, "until": {"type": "date"}, "author": text},
        },
    }
    metrics = {"revenue": {"from": "deals", "value": "sum(amount)", "window": "lifetime", "missing": 0}}
    workspace = make_workspace(metrics, tables)
    given = {"partner_id": "a", "date": "2026-01-01", "flag": "invited_top", "author": "kim"}
    deals = [{"partner_id": name, "date": "2026-01-01", "amount": 100} for name in "ab"]
    fill(engine, workspace, {"partners": [{"partner_id": "a"}, {"partner_id": "b"}], "deals": deals, "flags": [given]})
    inputs = policy_inputs(engine, workspace, [DAY], with_models=False)[DAY]
    tiers = [{"name": "low"}, {"name": "top", "when": "revenue >= 100", "invitation": True}]
    placed = place(engine, Policy.model_validate({**HEAD, "tiers": tiers}), inputs)
    assert placed.tiers["eligible_tier"].tolist() == ["top", "low"]


def test_edited_policy_is_refused_before_anything_is_scored(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    decided = Policy.model_validate({**HEAD, "tiers": [{"name": "low"}]})
    edited = Policy.model_validate({**HEAD, "tiers": [{"name": "lower"}]})
    versions = {"policy": decided.version, "policy_sha256": decided.sha256}
    monkeypatch.setattr(policy_lock, "list_reviews", lambda _: [SimpleNamespace(as_of=DAY, versions=versions)])
    policy_lock.refuse_edited_policies(SimpleNamespace(policies=(decided,)), tmp_path)
    with pytest.raises(Refused, match="was edited, but it has decided the review of 2026-06-30"):
        policy_lock.refuse_edited_policies(SimpleNamespace(policies=(edited,)), tmp_path)
