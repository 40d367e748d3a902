"""One partner's page: every figure on it is the stored one, written with its unit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.tiny_workspace import AS_OF, write_workspace
from tests.store.review_example import VERSIONS, reasons, recommendations
from tierwise.config.load import Workspace
from tierwise.errors import InvalidInput
from tierwise.jobs.explain import SOURCES, STRONGEST_FAMILIES, explain_partner
from tierwise.reports.partner import as_text
from tierwise.store import Review, lock_output, write_review
from tierwise.tables.output_schemas import sort_rows

CRITERIA = [
    # tier, criterion, expression, metric, operator, threshold, value, met, gap
    ("entry", "1", "certified >= 0", "certified", ">=", 0.0, 3.0, "true", 0.0),
    ("growth", "1", "certified >= 2", "certified", ">=", 2.0, 3.0, "true", 0.0),
    ("growth", "2", "revenue_4q >= 50000", "revenue_4q", ">=", 50_000.0, 62_345.0, "true", 0.0),
    ("strategic", "1", "certified >= 6", "certified", ">=", 6.0, 3.0, "false", 3.0),
    ("strategic", "2", "revenue_4q >= 1e6", "revenue_4q", ">=", 1e6, np.nan, "unknown", np.nan),
    ("strategic", "3", "region = 'EMEA'", "region", "is", 1.0, 0.0, "false", 1.0),
]
CRITERIA_COLUMNS = ["tier", "criterion", "expression", "metric", "operator", "threshold", "value", "met", "gap"]
EFFECTS = {"sales": [0.7, -0.1], "skills": [-0.9], "pipeline": [0.05], "a": [0.2], "b": [0.3], "c": [0.001]}


def _tables(**changes: object) -> dict[str, pd.DataFrame]:
    """The tables of a review of three partners; the details are those of the first."""
    known = {
        "recommended_tier": "growth", "current_tier": "entry", "potential": 412_345.0, "potential_low": 9_876.0,
        "potential_high": np.nan, "partner_name": "Zoë GmbH",
    }  # fmt: skip
    frame = recommendations(3)
    for column, value in (known | changes).items():
        frame[column] = value
    criteria = pd.DataFrame(CRITERIA, columns=CRITERIA_COLUMNS)
    effects = [
        (family, f"{family}_{number}", effect)
        for family, values in EFFECTS.items()
        for number, effect in enumerate(values)
    ]
    contributions = pd.DataFrame(effects, columns=["family", "feature", "contribution"])
    contributions = contributions.assign(
        target="potential", baseline="channel", value=np.nan, factor=np.exp(contributions["contribution"])
    )
    steps = pd.DataFrame([("certified", 3.0, 7.0), ("revenue_4q", np.nan, 1.05e6)], columns=["metric", "from", "to"])
    plan = {"plan": 1, "effort": 1.0, "reaches_tier": "strategic", "valid": True, "robustness": np.nan}
    steps = steps.assign(step=[1, 2], expires_on=pd.Timestamp(2026, 12, 31), **plan)
    details = {
        "criteria": criteria.assign(route=None, cheapest=False),
        "contributions": contributions,
        "roadmap": steps,
    }
    own = {name: sort_rows(name, table.assign(partner_id="P00000")) for name, table in details.items()}
    return {"recommendations": frame, "reasons": reasons(3), **own}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return write_workspace(tmp_path, {})


def _write(workspace: Workspace, day: date = AS_OF, **changes: object) -> Workspace:
    written = Review(day, f"run-{day}", _tables(**changes), VERSIONS, score_columns=("value",))
    with lock_output(workspace.output_folder, written.run_id) as lock:
        write_review(lock, written)
    return workspace


def test_the_headline_says_who_moves_where(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace), "P00000")
    assert page.headline == "Zoë GmbH as of 2026-09-30: promote (entry -> growth), archetype steady sellers"


def test_who_stays_is_shown_with_one_tier_and_who_has_no_name_by_id(workspace: Workspace) -> None:
    page = explain_partner(
        _write(workspace, current_tier="growth", partner_name=None, archetype=None, action="hold"), "P00001"
    )
    assert page.headline == "P00001 as of 2026-09-30: hold (growth)"


def test_the_potential_is_the_stored_one_with_its_interval_and_source(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace), "P00000")
    assert page.potential_line == (
        "Potential over the next 4 quarters: USD 412 k (interval USD 9,876 to unknown); from the potential model"
    )


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_of_a_potential_has_its_words(workspace: Workspace, source: str) -> None:
    assert explain_partner(_write(workspace, potential_source=source), "P00000").potential_line.endswith(
        SOURCES[source]
    )


def test_criteria_are_those_of_the_tier_and_the_next_one_in_their_own_units(workspace: Workspace) -> None:
    shown = explain_partner(_write(workspace), "P00000").criteria
    columns = ["tier", "criterion", "shown_value", "shown_threshold", "met", "shown_gap"]
    assert shown[columns].values.tolist() == [
        ["growth", "1", "3 people", "2 people", "true", ""],
        ["growth", "2", "USD 62.3 k", "USD 50.0 k", "true", ""],
        ["strategic", "1", "3 people", "6 people", "false", "3 people"],
        ["strategic", "2", "unknown", "USD 1.00 m", "unknown", "unknown"],
        ["strategic", "3", "does not hold", "region = 'EMEA'", "false", ""],
    ]


def test_families_are_summed_and_the_strongest_come_first_whatever_their_sign(workspace: Workspace) -> None:
    shown = explain_partner(_write(workspace), "P00000").contributions
    assert shown["family"].tolist() == ["skills", "sales", "b", "a", "pipeline"]
    assert len(shown) == STRONGEST_FAMILIES < len(EFFECTS)
    assert shown["factor"].tolist() == pytest.approx(np.exp([-0.9, 0.6, 0.3, 0.2, 0.05]))
    assert shown["shown_factor"].tolist()[:2] == ["× 0.41", "× 1.82"]


def test_the_way_up_has_titles_and_units(workspace: Workspace) -> None:
    shown = explain_partner(_write(workspace), "P00000").roadmap
    assert shown[["step", "title", "shown_from", "shown_to"]].values.tolist() == [
        [1, "People certified", "3 people", "7 people"],
        [2, "Won revenue, last 4 quarters", "unknown", "USD 1.05 m"],
    ]


def test_a_partner_without_details_has_an_empty_page_that_still_reads(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace), "P00002")
    assert page.criteria.empty
    assert page.contributions.empty
    assert page.roadmap.empty
    assert as_text(page).startswith("Zoë GmbH as of 2026-09-30")


def test_what_is_not_known_is_not_in_the_recommendation(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace, next_tier=None), "P00000")
    assert {"next_tier", "potential_high", "grace_until", "approval_role"}.isdisjoint(page.recommendation)
    assert page.recommendation["potential"] == 412_345.0
    assert set(page.criteria["tier"]) == {"growth"}
    assert "Way up" not in as_text(page)


def test_dates_are_plain_days(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace, grace_until=pd.Timestamp(2026, 12, 29)), "P00000")
    assert page.recommendation["grace_until"] == "2026-12-29"


def test_the_latest_review_is_shown_unless_another_is_asked_for(workspace: Workspace) -> None:
    earlier = date(2026, 6, 30)
    _write(workspace, earlier, action="hold")
    _write(workspace)
    assert explain_partner(workspace, "P00000").as_of == AS_OF
    page = explain_partner(workspace, "P00000", as_of=earlier)
    assert page.headline.startswith("Zoë GmbH as of 2026-06-30: hold")
    with pytest.raises(InvalidInput, match="no review as of 2026-03-31; found 2026-06-30, 2026-09-30"):
        explain_partner(workspace, "P00000", as_of=date(2026, 3, 31))


def test_before_the_first_review_it_says_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match=r"there is no review yet(.|\n)*tierwise score"):
        explain_partner(workspace, "P00000")


def test_an_unknown_partner_is_met_with_the_nearest_id(workspace: Workspace) -> None:
    with pytest.raises(InvalidInput, match="no partner 'p00001' in the review as of 2026-09-30; did you mean 'P00001'"):
        explain_partner(_write(workspace), "p00001")
