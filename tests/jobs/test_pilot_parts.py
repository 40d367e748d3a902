"""The parts of the pilot jobs one by one: counting over days, who takes part, the stop rule, texts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.pilot_channel import write_pilot
from tierwise import pilots
from tierwise.config.catalog import Catalog, Metric
from tierwise.config.durations import Duration
from tierwise.config.load import Workspace, load_workspace
from tierwise.config.pilot import AnalysisSettings, DecisionSettings, OutcomeSettings
from tierwise.config.pilot_checks import closure, needed_metrics, partner_columns, policy_of
from tierwise.config.pilot_file import PilotStop
from tierwise.engine import Engine, open_engine
from tierwise.errors import InvalidInput
from tierwise.jobs.pilot_files import definition, known_names, model_names, names_in, needs_models, open_pilot
from tierwise.jobs.pilot_metrics import Stretch, count_over, final_until, only
from tierwise.jobs.pilot_population import filled
from tierwise.jobs.pilot_record import covariate_names, pilot_record
from tierwise.jobs.pilot_snapshot import is_yes
from tierwise.jobs.pilot_stop import stop_answer
from tierwise.metrics.checking import make_empty_tables
from tierwise.reports.pilot_list import ComparedRow, PilotLine, compare_payload, compare_text, list_payload, list_text
from tierwise.reports.pilots import percent

EVENTS = (
    ("2026-06-30", "2026-06-30", 100.0),
    ("2026-07-01", "2026-07-01", 10.0),
    ("2026-09-30", "2026-09-30", 1.0),
    ("2026-09-20", "2026-10-10", 0.5),
    ("2026-10-01", "2026-10-01", 1000.0),
)


@pytest.fixture
def folder(repository: Path, tmp_path: Path) -> Path:
    shutil.copytree(repository / "pipelines" / "demo", tmp_path / "demo")
    return tmp_path / "demo"


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    return load_workspace(folder)


@pytest.fixture
def engine(workspace: Workspace) -> Iterator[Engine]:
    """One partner with a few won deals around the pilot, and a certificate that ends in it."""
    with open_engine() as made:
        make_empty_tables(made, workspace)
        made.run("INSERT INTO partners (partner_id, region, joined_on) VALUES ('A', 'EMEA', DATE '2025-01-01')")
        for number, (day, known, amount) in enumerate(EVENTS):
            made.run(
                "INSERT INTO deals (deal_id, partner_id, date, known_on, status, amount)"
                " VALUES (?, 'A', ?, ?, 'won', ?)",
                [f"D{number}", day, known, amount],
            )
        made.run(
            "INSERT INTO certifications (certificate_id, partner_id, person_id, date, known_on, expires_on)"
            " VALUES ('C', 'A', 'P', DATE '2026-01-01', DATE '2026-01-01', DATE '2026-09-15')"
        )
        yield made


def counted(engine: Engine, workspace: Workspace, metric: str, stretch: Stretch) -> float:
    return float(count_over(engine, workspace, [metric], stretch).loc[0, metric])


@pytest.mark.parametrize(
    ("stretch", "revenue"),
    [
        (Stretch(92, date(2026, 9, 30), date(2026, 9, 30)), 11.0),
        (Stretch(92, date(2026, 9, 30), date(2026, 10, 15)), 11.5),
        (Stretch(1, date(2026, 7, 1), date(2026, 9, 30)), 10.0),
        (Stretch(92, date(2026, 6, 30), date(2026, 6, 30)), 100.0),
        (Stretch(2, date(2026, 10, 1), date(2026, 10, 1)), 1001.0),
    ],
    ids=["as known at the end", "as known later", "one day", "the time before", "over the end"],
)
def test_events_count_from_the_first_day_to_the_last_as_far_as_they_are_known(
    engine: Engine, workspace: Workspace, stretch: Stretch, revenue: float
) -> None:
    assert counted(engine, workspace, "revenue_4q", stretch) == pytest.approx(revenue)


def test_a_state_is_that_of_the_last_day_whenever_it_is_read(engine: Engine, workspace: Workspace) -> None:
    during = Stretch(30, date(2026, 8, 30), date(2026, 9, 30))
    assert counted(engine, workspace, "certified_people", during) == 1
    assert counted(engine, workspace, "certified_people", replace(during, until=date(2026, 9, 30))) == 0


def test_a_formula_is_made_of_what_was_counted_in_the_time(engine: Engine, workspace: Workspace) -> None:
    share = Metric(formula="revenue_2q / nullif(revenue_4q, 0)")
    more = replace(workspace, catalog=Catalog(metrics={**workspace.catalog.metrics, "share": share}))
    stretch = Stretch(92, date(2026, 9, 30), date(2026, 9, 30))
    assert counted(engine, more, "share", stretch) == pytest.approx(1.0)


def test_a_lag_ends_the_reading_earlier(workspace: Workspace) -> None:
    late = workspace.catalog.metrics["revenue_4q"].model_copy(update={"lag": Duration(count=30, unit="day")})
    lagged = replace(workspace, catalog=Catalog(metrics={**workspace.catalog.metrics, "revenue_4q": late}))
    ends = date(2026, 9, 30)
    assert final_until(workspace, ["revenue_4q"], date(2026, 10, 15), ends) == ends
    assert final_until(lagged, ["revenue_4q"], date(2026, 10, 15), ends) == date(2026, 9, 15)
    assert final_until(lagged, ["revenue_4q"], date(2026, 12, 1), ends) == ends


def test_only_what_is_needed_is_computed(workspace: Workspace) -> None:
    kept = only(workspace, ["open_pipeline"]).catalog.metrics
    assert set(kept) == {
        "open_pipeline", "open_opportunities", "average_opportunity_4q", "opportunities_ever", "decisions_ever",
    }  # fmt: skip
    assert closure(["nothing"], workspace.catalog) == ()


def test_a_definition_holds_what_decides_the_value_and_no_more(workspace: Workspace) -> None:
    found = definition(workspace, "revenue_4q")
    assert found == {
        "unit": "USD", "from": "deals", "value": "sum(amount)", "where": "status = 'won'", "window": "4 quarters",
        "missing": 0,
    }  # fmt: skip


def test_columns_of_partners_are_known_and_dates_and_names_are_not(workspace: Workspace) -> None:
    people = partner_columns(workspace.settings)
    assert {"region", "distributor_id", "manager_id", "status"} <= set(people)
    assert not {"name", "joined_on", "left_on", "partner_id"} & set(people)
    assert {"tier", "archetype", "potential", "revenue_4q", "region"} <= set(known_names(workspace))


def test_models_are_asked_for_only_where_they_are_named(folder: Path) -> None:
    workspace = load_workspace(folder)
    write_pilot(folder, "plain")
    write_pilot(folder, "rule", population={"where": "potential > 1000"})
    write_pilot(folder, "archetypes", by_archetype=True)
    plain, rule, shown = (open_pilot(workspace, slug).settings for slug in ("plain", "rule", "archetypes"))
    assert [needs_models(one) for one in (plain, rule, shown)] == [False, True, True]
    assert model_names(rule) == {"potential"}
    assert names_in("a > 1 and b is null") == {"a", "b"}
    assert names_in(None) == frozenset()
    assert covariate_names(plain) == ("before_revenue_in_pilot", "before_logins_1q")
    assert needed_metrics(plain) == ("revenue_4q", "left_programme", "deals_won_4q", "logins_1q")


def test_the_policy_that_an_arm_changes_is_the_one_in_force_at_the_start(folder: Path) -> None:
    workspace = load_workspace(folder)
    pilot = open_pilot(workspace, "mdf-2026q3")
    arm = pilot.settings.arms["lower_threshold"]
    found = policy_of(pilot.settings, arm, workspace.policies)
    assert found is not None
    assert found.version == "standard@2026-07-01"


def test_rules_are_told_in_words(folder: Path) -> None:
    workspace = load_workspace(folder)
    write_pilot(folder, "words", stop={"for_harm": False, "for_benefit": True},
                decision={"show": "minimum_effect", "guardrails": "shown_safe"})  # fmt: skip
    write_pilot(folder, "once", looks=None)
    write_pilot(folder, "inform", stop={"for_harm": False})
    words, once, inform = (pilot_record(workspace, open_pilot(workspace, one)) for one in ("words", "once", "inform"))
    assert words.stop_rule == ("At a look it is stopped when the decision rule is met.",)
    assert "better by the effect that matters" in words.decision_rule[0]
    assert "every guardrail is shown not to be worse" in words.decision_rule[1]
    assert once.stop_rule == ("The pilot is read once, at its end.",)
    assert inform.stop_rule == ("Looks inform; none of them stops the pilot.",)
    assert words.looks == (date(2026, 8, 15),)


@pytest.mark.parametrize("text", ["true", "Yes", " 1 ", "T"])
def test_yes_is_yes(text: str) -> None:
    rows = pd.DataFrame({"partner_id": ["A", "B", "C"], "opted": [text, None, "no"]})
    assert is_yes(rows, "opted", "here").tolist() == [True, False, False]


def test_neither_yes_nor_no_is_told_with_its_partner() -> None:
    rows = pd.DataFrame({"partner_id": ["A", "B"], "opted": ["perhaps", "no"]})
    with pytest.raises(InvalidInput, match="1 values of 'opted' are neither true nor false") as caught:
        is_yes(rows, "opted", "here")
    assert caught.value.faults[0].examples == ("A: perhaps",)


def test_the_unknown_gets_a_name_and_a_middle_and_is_told() -> None:
    rows = pd.DataFrame({"region": ["EMEA", None, "APAC"], "size": [1.0, np.nan, 3.0], "empty": [np.nan] * 3})
    found, said = filled(rows, ("region",), ("size", "empty"))
    assert found["region"].tolist() == ["EMEA", "unknown", "APAC"]
    assert found["size"].tolist() == [1.0, 2.0, 3.0]
    assert found["empty"].tolist() == [0.0, 0.0, 0.0]
    assert said == [
        "1 partners have no size; for the draw they take its median, 2.",
        "3 partners have no empty; for the draw they take its median, 0.",
    ]
    assert rows["size"].isna().sum() == 1


def read_with(effect: float, harm: float) -> tuple[AnalysisSettings, pilots.Analysis]:
    rng = np.random.default_rng(3)
    arm = np.repeat(["control", "budget"], 200)
    treated = arm == "budget"
    frame = pd.DataFrame(
        {
            "partner_id": [f"p{number:03d}" for number in range(400)],
            "arm": arm,
            "revenue": rng.normal(100, 10, 400) * np.where(treated, 1 + effect, 1),
            "cases": rng.normal(50, 5, 400) * np.where(treated, 1 + harm, 1),
        }
    )
    settings = AnalysisSettings(
        control="control", look=0.5, permutations=19,
        outcomes={"revenue": OutcomeSettings(role="primary", minimum_effect=0.05),
                  "cases": OutcomeSettings(role="guardrail", direction="down", tolerance=0.1)},
    )  # fmt: skip
    return settings, pilots.analyse(frame, settings)


@pytest.mark.parametrize(
    ("effect", "harm", "rule", "answer", "words"),
    [
        (0.0, 0.0, PilotStop(), "go_on", "No rule for stopping is met."),
        (-0.3, 0.0, PilotStop(), "stop_for_harm", "budget: revenue is worse than in the control arm"),
        (0.3, 0.5, PilotStop(), "stop_for_harm", "the guardrail cases is worse by more than 10%"),
        (0.3, -0.5, PilotStop(), "go_on", "No rule"),
        (0.3, 0.0, PilotStop(for_benefit=True), "stop_for_benefit", "The decision rule is met for budget."),
        (-0.3, 0.5, PilotStop(for_harm=False), "go_on", "No rule"),
    ],
    ids=["nothing", "worse", "guardrail", "better, no rule", "better", "worse, no rule"],
)
def test_the_stop_rule_does_what_was_written(
    effect: float, harm: float, rule: PilotStop, answer: str, words: str
) -> None:
    settings, analysis = read_with(effect, harm)
    verdicts = pilots.decide(analysis, settings, DecisionSettings())
    found, because = stop_answer(rule, settings, analysis, verdicts)
    assert found == answer
    assert words in because[0]


def test_lists_and_comparisons_show_what_is_there_and_dashes_for_the_rest() -> None:
    line = PilotLine("budget", "Start budget", "planned", date(2026, 7, 1), date(2026, 9, 30))
    row = ComparedRow("budget", "2026-09-30", True, "mdf", "revenue", 400.0, 0.1, -0.05, None, 0.04, None, "roll_out")
    assert list_text([line]).splitlines()[-1].split()[:6] == ["budget", "planned", "2026-07-01", "2026-09-30", "-", "0"]
    assert "+10.0%  -5.0% to ?" in compare_text([row])
    assert compare_text([row]).splitlines()[-1].endswith("roll out")
    assert list_text([]).startswith("there is no pilot yet")
    assert list_payload([line])["pilots"][0]["slug"] == "budget"
    assert compare_payload([row])["readings"][0]["high"] is None
    assert (percent(None), percent(-16.1)) == ("?", "-1,610.0%")
