"""The summary of a review: every number is one that the output tables give too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.tiny_workspace import AS_OF, write_workspace
from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.jobs.review_summary import MOST_MOVES, Written, _held, summarise
from tierwise.reports.review import ReviewSummary, actions_text

Row = tuple[str, str | None, str | None, str, float]


@dataclass(frozen=True)
class _Review:
    """As much of a scored review as the summary reads."""

    policy: Policy
    inputs: pd.DataFrame
    moves: pd.DataFrame
    as_of: date = AS_OF
    run_id: str = "f00d"
    model_version: str = "3"


@dataclass(frozen=True)
class _Layout:
    """As much of a review's layout as the summary reads."""

    workspace: Workspace
    review: _Review
    names: pd.DataFrame
    reasons: pd.DataFrame

    def reasons_of(self, partner_ids: list[str]) -> pd.DataFrame:
        return self.reasons[self.reasons["partner_id"].isin(partner_ids)]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return write_workspace(tmp_path, {})


def _summary(workspace: Workspace, *rows: Row, names: dict[str, str] | None = None) -> ReviewSummary:
    """Summarise partners given as `id, tier before, tier now, action, revenue`; each has three reasons."""
    frame = pd.DataFrame(rows, columns=["partner_id", "current_tier", "recommended_tier", "action", "revenue_4q"])
    frame = frame.assign(eligible_tier=frame["recommended_tier"], rule=frame["action"])
    frame = frame.astype(dict.fromkeys(("current_tier", "recommended_tier", "eligible_tier"), "str"))
    called = pd.DataFrame({"partner_id": frame["partner_id"]})
    called["partner_name"] = frame["partner_id"].map(names or {}).astype("str")
    reasons = pd.DataFrame(
        [(name, rank, f"{name} says {rank}.") for name in frame["partner_id"] for rank in (1, 2, 3)],
        columns=["partner_id", "rank", "sentence"],
    )
    review = _Review(workspace.policies[0], frame[["partner_id", "revenue_4q"]], frame.drop(columns="revenue_4q"))
    layout = _Layout(workspace, review, called, reasons)
    return summarise(layout, Written(None, {"reasons": len(reasons)}))  # type: ignore[arg-type]


def test_the_composition_counts_every_partner_once_from_the_top_down(workspace: Workspace) -> None:
    found = _summary(
        workspace,
        ("A", "growth", "strategic", "promote", 600.0),
        ("B", "growth", "growth", "hold", 300.0),
        ("C", "entry", "entry", "hold", 100.0),
        ("D", "entry", None, "exit", 0.0),
    ).composition.set_index("tier")
    assert list(found.index) == ["strategic", "growth", "entry", "no tier"]
    assert found["partners"].tolist() == [1, 1, 1, 1]
    assert found["before"].tolist() == [0, 2, 2, 0]
    assert found["revenue_share"].tolist() == pytest.approx([0.6, 0.3, 0.1, 0.0])
    assert found["share"].sum() == pytest.approx(1)


def test_refunds_beyond_sales_take_nothing_from_others_shares(workspace: Workspace) -> None:
    found = _summary(workspace, ("A", None, "growth", "place", 50.0), ("B", None, "entry", "place", -50.0))
    shares = found.composition.set_index("tier")["revenue_share"]
    assert (shares["growth"], shares["entry"]) == (1.0, 0.0)


def test_without_any_revenue_there_is_no_share_of_it(workspace: Workspace) -> None:
    found = _summary(workspace, ("A", None, "growth", "place", 0.0), ("B", None, "entry", "place", np.nan))
    assert found.composition["revenue_share"].isna().all()


def test_a_first_review_has_no_before_and_shows_its_placements_above_entry(workspace: Workspace) -> None:
    found = _summary(
        workspace,
        ("A", None, "growth", "place", 10.0),
        ("B", None, "strategic", "place", 5.0),
        ("C", None, "entry", "place", 900.0),
    )
    assert found.composition["before"].isna().all()
    assert [(move.partner_id, move.from_tier, move.to_tier) for move in found.moves] == [
        ("B", "no tier", "strategic"),
        ("A", "no tier", "growth"),
    ]


def test_moves_come_by_steps_then_by_value_then_by_name(workspace: Workspace) -> None:
    found = _summary(
        workspace,
        ("E", "entry", "growth", "promote", 500.0),
        ("D", "entry", "growth", "promote", 500.0),
        ("C", "strategic", "growth", "demote", 900.0),
        ("B", "strategic", "entry", "demote", 1.0),
        ("A", "entry", "strategic", "promote", 2.0),
        ("H", "strategic", "strategic", "hold", 9999.0),
        ("N", None, "strategic", "place", 8888.0),
    )
    assert [move.partner_id for move in found.moves] == ["A", "B", "C", "D", "E"]


def test_no_more_moves_than_an_eye_takes_in(workspace: Workspace) -> None:
    rows = [(f"P{number:02d}", "entry", "growth", "promote", float(number)) for number in range(12)]
    found = _summary(workspace, *rows)
    assert [move.partner_id for move in found.moves] == ["P11", "P10", "P09", "P08", "P07"]
    assert len(found.moves) == MOST_MOVES


def test_a_move_has_its_name_its_figure_and_its_two_first_reasons(workspace: Workspace) -> None:
    found = _summary(
        workspace,
        ("A", "entry", "growth", "promote", 412_345.0),
        ("B", "growth", "entry", "demote", np.nan),
        names={"A": "Zoë & Söhne"},
    )
    first, second = found.moves
    assert (first.name, first.figure, first.reason) == ("Zoë & Söhne", "USD 412 k", "A says 1. A says 2.")
    assert (second.name, second.figure) == ("B", "unknown")


def test_actions_are_counted(workspace: Workspace) -> None:
    found = _summary(workspace, ("A", None, "growth", "place", 1.0), ("B", None, "entry", "place", 1.0))
    assert found.actions.to_dict("records") == [{"action": "place", "partners": 2}]
    assert found.figure_title == "Won revenue, last 4 quarters"


def test_held_partners_are_counted_by_the_rule_that_holds_them(workspace: Workspace) -> None:
    rows = pd.DataFrame(
        [
            ("growth", "strategic", "growth", "hold", "promotion_band"),
            ("growth", "entry", "growth", "watch", "demotion_grace"),
            ("growth", "strategic", "growth", "hold", "promotion_band"),
            ("growth", "growth", "growth", "hold", "unchanged"),
            ("entry", "strategic", "growth", "promote", "promotion_steps"),
            (None, "strategic", "growth", "place", "tier_share_cap"),
            (None, None, None, "hold", "unchanged"),
            ("exit", None, "exit", "hold", "unchanged"),
        ],
        columns=["current_tier", "eligible_tier", "recommended_tier", "action", "rule"],
    )
    held = _held(rows)
    assert held.values.tolist() == [["promotion_band", 2], ["demotion_grace", 1]]
    text = actions_text(replace(_summary(workspace, ("A", None, "growth", "place", 1.0)), held=held))
    said, held_by = text.split("\n\n")[-1].split(", by rule:\n")
    assert said == "3 partners stay in another tier than their figures alone say"
    assert [line.rsplit(maxsplit=1) for line in held_by.splitlines()[2:]] == [
        ["promotion band", "2"],
        ["demotion grace", "1"],
    ]
