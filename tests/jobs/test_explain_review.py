"""The explaining tables of a real review: what managers see of other partners never reaches partners."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.channel import AS_OF, TODAY
from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput
from tierwise.jobs.explain import explain_partner
from tierwise.jobs.explain_scope import explained_partners
from tierwise.jobs.score import ScoreRequest, score
from tierwise.store import list_reviews, read_table
from tierwise.tables.output_schemas import OUTPUT_TABLES

PARTNER_SAFE = {"plans": ("partner_safe_sentence", "gains"), "reasons": ("partner_safe_sentence",)}


def test_only_the_table_that_names_peers_is_for_managers_alone() -> None:
    assert [name for name, table in OUTPUT_TABLES.items() if table.manager_only] == ["similar_partners"]


@pytest.mark.parametrize("name", PARTNER_SAFE)
def test_no_partner_safe_text_names_another_partner(scored_channel: Path, name: str) -> None:
    output = scored_channel / "output"
    partners = set(read_table(output, AS_OF, "recommendations")["partner_id"])
    table = read_table(output, AS_OF, name)
    assert len(table) > 50
    for column in PARTNER_SAFE[name]:
        words = table[column].dropna().str.findall(r"[A-Za-z]*\d+")
        assert not any(partners & set(found) for found in words)


def test_everyone_with_a_tier_above_has_plans_or_an_answer(scored_channel: Path) -> None:
    output = scored_channel / "output"
    recommended = read_table(output, AS_OF, "recommendations")
    plans, roadmap = (read_table(output, AS_OF, name) for name in ("plans", "roadmap"))
    below = recommended.loc[recommended["next_tier"].notna(), "partner_id"]
    assert set(plans["partner_id"]) == set(below)
    assert set(plans.loc[plans["plan"] > 0, "code"]) == {"plan"}
    steps = roadmap.groupby(["partner_id", "plan"]).size()
    counted = plans[plans["plan"] > 0].set_index(["partner_id", "plan"])["steps"]
    assert steps.to_dict() == counted.to_dict()
    assert (roadmap["robustness"] >= 0.9).all()
    move = (roadmap["to"] - roadmap["from"].fillna(0.0)).abs()
    assert (move <= roadmap["most_per_quarter"] * roadmap["quarters"] * (1 + 1e-9)).all()


def test_similar_partners_hold_the_tier_above(scored_channel: Path) -> None:
    output = scored_channel / "output"
    recommended = read_table(output, AS_OF, "recommendations").set_index("partner_id")
    similar = read_table(output, AS_OF, "similar_partners")
    found = similar[similar["rank"] > 0]
    assert (recommended.loc[found["peer_id"], "recommended_tier"].to_numpy() == found["peer_tier"].to_numpy()).all()
    assert (recommended.loc[found["partner_id"], "next_tier"].to_numpy() == found["peer_tier"].to_numpy()).all()


EXPLANATIONS = ("contributions", "plans", "roadmap", "similar_partners", "changes", "moved_metrics")
PLACEMENTS = ("criteria", "components", "metrics")


def _tables(output: Path, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    return {name: read_table(output, AS_OF, name).drop(columns="run_id") for name in names}


def test_explaining_only_who_moves_says_the_same_of_them_and_nothing_of_others(
    scored_channel: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(scored_channel)
    whole = _tables(folder / "output", (*EXPLANATIONS, *PLACEMENTS, "recommendations", "reasons", "baselines"))
    score(load_workspace(folder), ScoreRequest(AS_OF, TODAY, explain="movers"))
    found = _tables(folder / "output", tuple(whole))
    recommended = whole["recommendations"]
    pd.testing.assert_frame_equal(found["recommendations"], recommended)
    movers = set(explained_partners("movers", recommended).partner_ids)
    assert 0 < len(movers) < len(recommended) / 2
    for name in EXPLANATIONS:
        own = whole[name][whole[name]["partner_id"].isin(movers)].reset_index(drop=True)
        pd.testing.assert_frame_equal(found[name], own, check_exact=name != "contributions", rtol=0, atol=1e-12)
    for name in PLACEMENTS:
        pd.testing.assert_frame_equal(found[name], whole[name])
    codes = found["baselines"].groupby("reason_code")["partner_id"].agg(set)
    assert codes["not_explained"] == set(recommended["partner_id"]) - movers
    assert set(found["reasons"]["partner_id"]) == set(recommended["partner_id"])
    own = whole["reasons"][whole["reasons"]["partner_id"].isin(movers)].reset_index(drop=True)
    said = found["reasons"][found["reasons"]["partner_id"].isin(movers)].reset_index(drop=True)
    pd.testing.assert_frame_equal(said, own)
    _check_pages(folder, recommended, movers)


def _check_pages(folder: Path, recommended: pd.DataFrame, movers: set[str]) -> None:
    workspace = load_workspace(folder)
    climbing = recommended[recommended["next_tier"].notna()]
    explained = climbing["partner_id"].isin(movers)
    left_out, told = (
        explain_partner(workspace, climbing.loc[who, "partner_id"].iloc[0]) for who in (~explained, explained)
    )
    assert any("--explain movers" in note for note in left_out.notes)
    assert "--explain all" in left_out.no_plan
    assert [bool(left_out.reasons), bool(left_out.scores), bool(left_out.comparisons)] == [True, True, False]
    assert not any("--explain" in note for note in told.notes)
    assert told.comparisons


def test_a_run_that_explains_nobody_still_has_reasons_and_says_so(
    scored_channel: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(scored_channel)
    before = {review.as_of: review.run_id for review in list_reviews(folder / "output")}
    score(load_workspace(folder), ScoreRequest(AS_OF, TODAY, explain="none"))
    review = next(review for review in list_reviews(folder / "output") if review.as_of == AS_OF)
    assert review.versions["explain"] == "none"
    assert review.run_id != before[AS_OF]
    found = _tables(folder / "output", (*EXPLANATIONS, "baselines", "reasons", "recommendations"))
    assert not any(len(found[name]) for name in EXPLANATIONS)
    assert set(found["baselines"]["reason_code"]) == {"not_explained"}
    assert set(found["reasons"]["partner_id"]) == set(found["recommendations"]["partner_id"])


def test_an_unknown_scope_is_refused(trained_channel: Path) -> None:
    with pytest.raises(InvalidInput, match="is no scope"):
        score(load_workspace(trained_channel), ScoreRequest(AS_OF, TODAY, explain="some"))


def test_who_moves_holds_another_tier_or_waits_for_one() -> None:
    moves = pd.DataFrame(
        {
            "partner_id": ["first", "stays", "rises", "waits"],
            "current_tier": [None, "entry", "entry", "entry"],
            "recommended_tier": ["growth", "entry", "growth", "entry"],
            "pending_tier": [None, None, None, "growth"],
        }
    ).astype("str")
    assert explained_partners("movers", moves).partner_ids.tolist() == ["rises", "waits"]
    assert explained_partners("none", moves).nobody
    assert explained_partners("all", moves).among(moves["partner_id"]).all()
    way_up = explained_partners("movers", moves).with_way_up(moves.assign(next_tier="growth"))
    assert way_up["next_tier"].notna().tolist() == [False, False, True, True]
