"""A model fitted again on other rows: what was decided stays, what was learned follows the rows."""

from __future__ import annotations

import numpy as np

from tests.potential.channel import AS_OF, FEATURES, QUICK, make_snapshots
from tierwise.potential import predict, predict_centre, refit, train


def test_a_refitted_model_keeps_the_verdict_and_learns_from_the_other_rows() -> None:
    snapshots = make_snapshots(partners=150, reviews=8)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    doubled = snapshots.assign(label=snapshots["label"] * 2)
    again = refit(model, doubled, QUICK, 1)
    now = snapshots[snapshots["as_of"] == AS_OF].reset_index(drop=True)
    assert model.source == again.source == "model"
    assert again.gate is model.gate
    assert again.bands is model.bands
    ratio = np.median(predict_centre(again, now) / predict_centre(model, now))
    assert 1.9 < ratio < 2.1


def test_without_positive_labels_the_model_stays_as_it_was() -> None:
    snapshots = make_snapshots(partners=150, reviews=8)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    assert refit(model, snapshots.assign(label=snapshots["label"] * 0), QUICK, 1) is model


def test_the_centre_alone_is_the_potential_of_the_prediction() -> None:
    snapshots = make_snapshots(partners=150, reviews=8)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    now = snapshots[snapshots["as_of"] == AS_OF].reset_index(drop=True)
    np.testing.assert_array_equal(predict_centre(model, now), predict(model, now)["potential"].to_numpy())
