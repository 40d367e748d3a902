"""One partner's page: every figure on it is the stored one, written with its unit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.tiny_workspace import AS_OF, write_workspace
from tests.pages.written_review import complete
from tests.store.review_example import VERSIONS, reasons, recommendations
from tierwise.config.load import Workspace
from tierwise.errors import InvalidInput
from tierwise.jobs.explain import explain_partner, explain_partners, open_review
from tierwise.reports.partner_text import as_text
from tierwise.reports.partner_words import SOURCES
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
PLAN = {
    "plan": 1, "code": "plan", "reaches_tier": "strategic", "steps": 2, "effort": 2.0, "quarters": 1,
    "by_when": pd.Timestamp(2026, 12, 31), "closes": "1", "valid": True, "robustness": 0.875,
    "expires_on": pd.Timestamp(2026, 12, 31), "sentence": "Two steps.", "partner_safe_sentence": "Two steps up.",
    "gains": "Named manager", "costs": "USD 12 k",
}  # fmt: skip
CHANGES_COLUMNS = [
    "target", "previous_as_of", "code", "unit", "value_before", "value_now", "from_data", "from_model", "from_policy",
]  # fmt: skip
EARLIER = pd.Timestamp(2026, 6, 30)
CHANGES = [
    ("eligible_tier", EARLIER, "split", "tiers", 0.0, 1.0, 1.0, 0.0, 0.0),
    ("potential", EARLIER, "split", "USD", 400_000.0, 412_345.0, 30_000.0, -17_655.0, 0.0),
    ("value", EARLIER, "no_policy", "points", np.nan, 61.0, np.nan, np.nan, np.nan),
]
MOVED_COLUMNS = ["rank", "metric", "value_before", "value_now", "effect", "size"]
SIMILAR_COLUMNS = [
    "rank", "move", "code", "peer_id", "peer_tier", "alike_as_of", "matched_on", "distance", "metric", "from", "to",
]  # fmt: skip
SIMILAR = [
    (1, 1, "similar", "P00001", "strategic", EARLIER, "archetype and region", 0.4, "certified", 2.0, 6.0),
    (1, 2, "similar", "P00001", "strategic", EARLIER, "archetype and region", 0.4, "revenue_4q", 5e4, 9e4),
]
COMPONENTS_COLUMNS = ["component", "dimension", "points", "max_points"]
COMPONENTS = [("deals", "market_reach", 20.5, 40.0), ("skills", "strategic_alignment", 40.5, 60.0)]
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
        "roadmap": steps.assign(quarters=1, most_per_quarter=2.0, by_when=pd.Timestamp(2026, 12, 31)),
        "plans": pd.DataFrame([PLAN]),
        "changes": pd.DataFrame(CHANGES, columns=CHANGES_COLUMNS),
        "moved_metrics": pd.DataFrame([(1, "revenue_4q", 40_000.0, 62_345.0, 0.3, 1.2)], columns=MOVED_COLUMNS),
        "similar_partners": pd.DataFrame(SIMILAR, columns=SIMILAR_COLUMNS),
        "components": pd.DataFrame(COMPONENTS, columns=COMPONENTS_COLUMNS).assign(score="value", scorecard="all"),
        "metrics": pd.DataFrame([{"revenue_4q": 62_345.0, "region": "EMEA"}]),
    }
    own = {name: sort_rows(name, complete(name, table.assign(partner_id="P00000"))) for name, table in details.items()}
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
    assert page.next_step == "Tell the partner."


def test_who_stays_is_shown_with_one_tier_and_who_has_no_name_by_id(workspace: Workspace) -> None:
    page = explain_partner(
        _write(workspace, current_tier="growth", partner_name=None, archetype=None, action="hold"), "P00001"
    )
    assert page.headline == "P00001 as of 2026-09-30: hold (growth)"
    assert page.name == "P00001"


def test_what_comes_next_names_the_approval_and_the_day(workspace: Workspace) -> None:
    written = _write(workspace, approval_role="partner-ops", effective_on=pd.Timestamp(2026, 10, 1))
    page = explain_partner(written, "P00000")
    assert page.next_step == "Needs approval by partner-ops. Tell the partner. Takes effect on 2026-10-01."
    assert "Dates and approvals: approval by partner-ops, takes effect on 2026-10-01" in as_text(page)


def test_the_potential_is_the_stored_one_with_its_interval_and_source(workspace: Workspace) -> None:
    potential = explain_partner(_write(workspace), "P00000").potential
    assert potential.line == (
        "Potential over the next 4 quarters: USD 412 k (interval USD 9,876 to unknown); from the potential model"
    )
    assert (potential.value, potential.low, potential.high, potential.now) == (412_345.0, 9_876.0, None, 62_345.0)
    assert (potential.shown_now, potential.now_title) == ("USD 62.3 k", "Won revenue, last 4 quarters")


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_of_a_potential_has_its_words(workspace: Workspace, source: str) -> None:
    assert explain_partner(_write(workspace, potential_source=source), "P00000").potential.line.endswith(
        SOURCES[source]
    )


def test_criteria_are_those_of_the_tier_and_the_next_one_in_their_own_units(workspace: Workspace) -> None:
    shown = explain_partner(_write(workspace), "P00000").criteria
    assert [(c.tier, c.name, c.shown_value, c.shown_threshold, c.met, c.shown_margin) for c in shown] == [
        ("growth", "1", "3 people", "≥ 2 people", "true", "+1 person"),
        ("growth", "2", "USD 62.3 k", "≥ USD 50.0 k", "true", "+USD 12.3 k"),
        ("strategic", "1", "3 people", "≥ 6 people", "false", "−3 people"),
        ("strategic", "2", "unknown", "≥ USD 1.00 m", "unknown", ""),
        ("strategic", "3", "does not hold", "must hold", "false", ""),
    ]
    assert (shown[-1].title, shown[-1].written) == ("Region is EMEA", "region = 'EMEA'")
    assert {criterion.written for criterion in shown[:-1]} == {""}


def test_every_point_of_a_score_is_on_the_page(workspace: Workspace) -> None:
    (score,) = explain_partner(_write(workspace, value=61.0), "P00000").scores
    assert [(part.title, part.dimension, part.points, part.most) for part in score.parts] == [
        ("Deals", "market reach", 20.5, 40.0), ("Skills", "strategic alignment", 40.5, 60.0),
    ]  # fmt: skip
    assert sum(part.points for part in score.parts) == score.total == 61.0


def test_families_are_summed_and_the_strongest_come_first_whatever_their_sign(workspace: Workspace) -> None:
    (shown,) = explain_partner(_write(workspace), "P00000").comparisons
    assert [family.name for family in shown.families] == ["skills", "sales", "b", "a", "pipeline", "c"]
    assert [f.factor for f in shown.families] == pytest.approx(np.exp([-0.9, 0.6, 0.3, 0.2, 0.05, 0.001]))
    assert [family.shown_factor for family in shown.families[:2]] == ["× 0.41", "× 1.82"]
    assert shown.total == pytest.approx(sum(sum(values) for values in EFFECTS.values()))


def test_the_way_up_has_titles_units_and_what_it_would_bring(workspace: Workspace) -> None:
    (plan,) = explain_partner(_write(workspace), "P00000").plans
    assert [(step.title, step.start, step.goal, step.by_when) for step in plan.steps] == [
        ("People certified", "3 people", "7 people", "2026-12-31"),
        ("Won revenue, last 4 quarters", "unknown", "USD 1.05 m", "2026-12-31"),
    ]
    assert (plan.gains, plan.costs, plan.robustness) == ("Named manager", "USD 12 k", 0.875)


def test_a_change_is_told_by_data_model_and_policy(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace), "P00000")
    assert page.previous_as_of == "2026-06-30"
    assert [(c.title, c.before, c.now, c.from_data, c.from_model, c.from_policy) for c in page.changes] == [
        ("Tier by the criteria alone", "entry", "growth", "+1 tier", "±0", "±0"),
        ("Potential", "USD 400 k", "USD 412 k", "+USD 30.0 k", "−USD 17.7 k", "±0"),
        ("value", "unknown", "61", "-", "-", "-"),
    ]
    assert [(m.title, m.before, m.now, m.rose) for m in page.moved] == [
        ("Won revenue, last 4 quarters", "USD 40.0 k", "USD 62.3 k", True)
    ]


def test_similar_partners_are_named_with_what_they_raised(workspace: Workspace) -> None:
    (peer,) = explain_partner(_write(workspace), "P00000").peers
    assert (peer.shown, peer.tier, peer.alike_as_of) == ("Zoë GmbH (P00001)", "strategic", "2026-06-30")
    assert [(move.title, move.before, move.now) for move in peer.moves] == [
        ("People certified", "2 people", "6 people"), ("Won revenue, last 4 quarters", "USD 50.0 k", "USD 90.0 k"),
    ]  # fmt: skip


def test_a_partner_without_details_has_an_empty_page_that_still_reads(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace), "P00002")
    assert (page.criteria, page.comparisons, page.plans, page.peers, page.changes) == ((), (), (), (), ())
    assert as_text(page).startswith("Zoë GmbH as of 2026-09-30")


def test_an_older_review_without_the_later_tables_still_reads(workspace: Workspace) -> None:
    later = ("plans", "changes", "moved_metrics", "similar_partners", "metrics")
    tables = {name: table for name, table in _tables().items() if name not in later}
    with lock_output(workspace.output_folder, "old") as lock:
        write_review(lock, Review(AS_OF, "old", tables, VERSIONS, score_columns=("value",)))
    page = explain_partner(workspace, "P00000")
    assert [len(plan.steps) for plan in page.plans] == [2]
    assert (page.changes, page.moved, page.peers, page.potential.now) == ((), (), (), None)


def test_what_is_not_known_is_not_in_the_recommendation(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace, next_tier=None), "P00000")
    assert {"next_tier", "potential_high", "grace_until", "approval_role"}.isdisjoint(page.recommendation)
    assert page.recommendation["potential"] == 412_345.0
    assert {criterion.tier for criterion in page.criteria} == {"growth"}
    assert "Way up" not in as_text(page)


def test_dates_are_plain_days(workspace: Workspace) -> None:
    page = explain_partner(_write(workspace, grace_until=pd.Timestamp(2026, 12, 29)), "P00000")
    assert page.recommendation["grace_until"] == "2026-12-29"


def test_pages_of_several_partners_are_those_of_each(workspace: Workspace) -> None:
    source = open_review(_write(workspace))
    several = list(explain_partners(source, ["P00002", "nobody", "P00000"]))
    assert several == [explain_partner(workspace, one) for one in ("P00002", "P00000")]


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
