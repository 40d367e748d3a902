"""What the policy commands answer: findings, differences, previews and replays, from rows made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tierwise.config.policy import Policy
from tierwise.policy import Change, Finding, Preview, Replay
from tierwise.reports.policy import DiffReport, LintReport, PreviewReport, ReplayReport, records, shown_tier
from tierwise.reports.policy_page import preview_page, replay_page

ERROR = Finding("unknown_name", "error", "tiers.gold", "no column ‘revenu’", {"revenue": 5.0}, "write revenue")
NOTE = Finding("unused_flag", "note", "flags.x", "nothing uses it")


@pytest.mark.parametrize(
    ("found", "title"),
    [
        ((), "p@1: nothing found"), ((NOTE,), "p@1: 1 finding, worst: note"),
        ((NOTE, ERROR), "p@1: 2 findings, worst: error"),
    ],
)  # fmt: skip
def test_lint_counts_what_it_found_and_names_the_worst(found: tuple[Finding, ...], title: str) -> None:
    assert LintReport("Shop", {"p@1": found}).as_text().splitlines()[0] == title


def test_lint_refuses_for_errors_alone_and_says_where_and_what_to_do() -> None:
    report = LintReport("Shop", {"p@1": (NOTE,), "p@2": (NOTE, ERROR)})
    assert report.refusal is not None
    (fault,) = report.refusal
    assert (fault.what, fault.where, fault.todo) == ("no column ‘revenu’", "p@2 (tiers.gold)", "write revenue")
    assert LintReport("Shop", {"p@1": (NOTE,)}).refusal is None


def test_machines_get_every_finding_with_its_example_and_the_answer() -> None:
    payload = json.loads(json.dumps(LintReport("Shop", {"p@1": (ERROR,), "p@2": ()}).as_payload()))
    assert payload["accepted"] is False
    assert payload["policies"]["p@1"][0]["example"] == {"revenue": 5.0}
    assert payload["policies"]["p@2"] == []


def test_a_difference_is_one_sentence_a_line_and_none_is_said() -> None:
    changes = (Change("added", "tiers.gold", "gold is new"), Change("removed", "tiers.tin", "tin is gone"))
    report = DiffReport("p@1", "p@2", changes)
    assert report.as_text() == "p@1 → p@2\n  gold is new\n  tin is gone"
    assert [change["kind"] for change in report.as_payload()["changes"]] == ["added", "removed"]
    assert DiffReport("p@1", "p@1", ()).as_text() == "p@1 → p@1\n  nothing changed"


POLICY = Policy.model_validate(
    {
        "policy": "new", "owner": "o", "reason": "r", "effective_from": date(2026, 10, 1), "movement": "none",
        "tiers": [{"name": "low"}, {"name": "R&D", "when": "revenue >= 200"}],
    }
)  # fmt: skip
CHANGES = pd.DataFrame(
    [("low", "R&D", "up", 1200, 1_500_000.4, 90.0), ("R&D", None, "down", 1, 10.0, -40.5),
     ("low", "low", "same", 3, 5.0, 0.0)],
    columns=["tier_in_force", "tier_new", "change", "partners", "revenue", "cost_change"],
)  # fmt: skip
CUTS = pd.DataFrame(
    [("region", "EMEA", "up", 1200, 0.9967, 1_500_000.4, 90.0)],
    columns=["cut", "value", "change", "partners", "share", "revenue", "cost_change"],
)
PREVIEW = PreviewReport(
    "Shop", date(2026, 9, 30), POLICY, None, Preview(pd.DataFrame(index=range(1204)), CHANGES, CUTS), "EUR"
)


def test_a_preview_shows_who_would_be_elsewhere_in_the_programs_currency() -> None:
    moved, cuts = PREVIEW.sections()
    assert moved.text == ("3 of 1,204 partners would be in the same tier by either policy.",)
    assert moved.header[-2:] == ("revenue EUR", "benefit cost EUR")
    assert moved.rows == (
        ("low", "R&D", "up", "1,200", "1,500,000", "+90"),
        ("R&D", "(no tier)", "down", "1", "10", "-40"),
    )
    assert cuts.rows == (("region", "EMEA", "up", "1,200", "99.7%", "1,500,000", "+90"),)


def test_a_preview_in_which_nobody_moves_has_no_empty_table() -> None:
    still = replace(PREVIEW, preview=replace(PREVIEW.preview, changes=CHANGES.tail(1)))
    assert (still.sections()[0].header, still.sections()[0].rows) == ((), ())


def test_a_preview_is_named_by_both_policies_and_the_day() -> None:
    assert PREVIEW.title == f"Preview of {POLICY.version} beside no policy in force, as of 2026-09-30"
    beside = replace(PREVIEW, current=POLICY)
    assert beside.title == f"Preview of {POLICY.version} beside {POLICY.version}, as of 2026-09-30"
    assert PREVIEW.as_payload()["in_force"] is None
    assert beside.as_payload()["in_force"] == POLICY.version


def test_the_place_of_the_page_is_told_once_there_is_one() -> None:
    assert "Page:" not in PREVIEW.as_text()
    written = PREVIEW.with_page(Path("out/preview.html"))
    assert written.as_text().endswith("Page:\nout/preview.html")
    assert (PREVIEW.as_payload()["page"], written.as_payload()["page"]) == (None, "out/preview.html")


def test_the_preview_page_says_its_picture_in_words_and_escapes_tiers() -> None:
    page = preview_page(PREVIEW)
    assert f'aria-label="Partners by tier: today to {POLICY.version}"' in page
    assert "R&D" not in page
    assert "from R&amp;D" in page
    assert "from (no tier)" in page
    assert page == preview_page(PREVIEW)


def test_rows_for_machines_are_plain_and_unknown_is_null() -> None:
    frame = pd.DataFrame(
        {"day": pd.to_datetime(["2026-09-30", None]), "n": np.array([1, 2]), "x": [np.nan, 0.5], "t": ["a", None]}
    )
    plain = records(frame)
    assert plain == [
        {"day": "2026-09-30", "n": 1, "x": None, "t": "a"},
        {"day": None, "n": 2, "x": 0.5, "t": None},
    ]
    assert type(plain[0]["n"]) is int


def test_a_missing_tier_has_a_name_that_no_tier_has() -> None:
    assert [shown_tier(tier) for tier in ("gold", None, np.nan, pd.NA)] == ["gold", *["(no tier)"] * 3]


FIRST, LAST = date(2025, 9, 30), date(2026, 9, 30)


def _replayed(days: tuple[date, ...], **summary: object) -> Replay:
    shares = [(pd.Timestamp(day), tier, part) for day in days for tier, part in (("low", 0.75), ("top", 0.25))]
    row = {
        "reviews": len(days), "partner_years": 1234.5, "promotions": 1100, "demotions": 2,
        "moves_per_partner_year": 0.8925, "reversal_share": 0.125, "mis_tiered_share": np.nan,
    }  # fmt: skip
    return Replay(
        pd.DataFrame(),
        pd.DataFrame(shares, columns=["as_of", "tier", "share"]),
        pd.DataFrame([("low", "top", 1100)], columns=["from_tier", "to_tier", "reviews"]),
        pd.DataFrame([row | summary]),
    )


REPLAY = ReplayReport("Shop", (FIRST, LAST), {"p@1": _replayed((FIRST, LAST))}, with_models=False)


def test_a_replays_figures_are_the_rows_and_what_cannot_be_told_yet_is_a_dash() -> None:
    moves, shares = REPLAY.sections()
    assert moves.rows == (("p@1", "2", "1,234", "1,100", "2", "0.892", "12.5%", "-"),)
    assert shares.rows == (
        ("p@1", "2025-09-30", "low 75.0%, top 25.0%"),
        ("p@1", "2026-09-30", "low 75.0%, top 25.0%"),
    )


def test_a_replay_of_one_review_is_told_as_one() -> None:
    single = ReplayReport("Shop", (LAST,), {"p@1": _replayed((LAST,))}, with_models=False)
    assert single.title == "Replay of one review, 2026-09-30"
    assert [row[1] for row in single.sections()[1].rows] == ["2026-09-30"]
    assert REPLAY.title == "Replay of 2 reviews, 2025-09-30 to 2026-09-30"


@pytest.mark.parametrize(
    ("with_models", "hindsight", "said"),
    [
        (False, (), ""), (True, (), "took the version that was in force"), (True, (FIRST,), "In 1 of 2 reviews no"),
        (True, (FIRST, LAST), "In all reviews no"),
    ],
)  # fmt: skip
def test_hindsight_is_owned_up_to(with_models: bool, hindsight: tuple[date, ...], said: str) -> None:
    report = replace(REPLAY, with_models=with_models, in_hindsight=hindsight)
    notes = report.sections()[0].text[1:]
    assert len(notes) == bool(said)
    assert said in report.as_text()
    assert report.as_payload()["in_hindsight"] == [day.isoformat() for day in hindsight]


def test_policies_replayed_side_by_side_keep_the_order_they_were_named_in() -> None:
    both = replace(REPLAY, replays={"z@1": _replayed((FIRST, LAST)), "a@1": _replayed((LAST,), promotions=7)})
    assert [(row[0], row[3]) for row in both.sections()[0].rows] == [("z@1", "1,100"), ("a@1", "7")]
    payload = json.loads(json.dumps(both.as_payload(), allow_nan=False))
    assert [row["policy"] for row in payload["summary"]] == ["z@1", "a@1"]
    assert payload["summary"][0]["mis_tiered_share"] is None
    assert payload["shares"]["a@1"][0] == {"as_of": "2026-09-30", "tier": "low", "share": 0.75}


def test_the_replay_page_has_two_pictures_a_policy_each_with_words() -> None:
    page = replay_page(REPLAY.with_page(Path("x.html")))
    assert page.count("<svg") == 2
    assert 'aria-label="Tier shares over time by p@1"' in page
    assert 'aria-label="Moves from tier to tier by p@1"' in page
    assert "▲ 1,100" in page
