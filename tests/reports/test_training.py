"""The summary of a training compares like with like and says what could not be tested."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from tierwise.reports.training import TrainingSummary, as_payload, as_text, gini_by_origin


def _scores(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["origin", "candidate", "value"])
    return frame.assign(score="gini", partners=100)


SCORES = _scores(
    ("2025-03-31", "persistence", 0.70), ("2025-03-31", "chosen", 0.70),
    ("2025-06-30", "persistence", 0.80), ("2025-06-30", "model", 0.90), ("2025-06-30", "chosen", 0.90),
    ("2025-09-30", "persistence", 0.82), ("2025-09-30", "model", 0.86), ("2025-09-30", "chosen", 0.86),
    ("all", "persistence", 0.77), ("all", "model", 0.88), ("all", "chosen", 0.82),
)  # fmt: skip


def test_the_mean_covers_only_origins_at_which_every_candidate_was_tested() -> None:
    table = gini_by_origin(SCORES).set_index("origin")
    assert table.loc["mean of 2", ["persistence", "model", "chosen"]].tolist() == pytest.approx([0.81, 0.88, 0.88])
    assert table.loc["mean of 2", "partners"] == 200
    assert list(table.index) == ["2025-03-31", "2025-06-30", "2025-09-30", "mean of 2"]


def test_without_a_completed_review_the_text_says_so() -> None:
    empty = pd.DataFrame()
    summary = TrainingSummary(
        date(2026, 9, 30), 1, "champion", 0, 12, "persistence", "no label window has closed yet", gini_by_origin(empty),
        pd.DataFrame(), "No archetypes are supported: too few partners", ("no_interval: no review has completed",),
    )  # fmt: skip
    text = as_text(summary)
    assert "nothing could be tested out of time" in text
    assert "note: no_interval" in text


def test_an_untested_candidate_is_a_dash_and_null_never_a_number() -> None:
    summary = TrainingSummary(
        date(2026, 9, 30), 2, "challenger", 10, 5, "model", "better", gini_by_origin(SCORES),
        pd.DataFrame([("a1", "Many logins", 5, 1.0)], columns=["archetype_id", "archetype", "partners", "share"]),
        "1 archetypes", (),
    )  # fmt: skip
    rows = [line.split() for line in as_text(summary).splitlines()]
    assert ["2025-03-31", "100", "0.700", "-", "0.700"] in rows
    assert as_payload(summary)["gini"][0]["model"] is None
