"""The summary of a review: tiers from the top, moves with their reasons, and where the tables are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from tierwise.reports.review import Move, ReviewSummary, as_payload, as_text, moves_text


def _summary(**changes: object) -> ReviewSummary:
    given: dict[str, object] = {
        "run_id": "f00d",
        "as_of": date(2026, 9, 30),
        "model_version": "3",
        "policy_version": "standard@2026-07-01",
        "composition": pd.DataFrame(
            [("growth", 30, 0.3, np.nan, 0.8), ("entry", 70, 0.7, np.nan, np.nan)],
            columns=["tier", "partners", "share", "before", "revenue_share"],
        ),
        "actions": pd.DataFrame([("hold", 98), ("promote", 2)], columns=["action", "partners"]),
        "moves": (
            Move("P2", "Linden Inc", "promote", "entry", "growth", "USD 626 k", "Rises."),
            Move("P1", "P1", "promote", "entry", "growth", "USD 12 k", "Rises too."),
        ),
        "figure_title": "Won revenue",
        "output": Path("output/2026-09-30"),
        "row_counts": {"recommendations": 100, "reasons": 350},
    }
    return ReviewSummary(**{**given, **changes})  # type: ignore[arg-type]


def test_a_review_reads_from_the_top_tier_down() -> None:
    lines = as_text(_summary()).splitlines()
    assert [line.split()[0] for line in lines[4:6]] == ["growth", "entry"]
    assert lines[5].split() == ["entry", "70", "70.0%", "-", "-"]
    actions = lines[lines.index("Actions proposed:") + 3 :]
    assert [line.split()[:2] for line in actions[:2]] == [["Promote", "2"], ["Hold", "98"]]
    assert actions[0].endswith("rises to a higher tier")


def test_moves_name_the_partner_once() -> None:
    text = as_text(_summary())
    assert "Linden Inc (P2): Promote, entry -> growth; USD 626 k" in text
    assert "  P1: Promote" in text
    assert "P1 (P1)" not in text


def test_a_dry_run_says_that_nothing_was_written() -> None:
    assert "dry run: nothing written" in as_text(_summary(output=None))


def test_machines_get_null_for_what_is_not_known() -> None:
    payload = as_payload(_summary())
    assert payload["composition"][1]["revenue_share"] is None
    assert payload["moves"][0]["partner_id"] == "P2"
    assert payload["output"] == "output/2026-09-30"


def test_a_line_never_breaks_inside_an_amount() -> None:
    reason = "; ".join(f"{'x' * length} USD 505 k to spare, 12.5 % of all" for length in range(1, 60))
    move = Move("P1", "P1", "promote", "entry", "growth", "USD 1 m", reason)
    lines = moves_text(_summary(moves=(move,))).splitlines()[2:]
    assert " ".join(line.strip() for line in lines) == reason
    assert sum(line.count("USD 505 k") for line in lines) == reason.count("USD 505 k")
    assert max(map(len, lines)) <= 118
