"""Small, empty and degenerate data: never a crash, always a reason."""

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, current, make_snapshots
from tierwise.errors import InvalidInput
from tierwise.potential import backtest, contributions, from_parts, predict, to_parts, train
from tierwise.potential.model import DIAGNOSTICS, PotentialModel

METRICS = list(FEATURES.names)


def open_windows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(label=np.nan)


def sixty(**columns: object) -> pd.DataFrame:
    return make_snapshots(partners=60).assign(**columns)


CASES = {
    "only two partners": (lambda: make_snapshots(partners=2, reviews=6), "too_few_snapshots"),
    "sixty partners": (lambda: make_snapshots(partners=60, reviews=12), None),
    "twelve partners": (lambda: make_snapshots(partners=12, reviews=12), "too_few_partners"),
    "one review": (lambda: make_snapshots(reviews=1), "no_time_honest_fold"),
    "reviews that overlap": (lambda: make_snapshots(reviews=4), "no_time_honest_fold"),
    "no closed label": (lambda: open_windows(make_snapshots(partners=40, reviews=2)), "no_completed_review"),
    "no partner ever sold": (lambda: sixty(label=lambda frame: frame["label"] * 0), "all_labels_zero"),
    "constant metrics": (lambda: sixty(**dict.fromkeys(METRICS, 3.0)), "no_usable_features"),
    "all metrics unknown": (lambda: sixty(**dict.fromkeys(METRICS, np.nan)), "no_usable_features"),
    "one constant, one unknown": (lambda: sixty(chance=1.0, win_rate=np.nan), None),
    "no attributes known": (
        lambda: sixty(region=None, partner_type=None).astype({"region": "str", "partner_type": "str"}),
        None,
    ),
}  # fmt: skip


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, PotentialModel, str | None]:
    make, reason = CASES[request.param]
    snapshots = make()
    return snapshots, train(snapshots, FEATURES, QUICK, AS_OF, 1), reason


def test_the_gate_says_why(case: tuple[pd.DataFrame, PotentialModel, str | None]):
    _, model, reason = case
    assert reason is None or model.gate.reason == reason
    assert (model.source == "persistence") == (not model.gate.accepted)
    assert set(model.diagnostics["code"]) <= set(DIAGNOSTICS)


def test_every_partner_gets_a_prediction_and_ordered_bounds(case: tuple[pd.DataFrame, PotentialModel, str | None]):
    snapshots, model, _ = case
    rows = current(snapshots)
    scored = predict(model, rows)
    assert scored["partner_id"].tolist() == rows["partner_id"].tolist()
    assert (scored["potential"] >= 0).all()
    known = scored["potential_low"].notna()
    assert (scored.loc[known, "potential_low"] <= scored.loc[known, "potential"]).all()
    assert (scored.loc[known, "potential"] <= scored.loc[known, "potential_high"]).all()
    assert known.all() or "no_interval" in set(model.diagnostics["code"])


def test_contributions_add_up(case: tuple[pd.DataFrame, PotentialModel, str | None]):
    snapshots, model, _ = case
    rows = current(snapshots)
    long = contributions(model, rows)
    assert set(long["partner_id"]) == set(rows["partner_id"])
    totals = long.groupby("partner_id")["contribution"].sum() + long.groupby("partner_id")["base"].first()
    potential = predict(model, rows).set_index("partner_id")["potential"].clip(lower=model.floor)
    assert (totals - np.log(potential)).abs().max() <= 1e-9 or (potential == model.floor).any()


def test_the_parts_bring_the_model_back(case: tuple[pd.DataFrame, PotentialModel, str | None]):
    snapshots, model, _ = case
    rows = current(snapshots)
    pd.testing.assert_frame_equal(predict(from_parts(to_parts(model)), rows), predict(model, rows))


def test_the_backtest_runs(case: tuple[pd.DataFrame, PotentialModel, str | None]):
    snapshots, _, reason = case
    result = backtest(snapshots, FEATURES, QUICK, AS_OF, 1)
    assert len(result.gate) == (
        0 if reason == "no_completed_review" else min(4, result.predictions["origin"].nunique())
    )


def test_no_snapshots_at_all():
    empty = make_snapshots(partners=40, reviews=1).head(0)
    model = train(empty, FEATURES, QUICK, AS_OF, 1)
    assert model.gate.reason == "no_completed_review"
    assert {"no_interval", "headroom_unknown", "cold_start_nobody"} <= set(model.diagnostics["code"])
    rows = current(make_snapshots(partners=40))
    scored = predict(model, rows)
    assert set(scored["potential_source"]) == {"persistence"}
    np.testing.assert_array_equal(scored["potential"], rows["revenue_4q"])


def test_no_rows_to_score():
    snapshots = make_snapshots(partners=60)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    nobody = current(snapshots).head(0)
    assert predict(model, nobody).empty
    assert contributions(model, nobody).empty


def test_diagnostics_name_the_useless_metrics():
    model = train(make_snapshots(partners=80).assign(chance=1.0, win_rate=np.nan), FEATURES, QUICK, AS_OF, 1)
    found = set(zip(model.diagnostics["code"], model.diagnostics["value"], strict=True))
    assert {("feature_constant", "chance"), ("feature_unknown", "win_rate")} <= found


def test_negative_labels_count_as_zero_and_are_told():
    snapshots = make_snapshots(partners=80)
    snapshots.loc[snapshots.index[:3], "label"] = -50.0
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    assert ("labels_below_zero", "3") in set(zip(model.diagnostics["code"], model.diagnostics["value"], strict=True))


def test_an_infinite_label_is_a_fault_with_its_partner():
    snapshots = make_snapshots(partners=20)
    snapshots.loc[0, "label"] = np.inf
    with pytest.raises(InvalidInput, match=snapshots.loc[0, "partner_id"]):
        train(snapshots, FEATURES, QUICK, AS_OF, 1)


def test_missing_columns_are_all_named_at_once():
    with pytest.raises(InvalidInput) as caught:
        train(make_snapshots(partners=20).drop(columns=["win_rate", "region"]), FEATURES, QUICK, AS_OF, 1)
    assert "win_rate" in str(caught.value)
    assert "region" in str(caught.value)
