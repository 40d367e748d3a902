"""Columns that know the future are named; honest ones, however good, are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, make_snapshots
from tierwise.config.leak_spec import LeakSpec
from tierwise.config.model_spec import BacktestSpec, Feature, FeatureSet
from tierwise.potential import Leaks, attributes_from_history, backtest, leaks_frame, tier_effect, train
from tierwise.potential.leak_statistics import level_shares, partial_shares
from tierwise.potential.leaks import find_leaks, with_moved
from tierwise.potential.tier_effect import without

SPEC = LeakSpec(bootstraps=60)
QUARTER = pd.offsets.QuarterEnd(1)
BY_PARTNER = FeatureSet((Feature("target", direction="up"), Feature("pace")), "target", attributes=("kind",))


def running_channel(partners: int = 150, quarters: int = 20, seed: int = 3) -> pd.DataFrame:
    """Snapshots of partners whose quarterly sales swing around a level of their own; the label is the next year's sum.

    `pace` is an honest metric (the last quarter), `kind` an honest trait (a rough band of the level).
    """
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 1, partners)
    swing = np.zeros((partners, quarters))
    for place in range(1, quarters):
        swing[:, place] = 0.7 * swing[:, place - 1] + rng.normal(0, 0.5, partners)
    sales = np.exp(8 + level[:, None] + swing)
    ends = pd.date_range(end="2026-09-30", periods=quarters, freq="QE")
    blocks = [_block(sales, ends, place) for place in range(4, quarters)]
    kind = np.where(level + rng.normal(0, 0.7, partners) > 0, "large", "small")
    frame = pd.concat(blocks, ignore_index=True)
    return frame.assign(kind=pd.Series(np.tile(kind, len(blocks)), dtype="str"))


def _block(sales: np.ndarray, ends: pd.DatetimeIndex, place: int) -> pd.DataFrame:
    past, following = sales[:, place - 3 : place + 1].sum(axis=1), sales[:, place + 1 : place + 5]
    return pd.DataFrame(
        {
            "as_of": ends[place],
            "partner_id": [f"P{number:03d}" for number in range(len(sales))],
            "tenure_days": 900.0,
            "target": past,
            "pace": sales[:, place],
            "label": following.sum(axis=1) if following.shape[1] == 4 else np.nan,
            "label_until": ends[place] + 4 * QUARTER,
            "persistence": past,
        }
    )


@pytest.fixture(scope="module")
def honest() -> pd.DataFrame:
    return running_channel()


def _fired(snapshots: pd.DataFrame, features: FeatureSet = BY_PARTNER) -> list[str]:
    found = find_leaks(snapshots, features, SPEC, snapshots["as_of"].max(), seed=1)
    return sorted(found.loc[found["fired"], "subject"])


def test_an_honest_channel_is_quiet(honest: pd.DataFrame) -> None:
    assert _fired(honest) == []


@pytest.mark.parametrize("noise", [0.2, 0.8])
def test_a_metric_made_of_the_label_is_named(honest: pd.DataFrame, noise: float) -> None:
    leak = honest["label"] * np.exp(np.random.default_rng(0).normal(0, noise, len(honest)))
    assert _fired(honest.assign(pace=leak.fillna(0.0))) == ["pace"]


def test_an_attribute_made_of_the_last_window_is_named(honest: pd.DataFrame) -> None:
    known = honest[honest["label"].notna()]
    last = known[known["as_of"] == known["as_of"].max()].set_index("partner_id")["label"]
    band = pd.qcut(last, 4, labels=list("ABCD")).astype(str)
    assert _fired(honest.assign(kind=honest["partner_id"].map(band))) == ["kind"]


def test_the_model_as_a_whole_is_named_by_its_back_test() -> None:
    spec = QUICK.model_copy(update={"backtest": BacktestSpec(origins=2, bootstraps=20), "leaks": SPEC})
    given_away = backtest(make_snapshots(partners=200), FEATURES, spec, AS_OF, 1).leaks
    assert {"(the model as a whole)", "pipeline_2q"} <= set(given_away.loc[given_away["fired"], "subject"])
    honest = backtest(make_snapshots(partners=200, signal=0.0), FEATURES, spec, AS_OF, 1).leaks
    assert Leaks(honest).alarm == "quiet"
    assert honest["fired"].sum() == 0


def test_without_a_later_review_nothing_can_be_tested(honest: pd.DataFrame) -> None:
    one = honest[honest["as_of"] == honest["as_of"].min()]
    found = find_leaks(one, replace(BY_PARTNER, attributes=()), SPEC, pd.Timestamp("2026-09-30"), seed=1)
    assert Leaks(found).alarm == "not_tested"
    assert Leaks(leaks_frame([])).sentences == ()


def test_moved_rows_have_the_figures_of_the_next_review_inside_the_window(honest: pd.DataFrame) -> None:
    days = sorted(honest["as_of"].unique())
    rows, after = (honest[honest["as_of"] == day].reset_index(drop=True) for day in days[:2])
    moved, known = with_moved(rows, honest[honest["partner_id"] != "P000"], ["pace"])
    assert known.tolist() == [False] + [True] * (len(rows) - 1)
    assert moved.loc[1:, "pace"].tolist() == after.loc[1:, "pace"].tolist()
    assert moved.loc[0, "pace"] == rows.loc[0, "pace"]
    assert moved["label"].equals(rows["label"])


def test_the_order_of_rows_and_the_unit_of_money_change_no_figure(honest: pd.DataFrame) -> None:
    first = find_leaks(honest, BY_PARTNER, SPEC, honest["as_of"].max(), seed=1)
    cents = honest.assign(**{name: honest[name] * 100 for name in ("target", "pace", "label", "persistence")})
    second = find_leaks(cents.sample(frac=1, random_state=1), BY_PARTNER, SPEC, honest["as_of"].max(), seed=1)
    pd.testing.assert_frame_equal(first, second)


def test_partial_shares_are_the_squared_partial_correlation_of_ranks() -> None:
    rng = np.random.default_rng(1)
    base, own = rng.normal(size=400), rng.normal(size=400)
    value = base + own
    whole = np.ones((1, 400))
    assert partial_shares(own, value, base, whole)[0] > 0.8
    assert partial_shares(rng.normal(size=400), value, base, whole)[0] < 0.02
    assert partial_shares(np.ones(400), value, base, whole)[0] == 0


def test_level_shares_do_not_grow_with_the_number_of_levels() -> None:
    rng = np.random.default_rng(2)
    value, given = rng.normal(size=300), rng.normal(size=300)
    levels = pd.Series(rng.integers(0, 40, 300).astype(str))
    assert abs(level_shares(levels, value, given, np.ones((1, 300)))[0]) < 0.06
    telling = pd.Series(np.where(value > 0, "up", "down"))
    assert level_shares(telling, value, given, np.ones((1, 300)))[0] > 0.6


def _facts(count: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    days = pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, count), unit="D")
    names = [f"P{number:03d}" for number in range(count)]
    return pd.DataFrame({"partner_id": names, "last_day": days, "row_count": rng.integers(1, 60, count).astype(float)})


@pytest.mark.parametrize(
    "made_of",
    [
        lambda facts: facts["last_day"].dt.year.astype(str),
        lambda facts: facts["last_day"].dt.month.astype(str),
        lambda facts: pd.cut(facts["row_count"], [0, 10, 30, 60], labels=["few", "some", "many"]).astype(str),
    ],
    ids=["year of the last event", "month of the last event", "bands of how much"],
)
def test_an_attribute_made_of_the_history_is_named(made_of: object) -> None:
    facts = _facts()
    rows = facts[["partner_id"]].assign(trait=made_of(facts))  # type: ignore[operator]
    (row,) = attributes_from_history(rows, ["trait"], facts, SPEC)
    assert row["fired"]
    assert Leaks(leaks_frame([row])).sentences[0].startswith("trait: the attribute follows")


def test_a_trait_and_a_fact_that_hardly_varies_are_not_named() -> None:
    facts = _facts().assign(same=1.0, none=np.nan)
    rng = np.random.default_rng(5)
    rows = facts[["partner_id"]].assign(
        region=rng.choice(["A", "B", "C"], len(facts)), rare=np.where(np.arange(len(facts)) < 4, "x", "y"),
        each=facts["partner_id"],
    )  # fmt: skip
    found = attributes_from_history(rows, ["region", "rare", "each"], facts, SPEC)
    assert [row["fired"] for row in found] == [False, False, False]
    assert attributes_from_history(rows.head(5), ["region"], facts, SPEC) == []


def test_what_rests_on_the_tier_is_measured_and_told() -> None:
    snapshots = make_snapshots(partners=200)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    found = tier_effect(model, snapshots, ["pipeline_2q", "not_a_feature"])
    assert found is not None
    assert found.columns == ("pipeline_2q",)
    assert 0.2 < found.share < 1
    assert found.factor > 1
    assert found.gini_with > found.gini_without
    assert f"{found.share:.0%} of all contributions rest on it" in found.sentence
    assert tier_effect(model, snapshots, ["not_a_feature"]) is None


def test_where_persistence_is_used_no_prediction_rests_on_the_tier() -> None:
    snapshots = make_snapshots(partners=40, reviews=4)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    assert model.source == "persistence"
    found = tier_effect(model, snapshots, ["region"])
    assert found is not None
    assert "no prediction rests on it" in found.sentence
    assert without(FEATURES, ["region", "deals_4q"]).attributes == ("partner_type",)
