"""Reasons come in the order of what decided, at most four, in plain words; none tells what a partner may not see."""

from __future__ import annotations

import math
import string
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from tierwise.explain.reasons import MOST_REASONS, ReasonTables, word_reasons
from tierwise.explain.reasons_potential import Peers, family_effects
from tierwise.explain.reasons_scores import score_extremes
from tierwise.explain.sentences import DECIDING, SENTENCES
from tierwise.explain.wording import Wording
from tierwise.policy.caps import CAP_RULES
from tierwise.policy.movement_rules import MOVEMENT_RULES

WORDING = Wording(
    titles={"revenue_4q": "Won revenue, last 4 quarters", "value": "Partner value"},
    units={"revenue_4q": "USD", "value": "points"},
    tier_names=("entry", "growth", "strategic"),
    target_unit="USD",
    horizon="4 quarters",
    settings={"promotion_band": "5 %", "demotion_band": "10 %", "evidence": "2 deals"},
)


def _moves(**changes: object) -> pd.DataFrame:
    row = {
        "partner_id": "P1", "current_tier": "growth", "eligible_tier": "growth", "recommended_tier": "growth",
        "next_tier": "strategic", "action": "hold", "rule": "unchanged", "reason_code": "eligible_for_current_tier",
        "pending_tier": None, "approval_role": None, "grace_until": pd.NaT, "potential": 520_000.0,
        "potential_source": "model", "manager": "M7",
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


def _tables(moves: pd.DataFrame) -> ReasonTables:
    criteria = pd.DataFrame(
        {
            "partner_id": "P1", "tier": ["growth", "strategic"], "criterion": "revenue", "metric": "revenue_4q",
            "operator": ">=", "threshold": [100_000.0, 400_000.0], "value": 250_000.0, "met": ["true", "false"],
            "gap": [0.0, 150_000.0], "route": "", "cheapest": True, "expression": "revenue_4q >= 400000",
        }
    )  # fmt: skip
    components = pd.DataFrame(
        {
            "partner_id": "P1", "score": "value", "component": ["certified", "revenue"],
            "points": [2.0, 31.0], "max_points": [12.0, 40.0],
        }
    )  # fmt: skip
    contributions = pd.DataFrame(
        {
            "partner_id": "P1",
            "family": ["sales", "sales", "service"],
            "contribution": [math.log(1.5), math.log(1.2), -0.1],
        }
    )
    return ReasonTables(date(2026, 9, 30), moves, criteria, components, contributions)


def test_the_reasons_of_a_partner_who_stays() -> None:
    said = word_reasons(_tables(_moves()), WORDING)
    assert said["sentence"].tolist() == [
        "Stays in growth: the criteria give the tier already held.",
        "The nearest gap to strategic is won revenue over the last 4 quarters: USD 250 k as of 2026-09-30, at least"
        " USD 400 k needed, USD 150 k short.",
        "Partner value: 33; most from revenue (31 of 40), most room in certified (2 of 12).",
        "Potential USD 520 k over the next 4 quarters, associated with sales (× 1.80) and service (× 0.90) against "
        "the whole channel.",
    ]
    assert said["rank"].tolist() == [1, 2, 3, 4]
    assert len(said) <= MOST_REASONS


@pytest.mark.parametrize(
    ("source", "code"),
    [("persistence", "potential_unchanged"), ("cold_start", "potential_from_profile")],
)
def test_a_potential_without_a_proven_model_says_so(source: str, code: str) -> None:
    said = word_reasons(_tables(_moves(potential_source=source)), WORDING)
    assert said["code"].iloc[-1] == code


def _with_strategic_partners(tables: ReasonTables, count: int) -> ReasonTables:
    ids = [f"S{number:02d}" for number in range(count)]
    others = pd.concat([_moves(partner_id=name, recommended_tier="strategic", next_tier=None) for name in ids])
    moves = pd.concat([tables.moves, others], ignore_index=True).assign(region="EMEA")
    rows = tables.criteria[tables.criteria["tier"] == "strategic"]
    criteria = [rows.assign(partner_id=name, value=655_000.0, met="true", gap=0.0) for name in ids]
    return replace(tables, moves=moves, criteria=pd.concat([tables.criteria, *criteria], ignore_index=True))


def _of(tables: ReasonTables, code: str, wording: Wording = WORDING) -> pd.Series:
    said = word_reasons(tables, wording)
    return said[(said["partner_id"] == "P1") & (said["code"] == code)].iloc[0]


def test_the_median_of_enough_peers_stands_beside_the_own_figure() -> None:
    both = ("sentence", "partner_safe_sentence")
    found = _of(_with_strategic_partners(_tables(_moves()), 10), "missing_for_next_tier")
    assert all(found[column].endswith(" Median of strategic partners in EMEA: USD 655 k.") for column in both)
    few = _of(_with_strategic_partners(_tables(_moves()), 9), "missing_for_next_tier")
    assert all("edian" not in few[column] for column in both)


def test_partners_are_told_no_value_of_a_score_or_a_model() -> None:
    hidden = replace(WORDING, internal=frozenset({"revenue_4q"}))
    found = _of(_tables(_moves()), "missing_for_next_tier", hidden)
    assert "USD 250 k" in found["sentence"]
    assert found["partner_safe_sentence"] == (
        "For strategic, your won revenue over the last 4 quarters is not there yet."
    )


def test_what_separates_from_peers_is_told_to_the_manager_only() -> None:
    against = pd.DataFrame({"partner_id": "P1", "family": ["sales"], "contribution": [math.log(0.5)]})
    chosen = pd.DataFrame(
        {
            "partner_id": ["P1"],
            "peers_tier": "strategic",
            "peers_by": "region",
            "peers_group": "EMEA",
            "peers": [24],
        }
    )
    tables = replace(_tables(_moves()), peers=Peers(against, chosen, "region"))
    found = _of(tables, "potential_families")
    assert found["sentence"].endswith("; against 24 strategic partners in EMEA, with sales (× 0.50).")
    assert "24" not in found["partner_safe_sentence"]


@pytest.mark.parametrize(
    ("action", "met", "code"),
    [("hold", "false", "condition_missing"), ("promote", "true", "condition_met")],
)
def test_a_condition_is_told_in_words(action: str, met: str, code: str) -> None:
    tables = _tables(_moves(action=action, recommended_tier="growth" if action == "hold" else "strategic"))
    rows = tables.criteria[tables.criteria["tier"] == "strategic"]
    condition = rows.assign(operator="is", expression="status <> 'left'", threshold=1.0, value=0.0, met=met, gap=1.0)
    found = _of(replace(tables, criteria=condition), code)
    assert "2026-09-30: status is not left" in found["sentence"]
    assert "status" not in found["partner_safe_sentence"]
    named = replace(WORDING, conditions={("strategic", "revenue"): "In the program"})
    assert "2026-09-30: in the program" in _of(replace(tables, criteria=condition), code, named)["sentence"]


def test_a_formula_is_told_in_words_and_hidden_where_one_of_its_figures_is() -> None:
    tables = _tables(_moves())
    formula = replace(tables, criteria=tables.criteria.assign(metric="revenue_4q + revenue_4q"))
    found = _of(formula, "missing_for_next_tier", replace(WORDING, internal=frozenset({"revenue_4q"})))
    assert (
        "won revenue over the last 4 quarters plus won revenue over the last 4 quarters: USD 250 k" in found["sentence"]
    )
    assert "USD" not in found["partner_safe_sentence"]


@pytest.mark.parametrize("code", ["missing_for_next_tier", "score_parts", "potential_families"])
def test_partners_are_not_even_told_the_name_of_what_stays_in_the_house(code: str) -> None:
    hidden = frozenset({"won revenue over the last 4 quarters", "revenue", "sales"})
    found = _of(_tables(_moves()), code, replace(WORDING, internal=frozenset({"revenue_4q"}), hidden=hidden))
    assert any(text in found["sentence"] for text in hidden)
    assert not any(text in found["partner_safe_sentence"].casefold() for text in hidden)
    assert found["partner_safe_sentence"]


def test_a_score_without_a_point_says_so() -> None:
    tables = _tables(_moves())
    found = _of(replace(tables, components=tables.components.assign(points=0.0)), "score_zero")
    assert found["sentence"] == ("Partner value: 0; no component gives a point yet, most room in revenue (0 of 40).")


def test_every_reason_code_of_the_movement_rules_and_caps_has_its_sentences() -> None:
    codes = {rule.reason_code for rule in (*MOVEMENT_RULES, *CAP_RULES)}
    assert codes == set(DECIDING)


@pytest.mark.parametrize("code", sorted(DECIDING))
def test_every_deciding_reason_can_be_worded_from_a_bare_row(code: str) -> None:
    bare = _moves(reason_code=code, current_tier=None, eligible_tier=None, recommended_tier=None, potential=np.nan)
    said = word_reasons(_tables(bare), WORDING)
    assert said["code"].iloc[0] == code
    assert "{" not in said["sentence"].iloc[0]
    assert "nan" not in said["sentence"].iloc[0]


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_no_partner_safe_sentence_names_a_manager_weight_or_other_partner(code: str) -> None:
    names = {name for _, name, _, _ in string.Formatter().parse(SENTENCES[code].partner_safe) if name}
    assert names.isdisjoint(
        {"manager", "approval_role", "families", "best_points", "worst_points", "points", "evidence"}
    )
    assert "higher-ranked" not in SENTENCES[code].partner_safe


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_no_sentence_claims_a_cause(code: str) -> None:
    both = SENTENCES[code].manager + SENTENCES[code].partner_safe
    assert "because" not in both.lower()
    assert "causes" not in both.lower()


def test_score_extremes_leave_out_what_cannot_be_told() -> None:
    assert score_extremes(
        pd.DataFrame({"partner_id": [], "score": [], "component": [], "points": [], "max_points": []})
    ).empty


def test_families_are_summed_and_the_strongest_come_first() -> None:
    rows = pd.DataFrame({"partner_id": "P1", "family": ["a", "b", "b", "c"], "contribution": [0.1, -0.2, -0.3, 0.0]})
    effects = family_effects(rows)["P1"]
    assert [family for family, _ in effects] == ["b", "a"]
    assert effects[0][1] == pytest.approx(math.exp(-0.5))
