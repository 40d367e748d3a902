"""What is said about plans: own figures with units, today's criteria, no promise, and what a tier would mean."""

from __future__ import annotations

import string

import pandas as pd
import pytest

from tierwise.config.benefits import TierBenefits
from tierwise.explain.plans import step_text, word_plans
from tierwise.explain.plans_benefits import GainsText, costs_text
from tierwise.explain.plans_sentences import PLAN, PLAN_SENTENCES
from tierwise.explain.wording import Wording

WORDING = Wording(
    titles={"sales": "Won sales", "people": "People certified"},
    units={"sales": "EUR", "people": "people"},
    tier_names=("entry", "growth"),
    target_unit="EUR",
    horizon="4 quarters",
)
SETTINGS = {"quarters": "8", "levers": "won sales, people certified"}
PROMISES = ("will be promoted", "will become", "guarantee", "you will reach", "ensures")


def _plan(code: str = PLAN, robustness: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "partner_id": ["P"], "plan": [1 if code == PLAN else 0], "code": [code], "reaches_tier": ["growth"],
            "effort": [2.25], "by_when": [pd.Timestamp(2027, 3, 31)], "robustness": [robustness],
            "expires_on": [pd.Timestamp(2026, 12, 31)],
        }
    )  # fmt: skip


STEPS = pd.DataFrame(
    {"partner_id": "P", "plan": 1, "step": [1, 2], "metric": ["people", "sales"], "from": [float("nan"), 52_000.0],
     "to": [3.0, 73_500.0]}
)  # fmt: skip


def test_a_plan_is_said_in_the_partners_own_figures() -> None:
    row = word_plans(_plan(), STEPS, WORDING, SETTINGS).iloc[0]
    steps = "people certified from an unknown figure to 3 people; and won sales from EUR 52.0 k to EUR 73.5 k"
    assert row["sentence"] == (
        f"Would meet today's criteria of growth with {steps}: about 2.2 quarters of work at the pace of comparable"
        " partners, by 2027-03-31 at the earliest; it holds by every model trained again on other draws of partners."
    )
    assert row["partner_safe_sentence"] == (
        f"With {steps} you would meet today's criteria of growth, by 2027-03-31 at the earliest. This is no promise of"
        " a tier: it stands until 2026-12-31 and is worked out anew at every review."
    )


def test_a_version_without_retrained_models_says_nothing_of_them() -> None:
    row = word_plans(_plan(robustness=float("nan")), STEPS, WORDING, SETTINGS).iloc[0]
    assert row["sentence"].endswith("at the earliest.")


@pytest.mark.parametrize("code", [code for code in PLAN_SENTENCES if code != PLAN])
def test_every_answer_without_a_plan_is_worded_for_both(code: str) -> None:
    row = word_plans(_plan(code), STEPS.iloc[:0], WORDING, SETTINGS).iloc[0]
    assert "growth" in row["sentence"]
    assert "growth" in row["partner_safe_sentence"]


@pytest.mark.parametrize("code", PLAN_SENTENCES)
def test_no_wording_promises_a_tier_or_names_what_is_internal(code: str) -> None:
    sentence = PLAN_SENTENCES[code]
    for text in (sentence.manager, sentence.partner_safe):
        assert not any(promise in text.lower() for promise in PROMISES)
    fields = {name for _, name, _, _ in string.Formatter().parse(sentence.partner_safe) if name}
    assert fields <= {"tier", "steps", "by_when", "expires_on", "quarters"}
    assert "model" not in sentence.partner_safe


def test_every_code_is_told_in_the_docs(repository) -> None:
    page = (repository / "docs" / "roadmaps.md").read_text("utf-8")
    assert [code for code in PLAN_SENTENCES if f"`{code}`" not in page] == []


def test_a_figure_without_a_title_is_shown_by_its_name() -> None:
    assert step_text("joint_deals", 1.0, 2.0, WORDING) == "joint deals from 1 to 2"


GROWTH = TierBenefits.model_validate(
    {
        "supports": ["Portal", "Named manager"],
        "incentives": [{"name": "Rebate", "rate": 0.05, "on": "sales", "cap": 2000}, "Early access"],
        "sla": {"first_response_hours": 4, "resolution_hours": 48},
        "unit_cost": 12_000,
        "capacity": {"manager_hours": 24, "engineer_hours": 0},
    }
)
ENTRY = TierBenefits.model_validate({"supports": ["Portal"], "sla": {"first_response_hours": 24}})


def test_gains_are_what_comes_on_top_with_money_at_todays_figures() -> None:
    assert GainsText.of(GROWTH, ENTRY, WORDING, "EUR").at({"sales": 30_000.0}) == (
        "Supports: Named manager. Incentives: Rebate (5 % of won sales, EUR 1,500 at today's figures, at most"
        " EUR 2,000 a year); Early access. Service: first response within 4 working hours (now 24), resolution within"
        " 48 working hours."
    )


def test_an_incentive_is_capped_and_an_unknown_base_gives_no_amount() -> None:
    assert "EUR 2,000 at today's figures" in GainsText.of(GROWTH, None, WORDING, "EUR").at({"sales": 1e6})
    assert "at today's figures" not in GainsText.of(GROWTH, None, WORDING, "EUR").at({"sales": float("nan")})


def test_costs_are_for_managers_and_never_in_the_gains() -> None:
    assert costs_text(GROWTH, "EUR") == "Costs us EUR 12.0 k a year without incentives. Needs 24 manager hours."
    assert costs_text(TierBenefits(), "EUR") == ""
    assert "Costs" not in GainsText.of(GROWTH, ENTRY, WORDING, "EUR").at({})
