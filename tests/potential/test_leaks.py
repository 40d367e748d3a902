"""No look into the future: the embargo, and what later labels may change."""

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, current, make_snapshots
from tierwise.potential import backtest, predict, to_parts, train
from tierwise.potential.folds import fold_at, inner_folds
from tierwise.potential.snapshots import assert_embargo, closed


@pytest.fixture(scope="module")
def snapshots() -> pd.DataFrame:
    return make_snapshots(partners=120, reviews=10)


def test_labels_that_are_still_open_on_the_date_change_nothing(snapshots: pd.DataFrame):
    as_of = pd.Timestamp("2025-12-31")
    changed = snapshots.copy()
    still_open = changed["label_until"] > as_of
    changed.loc[still_open, "label"] = changed.loc[still_open, "label"] * 0 + 123.0
    parts, again = (to_parts(train(frame, FEATURES, QUICK, as_of, 1)) for frame in (snapshots, changed))
    assert parts["potential"] == again["potential"]
    assert parts.get("trees_mean") == again.get("trees_mean")


def test_rows_after_the_date_change_nothing(snapshots: pd.DataFrame):
    as_of = pd.Timestamp("2025-12-31")
    parts = to_parts(train(snapshots, FEATURES, QUICK, as_of, 1))
    without = to_parts(train(snapshots[snapshots["as_of"] <= as_of], FEATURES, QUICK, as_of, 1))
    assert parts["potential"] == without["potential"]
    pd.testing.assert_frame_equal(parts["headroom"], without["headroom"])
    pd.testing.assert_frame_equal(parts["bands"], without["bands"])


def test_a_broken_embargo_stops_the_training(snapshots: pd.DataFrame):
    with pytest.raises(AssertionError, match="embargo broken"):
        assert_embargo(snapshots, pd.Timestamp("2024-12-31"))


def test_folds_train_on_closed_labels_only(snapshots: pd.DataFrame):
    labelled = closed(snapshots, AS_OF)
    folds = inner_folds(labelled, 3)
    assert [fold.origin for fold in folds] == sorted(fold.origin for fold in folds)
    for fold in folds:
        assert (fold.training["label_until"] <= fold.origin).all()
        assert (fold.test["as_of"] == fold.origin).all()
    assert fold_at(labelled, labelled["as_of"].min()).training.empty


def test_the_backtest_of_a_past_review_is_not_changed_by_what_came_later(snapshots: pd.DataFrame):
    early = pd.Timestamp("2025-12-31")
    origins = snapshots.loc[snapshots["label_until"] <= early, "as_of"].unique()
    full = backtest(snapshots, FEATURES, QUICK, AS_OF, 1).predictions
    then = backtest(snapshots, FEATURES, QUICK, early, 1).predictions
    common = sorted(set(full["origin"]) & set(then["origin"]))
    assert common
    assert max(common) <= str(max(origins))[:10]
    for origin in common:
        first, second = (frame[frame["origin"] == origin].reset_index(drop=True) for frame in (full, then))
        pd.testing.assert_frame_equal(first, second)


def test_the_order_of_rows_does_not_matter(snapshots: pd.DataFrame):
    shuffled = snapshots.sample(frac=1, random_state=3)
    rows = current(snapshots)
    first = predict(train(snapshots, FEATURES, QUICK, AS_OF, 1), rows)
    second = predict(train(shuffled, FEATURES, QUICK, AS_OF, 1), rows.iloc[::-1])
    pd.testing.assert_frame_equal(first, second.iloc[::-1].reset_index(drop=True))


def test_one_partner_alone_scores_as_among_all(snapshots: pd.DataFrame):
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    rows = current(snapshots)
    everyone, alone = predict(model, rows), predict(model, rows.iloc[[7]])
    pd.testing.assert_frame_equal(alone, everyone.iloc[[7]].reset_index(drop=True))


def test_inputs_are_not_changed(snapshots: pd.DataFrame):
    before = snapshots.copy(deep=True)
    predict(train(snapshots, FEATURES, QUICK, AS_OF, 1), current(snapshots))
    pd.testing.assert_frame_equal(snapshots, before)
    assert np.isnan(snapshots.loc[snapshots["as_of"] == AS_OF, "label"]).all()
