from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from tests.pilots.known_truth import stepped_panel
from tierwise import pilots
from tierwise.config.pilot import AnalysisSettings, OneRegionSettings, OutcomeSettings, RolloutSettings
from tierwise.errors import InvalidInput, Refused

STEPS = RolloutSettings(outcome="revenue")
ONE = OneRegionSettings(outcome="revenue", treated=("north",), starts=12)


def keep_schema(results) -> None:
    for row in pilots.to_rows(results):
        Draft202012Validator(pilots.RESULT_SCHEMA).validate(row)


@pytest.fixture
def panel() -> pd.DataFrame:
    return stepped_panel(np.random.default_rng(1))[0]


@pytest.fixture
def regions() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    names = np.repeat(["north", *(f"r{number}" for number in range(19))], 16)
    period = np.tile(np.arange(16), 20)
    market = np.cumsum(rng.normal(0, 0.3, 16))[period]
    revenue = 5 + market + rng.normal(0, 0.2, 320) + 2.0 * ((names == "north") & (period >= 12))
    return pd.DataFrame({"region": names, "period": period, "revenue": revenue})


def test_rows_of_a_roll_out_carry_their_diagnostics(panel):
    rows = pilots.staggered(panel, STEPS)
    keep_schema(rows)
    assert [row.method.split(", ")[1] for row in rows[:3]] == ["simple", "event_study", "group"]
    assert rows[0].diagnostics["comparison_units"] == 30
    assert 0 <= rows[0].diagnostics["pre_trend_p"] <= 1
    exposures = [row.scope for row in rows[3:]]
    assert "exposure: 0" in exposures
    assert "exposure: -2" in exposures
    shuffled = pilots.staggered(panel.sample(frac=1, random_state=1), STEPS)
    assert shuffled[0].effect().estimate == pytest.approx(rows[0].effect().estimate)


def test_diverging_trends_are_seen(panel):
    drift = panel["revenue"] + 0.4 * panel["period"] * (panel["first_treated"] > 0)
    assert pilots.staggered(panel.assign(revenue=drift), STEPS)[0].diagnostics["pre_trend_p"] < 1e-6


def test_without_a_comparison_or_a_past_there_is_a_reason(panel):
    all_treated = panel.assign(first_treated=5)
    assert [row.reason_code for row in pilots.staggered(all_treated, STEPS)] == ["no_comparison_group"]
    at_once = panel.assign(first_treated=np.where(panel["first_treated"] > 0, 1, 0))
    assert [row.reason_code for row in pilots.staggered(at_once, STEPS)] == ["no_pre_periods"]
    nobody = panel.assign(first_treated=np.nan)
    assert [row.reason_code for row in pilots.staggered(nobody, STEPS)] == ["no_comparison_group"]
    keep_schema(pilots.staggered(nobody, STEPS))


def test_units_not_treated_yet_can_be_the_comparison(panel):
    treated = panel[panel["first_treated"] > 0]
    read = STEPS.model_copy(update={"compare_with": "not_yet_treated"})
    assert pilots.staggered(treated, read)[0].effect().estimate > 0


def test_faults_of_a_panel(panel):
    with pytest.raises(InvalidInput, match="did you mean 'revenue'"):
        pilots.staggered(panel, RolloutSettings(outcome="revenues"))
    with pytest.raises(InvalidInput, match="lack a period"):
        pilots.staggered(panel.drop(index=3), STEPS)
    with pytest.raises(InvalidInput, match="two rows in one period"):
        pilots.staggered(pd.concat([panel, panel.head(1)]), STEPS)
    with pytest.raises(InvalidInput, match="more than one first treated"):
        pilots.staggered(panel.assign(first_treated=panel["period"]), STEPS)
    with pytest.raises(InvalidInput, match="1 values are missing"):
        pilots.staggered(panel.assign(revenue=panel["revenue"].mask(panel.index == 0)), STEPS)


def test_one_region_is_ranked_among_the_others(regions):
    row = pilots.one_region(regions, ONE)
    assert row.effect().estimate == pytest.approx(2.0, abs=0.4)
    assert row.effect().p == row.diagnostics["least_p"] == pytest.approx(1 / 20)
    assert row.diagnostics["placebo_regions"] == 19
    assert abs(row.diagnostics["pre_period_placebo"]) < 0.5
    keep_schema([row])
    again = pilots.one_region(regions.sample(frac=1, random_state=1), ONE)
    assert again == row


def test_one_region_needs_a_past_and_others(regions):
    assert pilots.one_region(regions, ONE.model_copy(update={"starts": 2})).reason_code == "no_pre_periods"
    two = regions[regions["region"].isin(["north", "r1"])]
    assert pilots.one_region(two, ONE).reason_code == "no_comparison_group"
    with pytest.raises(InvalidInput, match="did you mean 'north'"):
        pilots.one_region(regions, ONE.model_copy(update={"treated": ("nort",)}))


def test_before_and_after_is_a_description():
    frame = pd.DataFrame({"partner_id": ["a", "b", "c"], "old": [1.0, 2.0, 3.0], "new": [2.0, 4.0, np.nan]})
    row = pilots.before_after(frame, "old", "new")
    assert (row.grade, row.claim, row.value.estimate) == ("descriptive", "description", 1.5)
    assert row.counts.missing_arm == 1
    with pytest.raises(Refused, match="description"):
        row.effect()
    assert pilots.before_after(frame.head(1), "old", "new").reason_code == "too_few_units"
    with pytest.raises(InvalidInput, match="no such column"):
        pilots.before_after(frame, "old", "newer")
    keep_schema([row])


def test_groups_that_formed_by_themselves_keep_the_schema_and_their_grade():
    rng = np.random.default_rng(3)
    size = rng.lognormal(0, 1, 400)
    chosen = rng.random(400) < size / (1 + size)
    frame = pd.DataFrame({"partner_id": np.arange(400), "arm": np.where(chosen, "member", "control"), "size": size})
    frame = frame.assign(revenue=size + rng.normal(0, 0.3, 400))
    read = AnalysisSettings(control="control", outcomes={"revenue": OutcomeSettings()}, covariates=("size",))
    naive, adjusted = pilots.compare_observed(frame, read)
    assert naive.value.estimate > 0.5
    assert abs(adjusted.value.estimate) < 0.15
    assert {row.claim for row in (naive, adjusted)} == {"association"}
    keep_schema((naive, adjusted))
