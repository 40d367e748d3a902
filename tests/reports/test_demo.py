"""The demo's answer: data, model, tiers, moves, and a next command that can be typed as it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from tierwise.reports.demo import DemoSummary, as_payload, as_text
from tierwise.reports.review import Move, ReviewSummary
from tierwise.reports.training import TrainingSummary, gini_by_origin

TRAINING = TrainingSummary(
    date(2026, 6, 30), 1, "champion", 0, 12, "persistence", "no label window has closed yet",
    gini_by_origin(pd.DataFrame()), pd.DataFrame(), "No archetypes are supported: too few partners", (),
)  # fmt: skip
REVIEW = ReviewSummary(
    run_id="f00d",
    as_of=date(2026, 9, 30),
    model_version="1",
    policy_version="standard@2026-07-01",
    composition=pd.DataFrame(
        [("growth", 3, 0.25, np.nan, 0.8)], columns=["tier", "partners", "share", "before", "revenue_share"]
    ),
    actions=pd.DataFrame([("promote", 2)], columns=["action", "partners"]),
    moves=(Move("P7", "Linden Inc", "promote", "entry", "growth", "USD 626 k", "Rises."),),
    figure_title="Won revenue",
    output=Path("demo/output/2026-09-30"),
    row_counts={"recommendations": 12},
)
DEMO = DemoSummary(Path("demo"), 12_345, 67, TRAINING, REVIEW, {"the policy": Path("demo/policies")})


def test_the_text_leads_from_the_data_to_the_next_command() -> None:
    text = as_text(DEMO)
    assert text.startswith("Data: 12,345 rows accepted, 67 quarantined")
    places = [text.index(part) for part in ("Version 1 (champion)", "Tiers recommended", "Promote ", "Linden Inc (P7)")]
    assert places == sorted(places)
    assert "  the policy: demo/policies" in text
    assert text.endswith("tierwise explain P7 --workspace demo")


def test_without_a_move_the_next_command_names_no_made_up_partner() -> None:
    text = as_text(replace(DEMO, review=replace(REVIEW, moves=())))
    assert text.endswith("tierwise explain PARTNER --workspace demo")
    assert "largest moves" not in text


def test_machines_get_all_of_it_in_plain_values() -> None:
    payload = as_payload(DEMO)
    assert (payload["accepted"], payload["quarantined"], payload["folder"]) == (12_345, 67, "demo")
    assert payload["review"]["composition"][0]["before"] is None
    assert payload["training"]["gate"] == "persistence"
    assert payload["files"] == {"the policy": "demo/policies"}
