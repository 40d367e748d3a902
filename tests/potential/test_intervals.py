from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tierwise.config.model_spec import Feature, FeatureSet, GateSpec, IntervalSpec, PotentialSpec
from tierwise.potential import predict, train
from tierwise.potential.folds import calibration_reviews
from tierwise.potential.intervals import LogScale, band_edges, calibrate, conformal_quantile, log_scale, widen

SPEC = IntervalSpec()


def test_the_conformal_quantile_is_an_order_statistic():
    scores = np.arange(1.0, 10.0)
    assert conformal_quantile(scores, 0.8) == 8
    assert conformal_quantile(scores, 0.9) == 9
    assert conformal_quantile(scores, 0.99) == 9
    assert conformal_quantile(np.zeros(0), 0.8) == 0


def test_the_log_scale_turns_back_and_never_goes_below_zero():
    scale = LogScale(50.0)
    values = np.array([0.0, 1.0, 50.0, 1e7])
    np.testing.assert_allclose(scale.back(scale.log(values)), values, rtol=1e-12)
    assert scale.back(np.array([-3.0]))[0] == 0


def test_the_unit_of_the_log_scale_follows_the_money():
    label = np.array([0.0, 5.0, 10.0, 20.0])
    assert log_scale(label * 100).unit == pytest.approx(100 * log_scale(label).unit)
    assert log_scale(np.zeros(3)).unit == 1


def test_bands_hold_enough_partners_and_keep_ties_together():
    edges = band_edges(np.arange(300.0), SPEC)
    assert len(edges) == 3
    assert edges[0] == -np.inf
    assert len(band_edges(np.arange(70.0), SPEC)) == 1
    assert len(band_edges(np.concatenate((np.zeros(280), np.arange(1.0, 21.0))), SPEC)) == 1
    assert len(band_edges(np.zeros(0), SPEC)) == 0


@pytest.mark.parametrize("quantiles", [True, False])
def test_new_partners_are_covered_as_promised_in_every_band(quantiles: bool):
    rng = np.random.default_rng(5)
    scale = LogScale(100.0)

    def draw(n: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
        centre = np.exp(rng.normal(8, 1, n))
        spread = 0.3 + 0.4 * (centre > np.exp(8))
        actual = centre * np.exp(rng.normal(0, 1, n) * spread)
        logged = scale.log(centre)
        return centre, (logged - 0.5, logged + 0.5) if quantiles else (logged, logged), actual

    centre, bounds, actual = draw(3000)
    bands = calibrate("model", centre, bounds, scale.log(actual), SPEC)
    centre, bounds, actual = draw(6000)
    low, high = widen(bands, "model", centre, bounds, scale)
    inside = (actual >= low) & (actual <= high)
    band = np.searchsorted(bands["from_value"].to_numpy(), centre, side="right") - 1
    for place in range(3):
        assert inside[band == place].mean() == pytest.approx(0.8, abs=0.05)


def test_the_prediction_lies_inside_its_interval():
    bands = pd.DataFrame(
        {
            "source": ["model"],
            "band": [0],
            "from_value": [-np.inf],
            "partners": [9],
            "low_offset": [1.0],
            "high_offset": [2.0],
        }
    )
    scale, centre = LogScale(1.0), np.array([10.0])
    low, high = widen(bands, "model", centre, (scale.log(centre), scale.log(centre)), scale)
    assert low[0] <= 10 <= high[0]


def test_without_calibration_there_is_no_interval():
    bands = pd.DataFrame(columns=["source", "band", "from_value", "partners", "low_offset", "high_offset"])
    low, high = widen(bands, "model", np.ones(3), (np.ones(3), np.ones(3)), LogScale(1.0))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


DAYS = [pd.Timestamp(day) for day in ("2023-06-30", "2023-12-31", "2024-03-31", "2024-06-30", "2024-09-30")]


@pytest.mark.parametrize(
    ("as_of", "found"),
    [("2025-03-31", ["2024-03-31", "2024-09-30"]), ("2024-12-31", ["2023-12-31", "2024-09-30"]),
     ("2025-06-30", ["2024-06-30", "2024-09-30"]), ("2025-09-30", ["2024-09-30"]), ("2024-11-15", ["2024-09-30"])],
)  # fmt: skip
def test_the_last_review_and_the_latest_of_the_coming_season_calibrate(as_of: str, found: list[str]):
    labelled = pd.DataFrame({"as_of": DAYS})
    assert calibration_reviews(labelled, pd.Timestamp(as_of)) == [pd.Timestamp(day) for day in found]


def test_without_a_completed_review_none_calibrates():
    assert calibration_reviews(pd.DataFrame({"as_of": pd.to_datetime([])}), DAYS[0]) == []


def half_years(seed: int, partners: int = 240) -> pd.DataFrame:
    """Six reviews half a year apart, horizon half a year: from June to December everyone sells four times as much."""
    rng = np.random.default_rng(seed)
    level = rng.normal(8, 1.2, partners)
    days = pd.date_range("2022-06-30", periods=8, freq="2QE")
    sold = [np.exp(level + rng.normal(0, 0.4, partners) + np.log(4) * (day.month == 12)) for day in days]
    return pd.concat(
        [
            pd.DataFrame(
                {"as_of": day, "partner_id": [f"P{n:03d}" for n in range(partners)], "tenure_days": 900.0,
                 "label": after, "label_until": until, "revenue": before, "persistence": before}
            )
            for (day, until), before, after in zip(pairwise(days[1:]), sold[1:-1], sold[2:], strict=True)
        ],
        ignore_index=True,
    )  # fmt: skip


def test_a_season_that_turns_everyone_is_inside_the_interval():
    rows = half_years(3)
    last = rows["as_of"].max()
    features = FeatureSet((Feature("revenue", direction="up"),), "revenue")
    model = train(rows, features, PotentialSpec(gate=GateSpec(partners=10_000)), last, 1)
    test = rows[rows["as_of"] == last].reset_index(drop=True)
    said = predict(model, test)
    inside = test["label"].between(said["potential_low"], said["potential_high"])
    assert set(said["potential_source"]) == {"persistence"}
    assert inside.mean() >= 0.75  # calibrated on the season before alone, hardly anyone would be
