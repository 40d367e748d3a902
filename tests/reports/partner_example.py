"""A partner's page with every part filled in, from which tests take what they need."""

from __future__ import annotations

from datetime import date

from tierwise.reports.ladders import Ladders, TrackPlace, UnitPlace
from tierwise.reports.partner import (
    Change,
    Comparison,
    Criterion,
    Family,
    Move,
    PartnerPage,
    Peer,
    Plan,
    Potential,
    Reason,
    Score,
    ScorePart,
    Step,
)

CRITERIA = (
    Criterion(
        "growth", "member", "In the program", "", "is", 1.0, None, None, "true", False, "holds", "must hold", ""
    ),
    Criterion(
        "growth", "revenue", "Won revenue", "revenue_4q", ">=", 62_000.0, 50_000.0, 12_000.0, "true", False,
        "USD 62 k", "≥ USD 50 k", "+USD 12 k",
    ),
    Criterion(
        "strategic", "revenue", "Won revenue", "revenue_4q", ">=", 62_000.0, 420_000.0, -358_000.0, "false", False,
        "USD 62 k", "≥ USD 420 k", "−USD 358 k",
    ),
    Criterion(
        "strategic", "certified", "People certified", "certified", ">=", 4.0, 6.0, -2.0, "false", True,
        "4 people", "≥ 6 people", "−2 people",
    ),
)  # fmt: skip
LADDERS = Ladders(
    tracks=(
        TrackPlace("Cloud skills", "none", "skilled", "", "promote", "skills-board", "from 2026-09-30"),
        TrackPlace("Reach <b>", "broad", "broad", "very broad", "hold", "", ""),
    ),
    units=(
        UnitPlace("Germany", "growth", "strategic", "Won revenue: USD 62 k, asked ≥ USD 420 k", True),
        UnitPlace("(none)", "", "growth", "", False),
    ),
    unit_title="Country",
)
PAGE = PartnerPage(
    as_of=date(2026, 9, 30),
    workspace="demo",
    recommendation={
        "partner_id": "P1", "action": "hold", "current_tier": "growth", "recommended_tier": "growth",
        "eligible_tier": "growth", "next_tier": "strategic", "potential": 412_345.5, "approval_role": "partner-ops",
        "reason_code": "eligible_for_current_tier",
    },
    tiers=("entry", "growth", "strategic", "flagship"),
    name="Linden Inc",
    profile=(("Region", "EMEA"), ("Archetype", "Steady sellers")),
    headline="Linden Inc as of 2026-09-30: hold (growth)",
    next_step="Nothing to decide.",
    reasons=(
        Reason(1, "eligible_for_current_tier", "Stays in growth: the criteria give it.", "You keep your tier growth."),
        Reason(2, "grew", "Sales grew [fast].", "Your sales grew."),
    ),
    criteria=CRITERIA,
    scores=(
        Score(
            "value", "Partner value", 61.0,
            (ScorePart("Revenue", "revenue potential", 20.5, 40.0), ScorePart("Skills", "alignment", 40.5, 60.0)),
        ),
    ),
    potential=Potential(
        412_345.5, 300_000.0, 600_000.0, 62_000.0,
        "Potential over the next 4 quarters: USD 412 k (interval USD 300 k to USD 600 k); from the potential model",
        "USD 412 k", "USD 300 k to USD 600 k", "USD 62 k", "Won revenue", "USD 90 k", "from the potential model",
    ),
    comparisons=(
        Comparison("channel", "the whole channel", (Family("sales", 0.6, 1.82, "× 1.82"),), 0.6),
        Comparison("peers", "peers in strategic", (Family("skills", -0.9, 0.41, "× 0.41"),), -0.9),
    ),
    previous_as_of="2026-06-30",
    changes=(Change("Potential", "USD 400 k", "USD 412 k", "+USD 30 k", "−USD 18 k", "±USD 0", True),),
    moved=(Move("Won revenue", "USD 40 k", "USD 62 k", True),),
    plans=(
        Plan(
            1, "strategic", "Two more certified people.", "Two more certified people would do.",
            (Step("certified", "People certified", "4 people", "6 people", "2026-12-31"),),
            "2026-12-31", 0.875, "Named partner manager; Rebate 5 %", "USD 12 k a year",
        ),
    ),
    peers=(
        Peer(
            "Oak Ltd (P2)", "strategic", "2025-09-30", "region", (Move("Won revenue", "USD 60 k", "USD 450 k", True),)
        ),
    ),
    notes=("12 rows of all partners' data did not keep the contract and were left out.",),
    versions=(("Model", "3"), ("Policy", "standard@2026-07-01"), ("Data fingerprint", "f00d"), ("Run", "run-1")),
)  # fmt: skip
