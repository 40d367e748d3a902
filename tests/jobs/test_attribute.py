"""Attribution on channels whose past is known: planted effects are found, absent ones are not, and reasons are told."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from tests.jobs.attribution_channel import (
    AS_OF,
    CUTOFF,
    EFFECT,
    REVIEW,
    TODAY,
    Past,
    Written,
    declare,
    finding,
    judged,
    write_channel,
)
from tests.jobs.tiny_workspace import POLICY
from tierwise.cli.main import app
from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput, Refused
from tierwise.jobs.attribute import AttributeRequest, attribute, judge
from tierwise.jobs.init import InitRequest, init
from tierwise.pilots import RESULT_SCHEMA
from tierwise.reports.attribution import AttributionReport

SCHEMA = Draft202012Validator(RESULT_SCHEMA)


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_channel(tmp_path_factory.mktemp("channel"), attribution={"margin": 0.5})


@pytest.fixture(scope="module")
def report(channel: Written) -> AttributionReport:
    return attribute(channel.workspace, AttributeRequest(AS_OF, TODAY))


# --- At a tier's threshold --------------------------------------------------------------------------------------------


def test_a_planted_effect_is_found_at_the_threshold_with_its_grade(report: AttributionReport) -> None:
    found = finding(report, "threshold")
    value = found.main.effect()
    assert found.subject == "growth: revenue_4q >= 100"
    assert found.review == REVIEW
    assert (found.main.grade, found.status) == ("discontinuity", "shown_up")
    assert value.low is not None
    assert value.high is not None
    assert value.low < EFFECT < value.high
    assert found.main.adjustment == "holm"
    assert "density_p" in found.main.diagnostics
    assert "placebo_p" in found.main.diagnostics


def test_placebo_rows_follow_and_are_no_answer(report: AttributionReport) -> None:
    scopes = [row.scope for row in finding(report, "threshold").rows[1:]]
    assert sum(scope.startswith("placebo threshold: ") for scope in scopes) == 6
    assert {"placebo outcome: revenue_4q_before", "placebo outcome: tenure_days"} <= set(scopes)


def test_the_tier_is_set_against_what_it_costs(report: AttributionReport) -> None:
    found = finding(report, "threshold")
    assert found.money is not None
    assert found.net is not None
    # Two more of service, and the rebate: a tenth of the figure, capped at 8.
    assert found.money.cost == pytest.approx(2 + 8, abs=0.3)
    value = found.main.effect()
    assert found.net[0] == pytest.approx(0.5 * value.estimate - found.money.cost)
    assert "Net of it" in found.money_text


def test_without_a_margin_revenue_and_cost_are_not_compared(channel: Written, tmp_path: Path) -> None:
    plain = write_channel(tmp_path, Past(partners=300))
    found = finding(judged(plain.workspace), "threshold")
    assert found.net is None
    assert "they do not compare without a margin" in found.money_text


def test_no_effect_is_not_made_into_one(tmp_path: Path) -> None:
    found = finding(judged(write_channel(tmp_path, Past(effect=0.0)).workspace), "threshold")
    assert found.status == "not_enough_evidence"
    assert found.answer.startswith("Not enough evidence: ")


def test_partners_that_push_themselves_over_the_threshold_are_refused(tmp_path: Path) -> None:
    found = finding(judged(write_channel(tmp_path, Past(crowd=120)).workspace), "threshold")
    assert found.main.reason_code == "manipulated_threshold"
    with pytest.raises(Refused, match="place themselves"):
        found.main.effect()


def test_where_not_all_follow_the_rule_the_effect_is_on_those_that_do(tmp_path: Path) -> None:
    found = finding(judged(write_channel(tmp_path, Past(partners=1200, followed=0.8)).workspace), "threshold")
    value = found.main.effect()
    assert "fuzzy" in found.main.method
    assert found.main.diagnostics["followed_share"] == pytest.approx(0.8, abs=0.1)
    assert value.low is not None
    assert value.high is not None
    assert value.low < EFFECT < value.high


def test_tiers_that_ignore_the_threshold_are_no_experiment(tmp_path: Path) -> None:
    found = finding(judged(write_channel(tmp_path, Past(followed=0.0)).workspace), "threshold")
    assert found.main.reason_code == "rule_not_followed"


def test_thresholds_by_region_are_taken_as_shares_of_each(tmp_path: Path) -> None:
    policy = POLICY | {
        "parameters": {"least": {"by": "region", "EMEA": 100, "AMER": 100.0001, "default": 100}},
        "tiers": [{"name": "entry"}, {"name": "growth", "when": "revenue_4q >= least"}],
    }
    found = finding(judged(write_channel(tmp_path, policy=policy).workspace), "threshold")
    value = found.main.effect()
    assert found.subject == "growth: revenue_4q >= its threshold"
    assert found.main.diagnostics["bandwidth"] < 1
    assert value.estimate == pytest.approx(EFFECT, abs=15)


@pytest.mark.parametrize("rule", ["revenue_4q > 100", "100 <= revenue_4q", "revenue_4q >= 100 and certified_zero <= 5"])
def test_however_the_rule_is_written_the_figure_that_decides_is_found(tmp_path: Path, rule: str) -> None:
    policy = POLICY | {
        "tiers": [{"name": "entry"}, {"name": "growth", "when": rule.replace("certified_zero", "tenure_days * 0")}]
    }
    found = finding(judged(write_channel(tmp_path, policy=policy).workspace), "threshold")
    assert found.main.effect().estimate == pytest.approx(EFFECT, abs=15)


def test_a_tier_that_no_single_figure_decides_says_so(tmp_path: Path) -> None:
    policy = POLICY | {
        "tiers": [
            {"name": "entry"},
            {"name": "growth", "when": "revenue_4q >= 100"},
            {"name": "top", "invitation": True},
        ]
    }
    found = judged(write_channel(tmp_path, Past(partners=300), policy=policy).workspace).of("threshold")[-1]
    assert found.subject == "top"
    assert found.main.reason_code == "too_few_near_threshold"
    assert found.notes == ("No single figure of its rule decides over the tier for any partner.",)


# --- Nothing to judge -------------------------------------------------------------------------------------------------


def test_without_recorded_tiers_nothing_is_made_up(tmp_path: Path) -> None:
    report = judged(write_channel(tmp_path, Past(partners=60), recorded=False).workspace)
    assert [found.analysis for found in report.findings] == ["threshold"]
    assert report.findings[0].main.reason_code == "no_history"
    assert "no table of kind `tier_history`" in report.findings[0].answer
    assert report.in_short[0].startswith("Not enough evidence")


def test_a_review_whose_time_after_has_not_passed_is_no_evidence_yet(tmp_path: Path) -> None:
    report = judged(write_channel(tmp_path, Past(partners=60)).workspace, date(2026, 6, 30))
    assert report.findings[0].main.reason_code == "no_history"
    assert "4 quarters or more before 2026-06-30" in report.findings[0].answer


def test_a_policy_that_needs_a_model_nobody_had_then_is_told(tmp_path: Path) -> None:
    policy = POLICY | {"tiers": [{"name": "entry"}, {"name": "growth", "when": "potential >= 100"}]}
    report = judged(write_channel(tmp_path, Past(partners=60), policy=policy).workspace)
    assert finding(report, "threshold").main.reason_code == "no_model_then"


# --- Other thresholds, tiers side by side, before and after -----------------------------------------------------------


def _alternative(folder: Path, threshold: float) -> None:
    body = POLICY | {
        "policy": "lower", "tiers": [{"name": "entry"}, {"name": "growth", "when": f"revenue_4q >= {threshold}"}]
    }  # fmt: skip
    (folder / "alternatives").mkdir()
    (folder / "alternatives" / "lower.yaml").write_text(yaml.safe_dump(body), "utf-8")


def test_a_fixed_rule_never_shows_what_another_would_do(tmp_path: Path) -> None:
    write_channel(tmp_path, Past(partners=200), attribution={"alternatives": ["alternatives/lower.yaml"]})
    _alternative(tmp_path, 80)
    found = finding(judged(load_workspace(tmp_path)), "alternative_policy")
    assert found.main.reason_code == "no_overlap"
    assert 0 < found.main.diagnostics["overlap_share"] < 1
    assert any("every tier counts as certain" in note for note in found.notes)


def test_recorded_chances_let_another_threshold_be_judged(tmp_path: Path) -> None:
    past = Past(partners=900, followed=0.5, seed=8)
    written = write_channel(tmp_path, past)
    _alternative(tmp_path, 80)
    chances = pd.DataFrame(
        {
            "partner_id": row.partner_id,
            "date": REVIEW,
            "tier": tier,
            "chance": 0.75 if given == (tier == "growth") else 0.25,
        }
        for row in written.rows.assign(given=written.rows["figure"] >= CUTOFF).itertuples()
        for given in [row.given]
        for tier in ("entry", "growth")
    )
    chances.to_csv(tmp_path / "data" / "chances.csv", index=False)
    settings = yaml.safe_load((tmp_path / "tierwise.yaml").read_text("utf-8"))
    settings["tables"]["chances"] = {
        "kind": "events", "source": {"csv": "chances.csv"},
        "columns": {"partner_id": None, "date": None, "tier": None, "chance": {"type": "decimal"}},
    }  # fmt: skip
    (tmp_path / "tierwise.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    declare(tmp_path, {"alternatives": ["alternatives/lower.yaml"], "chances": {"table": "chances"}})
    found = finding(judged(load_workspace(tmp_path)), "alternative_policy")
    value = found.main.effect()
    rows = written.rows
    truth = EFFECT * (np.mean(rows["figure"] >= 80) - rows["above"].mean())
    assert found.main.grade == "randomised"
    assert value.low is not None
    assert value.high is not None
    assert value.low < truth < value.high


def test_tiers_side_by_side_are_an_association_and_before_and_after_a_description(report: AttributionReport) -> None:
    compared = finding(report, "tiers_compared")
    assert [row.grade for row in compared.rows] == ["observational", "observational"]
    assert compared.status == "association"
    for found in (compared, *report.of("before_after")):
        with pytest.raises(Refused):
            found.main.effect()


# --- What is written --------------------------------------------------------------------------------------------------


def test_rows_keep_the_schema_of_result_rows_and_files_say_the_same(report: AttributionReport) -> None:
    assert report.folder is not None
    payload = json.loads((report.folder / "attribution.json").read_text("utf-8"))
    rows = [row for found in payload["findings"] for row in found["rows"]]
    for row in rows:
        SCHEMA.validate(row)
    table = pd.read_parquet(report.folder / "results.parquet")
    assert len(table) == len(rows)
    assert table["estimate"].tolist() == pytest.approx(
        [np.nan if row["estimate"] is None else row["estimate"] for row in rows], nan_ok=True
    )
    answers = pd.read_parquet(report.folder / "answers.parquet")
    assert answers["answer"].tolist() == [found["answer"] for found in payload["findings"]]


def test_the_same_history_gives_the_same_bytes(channel: Written, report: AttributionReport, tmp_path: Path) -> None:
    again = attribute(channel.workspace, AttributeRequest(AS_OF, TODAY, tmp_path / "again"))
    assert again.folder is not None
    assert report.folder is not None
    for path in report.folder.iterdir():
        assert (again.folder / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_order_of_rows_in_the_sources_does_not_matter(
    channel: Written, report: AttributionReport, tmp_path: Path
) -> None:
    turned = write_channel(tmp_path, attribution={"margin": 0.5})
    for name in ("deals", "tier_history"):
        path = tmp_path / "data" / f"{name}.csv"
        pd.read_csv(path, dtype=str).iloc[::-1].to_csv(path, index=False)
    first, second = (finding(one, "threshold").main.row() for one in (report, judged(turned.workspace)))
    assert first == second


def test_the_command_answers_people_and_machines(
    channel: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERWISE_TODAY", TODAY.isoformat())
    base = [
        "attribute",
        "--workspace",
        str(channel.workspace.folder),
        "--as-of",
        "2026-09-30",
        "--out",
        str(tmp_path / "o"),
    ]
    spoken = CliRunner().invoke(app, base)
    assert spoken.exit_code == 0, spoken.output
    assert "Growth: revenue_4q >= 100: An effect is shown" in spoken.stdout
    assert "Mass points" not in spoken.stdout
    machine = CliRunner().invoke(app, [*base, "--json"])
    assert json.loads(machine.stdout)["findings"][0]["status"] == "shown_up"


def test_a_day_that_the_sources_cannot_tell_of_is_refused(channel: Written) -> None:
    with pytest.raises(InvalidInput, match="later than"):
        judge(channel.workspace, AttributeRequest(date(2031, 1, 1), TODAY))


# --- Ready workspaces -------------------------------------------------------------------------------------------------


def test_the_demo_channel_tells_no_effect_where_none_is_and_finds_the_slump(tmp_path: Path) -> None:
    """Nothing in the demo channel reads a tier, so every tier's effect is zero; EMEA won .50 / .85 as often."""
    init(InitRequest(tmp_path / "demo", "demo", partners=400, years=5))
    report = judged(load_workspace(tmp_path / "demo"))
    for found in report.of("threshold"):
        value = found.main.value
        assert found.status in ("not_enough_evidence", "not_computed", "doubtful"), found.answer
        assert value is None or (value.low or 0) <= 0 <= (value.high or 0)
    naive = finding(report, "tiers_compared")
    assert naive.main.value is not None
    assert (naive.main.value.low or 0) > 0
    assert naive.status == "association"
    slump = finding(report, "rollout").main.value
    assert slump is not None
    assert slump.estimate < 0
    assert finding(report, "alternative_policy").main.reason_code == "no_overlap"


@pytest.mark.parametrize(("name", "day"), [("adventureworks", date(2013, 11, 30)), ("olist", date(2018, 9, 30))])
def test_real_channels_without_recorded_tiers_are_told_so(
    tmp_path: Path, shared_data: Path, name: str, day: date
) -> None:
    init(InitRequest(tmp_path / name, name))
    report = judge(load_workspace(tmp_path / name, shared_data), AttributeRequest(day, TODAY))
    assert finding(report, "threshold").main.reason_code == "no_history"
    assert report.in_short[0].startswith("Not enough evidence")
    for found in report.of("rollout"):
        assert found.status == "association"
