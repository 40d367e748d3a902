"""A pilot from its file to its verdict: what is kept, what is refused, and that the same run gives the same bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.jobs.pilot_channel import END, EVE, LOOK, PILOT, SLUG, TODAY, make_channel, run_all, write_pilot
from tierwise import pilots
from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput, OutsideFailure, Refused
from tierwise.jobs.pilot_amend import AmendRequest, amend
from tierwise.jobs.pilot_analyse import AnalyseRequest, analyse
from tierwise.jobs.pilot_assign import AssignRequest, assign
from tierwise.jobs.pilot_design import DesignRequest, design, planned_alpha
from tierwise.jobs.pilot_files import open_pilot
from tierwise.jobs.pilot_list import compare_pilots, kept_reading, list_pilots, reading_page
from tierwise.reports.pilot_list import compare_text, list_text
from tierwise.reports.pilots import amendment_text, analysis_text, assignment_text, design_text
from tierwise.store.pilot_folder import pilot_folder, read_pilot
from tierwise.store.pilot_records import RECORDS, record_schemas
from tierwise.tracking import Registry
from tierwise.tracking.pilots import tracked_runs


@pytest.fixture(scope="module")
def piloted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel whose pilot is planned, drawn, looked at and read; never to be changed."""
    folder = tmp_path_factory.mktemp("piloted") / "workspace"
    run_all(make_channel(folder))
    return folder


@pytest.fixture
def own(piloted: Path, copy_of: Callable[[Path], Path]) -> Path:
    return copy_of(piloted)


def kept(folder: Path):
    workspace = load_workspace(folder)
    return read_pilot(workspace.output_folder, SLUG)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out MLflow and the pictures, for tests of neither."""
    for job, name in (("design", "design"), ("assign", "assignment"), ("analyse", "analysis"), ("amend", "amendment")):
        monkeypatch.setattr(f"tierwise.jobs.pilot_{job}.track_{name}", lambda *_: None)
    monkeypatch.setattr("tierwise.jobs.pilot_analyse.pilot_plots", lambda _: ())


def test_every_record_keeps_its_published_schema(piloted: Path) -> None:
    schemas, found = record_schemas(), kept(piloted)
    records = [*(one.record for one in (*found.designs, *found.analyses)), found.assignment.record]
    names = {model: name for name, model in RECORDS.items()}
    for record in records:
        errors = Draft202012Validator(schemas[names[type(record)]]).iter_errors(json.loads(record.as_json()))
        assert [error.message for error in errors] == []
    assert len(records) == 4


def test_result_rows_keep_theirs_and_are_intention_to_treat(piloted: Path) -> None:
    final = kept(piloted).analyses[-1].record
    for row in final.results:
        assert [error.message for error in Draft202012Validator(pilots.RESULT_SCHEMA).iter_errors(row)] == []
    assert {row["grade"] for row in final.results} == {"randomised"}
    assert {row["arm_units"] + row["control_units"] for row in final.results} == {final.partners}


def test_the_draw_holds_every_partner_of_the_population_once_and_its_hash_proves_it(piloted: Path) -> None:
    drawn = kept(piloted).assignment
    units = drawn.tables["units"]
    assert units["partner_id"].is_unique
    assert len(units) == drawn.record.population.partners
    assert pilots.assignment_hash(units) == drawn.record.sha256
    assert abs(int((units["arm"] == "budget").sum()) - len(units) / 2) <= 1
    assert {"before_revenue_in_pilot", "before_logins_1q", "revenue_4q", "region"} <= set(units)
    assert drawn.record.source.as_of == EVE


def test_what_was_known_before_the_start_is_what_the_catalog_says_on_the_eve(piloted: Path) -> None:
    deals = pd.read_csv(piloted / "data" / "deals.csv", parse_dates=["decided_on", "known_on"])
    units = kept(piloted).assignment.tables["units"].set_index("partner_id")
    known = (deals["status"] == "won") & (deals["known_on"] <= "2026-06-30") & (deals["decided_on"] <= "2026-06-30")
    in_time = known & (deals["decided_on"] > "2026-03-30") & (deals["currency"] == "USD")
    some = deals[in_time].groupby("partner_id")["amount"].sum()
    foreign = set(deals.loc[known & (deals["currency"] != "USD"), "partner_id"])
    shared = [name for name in units.index if name in some.index and name not in foreign]
    assert len(shared) > 3
    for name in shared:
        assert units.loc[name, "before_revenue_in_pilot"] == pytest.approx(some[name])


def test_a_look_is_a_confidence_sequence_and_the_end_is_one_of_its_looks(piloted: Path) -> None:
    look, final = (one.record for one in kept(piloted).analyses)
    assert (look.source.as_of, look.final, final.source.as_of, final.final) == (LOOK, False, END, True)
    assert look.look == pytest.approx(46 / 92)
    assert final.look == 1.0
    assert look.stop == "go_on"
    assert final.stop is None
    assert look.money == ()
    assert final.money
    assert all("confidence sequence" in row["method"] for row in (*look.results, *final.results))


def test_periods_before_and_after_the_start_are_of_equal_length(piloted: Path) -> None:
    periods = kept(piloted).analyses[-1].tables["over_time"]
    assert set((periods["until"] - periods["from"]).dt.days) == {6}
    assert sorted(set(periods["period"])) == list(range(-12, 14))
    assert periods.loc[periods["period"] == 1, "from"].dt.date.tolist() == [date(2026, 7, 1)]


def test_the_same_runs_give_the_same_bytes(own: Path) -> None:
    folder = own / "output" / "pilots" / SLUG
    before = {
        path.relative_to(own): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }
    shutil.rmtree(folder / "assignment")
    shutil.rmtree(folder / "analysis" / END.isoformat())
    workspace = load_workspace(own)
    assign(workspace, AssignRequest(SLUG, TODAY, "ann"))
    analyse(workspace, AnalyseRequest(SLUG, TODAY))
    again = {
        path.relative_to(own): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }
    assert again == before


@pytest.mark.usefixtures("quick")
def test_a_pilot_is_drawn_once(own: Path) -> None:
    first = kept(own).assignment.record
    deals = own / "data" / "deals.csv"
    deals.write_text("\n".join(deals.read_text("utf-8").splitlines()[:-40]) + "\n", encoding="utf-8")
    again = assign(load_workspace(own), AssignRequest(SLUG, TODAY, "bob"))
    assert not again.is_new
    assert again.kept.record == first
    assert "nothing is drawn anew" in assignment_text(again.kept, is_new=again.is_new)


@pytest.mark.usefixtures("quick")
def test_a_later_change_is_refused_with_every_field(own: Path) -> None:
    write_pilot(own, owner="somebody-else", lasts="2 months", draw={"seed": 5})
    with pytest.raises(Refused) as caught:
        analyse(load_workspace(own), AnalyseRequest(SLUG, TODAY))
    said = str(caught.value)
    assert "'channel-programs' and is now 'somebody-else'" in said
    assert "'1 quarter' and is now '2 months'" in said
    assert "draw.seed" in said
    assert "cannot be amended" in said
    assert caught.value.exit_code == 1


@pytest.mark.usefixtures("quick")
def test_a_changed_definition_of_a_metric_is_a_change_too(own: Path) -> None:
    catalog = own / "metrics.yaml"
    text = catalog.read_text("utf-8")
    catalog.write_text(text.replace('"count(*)", where: "status = \'won\'",\n     window: 4 quarters, missing: 0, direction: up, owner: channel-sales, family: sales', '"count(*)", where: "status <> \'lost\'",\n     window: 4 quarters, missing: 0, direction: up, owner: channel-sales, family: sales', 1), encoding="utf-8")  # fmt: skip # noqa: E501
    assert catalog.read_text("utf-8") != text
    with pytest.raises(Refused, match=r"metrics.yaml: deals_won_4q.where"):
        assign(load_workspace(own), AssignRequest(SLUG, TODAY, "ann"))


@pytest.mark.usefixtures("quick")
def test_comments_and_the_order_of_keys_are_no_change(own: Path) -> None:
    path = own / "pilots" / f"{SLUG}.yaml"
    body = dict(reversed(PILOT.items()))
    path.write_text("# a comment\n" + yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    assert not assign(load_workspace(own), AssignRequest(SLUG, TODAY, "ann")).is_new


def test_an_amendment_records_who_when_why_what_and_that_results_were_known(own: Path) -> None:
    workspace = load_workspace(own)
    write_pilot(own, owner="new-owner", covariates=["logins_1q", "open_pipeline"])
    record = amend(workspace, AmendRequest(SLUG, TODAY, "ann", "a better covariate"))
    assert [change.field for change in record.changes] == ["owner", "covariates"]
    assert (record.by, record.on, record.because) == ("ann", TODAY, "a better covariate")
    assert record.results_known == (LOOK, END)
    assert "after the results of 2026-08-15, 2026-09-30 were known" in amendment_text(record)
    read = analyse(workspace, AnalyseRequest(SLUG, TODAY)).record
    assert read.amendments == (record,)
    assert "before_open_pipeline" in read.pilot.covariates
    assert any("results were known" in note for note in read.notes)
    assert [run["facts"].get("amendments") for run in tracked_runs(Registry.of(workspace))].count("1") <= 1


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"starts": date(2026, 7, 2)}, "is another pilot"),
        ({"strata": []}, "is another pilot"),
        ({"arms": {**PILOT["arms"], "budget": {**PILOT["arms"]["budget"], "share": 2}}}, "is another pilot"),
        ({"arms": dict(reversed(PILOT["arms"].items()))}, "is the first arm and so the control"),
        ({}, "nothing to amend"),
    ],
    ids=["start", "strata", "share", "control", "nothing"],
)
@pytest.mark.usefixtures("quick")
def test_what_decides_the_draw_is_never_amended(own: Path, changed: dict, what: str) -> None:
    write_pilot(own, **changed)
    with pytest.raises((Refused, InvalidInput), match=what):
        amend(load_workspace(own), AmendRequest(SLUG, TODAY, "ann", "why not"))
    assert not (own / "output" / "pilots" / SLUG / "amendments").exists()


@pytest.mark.usefixtures("quick")
def test_an_amendment_needs_a_reason(own: Path) -> None:
    with pytest.raises(InvalidInput, match="who and why"):
        amend(load_workspace(own), AmendRequest(SLUG, TODAY, "ann", "  "))


@pytest.mark.usefixtures("quick")
def test_a_record_that_was_changed_by_hand_is_found(own: Path) -> None:
    path = own / "output" / "pilots" / SLUG / "assignment" / "2026-06-30" / "units.csv"
    path.write_text(path.read_text("utf-8").replace("budget", "control", 1), encoding="utf-8")
    with pytest.raises(OutsideFailure, match=r"units.csv changed since it was written"):
        analyse(load_workspace(own), AnalyseRequest(SLUG, TODAY))


@pytest.mark.usefixtures("quick")
def test_partners_of_another_pilot_at_the_same_time_are_left_out_or_reported(own: Path) -> None:
    workspace = load_workspace(own)
    write_pilot(own, SLUG, population={"where": "status = 'active' and revenue_4q > 50000"})
    shutil.rmtree(own / "output" / "pilots")
    assign(workspace, AssignRequest(SLUG, TODAY, "ann"))
    write_pilot(own, "second", population={"where": "revenue_4q > 0"})
    second = assign(workspace, AssignRequest("second", TODAY, "ann")).kept
    taken = set(kept(own).assignment.tables["units"]["partner_id"])
    assert taken.isdisjoint(second.tables["units"]["partner_id"])
    assert second.record.population.excluded["in_other_pilot"] == len(taken)
    write_pilot(own, "third", population={"where": "revenue_4q > 0", "in_other_pilots": "report"})
    third = assign(workspace, AssignRequest("third", TODAY, "ann")).kept
    assert taken <= set(third.tables["units"]["partner_id"])
    assert any("another pilot at the same time (budget" in note for note in third.record.notes)


@pytest.mark.usefixtures("quick")
def test_an_effect_that_was_put_in_is_found(own: Path) -> None:
    units = kept(own).assignment.tables["units"]
    deals = pd.read_csv(own / "data" / "deals.csv", dtype={"partner_id": str})
    treated = deals["partner_id"].isin(units.loc[units["arm"] == "budget", "partner_id"])
    later = treated & (deals["decided_on"] >= "2026-07-01") & (deals["status"] == "won")
    deals.loc[later, "amount"] *= 20
    deals.to_csv(own / "data" / "deals.csv", index=False)
    before = kept(own).analyses[-1].record.results[0]
    after = analyse(load_workspace(own), AnalyseRequest(SLUG, TODAY)).record.results[0]
    assert before["metric"] == after["metric"] == "revenue_in_pilot"
    assert after["control_value"] == pytest.approx(before["control_value"], rel=0.2)
    assert after["relative"] > before["relative"] + 3


@pytest.mark.usefixtures("quick")
def test_partners_that_vanish_from_one_arm_close_the_gate(own: Path) -> None:
    units = kept(own).assignment.tables["units"]
    gone = set(units.loc[units["arm"] == "budget", "partner_id"].iloc[:35])
    path = own / "data" / "partners.csv"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if line.split(",")[0].strip('"') not in gone) + "\n", "utf-8")
    found = analyse(load_workspace(own), AnalyseRequest(SLUG, TODAY)).record
    assert found.unknown == 35
    assert found.partners == len(units)
    assert not found.sample_ratio.passed
    assert {row["reason_code"] for row in found.results} == {"sample_ratio_mismatch"}
    assert {one.answer for one in found.verdicts} == {"no_verdict"}


@pytest.mark.usefixtures("quick")
def test_reading_too_early_or_before_the_draw_is_refused(own: Path) -> None:
    workspace = load_workspace(own)
    with pytest.raises(InvalidInput, match="nothing to read as of 2026-06-30"):
        analyse(workspace, AnalyseRequest(SLUG, TODAY, EVE))
    write_pilot(own, "second", looks=None)
    with pytest.raises(Refused, match="not drawn yet"):
        analyse(workspace, AnalyseRequest("second", TODAY))
    write_pilot(own, "second", looks=None, population={"where": "revenue_4q > 0", "in_other_pilots": "report"})
    assign(workspace, AssignRequest("second", TODAY, "ann"))
    with pytest.raises(Refused, match="plans no look before its end"):
        analyse(workspace, AnalyseRequest("second", TODAY, LOOK))


@pytest.mark.usefixtures("quick")
def test_a_start_that_the_sources_cannot_tell_of_is_no_draw(own: Path) -> None:
    write_pilot(own, "later", starts=date(2027, 1, 1))
    with pytest.raises(InvalidInput, match="sources can tell of no day after 2026-10-15"):
        assign(load_workspace(own), AssignRequest("later", TODAY, "ann"))


def test_mlflow_keeps_one_run_per_step(piloted: Path) -> None:
    runs = tracked_runs(Registry.of(load_workspace(piloted)))
    assert [(run["kind"], run["facts"].get("final")) for run in runs] == [
        ("pilot", None), ("analysis", "false"), ("analysis", "true"),
    ]  # fmt: skip
    parent = runs[0]
    assert {run["parent_id"] for run in runs[1:]} == {parent["run_id"]}
    assert parent["facts"]["assignment_sha256"] == kept(piloted).assignment.record.sha256
    assert {"revenue_in_pilot/budget/relative_low", "partners"} <= set(runs[2]["metrics"])


def test_list_and_compare_read_mlflow_back(piloted: Path) -> None:
    workspace = load_workspace(piloted)
    [line] = list_pilots(workspace, TODAY)
    assert (line.state, line.read_as_of, line.final, line.runs) == ("ended", "2026-09-30", True, 3)
    assert "2026-09-30 (final) budget: " in list_text([line])
    look, final = compare_pilots(workspace, [SLUG])
    kept_row = kept(piloted).analyses[-1].record.results[0]
    assert final.relative == pytest.approx(kept_row["relative"])
    assert final.low == pytest.approx(kept_row["relative_low"])
    assert (look.final, final.final) == (False, True)
    assert "look" in compare_text([look, final])
    with pytest.raises(InvalidInput, match="did you mean 'budget'"):
        compare_pilots(workspace, ["bugdet"])


def test_a_file_at_fault_is_listed_and_not_in_the_way(own: Path) -> None:
    (own / "pilots" / "broken.yaml").write_text("title: [1\n", encoding="utf-8")
    lines = {line.slug: line for line in list_pilots(load_workspace(own), TODAY)}
    assert lines["broken"].state == "at fault"
    assert "not readable as YAML" in lines["broken"].fault
    assert lines[SLUG].state == "ended"


def test_the_page_is_made_again_from_what_is_kept(piloted: Path) -> None:
    whole, reading = kept_reading(load_workspace(piloted), SLUG)
    assert reading_page(whole, reading) == (reading.folder / "report.html").read_text("utf-8")
    with pytest.raises(InvalidInput, match="it was as of 2026-08-15, 2026-09-30"):
        kept_reading(load_workspace(piloted), SLUG, date(2026, 9, 1))


def test_texts_say_what_the_records_say(piloted: Path) -> None:
    found = kept(piloted)
    planned, drawn, read = design_text(found.designs[-1]), found.assignment, analysis_text(found.analyses[-1])
    assert "cannot show what matters" in planned
    assert "Cannot detect a change of 20.0%" in planned
    assert "without looks" in planned
    assert drawn.record.sha256 in assignment_text(drawn, is_new=True)
    assert "Verdict by the rule written beforehand" in read
    assert "return on cost" in read
    assert "What the rule would say today" in analysis_text(found.analyses[0])


def test_the_seed_differs_by_pilot_and_can_be_set(own: Path) -> None:
    workspace = load_workspace(own)
    write_pilot(own, "second")
    write_pilot(own, "third", draw={"seed": 7})
    seeds = [open_pilot(workspace, slug).seed(workspace) for slug in (SLUG, "second", "third")]
    assert len(set(seeds)) == 3
    assert seeds[2] == 7


def test_looks_and_comparisons_make_the_planned_error_rate_smaller(own: Path) -> None:
    write_pilot(own, "once", looks=None)
    write_pilot(own, "three", looks=None, arms={**PILOT["arms"], "other": PILOT["arms"]["budget"]})
    workspace = load_workspace(own)
    looked, once, three = (planned_alpha(open_pilot(workspace, slug).settings) for slug in (SLUG, "once", "three"))
    assert once == pytest.approx(0.05)
    assert three == pytest.approx(0.025)
    assert looked < three


@pytest.mark.usefixtures("quick")
def test_too_few_partners_and_too_short_a_history_are_told(own: Path) -> None:
    workspace = load_workspace(own)
    write_pilot(own, "few", population={"where": "revenue_4q > 1e12"})
    with pytest.raises(Refused, match="0 units cannot be drawn into 2 arms"):
        design(workspace, DesignRequest("few", TODAY))
    write_pilot(own, "long", starts=date(2024, 2, 1), lasts="2 years", looks=None)
    with pytest.raises(InvalidInput, match="history is too short"):
        design(workspace, DesignRequest("long", TODAY))


@pytest.mark.usefixtures("quick")
def test_a_pilot_of_distributors_is_drawn_and_read_by_distributor(own: Path) -> None:
    write_pilot(own, "by-distributor", unit="distributor_id", strata=None, looks=None,
                population={"where": "revenue_4q > 0", "in_other_pilots": "report"})  # fmt: skip
    workspace = load_workspace(own)
    drawn = assign(workspace, AssignRequest("by-distributor", TODAY, "ann")).kept
    assert drawn.tables["units"].groupby("cluster")["arm"].nunique().max() == 1
    assert drawn.record.population.units < drawn.record.population.partners
    read = analyse(workspace, AnalyseRequest("by-distributor", TODAY)).record
    assert {row["clusters"] for row in read.results} == {drawn.record.population.units}
    assert read.look is None


def test_a_killed_run_leaves_no_half_folder(own: Path) -> None:
    folder = pilot_folder(load_workspace(own).output_folder, SLUG)
    (folder / "analysis" / ".2026-09-30.report.tmp").mkdir()
    assert len(kept(own).analyses) == 2
