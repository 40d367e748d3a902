import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, make_snapshots
from tierwise.config.model_spec import BacktestSpec
from tierwise.potential import Backtest, backtest, normalized_gini, train
from tierwise.potential.backtest import COLUMNS
from tierwise.potential.scores import calibration, skill_on_change, spearman, top_decile_capture, total_ratio

SPEC = QUICK.model_copy(update={"backtest": BacktestSpec(origins=3, bootstraps=40)})


@pytest.fixture(scope="module")
def result() -> Backtest:
    return backtest(make_snapshots(partners=250), FEATURES, SPEC, AS_OF, 1, ("region",))


def test_every_table_has_its_columns(result: Backtest):
    assert {name: tuple(table.columns) for name, table in result.tables().items()} == COLUMNS


def test_baselines_stand_beside_the_model_at_every_origin(result: Backtest):
    gini = result.scores[result.scores["score"] == "gini"]
    by_origin = gini.groupby("origin")["candidate"].agg(set)
    assert len(by_origin) == 4
    assert all({"persistence", "run_rate", "glm", "trees", "model", "chosen"} <= found for found in by_origin)


def test_a_stored_gini_is_the_gini_of_the_stored_predictions(result: Backtest):
    origin = result.gate["origin"].iloc[-1]
    rows = result.predictions[result.predictions["origin"] == origin]
    stored = result.scores.query("origin == @origin and candidate == 'model' and score == 'gini'").iloc[0]
    assert stored["value"] == pytest.approx(normalized_gini(rows["actual"].to_numpy(), rows["model"].to_numpy()))
    assert stored["low"] < stored["value"] < stored["high"]


def test_the_pooled_score_is_the_mean_over_origins(result: Backtest):
    model = result.scores.query("candidate == 'model' and score == 'gini'").set_index("origin")["value"]
    assert model["all"] == pytest.approx(model.drop("all").mean())


def test_chosen_is_what_the_gate_chose(result: Backtest):
    for row in result.gate.itertuples():
        rows = result.predictions[result.predictions["origin"] == row.origin]
        established = rows[rows["source"] != "cold_start"]
        assert set(established["source"]) == {row.chosen}
        np.testing.assert_allclose(established["chosen"], established[row.chosen])


def test_a_model_that_helps_beats_persistence_and_covers_as_promised(result: Backtest):
    pooled = result.scores.query("origin == 'all' and score == 'gini'").set_index("candidate")["value"]
    assert pooled["model"] > pooled["persistence"] + 0.05
    coverage = result.coverage[result.coverage["source"] == "model"]
    assert np.average(coverage["coverage"], weights=coverage["partners"]) == pytest.approx(0.8, abs=0.07)


def test_retrains_rank_the_same_partners_alike(result: Backtest):
    assert result.stability["candidate"].tolist() == ["chosen", "model"] * 2
    assert (result.stability["spearman"] > 0.9).all()


def test_errors_are_cut_by_region_size_and_tenure(result: Backtest):
    assert set(result.segments["segment"]) == {"region", "current size", "tenure"}
    by_region = result.segments.query("segment == 'region' and candidate == 'model'")
    assert by_region["partners"].sum() == len(result.predictions)


def test_calibration_by_decile_is_monotone_for_a_model_that_ranks():
    rng = np.random.default_rng(0)
    predicted = rng.exponential(size=1000)
    table = calibration(predicted * rng.exponential(size=1000), predicted)
    assert table["decile"].tolist() == list(range(1, 11))
    assert table["partners"].sum() == 1000
    assert table["actual"].corr(table["predicted"]) > 0.95


def test_equal_predictions_share_a_decile():
    assert calibration(np.arange(50.0), np.ones(50))["partners"].tolist() == [50]
    assert calibration(np.zeros(0), np.zeros(0)).empty


def test_top_decile_capture_counts_ties_in_proportion():
    actual = np.array([10.0] + [0.0] * 9)
    assert top_decile_capture(actual, actual) == 1
    assert top_decile_capture(actual, np.ones(10)) == pytest.approx(0.1)
    assert np.isnan(top_decile_capture(np.zeros(10), np.ones(10)))


def test_scores_without_meaning_are_missing_not_made_up():
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))
    assert np.isnan(total_ratio(np.zeros(3), np.ones(3)))
    assert np.isnan(skill_on_change(np.arange(5.0), np.ones(5), np.ones(5), 1.0))


def test_skill_on_change_rewards_knowing_who_grows():
    persistence = np.array([10.0, 10.0, 10.0, 10.0])
    actual = np.array([5.0, 10.0, 20.0, 40.0])
    assert skill_on_change(actual, actual, persistence, 1.0) == pytest.approx(1)
    assert skill_on_change(actual, actual[::-1].copy(), persistence, 1.0) == pytest.approx(-1)


def test_a_run_rate_column_is_used_where_given():
    snapshots = make_snapshots(partners=60)
    snapshots["run_rate"] = 7.0
    assert set(backtest(snapshots, FEATURES, SPEC, AS_OF, 1).predictions["run_rate"]) == {7.0}


def test_the_same_seed_gives_the_same_tables():
    snapshots = make_snapshots(partners=60, reviews=9)
    first, second = (backtest(snapshots, FEATURES, SPEC, AS_OF, 1).tables() for _ in range(2))
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name])


def test_very_many_partners_are_tested_on_a_sample_that_depends_on_the_seed_alone():
    few = SPEC.model_copy(update={"backtest": BacktestSpec(origins=2, bootstraps=20, partners=90)})
    snapshots = make_snapshots()
    first = backtest(snapshots, FEATURES, few, AS_OF, 1)
    turned = backtest(snapshots.iloc[::-1].reset_index(drop=True), FEATURES, few, AS_OF, 1)
    tested = set(first.predictions["partner_id"])
    assert len(tested) <= 90 < snapshots["partner_id"].nunique()
    assert set(turned.predictions["partner_id"]) == tested
    assert set(backtest(snapshots, FEATURES, few, AS_OF, 2).predictions["partner_id"]) != tested
    # The guards against leaks have a bound of their own, and see everybody below it.
    assert first.leaks.loc[first.leaks["code"] == "metric_ahead", "partners"].max() > 90


def test_a_market_shock_raises_the_alarm():
    snapshots = make_snapshots(partners=400, reviews=10)
    calm = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    shocked = snapshots.copy()
    last = shocked["as_of"] == shocked.loc[shocked["label"].notna(), "as_of"].max()
    shocked.loc[last, "label"] *= 0.1
    alarmed = train(shocked, FEATURES, QUICK, AS_OF, 1)
    assert "regime_change" not in set(calm.diagnostics["code"])
    assert "regime_change" in set(alarmed.diagnostics["code"])
