"""What a training could not do is said with a code, and newcomers are never predicted by what saw them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import FEATURES, QUICK
from tierwise.config.model_spec import ColdStartSpec
from tierwise.potential.cold_start import ColdStart
from tierwise.potential.diagnose import diagnose_features, diagnose_gate, diagnose_intervals
from tierwise.potential.findings import Finding, findings_frame
from tierwise.potential.folds import Fold
from tierwise.potential.gate import REASONS, GateResult
from tierwise.potential.judge import Context, why_no_model
from tierwise.potential.model import DIAGNOSTIC_COLUMNS, DIAGNOSTICS
from tierwise.potential.newcomers import learn_newcomers, unseen_newcomers

DAY = pd.Timestamp("2025-06-30")
CONTEXT = Context(FEATURES, QUICK, 1)
USED = ColdStart(0.0, {}, (), "revenue_4q", "newcomers")
BANDS = pd.DataFrame({"source": ["model", "persistence", "persistence"]})
ROWS = pd.DataFrame({"depth": [0]})


def _newcomers(partners: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"partner_id": [f"N{number:02d}" for number in range(partners)], "as_of": DAY})
    blank = dict.fromkeys((*FEATURES.names, "persistence"), 0.0)
    region = np.where(np.arange(partners) % 2, "AMER", "EMEA")
    label = rng.exponential(size=partners) * np.where(region == "AMER", 10, 1)
    return frame.assign(
        **blank, label=label, label_until=DAY, tenure_days=30.0, region=region, partner_type="Reseller"
    )  # fmt: skip


def test_an_open_gate_needs_no_word_and_a_closed_one_says_its_reason() -> None:
    assert list(diagnose_gate(GateResult(True, "proven"))) == []
    closed = GateResult(False, "too_few_snapshots", detail="3 of 50")
    assert list(diagnose_gate(closed)) == [Finding("gate_closed", f"{REASONS['too_few_snapshots']} (3 of 50)")]


def test_useless_metrics_and_negative_labels_are_named() -> None:
    rows = _newcomers(4).assign(
        revenue_4q=[1.0, 2.0, 3.0, 4.0], pipeline_2q=[1.0, np.nan, 1.0, 1.0], deals_4q=np.nan, label=[-1.0, 0, 1, -9]
    )
    found = list(diagnose_features(rows, rows, FEATURES))
    constant = [Finding("feature_constant", name) for name in ("idle_days", "win_rate", "chance")]
    assert found == [Finding("feature_unknown", "deals_4q"), *constant, Finding("labels_below_zero", "2")]
    assert list(diagnose_features(rows.head(0), rows.head(0), FEATURES)) == []


@pytest.mark.parametrize(
    ("bands", "cold_start", "headroom", "codes"),
    [
        (BANDS, USED, ROWS, []),
        (BANDS.head(0), USED, ROWS, ["no_interval"]),
        (BANDS.head(2), USED, ROWS, ["interval_bands_pooled"]),
        (BANDS, ColdStart(0.0, {}, (), "t", "all_partners"), ROWS, ["cold_start_all_partners"]),
        (BANDS, ColdStart(0.0, {}, (), "t", "newcomers", "worse", "p .02"), ROWS, ["cold_start_worse"]),
        (BANDS.head(0), ColdStart(0.0, {}, (), "t", "nobody"), ROWS.head(0),
         ["no_interval", "cold_start_nobody", "headroom_unknown"]),
    ],
)  # fmt: skip
def test_what_intervals_newcomers_and_headroom_did_without(
    bands: pd.DataFrame, cold_start: ColdStart, headroom: pd.DataFrame, codes: list[str]
) -> None:
    assert [finding.code for finding in diagnose_intervals(bands, cold_start, headroom)] == codes


def test_findings_keep_their_order_and_have_their_message() -> None:
    table = findings_frame([Finding("regime_unknown"), Finding("feature_constant", "x")])
    assert tuple(table.columns) == DIAGNOSTIC_COLUMNS
    assert table["message"].tolist() == [DIAGNOSTICS["regime_unknown"], DIAGNOSTICS["feature_constant"]]
    assert findings_frame([]).empty


def test_the_gates_refusal_says_how_much_is_missing() -> None:
    rows = _newcomers()
    assert why_no_model(rows.head(0), [], CONTEXT) == GateResult(False, "no_completed_review")
    short = why_no_model(rows, [], CONTEXT)
    assert short is not None
    assert "the first label closed only on 2025-06-30" in short.sentence
    few = why_no_model(rows, [Fold(DAY, rows.head(7), rows)], CONTEXT)
    assert few is not None
    assert few.detail == "7 were closed by 2025-06-30, 50 are needed"
    zero = why_no_model(rows, [Fold(DAY, rows.assign(label=0.0), rows)], CONTEXT)
    assert zero is not None
    assert zero.reason == "all_labels_zero"


def test_no_newcomer_is_predicted_by_a_model_that_saw_it() -> None:
    rows = _newcomers()
    same, before = unseen_newcomers(rows, CONTEXT, 1e-3)
    changed = rows.assign(label=rows["label"].where(rows["partner_id"] != "N07", 1e6))
    after = unseen_newcomers(changed, CONTEXT, 1e-3)[1]
    assert same["partner_id"].tolist() == rows["partner_id"].tolist()
    own = (rows["partner_id"] == "N07").to_numpy()
    assert after[own] == pytest.approx(before[own])
    assert (after[~own] > before[~own]).mean() > 0.5


def test_a_model_of_newcomers_that_nothing_can_test_is_not_used() -> None:
    rows = _newcomers()
    untested = learn_newcomers(rows, [], None, CONTEXT, 1e-3)
    assert (untested.refused, untested.used) == ("not_tested", False)
    short = learn_newcomers(rows, [Fold(DAY, rows.head(5), rows)], None, CONTEXT, 1e-3)
    assert short.detail == "5 labelled snapshots were closed by 2025-06-30, 30 are needed"


def test_a_model_of_newcomers_that_ranks_them_worse_is_refused_with_its_probability() -> None:
    rows = _newcomers()
    other_way = rows.assign(label=rows["label"].where(rows["region"] == "EMEA", 0.0), persistence=0.0)
    spec = QUICK.model_copy(update={"cold_start": ColdStartSpec(history=False)})
    found = learn_newcomers(rows, [Fold(DAY, rows, other_way)], None, Context(FEATURES, spec, 1), 1e-3)
    assert found.refused == "worse"
    assert found.detail.startswith("bootstrap probability 0.0")
    good = learn_newcomers(rows, [Fold(DAY, rows, rows)], None, Context(FEATURES, spec, 1), 1e-3)
    assert good.used


def test_a_partner_with_most_of_the_value_is_named_where_there_are_others_to_speak_of() -> None:
    rows = _newcomers(40).assign(revenue_4q=np.arange(40.0))
    giant = rows.assign(label=np.where(rows["partner_id"] == "N07", 1e6, rows["label"]))
    said = [
        finding.value for finding in diagnose_features(giant, giant, FEATURES) if finding.code == "dominant_partner"
    ]
    assert said == ["N07, 100% of the last completed review"]
    for frame in (rows, giant.head(19)):
        assert "dominant_partner" not in [finding.code for finding in diagnose_features(frame, frame, FEATURES)]
