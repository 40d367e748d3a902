"""The explaining tables of a real review: what managers see of other partners never reaches partners."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.channel import AS_OF
from tierwise.store import read_table
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
