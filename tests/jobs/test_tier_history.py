"""The tier history before a review: what was decided goes before what was recommended, and the future is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd

from tests.jobs.tiny_workspace import AS_OF, Rows, accepted, write_workspace
from tests.store.review_example import VERSIONS, recommendations
from tierwise.jobs.tier_history import history_before
from tierwise.store import Review, lock_output, write_review
from tierwise.store.results import TIER_HISTORY_COLUMNS

PARTNERS = [{"partner_id": name, "joined_on": "2020-01-01"} for name in ("A", "B", "C")]
QUARTER, BEFORE = date(2026, 6, 30), date(2026, 3, 31)
EXAMPLE = Review(QUARTER, "run", {}, VERSIONS, score_columns=("value",))


def _recorded(partner_id: str, day: date, tier: str) -> dict[str, object]:
    return {"partner_id": partner_id, "valid_from": day.isoformat(), "tier": tier}


def _write_review(output: Path, day: date, tiers: dict[str, str], **changes: object) -> None:
    frame = recommendations(len(tiers)).assign(partner_id=sorted(tiers), recommended_tier=list(tiers.values()))
    frame = frame.assign(**changes)
    with lock_output(output, f"run-{day}") as lock:
        write_review(lock, replace(EXAMPLE, as_of=day, run_id=f"run-{day}", tables={"recommendations": frame}))


def _history(folder: Path, recorded: Rows | None = None, as_of: date = AS_OF) -> pd.DataFrame:
    tables = {"partners": PARTNERS, **({} if recorded is None else {"tier_history": recorded})}
    workspace = write_workspace(folder, tables)
    with accepted(workspace) as engine:
        return history_before(engine, workspace, workspace.output_folder, as_of)


def _tiers(history: pd.DataFrame) -> list[tuple[str, date, str]]:
    return [(row.partner_id, row.as_of.date(), row.tier) for row in history.itertuples()]


def test_without_a_past_the_history_is_empty_but_has_its_columns(tmp_path: Path) -> None:
    history = _history(tmp_path)
    assert history.empty
    assert tuple(history.columns) == TIER_HISTORY_COLUMNS
    assert history["as_of"].dtype == "datetime64[us]"


def test_recorded_tiers_count_from_the_first_review_on(tmp_path: Path) -> None:
    recorded = [_recorded("B", BEFORE, "entry"), _recorded("A", QUARTER, "growth"), _recorded("A", BEFORE, "entry")]
    history = _history(tmp_path, recorded)
    assert _tiers(history) == [("A", BEFORE, "entry"), ("A", QUARTER, "growth"), ("B", BEFORE, "entry")]
    assert tuple(history.columns) == TIER_HISTORY_COLUMNS
    assert history[["eligible_tier", "action", "rule", "gain_tier", "keep_tier", "notice_on"]].isna().all(axis=None)


def test_what_was_decided_replaces_what_was_recommended_on_the_same_day(tmp_path: Path) -> None:
    _write_review(tmp_path / "output", QUARTER, {"A": "strategic", "B": "growth"})
    history = _history(tmp_path, [_recorded("A", QUARTER, "entry")])
    assert _tiers(history) == [("A", QUARTER, "entry"), ("B", QUARTER, "growth")]


def test_a_decision_keeps_the_bands_and_the_notice_of_the_review_it_answers(tmp_path: Path) -> None:
    notice = pd.Timestamp("2026-06-30")
    bands = {"gain_tier": "growth", "keep_tier": "strategic", "eligible_tier": "growth", "notice_on": notice}
    _write_review(tmp_path / "output", QUARTER, {"A": "strategic"}, rule="demotion_grace", action="hold", **bands)
    (row,) = _history(tmp_path, [_recorded("A", QUARTER, "entry")]).to_dict("records")
    assert row == {
        "partner_id": "A",
        "as_of": notice,
        "tier": "entry",
        "rule": "demotion_grace",
        "action": "hold",
        **bands,
    }


def test_a_decision_between_reviews_stands_beside_them(tmp_path: Path) -> None:
    _write_review(tmp_path / "output", BEFORE, {"A": "entry"})
    between = date(2026, 5, 15)
    history = _history(tmp_path, [_recorded("A", between, "growth")])
    assert _tiers(history) == [("A", BEFORE, "entry"), ("A", between, "growth")]


def test_nothing_of_the_day_itself_or_later_counts(tmp_path: Path) -> None:
    _write_review(tmp_path / "output", QUARTER, {"A": "growth"})
    _write_review(tmp_path / "output", AS_OF, {"A": "strategic"})
    recorded = [_recorded("B", AS_OF, "strategic"), _recorded("C", date(2026, 11, 1), "strategic")]
    assert _tiers(_history(tmp_path, recorded)) == [("A", QUARTER, "growth")]
    assert _history(tmp_path, recorded, as_of=QUARTER).empty


def test_a_partner_that_no_review_knew_is_carried_by_its_record_alone(tmp_path: Path) -> None:
    _write_review(tmp_path / "output", QUARTER, {"A": "growth"})
    history = _history(tmp_path, [_recorded("C", BEFORE, "entry")])
    assert _tiers(history) == [("A", QUARTER, "growth"), ("C", BEFORE, "entry")]
