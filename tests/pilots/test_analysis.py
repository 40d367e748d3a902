from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.pilots.known_truth import clustered_frame, reseller_frame, settings
from tierwise import pilots
from tierwise.config.pilot import AnalysisSettings, DecisionSettings, OutcomeSettings
from tierwise.errors import InvalidInput, Refused
from tierwise.pilots.units import outcome_values, read_units

SCHEMA = Draft202012Validator(pilots.RESULT_SCHEMA)


@pytest.fixture
def frame() -> pd.DataFrame:
    found, _ = reseller_frame(300, 0.5, np.random.default_rng(1))
    return found.assign(deals=np.arange(300) % 7 + 1, complaints=np.arange(300) % 5, archetype=np.arange(300) % 4)


def keep_schema(results) -> None:
    for row in pilots.to_rows(results):
        SCHEMA.validate(row)


def test_the_schema_is_itself_valid_and_asks_for_a_reason_where_there_is_no_number(frame):
    Draft202012Validator.check_schema(pilots.RESULT_SCHEMA)
    [row] = pilots.to_rows(pilots.analyse(frame, settings()).results)
    SCHEMA.validate(row)
    assert not SCHEMA.is_valid({**row, "estimate": None, "reason_code": None})
    assert not SCHEMA.is_valid({**row, "grade": "proven"})


def test_the_order_of_rows_and_columns_and_further_columns_do_not_matter(frame):
    read = settings(covariates=("past", "region"), archetype="archetype")
    shuffled = frame.sample(frac=1, random_state=3)[sorted(frame.columns)].assign(more=1)
    assert pilots.to_rows(pilots.analyse(shuffled, read).results) == pilots.to_rows(pilots.analyse(frame, read).results)


def test_the_frame_is_left_as_it_was(frame):
    before = frame.copy()
    pilots.analyse(frame, settings(covariates=("past",), archetype="archetype"))
    pd.testing.assert_frame_equal(frame, before)


@given(st.floats(0.01, 1e6))
def test_the_unit_of_money_does_not_matter(scale):
    frame, _ = reseller_frame(60, 0.5, np.random.default_rng(2))
    [one] = pilots.analyse(frame, settings(covariates=("past",))).results
    scaled = frame.assign(revenue=frame["revenue"] * scale, past=frame["past"] * scale)
    [other] = pilots.analyse(scaled, settings(covariates=("past",))).results
    assert other.effect().estimate == pytest.approx(one.effect().estimate * scale, rel=1e-6)
    assert other.effect().p == pytest.approx(one.effect().p, rel=1e-6)


def test_swapping_the_arms_turns_the_sign(frame):
    [one] = pilots.analyse(frame, settings(covariates=("past",))).results
    [other] = pilots.analyse(frame, settings(control="mdf", covariates=("past",))).results
    assert other.effect().estimate == pytest.approx(-one.effect().estimate)
    assert other.effect().standard_error == pytest.approx(one.effect().standard_error)


def test_partners_that_left_and_missing_outcomes_are_counted_and_not_dropped(frame):
    left = np.arange(300) % 10 == 0
    revenue = frame["revenue"].mask(np.arange(300) % 15 == 1)
    read = settings(outcomes={"revenue": OutcomeSettings(role="primary", left=0.0)})
    [row] = pilots.analyse(frame.assign(left=left, revenue=revenue), read).results
    counts = row.counts
    assert counts.arm + counts.control == 300
    assert counts.left_arm + counts.left_control == 30
    assert counts.missing_arm + counts.missing_control == int((np.arange(300) % 15 == 1).sum())
    assert "missing_at_random_in_arm" in row.assumptions
    assert row.diagnostics["bound_low"] <= row.diagnostics["bound_high"]
    keep_schema([row])


def test_missing_only_among_the_treated_is_seen_and_the_bounds_hold_the_truth():
    rng = np.random.default_rng(4)
    arm, base = np.arange(2000) % 2, rng.normal(0, 1, 2000)
    shown = np.where((arm == 1) & (base < -0.5), np.nan, base + 0.5 * arm)
    frame = pd.DataFrame({"partner_id": np.arange(2000), "arm": np.where(arm, "mdf", "control"), "revenue": shown})
    [row] = pilots.analyse(frame, settings()).results
    assert row.diagnostics["missing_p"] < 1e-6
    assert row.effect().estimate > 0.8
    assert row.diagnostics["bound_low"] <= 0.5 <= row.diagnostics["bound_high"]


def test_a_value_for_the_missing_takes_their_place(frame):
    absent = frame.assign(revenue=frame["revenue"].mask(frame["revenue"] == 0))
    read = settings(outcomes={"revenue": OutcomeSettings(role="primary", missing=0.0)})
    [filled] = pilots.analyse(absent, read).results
    [whole] = pilots.analyse(frame, settings()).results
    assert filled.effect() == whole.effect()


def test_arms_of_the_wrong_size_stop_every_number(frame):
    kept = frame[(frame["arm"] == "control") | (np.arange(300) % 2 == 0)]
    analysis = pilots.analyse(kept, settings(archetype="archetype"))
    assert analysis.sample_ratio.p < 0.001
    assert {row.reason_code for row in analysis.results} == {"sample_ratio_mismatch"}
    assert all(row.value is None and row.p_adjusted is None for row in analysis.results)
    keep_schema(analysis.results)
    [verdict] = pilots.decide(analysis, settings(), DecisionSettings())
    assert verdict.answer == "no_verdict"


def test_uneven_shares_that_were_drawn_are_no_mismatch(frame):
    kept = frame[(frame["arm"] == "control") | (np.arange(300) % 2 == 0)]
    assert pilots.analyse(kept, settings(shares={"control": 2, "mdf": 1})).sample_ratio.passed


def test_compliance_is_reported_and_does_not_change_the_estimate(frame):
    received = frame["arm"].mask(np.arange(300) % 6 == 0, "control")
    analysis = pilots.analyse(frame.assign(received=received), settings())
    by_arm = {row.arm: row for row in analysis.compliance}
    assert by_arm["control"].share == 1
    assert 0.7 < by_arm["mdf"].share < 0.95
    assert analysis.results == pilots.analyse(frame, settings()).results


def test_a_ratio_is_the_ratio_of_totals(frame):
    read = settings(outcomes={"revenue": OutcomeSettings(role="primary", per="deals")})
    [row] = pilots.analyse(frame, read).results
    totals = frame.groupby("arm")[["revenue", "deals"]].sum()
    ratio = totals["revenue"] / totals["deals"]
    assert row.effect().estimate == pytest.approx(ratio["mdf"] - ratio["control"])
    units = read_units(frame, read)
    parts = outcome_values(units, "revenue", read.outcomes["revenue"])
    assert parts[units.arm == 0].mean() == pytest.approx(ratio["control"])


def test_holm_over_primary_and_benjamini_hochberg_over_the_rest(frame):
    outcomes = {
        "revenue": OutcomeSettings(role="primary"),
        "deals": OutcomeSettings(role="primary"),
        "complaints": OutcomeSettings(role="guardrail", direction="down"),
        "past": OutcomeSettings(),
    }
    rows = {row.metric: row for row in pilots.analyse(frame, settings(outcomes=outcomes)).results}
    raw = sorted(rows[name].effect().p for name in ("revenue", "deals"))
    assert min(rows[name].p_adjusted for name in ("revenue", "deals")) == pytest.approx(2 * raw[0])
    assert [rows[name].adjustment for name in outcomes] == ["holm", "holm", "none", "benjamini_hochberg"]
    assert rows["complaints"].p_adjusted is None
    keep_schema(rows.values())


def test_a_look_before_the_end_has_a_wider_interval(frame):
    [end] = pilots.analyse(frame, settings()).results
    [look] = pilots.analyse(frame, settings(look=0.5)).results
    assert look.effect().low < end.effect().low
    assert look.effect().p > end.effect().p
    assert look.method.endswith("confidence sequence")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda rows: rows.assign(revenue=3.0), "no_variation"),
        (lambda rows: rows.assign(revenue=np.where(rows["arm"] == "mdf", np.nan, rows["revenue"])), "too_few_units"),
    ],
)
def test_what_cannot_be_computed_has_a_reason(frame, change, code):
    [row] = pilots.analyse(change(frame), settings(covariates=("past",))).results
    assert (row.reason_code, row.value) == (code, None)
    keep_schema([row])
    with pytest.raises(Refused):
        row.effect()


def test_a_ratio_below_nothing_has_a_reason(frame):
    read = settings(outcomes={"revenue": OutcomeSettings(role="primary", per="deals")})
    [row] = pilots.analyse(frame.assign(deals=np.where(frame["arm"] == "mdf", 0, 1)), read).results
    assert row.reason_code == "ratio_denominator_zero"


def test_one_cluster_in_an_arm_has_a_reason():
    frame = clustered_frame(4, np.random.default_rng(1))
    frame = frame[
        (frame["arm"] == "control") | (frame["distributor"] == frame.loc[frame["arm"] == "mdf", "distributor"].min())
    ]
    [row] = pilots.analyse(frame, settings(cluster="distributor")).results
    assert row.reason_code == "too_few_clusters"


def test_useless_covariates_do_no_harm(frame):
    wild = frame.assign(
        same=1.0,
        twice=2 * frame["past"],
        absent=np.nan,
        each=frame["partner_id"],
        some=frame["past"].mask(frame.index < 20),
    )
    [row] = pilots.analyse(wild, settings(covariates=("past", "same", "twice", "absent", "each", "some"))).results
    [clean] = pilots.analyse(frame, settings(covariates=("past",))).results
    assert row.effect().standard_error == pytest.approx(clean.effect().standard_error, rel=0.05)


def test_all_faults_come_at_once_with_a_hint(frame):
    bad = frame.assign(revenue=frame["revenue"].mask(frame.index == 3, np.inf), region=None)
    bad = pd.concat([bad, bad.iloc[[0]]])
    with pytest.raises(InvalidInput) as caught:
        pilots.analyse(bad, settings(control="contrl", covariates=("pest",), strata=("region",)))
    text = str(caught.value)
    assert len(caught.value.faults) == 5
    for part in (
        "did you mean 'past'?",
        "did you mean 'control'?",
        "stands twice",
        "infinite",
        "p000003",
        "is missing (301",
    ):
        assert part in text


def test_a_cluster_in_two_arms_is_refused(frame):
    with pytest.raises(InvalidInput, match="more than one arm"):
        pilots.analyse(frame.assign(distributor="d1"), settings(cluster="distributor"))


def test_text_is_no_outcome(frame):
    with pytest.raises(InvalidInput, match="not numeric"):
        pilots.analyse(frame.assign(revenue="much"), settings())


def test_settings_refuse_a_control_without_a_share():
    with pytest.raises(ValueError, match="did you mean 'control'"):
        AnalysisSettings(control="contrl", shares={"control": 1, "mdf": 1}, outcomes={"revenue": OutcomeSettings()})


def test_three_archetypes_are_not_drawn_in_and_four_are(frame):
    four = pilots.analyse(frame, settings(archetype="archetype")).results[1:]
    assert all("empirical Bayes" in row.method and 0 <= row.diagnostics["shrinkage"] <= 1 for row in four)
    three = pilots.analyse(frame.assign(archetype=np.arange(300) % 3), settings(archetype="archetype")).results[1:]
    assert not any("empirical Bayes" in row.method for row in three)
    assert {row.scope for row in three} == {"archetype: 0", "archetype: 1", "archetype: 2"}
    keep_schema((*four, *three))


def test_very_large_clusters_of_equal_size_are_read_as_their_means():
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(12), 1600)
    frame = pd.DataFrame({"partner_id": np.arange(len(cluster)), "distributor": cluster})
    frame = frame.assign(
        arm=np.where(cluster % 2, "mdf", "control"),
        revenue=rng.normal(0, 1, 12)[cluster] + rng.normal(0, 1, len(cluster)),
    )
    [row] = pilots.analyse(frame, settings(cluster="distributor")).results
    means = frame.groupby(["arm", "distributor"])["revenue"].mean()
    apart = np.sqrt(sum(means[arm].var(ddof=1) / 6 for arm in ("control", "mdf")))
    assert "CR2" in row.method
    assert row.effect().standard_error == pytest.approx(apart)
    assert row.effect().degrees == pytest.approx(10)


def test_rows_as_a_frame(frame):
    table = pilots.to_frame(pilots.analyse(frame, settings()).results)
    assert table.loc[0, "grade"] == "randomised"
    assert table.loc[0, "arm_units"] == 150
    assert table.loc[0, "assumptions"] == "random_assignment, no_interference"
